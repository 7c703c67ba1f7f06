import { createHash } from 'node:crypto';

/**
 * The status page: one document, nothing from elsewhere. All that changes is put in by its script as text, never as markup, so
 * that a hostile tag name or error message stays text.
 */

const STYLE = `
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --line: #d4d7dc; --soft: #59626d;
  --well: #1a7f37; --care: #9a6700; --lost: #cf222e; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #16181b; --ink: #e6e8ea; --line: #3a3f46; --soft: #a3abb5; --well: #3fb950; --care: #d29922; --lost: #f85149; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 72rem; font: 1rem/1.5 system-ui, sans-serif;
  background: var(--paper); color: var(--ink); }
header { display: flex; flex-wrap: wrap; gap: 0 1rem; align-items: baseline; }
h1 { font-size: 1.25rem; margin: 0; overflow-wrap: anywhere; }
header p { margin: 0; color: var(--soft); }
#verdict { margin: 1rem 0; padding: .75rem 1rem; border: 1px solid var(--line); border-left: .4rem solid; border-radius: .25rem; }
#verdict[data-tone=well] { border-left-color: var(--well); }
#verdict[data-tone=care] { border-left-color: var(--care); }
#verdict[data-tone=lost] { border-left-color: var(--lost); }
#verdict ul { margin: 0; padding-left: 1.25rem; }
#verdict li { overflow-wrap: anywhere; }
main { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); }
section { border: 1px solid var(--line); border-radius: .25rem; padding: .75rem 1rem; }
h2 { font-size: 1rem; margin: 0 0 .25rem; }
dl { margin: 0; }
dl div { display: flex; justify-content: space-between; gap: 1rem; padding: .125rem 0; }
dt { color: var(--soft); }
dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; min-width: 0; }
footer { margin-top: 1rem; color: var(--soft); }
a { color: inherit; }
`;

