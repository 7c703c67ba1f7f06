/**
 * The bridge on each broker as it really is: the same cases for all, what the broker owes held against the rows.
 *
 *     npm run brokers                                      every broker that can be had here, the long form (hours)
 *     npm run brokers -- --short                           a tenth of the messages, the main cases (minutes)
 *     npm run brokers -- --brokers hivemq,rabbitmq --cases kill,reset --protocol 5
 *     npm run brokers -- --values 5000                     a quarter of the messages
 *     npm run brokers -- --write                           and writes the tables of docs/brokers.md
 *
 * Packages are fetched and built once, into BRIDGE_BROKER_CACHE (default: a folder of the system's temporary
 * directory). Ends with 1 when a value was lost that the broker had delivered, or one was doubled that could be told
 * apart.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';

import { CASES } from '../test/brokers/cases.ts';
import type { Protocol } from '../test/brokers/broker.ts';
import { OTHER_CASES, runMatrix } from '../test/brokers/matrix.ts';
import { writePage } from '../test/brokers/page.ts';
import { BROKERS } from '../test/brokers/table.ts';

const LONG_FORM_VALUES = 20_000;
const SHORT_SCALE = 0.1;
const SHORT_AT_ONCE = 4;
/** The others take longer, or say little with few messages. */
const SHORT_CASES = ['kill', 'reset', 'lost-acks', 'qos2', 'share', 'notices', 'restart'];

const { values: flags } = parseArgs({
  options: {
    brokers: { type: 'string', default: '' },
    cases: { type: 'string', default: '' },
    protocol: { type: 'string', default: '5,4' },
    values: { type: 'string', default: '' },
    'at-once': { type: 'string', default: '' },
    short: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});

/** The names of a list between commas, each one of those that are known. */
function namesOf(flag: string, known: readonly string[]): string[] {
  const names = flag.split(',').filter((name) => name !== '');
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(', ')}; there are ${known.join(', ')}`);
  return names;
}

function scaleOf(): number {
  if (flags.values !== '') return Number(flags.values) / LONG_FORM_VALUES;
  return flags.short ? SHORT_SCALE : 1;
}

if (flags.write && flags.cases !== '') {
  throw new Error('--write is not for some of the cases: it would remove the others from the page');
}

const brokerNames = namesOf(
  flags.brokers,
  BROKERS.map(({ name }) => name),
);
const caseNames = namesOf(
  flags.cases,
  [...CASES, ...OTHER_CASES].map(({ name }) => name),
);
const directory = await mkdtemp(join(tmpdir(), 'brokers-'));
console.log(`files and logs in ${directory}`);
const { cells, skipped } = await runMatrix({
  brokers: brokerNames.length === 0 ? BROKERS : BROKERS.filter(({ name }) => brokerNames.includes(name)),
  protocols: namesOf(flags.protocol, ['5', '4']).map((version) => Number(version) as Protocol),
  cases: flags.short && caseNames.length === 0 ? SHORT_CASES : caseNames,
  scale: scaleOf(),
  atOnce: flags['at-once'] === '' ? (flags.short ? SHORT_AT_ONCE : 1) : Number(flags['at-once']),
  directory,
  report: (line) => console.log(line),
});
if (flags.write) {
  await writePage('docs/brokers.md', BROKERS, cells, scaleOf());
  await promisify(execFile)('npx', ['prettier', '--write', 'docs/brokers.md']);
}
const bad = cells.filter(({ isGood }) => !isGood);
console.log(`cells ${cells.length} · bad ${bad.length} · brokers skipped ${skipped.length}`);
if (bad.length === 0 && !flags.keep) await rm(directory, { recursive: true });
process.exitCode = bad.length === 0 ? 0 : 1;
