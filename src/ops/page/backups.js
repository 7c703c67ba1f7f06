// @ts-check
import { act, allowActions, noteFiles } from './actions.js';
import { bridgeNowMs } from './clock.js';
import { add, fill, find, showRows, tableOf, write, writeTime } from './dom.js';
import { bytes, duration, many, number, percent } from './format.js';

/** @typedef {import('../listed-backup.ts').ListedBackup} ListedBackup */
/** @typedef {import('./live.js').Status} Status */

const KINDS = {
  backup: { word: 'backup', noun: 'row', note: 'Oracle was away; replayed by itself' },
  held: { word: 'held', noun: 'row', note: 'no partition for them yet; tried again by itself' },
  rejected: { word: 'rejected', noun: 'row', note: 'refused one by one; replay when the cause is mended' },
  undecodable: {
    word: 'undecodable',
    noun: 'message',
    note: 'not of the topic’s format; replay when the subscription is mended',
  },
};
const STATES = { open: 'being written', sealed: 'waiting', replaying: 'replaying' };
const REQUESTS = {
  queued: 'replay queued',
  replaying: 'replaying',
  waiting: 'replay waits',
  done: 'replayed',
  failed: 'replay failed',
};

/** What can be looked at; a list of more is the command line's. */
const AT_MOST = 100;

/** @type {readonly ListedBackup[]} */
let files = [];
/** @type {Status | undefined} */
let status;
/** @type {ReturnType<typeof tableOf> | undefined} */
let built;

/** @param {readonly ListedBackup[]} listed */
export function showFiles(listed) {
  // What waits for Oracle first, in the order of its replay.
  const kinds = Object.keys(KINDS);
  files = listed.toSorted((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind));
  draw();
  noteFiles(new Set(files.map(({ file }) => file)));
}

/** The progress comes each second with the status, the list only when it changes. @param {Status} next */
export function showProgress(next) {
  status = next;
  draw();
}

function draw() {
  built ??= tableOf('#backups');
  built.table.hidden = files.length === 0;
  allowActions(status?.actions === true && files.length > 0);
  built.table.dataset['actions'] = String(status?.actions === true);
  fill('backups-note', note());
  const columns = ['file', 'why', 'number', 'number', 'state', 'do'];
  showRows(built.body, files.slice(0, AT_MOST), { key: ({ file }) => file, columns, update: showFile });
}

function note() {
  if (files.length === 0) return 'None. What Oracle does not take would be listed here, with the reason.';
  const more = files.length > AT_MOST ? `The first ${AT_MOST} of ${number(files.length)}. ` : '';
  if (status === undefined || status.actions) return more;
  return `${more}To replay or discard from this page, set http.token in the configuration; or use mqtt-oracle-bridge backups on the gateway.`;
}

/** @param {HTMLTableCellElement[]} cells @param {ListedBackup} listed */
function showFile([file, why, age, rows, state, actions], listed) {
  if (!file || !why || !age || !rows || !state || !actions) return;
  const kind = KINDS[listed.kind];
  if (file.childElementCount === 0) {
    const link = add(file, 'a', 'name', listed.file);
    link.href = `api/backups/${encodeURIComponent(listed.file)}`;
    link.download = listed.file;
    link.title = 'Download';
    add(file, 'span', 'sub');
    add(why, 'span');
    add(why, 'span', 'sub');
    add(rows, 'span');
    add(rows, 'span', 'sub');
    add(state, 'span');
    add(state, 'progress').max = 1;
    add(state, 'span', 'sub');
    addButtons(actions, listed);
  }
  write(find('.sub', file), `${kind.word}${destinationOf(listed)}: ${kind.note}`);
  showWhy(why, listed);
  const createdAtMs = createdAtMsOf(listed);
  const ageMs = bridgeNowMs() - createdAtMs;
  writeTime(age, createdAtMs, Number.isNaN(ageMs) ? '–' : duration(Math.max(0, ageMs) / 1000));
  write(find('span', rows), number(listed.rows));
  write(find('.sub', rows), bytes(listed.bytes));
  showState(state, listed);
  for (const button of actions.querySelectorAll('button')) {
    button.hidden = status?.actions !== true;
  }
}

/** Nothing where there is only one table. @param {ListedBackup} listed */
function destinationOf({ destination, to }) {
  if (to !== undefined && to !== destination) return ` for ${destination}, sent to ${to}`;
  return destination === 'default' ? '' : ` for ${destination}`;
}

/** @param {HTMLElement} cell @param {ListedBackup} listed */
function addButtons(cell, listed) {
  for (const [action, label] of /** @type {const} */ ([
    ['replay', 'Replay'],
    ['discard', 'Discard …'],
  ])) {
    const button = add(cell, 'button', action, label);
    button.type = 'button';
    button.value = action;
    button.setAttribute('aria-label', `${label.replace(' …', '')} ${listed.file}`);
    button.addEventListener('click', () => void act(action, listed.file, contentOf(listed.file), button));
  }
}

/** The row stays while its file grows. @param {string} file */
function contentOf(file) {
  const listed = files.find((each) => each.file === file);
  return listed === undefined ? 'all that is in it' : many(listed.rows, KINDS[listed.kind].noun);
}

/** Database messages often begin with their code. @param {HTMLElement} cell @param {ListedBackup} listed */
function showWhy(cell, { reason, problem, hint }) {
  const message = reason.message.replace(`${reason.code}:`, '').trim();
  const text = hint === undefined ? message : `${message} Waits for you: ${hint}`;
  write(find('span', cell), reason.code);
  write(find('.sub', cell), problem === undefined ? text : `${text} Can’t be read to its end: ${problem}`);
}

/** @param {HTMLElement} cell @param {ListedBackup} listed */
function showState(cell, listed) {
  const current = status?.backups.replaying;
  const replayed = current?.file === listed.file ? current.replayedRows : listed.replayedRows;
  const { request } = listed;
  const isReplaying = listed.state === 'replaying' || current?.file === listed.file;
  const word = isReplaying ? STATES.replaying : request === undefined ? STATES[listed.state] : REQUESTS[request.state];
  const share = listed.rows === 0 ? 0 : Math.min(1, replayed / listed.rows);
  write(find('span', cell), isReplaying ? `${word} ${percent(share)}` : word);
  const bar = /** @type {HTMLProgressElement} */ (find('progress', cell));
  bar.hidden = !isReplaying;
  bar.value = share;
  bar.setAttribute('aria-label', `Replay of ${listed.file}`);
  write(
    find('.sub', cell),
    isReplaying ? `${number(replayed)} of ${many(listed.rows, KINDS[listed.kind].noun)}` : (request?.problem ?? ''),
  );
}

/** NaN where nothing tells when the file was begun. @param {ListedBackup} listed */
function createdAtMsOf({ createdAt }) {
  return Date.parse(createdAt) || Number.NaN;
}
