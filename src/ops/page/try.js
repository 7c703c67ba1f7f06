// @ts-check
import { add, find, showRows, tableOf, write } from './dom.js';
import { exactNumber } from './format.js';

/** @typedef {import('../../core/tried-message.ts').TriedMessage} Tried */
/** @typedef {import('../../core/tried-message.ts').TriedRow} Row */

const ANSWER_WITHIN_MS = 10_000;
const COLUMNS = ['what', 'number', 'text', 'when', 'quality', 'why'];

export function startTry() {
  find('#try-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const { topic, payload } = fields();
    void tryMessage({ topic: topic.value, payload: payload.value });
  });
}

/** One of the undecodable messages, as it came. @param {number} number @param {string} topic @param {string} payload */
export function tryUndecodable(number, topic, payload) {
  const shown = fields();
  shown.topic.value = topic;
  shown.payload.value = payload;
  find('#try').scrollIntoView({ block: 'nearest' });
  void tryMessage({ undecodable: number });
}

function fields() {
  /** @type {HTMLInputElement} */
  const topic = find('#try-topic');
  /** @type {HTMLTextAreaElement} */
  const payload = find('#try-payload');
  return { topic, payload };
}

/** @param {object} asked */
async function tryMessage(asked) {
  try {
    const response = await fetch('api/try', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(asked),
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
    const answer = await response.text();
    if (response.ok) show(JSON.parse(answer));
    else tell('trouble', messageOf(answer));
  } catch {
    tell('trouble', 'No answer.');
  }
}

/** @param {string} answer */
function messageOf(answer) {
  try {
    return String(JSON.parse(answer).message);
  } catch {
    return answer.trim();
  }
}

/** @param {Tried} tried */
function show({ notes = [], outcome, reason, rejectedCount, rowCount, rows, subscription }) {
  const taken =
    subscription === null
      ? 'No subscription takes this topic.'
      : `Read by ${subscription.topic} as ${subscription.format}.`;
  if (reason !== undefined) tell('trouble', `${taken} ${reason.code}: ${reason.message}`);
  else if (outcome === 'skipped') tell('care', `${taken} Skipped: the subscription is not for such messages.`);
  else {
    const shown = rows.length < rowCount ? `, the first ${rows.length} below` : '';
    const refused = rejectedCount === 0 ? '' : ` ${rejectedCount} of them would be rejected.`;
    tell(
      rejectedCount === 0 ? 'ok' : 'care',
      `${taken} ${rowCount === 1 ? '1 row' : `${rowCount} rows`}${shown}.${refused}${notes.map((note) => ` Note: ${note}.`).join('')}`,
    );
  }
  const { body, table } = tableOf('#try');
  table.hidden = rows.length === 0;
  const keyed = rows.map((row, i) => ({ row, key: `${i} ${JSON.stringify(row)}` }));
  showRows(body, keyed, { key: ({ key }) => key, columns: COLUMNS, update: (cells, { row }) => showRow(cells, row) });
}

/** @param {HTMLTableCellElement[]} cells @param {Row} row */
function showRow(cells, { problem, quality, tagName, text, timestamp, value }) {
  const texts = [
    tagName,
    value === null ? '' : exactNumber(value),
    text ?? '',
    timestamp ?? '',
    quality,
    problem === undefined ? '' : `${problem.code}: ${problem.message}`,
  ];
  for (const [i, cell] of cells.entries()) {
    if (cell.childElementCount === 0) add(cell, 'span', i === 0 ? 'name' : '');
    write(find('span', cell), texts[i] ?? '');
  }
}

/** @param {string} tone @param {string} text */
function tell(tone, text) {
  const message = find('#try-message');
  message.dataset['tone'] = tone;
  write(message, text);
  if (tone === 'trouble') tableOf('#try').table.hidden = true;
}
