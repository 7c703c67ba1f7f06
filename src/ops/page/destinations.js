// @ts-check
import { bridgeNowMs } from './clock.js';
import { add, find, setTone, showRows, tableOf, write } from './dom.js';
import { duration, many, number } from './format.js';

/** @typedef {import('./live.js').Status} Status */
/** @typedef {Status['destinations'][number]} Destination */
/** @typedef {import('./dom.js').Tone} Tone */

/** @type {Readonly<Record<Destination['state'], { tone: Tone, word: string }>>} */
const STATES = {
  connected: { tone: 'ok', word: 'taking values' },
  retrying: { tone: 'care', word: 'trying again' },
  down: { tone: 'trouble', word: 'down' },
};

/** @type {ReturnType<typeof tableOf> | undefined} */
let built;
/** When the figures below were shown. */
let shownMs = -Infinity;
/** Two looks that follow one another at once give no rate. */
const LEAST_S = 0.5;
/** Values written, by destination, as they were before. @type {Map<string, number>} */
let written = new Map();

/** With one table the rest of the page says it all. @param {Status} status */
export function showDestinations({ destinations }) {
  find('#destinations').hidden = destinations.length < 2;
  if (destinations.length < 2) return;
  built ??= tableOf('#destinations');
  const nowMs = performance.now();
  const passed = (nowMs - shownMs) / 1000;
  const columns = ['name', 'state', 'number', 'number', 'number', 'number'];
  showRows(built.body, destinations, {
    key: ({ name }) => name,
    columns,
    update: (cells, each) => showDestination(cells, each, passed),
  });
  if (passed < LEAST_S) return;
  shownMs = nowMs;
  written = new Map(destinations.map(({ counters, name }) => [name, counters.valuesWritten]));
}

/** @param {HTMLTableCellElement[]} cells @param {Destination} destination @param {number} passed seconds */
function showDestination([name, state, rate, count, pending, waiting], destination, passed) {
  if (!name || !state || !rate || !count || !pending || !waiting) return;
  const { backups, buffer, counters, gone, table } = destination;
  if (name.childElementCount === 0) {
    add(name, 'span', 'title');
    add(name, 'span', 'sub');
    add(state, 'span', 'mark').setAttribute('aria-hidden', 'true');
    state.append(' ');
    add(state, 'span', 'word');
    add(state, 'span', 'sub');
    for (const cell of [pending, waiting]) {
      add(cell, 'span', 'title');
      add(cell, 'span', 'sub');
    }
  }
  write(find('.title', name), destination.name);
  write(find('.sub', name), gone === true ? 'not in the configuration any more' : (table ?? ''));
  showState(state, destination);
  const before = written.get(destination.name);
  if (before === undefined) write(rate, '–');
  else if (passed >= LEAST_S) write(rate, number(Math.max(0, counters.valuesWritten - before) / passed));
  write(count, number(counters.valuesWritten));
  write(find('.title', pending), number(destination.pending));
  write(find('.sub', pending), buffer.size >= buffer.capacity ? 'buffer full' : '');
  write(find('.title', waiting), number(backups.pendingRows));
  write(find('.sub', waiting), backups.pendingFiles === 0 ? '' : many(backups.pendingFiles, 'file'));
}

/** @param {HTMLElement} cell @param {Destination} destination */
function showState(cell, { gone, reason, since, state }) {
  const { tone, word } = gone === true ? { tone: /** @type {Tone} */ ('idle'), word: 'gone' } : STATES[state];
  setTone(cell, tone);
  const forMs = since === undefined ? 0 : bridgeNowMs() - Date.parse(since);
  const isLong = gone !== true && state !== 'connected' && forMs >= 1000;
  write(find('.word', cell), isLong ? `${word} for ${duration(forMs / 1000)}` : word);
  write(find('.sub', cell), state === 'connected' || reason === undefined ? '' : reason.code);
}
