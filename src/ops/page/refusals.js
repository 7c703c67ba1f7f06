// @ts-check
import { add, find, showRows, tableOf, write, writeTime } from './dom.js';
import { exactNumber, time } from './format.js';
import { ask } from './live.js';
import { tryUndecodable } from './try.js';

/** @typedef {import('./live.js').Status} Status */
/** @typedef {import('../refusals.ts').RejectedValue} Rejected */
/** @typedef {import('../refusals.ts').UndecodableMessage} Undecodable */
/** @typedef {{ at: string, subject: string, detail: string, code: string, why: string, tries?: () => void }} Line */

const COLUMNS = ['when', 'what', 'why'];

/** @type {Map<string, ReturnType<typeof tableOf>>} */
const tables = new Map();
let shownAt = '';

/** Fetches the lists when the counters say that there are more. @param {Status} status */
export async function refreshRefusals({ counters }) {
  const at = `${counters.valuesRejected} ${counters.messagesUndecodable}`;
  if (at === shownAt) return;
  shownAt = at;
  try {
    const { rejected, undecodable } = /** @type {import('../refusals.ts').RefusalsAnswer} */ (
      await ask('api/refusals')
    );
    show('#rejected', 'None since the start.', rejected.map(rejectedLine));
    show('#undecodable', 'None since the start.', undecodable.map(undecodableLine));
  } catch {
    shownAt = ''; // the next status asks again
  }
}

/** After a restart the bridge has other lists, though the counters may be the same. */
export function forgetRefusals() {
  shownAt = '';
}

/** @param {Rejected} row @returns {Line} */
function rejectedLine({ at, tagName, value, code, message }) {
  const why = message.replace(`${code}:`, '').trim();
  return { at, subject: tagName, detail: shownValue(value), code, why };
}

/** @param {Undecodable} message @returns {Line} */
function undecodableLine({ at, isWhole, number, topic, payload, reason }) {
  const line = { at, subject: topic, detail: payload, code: '', why: reason };
  return isWhole ? { ...line, tries: () => tryUndecodable(number, topic, payload) } : line;
}

/** @param {number | string | null} value */
function shownValue(value) {
  return typeof value === 'number' ? exactNumber(value) : (value ?? 'no value');
}

/** @param {string} selector @param {string} none @param {readonly Line[]} lines */
function show(selector, none, lines) {
  const { table, body } = tables.get(selector) ?? tableOf(selector);
  tables.set(selector, { table, body });
  table.hidden = lines.length === 0;
  const note = find('.note', find(selector));
  note.hidden = lines.length > 0;
  write(note, none);
  /** Equal lines are told apart by their number from the end, which stays when newer ones come. */
  const seen = new Map();
  const keyed = lines.toReversed().map((line) => {
    const name = JSON.stringify(line);
    seen.set(name, (seen.get(name) ?? 0) + 1);
    return { line, name: `${name} ${seen.get(name)}` };
  });
  showRows(body, keyed.reverse(), {
    key: ({ name }) => name,
    columns: COLUMNS,
    update: ([when, what, why], { line }) => {
      if (!when || !what || !why || what.childElementCount > 0) return;
      writeTime(when, Date.parse(line.at), time(Date.parse(line.at)));
      add(what, 'span', 'name', line.subject);
      add(what, 'span', 'sub payload', line.detail);
      if (line.code !== '') add(why, 'span', '', line.code);
      add(why, 'span', line.code === '' ? '' : 'sub', line.why);
      const { tries } = line;
      if (tries === undefined) return;
      const button = add(why, 'button', 'try', 'Try now');
      button.type = 'button';
      button.setAttribute('aria-label', `Try the message on ${line.subject} as the subscriptions are now`);
      button.addEventListener('click', tries);
    },
  });
}
