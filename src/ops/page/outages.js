// @ts-check
import { add, find, showRows, tableOf, write, writeTime } from './dom.js';
import { duration, number, time } from './format.js';

/** @typedef {import('./live.js').Status} Status */
/** @typedef {Status['outages'][number]} Outage */

const COLUMNS = ['when', 'what', 'number', 'number', 'why'];
const THINGS = { broker: 'MQTT broker', journal: 'Journal', oracle: 'Oracle' };

/** @type {ReturnType<typeof tableOf> | undefined} */
let built;

/** @param {Status} status */
export function showOutages({ destinations, outages }) {
  built ??= tableOf('#outages');
  built.table.hidden = outages.length === 0;
  write(find('#outages .note'), outages.length === 0 ? 'None known.' : '');
  const isOneOfSeveral = destinations.length > 1;
  showRows(built.body, outages, {
    key: ({ began, destination = '', of }) => `${of} ${destination} ${began}`,
    columns: COLUMNS,
    update: (cells, outage) => showOutage(cells, outage, isOneOfSeveral),
  });
}

/** @param {HTMLTableCellElement[]} cells @param {Outage} outage @param {boolean} isOneOfSeveral */
function showOutage([when, what, length, rows, why], outage, isOneOfSeveral) {
  if (!when || !what || !length || !rows || !why) return;
  const { began, code, destination, ended, of, reason, restarted, rowsBackedUp, seconds } = outage;
  if (what.childElementCount === 0) {
    add(what, 'span', 'title');
    add(what, 'span', 'sub');
    add(length, 'span', 'title');
    add(length, 'span', 'sub');
    add(why, 'span', 'title');
    add(why, 'span', 'sub');
  }
  writeTime(when, Date.parse(began), time(Date.parse(began)));
  write(find('.title', what), THINGS[of]);
  write(find('.sub', what), of === 'oracle' && isOneOfSeveral ? (destination ?? '') : '');
  write(find('.title', length), duration(seconds));
  const isOver = ended !== undefined;
  write(find('.sub', length), isOver ? (restarted === true ? 'at most' : '') : '▲ lasts');
  length.title = restarted === true ? 'The bridge was started anew meanwhile.' : '';
  when.closest('tr')?.classList.toggle('lasts', !isOver);
  write(rows, rowsBackedUp === undefined ? '–' : number(rowsBackedUp));
  write(find('.title', why), code ?? reason);
  write(find('.sub', why), code === undefined ? '' : reason.replace(`${code}:`, '').trim());
}
