// @ts-check
import { bridgeNowMs } from './clock.js';
import { find, showRows, tableOf, write, writeTime } from './dom.js';
import { duration, number, time } from './format.js';

/** @typedef {import('./live.js').Status} Status */
/** @typedef {Status['mqtt']['subscriptions'][number]} Subscription */

const COLUMNS = ['name', 'number', 'number', 'number'];
/** As many as the status lists. */
const LISTED = 100;

/** @type {ReturnType<typeof tableOf> | undefined} */
let built;

/** @param {Status} status */
export function showSubscriptions({ mqtt: { connected, silentSubscriptions, subscriptions } }) {
  built ??= tableOf('#subscriptions');
  const since = new Map(silentSubscriptions.map((each) => [each.topic, Date.parse(each.since)]));
  write(find('#subscriptions .note'), subscriptions.length < LISTED ? '' : `The first ${LISTED}.`);
  showRows(built.body, subscriptions, {
    key: ({ topic }) => topic,
    columns: COLUMNS,
    update: (cells, each) => show(cells, each, connected, since.get(each.topic)),
  });
}

/**
 * @param {HTMLTableCellElement[]} cells @param {Subscription} subscription @param {boolean} connected
 * @param {number | undefined} silentSinceMs
 */
function show(
  [name, qos, count, last],
  { grantedQos, lastMessageAt, messages, qos: wanted, topic },
  connected,
  silentSinceMs,
) {
  if (!name || !qos || !count || !last) return;
  write(name, topic);
  const isLess = connected && grantedQos !== wanted;
  const granted = grantedQos === undefined ? (connected ? 'not granted' : '–') : String(grantedQos);
  write(qos, isLess ? `▲ ${granted}${grantedQos === undefined ? '' : ` of ${wanted}`}` : granted);
  qos.classList.toggle('bad', isLess);
  write(count, number(messages));
  const lastMs = Date.parse(lastMessageAt ?? '');
  if (!Number.isNaN(lastMs)) {
    writeTime(last, lastMs, `${duration(Math.max(0, bridgeNowMs() - lastMs) / 1000)} ago`);
  } else if (silentSinceMs === undefined) {
    writeTime(last, Number.NaN, 'none since the start');
  } else {
    writeTime(last, silentSinceMs, `▲ none since ${time(silentSinceMs)}`);
  }
  last.classList.toggle('bad', Number.isNaN(lastMs) && silentSinceMs !== undefined);
}