/** Runs in the browser. */
const SCRIPT = `
'use strict';
const EVERY_MS = 2000;
const ANSWER_WITHIN_MS = 5000;
const number = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });
const n = (figure) => number.format(figure);
const many = (count, noun) => n(count) + ' ' + noun + (count === 1 ? '' : 's');
const files = (count, rows, noun) => count === 0 ? 'none' : many(rows, noun) + ' in ' + many(count, 'file');
const UNITS = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']];
function duration(seconds) {
  const at = UNITS.findIndex(([size]) => seconds >= size);
  if (at < 0) return '0 s';
  const [[size, unit], next] = UNITS.slice(at, at + 2);
  const rest = next ? Math.floor(seconds % size / next[0]) : 0;
  return Math.floor(seconds / size) + ' ' + unit + (rest ? ' ' + rest + ' ' + next[1] : '');
}
function bytes(count) {
  const power = count < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(count) / 3));
  return n(count / 1000 ** power) + ' ' + ['B', 'kB', 'MB', 'GB'][power];
}
const SECTIONS = [
  ['Now', [
    ['Oracle', (s) => s.oracle.state],
    ['MQTT broker', (s) => s.mqtt.connected ? 'connected (MQTT ' + (s.mqtt.protocolVersion === 5 ? '5' : '3.1.1') + ')' : 'not connected'],
    ['Buffer', (s) => n(s.buffer.size) + ' of ' + n(s.buffer.capacity)],
    ['Journal', (s) => many(s.journal.messages, 'message') + ', ' + bytes(s.journal.bytes)],
    ['Running for', (s) => duration(s.uptimeSeconds)]]],
  ['Values since the start', [
    ['Received', (s) => n(s.counters.valuesReceived)],
    ['Written to Oracle', (s) => n(s.counters.valuesWritten)],
    ['Backed up to CSV', (s) => n(s.counters.valuesBackedUp)],
    ['Replayed from backups', (s) => n(s.counters.valuesReplayed)],
    ['Rejected', (s) => n(s.counters.valuesRejected)],
    ['Dropped', (s) => n(s.counters.valuesDropped)],
    ['Filtered', (s) => n(s.counters.valuesFiltered)]]],
  ['Averages', [
    ['Over the last', (s) => duration(s.rolling.windowSeconds)],
    ['Batches', (s) => n(s.rolling.batches)],
    ['Rows a batch', (s) => s.rolling.batches ? n(s.rolling.avgBatchSize) : '–'],
    ['Write latency', (s) => s.rolling.batches ? n(s.rolling.avgWriteLatencyMs) + ' ms' : '–']]],
  ['CSV files', [
    ['Waiting for Oracle', (s) => files(s.backups.pendingFiles, s.backups.pendingRows, 'row')],
    ['Rejected', (s) => files(s.backups.rejectedFiles, s.backups.rejectedRows, 'row')],
    ['Undecodable', (s) => files(s.backups.undecodableFiles, s.backups.undecodableRows, 'message')]]],
  ['Audit', [
    ['Every value accounted for', (s) => s.audit.balanced ? 'yes' : 'no, difference ' + n(s.audit.difference)],
    ['On the way', (s) => n(s.audit.pending)]]],
  ['Messages since the start', [
    ['Received', (s) => n(s.counters.messagesReceived)],
    ['Undecodable', (s) => n(s.counters.messagesUndecodable)],
    ['Duplicates', (s) => n(s.counters.messagesDuplicate)],
    ['Not acknowledged yet', (s) => n(s.mqtt.unackedMessages)]]],
];
const element = (id) => document.getElementById(id);
function add(parent, tag, text) {
  const child = parent.appendChild(document.createElement(tag));
  if (text !== undefined) child.textContent = text;
  return child;
}
const cells = SECTIONS.flatMap(([title, rows]) => {
  const section = add(element('numbers'), 'section');
  add(section, 'h2', title);
  const list = add(section, 'dl');
  return rows.map(([label, read]) => {
    const row = add(list, 'div');
    add(row, 'dt', label);
    return [add(row, 'dd', '–'), read];
  });
});
let shown = '';
function verdict(tone, line, problems) {
  const next = JSON.stringify([tone, line, problems]);
  if (next === shown) return;
  shown = next;
  element('verdict').dataset.tone = tone;
  element('line').textContent = line;
  element('problems').replaceChildren();
  for (const problem of problems) add(element('problems'), 'li', problem);
}
let seenAt = '';
async function refresh() {
  try {
    const answer = await fetch('api/status', { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    if (!answer.ok) throw new Error(String(answer.status));
    const status = await answer.json();
    for (const [cell, read] of cells) cell.textContent = read(status);
    element('bridge').textContent = status.bridgeId;
    element('version').textContent = 'version ' + status.version;
    document.title = status.bridgeId + ' – bridge status';
    const count = status.problems.length;
    if (count === 0) verdict('well', '✓ All is well.', []);
    else verdict('care', '! ' + (count === 1 ? 'One thing needs' : count + ' things need') + ' attention:', status.problems);
    seenAt = new Date().toLocaleTimeString();
  } catch {
    verdict('lost', '✗ Bridge not reachable.' + (seenAt ? ' The numbers below were read at ' + seenAt + '.' : ''), []);
  }
  setTimeout(refresh, EVERY_MS);
}
void refresh();
`;

const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Bridge status</title>
<link rel="icon" href="data:,">
<style>${STYLE}</style>
</head>
<body>
<header><h1 id="bridge">mqtt-oracle-bridge</h1><p id="version"></p></header>
<div id="verdict" role="status"><strong id="line">Asking the bridge …</strong><ul id="problems"></ul></div>
<noscript><p>This page needs JavaScript. The same numbers are at <a href="api/status">api/status</a>.</p></noscript>
<main id="numbers"></main>
<footer>Asked again every 2 seconds. Also here: <a href="api/status">status as JSON</a>, <a href="metrics">Prometheus metrics</a>.</footer>
<script>${SCRIPT}</script>
</body>
</html>
`;

const sha256 = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

export const statusPage = {
  html: HTML,
  /** Only this style and this script run, and they can ask only this bridge. */
  contentSecurityPolicy: [
    `default-src 'none'`,
    `style-src ${sha256(STYLE)}`,
    `script-src ${sha256(SCRIPT)}`,
    `connect-src 'self'`,
    `img-src data:`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
  ].join('; '),
} as const;
