/**
 * Values per second through the whole way, beside what the bare driver does on the same machine in the same run.
 *
 *     npm run bench                      50 tags a message, 2 million values, medians of 3 (--repeat) turns, and
 *                                        whether the machine was quiet meanwhile
 *     npm run bench -- --tags 1 --values 100000
 *     npm run bench -- --peer python     and a script that does the same, at least once (bench/peer/peer.py)
 *     npm run bench -- --format json     a format beside `polling`, in turns, medians of 3 (--repeat) each;
 *                                        scalar: one value a message in both
 *     npm run bench -- --format json --decode   the same of the decoders alone; all formats without --format
 *     npm run bench -- --url mqtt://…    another broker than a mosquitto of its own
 *     npm run bench -- --journal         what the journal costs: sync always beside never, for each protocol and
 *                                        window, in turns, medians of 3 (--repeat) each
 *     npm run bench -- --destinations 8  so many tables beside one, at the same total, in turns
 *     npm run bench -- --before DIR      this build beside that of another checkout (its dist/), in turns
 *     npm run bench -- --line 20         a database whose answers come 20 ms later: how fast what waits at the broker,
 *                                        and a backup, are written, with batches that may grow and without
 *     npm run bench -- --latency         at rest and at 1,000 values a second: processor time and memory, and how long
 *                                        a message takes into the table; both with --before DIR, too
 *     npm run bench -- --replay          how long live messages take into the table while 2,000,000 rows of a backup
 *                                        are replayed, and once they are
 *     npm run bench -- --memory          what memory it takes, and where that goes: at rest, with a full buffer, at
 *                                        full speed, and at full speed with a small heap
 *     npm run bench -- --growth tags     whether what a value costs, and the start, grow with the number of tags, of
 *                                        values in the journal (journal), of backup files (files), or with time
 *                                        (uptime, --minutes 60)
 *     npm run bench -- --on-duplicate update   what the policy costs beside a plain INSERT, in turns; or ignore
 *
 * Four processes beside this one: mosquitto, the publisher (QoS 1), the bridge, and the stand-in database in the mode
 * that only counts rows, so that it takes as little as possible of the machine. CPU and memory are the bridge process's
 * own, from /proc.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

import mqtt from 'mqtt';

import type { Status } from '../src/ops/status.ts';
import { BENCH_MESSAGES, type BenchMessage } from './bench/messages.ts';
import { measureDecoders } from './bench/decode.ts';
import { measureBesideReplay } from './bench/beside-replay.ts';
import { runDriver, WARM_UP_VALUES, type DriverFigures } from './bench/driver.ts';
import { compareLines } from './bench/line.ts';
import { measureGrowth } from './bench/growth.ts';
import { median } from './bench/median.ts';
import { measureMemory } from './bench/memory.ts';
import { LARGE_WINDOW } from './bench/neighbours.ts';
import { measurePolicy } from './bench/on-duplicate.ts';
import { PEERS, startPeer, type PeerFigures } from './bench/peer/peer.ts';
import { cpuSeconds, residentMegabytes } from './bench/process-figures.ts';
import { report, type BridgeFigures, type Turn } from './bench/report.ts';
import { compareLatencies } from './bench/steady.ts';
import { ON_DUPLICATE } from '../src/core/columns.ts';
import { startMosquitto } from '../test/support/mosquitto.ts';
import { Unavailable } from '../test/support/package-cache.ts';
import { startStandinProcess } from '../test/support/standin-process.ts';
import { tieToThisProcess } from '../test/support/tied-process.ts';
import { until } from '../test/support/until.ts';

/** Answering costs the bridge time, too. */
const ASK_EVERY_MS = 100;
const PATIENCE_MS = 600_000;
const WINDOWS = { default: ['max_queued_messages 0'], large: LARGE_WINDOW };

const { values: flags } = parseArgs({
  options: {
    role: { type: 'string', default: '' },
    url: { type: 'string', default: '' },
    connect: { type: 'string', default: '' },
    tags: { type: 'string', default: '50' },
    values: { type: 'string', default: '2000000' },
    json: { type: 'boolean', default: false },
    journal: { type: 'boolean', default: false },
    format: { type: 'string', default: '' },
    decode: { type: 'boolean', default: false },
    'on-duplicate': { type: 'string', default: '' },
    destinations: { type: 'string', default: '1' },
    before: { type: 'string', default: '' },
    line: { type: 'string', default: '' },
    latency: { type: 'boolean', default: false },
    replay: { type: 'boolean', default: false },
    memory: { type: 'boolean', default: false },
    growth: { type: 'string', default: '' },
    minutes: { type: 'string', default: '60' },
    peer: { type: 'string', default: '' },
    repeat: { type: 'string', default: '3' },
  },
});

const format = flags.format === '' ? 'polling' : flags.format;
const tagsPerMessage = format === 'scalar' ? 1 : Number(flags.tags);
const messages = Math.ceil(Number(flags.values) / tagsPerMessage);
const totalValues = messages * tagsPerMessage;

/** Publishes as fast as the broker acknowledges, with at most a thousand messages in flight. */
async function runPublisher(): Promise<void> {
  const client = await mqtt.connectAsync(flags.url, { clientId: 'bench-publisher' });
  let next = 0;
  const send = ({ payload, topic }: BenchMessage): Promise<unknown> => client.publishAsync(topic, payload, { qos: 1 });
  const destinations = Number(flags.destinations);
  const { first, message } = BENCH_MESSAGES[format]!;
  if (first !== undefined) await send(first(tagsPerMessage));
  const publishOn = async (): Promise<void> => {
    while (next < messages) {
      const number = next;
      next += 1;
      const made = message(number, tagsPerMessage);
      await send(destinations === 1 ? made : { ...made, topic: topicFor(number % destinations) });
    }
  };
  await Promise.all(Array.from({ length: 1000 }, publishOn));
  await client.endAsync();
}

/** Of the messages for one of several destinations. */
function topicFor(destination: number): string {
  return `plc/D${destination}/tags`;
}

function runRole(role: string, more: readonly string[]): ChildProcess {
  const own = ['--import', 'tsx', 'scripts/bench.ts', '--role', role];
  const args = [...own, '--tags', String(tagsPerMessage), '--values', flags.values];
  const child = spawn(process.execPath, [...args, ...more], { stdio: ['ignore', 'pipe', 'inherit'] });
  tieToThisProcess(child);
  return child;
}

async function lastLine(child: ChildProcess): Promise<string> {
  let last = '';
  createInterface({ input: child.stdout! }).on('line', (line) => (last = line));
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`a benchmark process ended with ${code}`);
  return last;
}

interface BridgeOptions {
  readonly sync: 'always' | 'never';
  readonly protocolVersion: 4 | 5;
  readonly format?: string;
  /** Default: one. */
  readonly destinations?: number;
  /** The checkout whose build it is; default: this one. */
  readonly checkout?: string;
}

/** Each of several destinations has messages of its own, the first of them being the default. */
function destinationsConfig(count: number): { readonly subscriptions: object[]; readonly destinations: object } {
  const numbers = Array.from({ length: count }, (_, i) => i);
  const subscriptions = numbers.map((i) => ({
    topic: topicFor(i),
    format: 'polling',
    to: i === 0 ? 'default' : `d${i}`,
  }));
  const further = numbers.slice(1).map((i) => [`d${i}`, { table: `TAG_DATA_${i}` }] as const);
  return { subscriptions, destinations: Object.fromEntries(further) };
}

/** The bridge as it is installed, from `dist`. */
async function runBridge(
  mqttUrl: string,
  connectString: string,
  options: BridgeOptions = { sync: 'always', protocolVersion: 5 },
): Promise<BridgeFigures> {
  const directory = await mkdtemp(join(tmpdir(), 'bridge-bench-'));
  const file = join(directory, 'bridge.json');
  const { checkout = '.', destinations: count = 1 } = options;
  const several = count === 1 ? undefined : destinationsConfig(count);
  const config = {
    bridge: { id: 'bench' },
    mqtt: {
      url: mqttUrl,
      protocolVersion: options.protocolVersion,
      subscriptions: several?.subscriptions ?? [BENCH_MESSAGES[options.format ?? format]!.subscription],
    },
    oracle: {
      connectString,
      user: 'bridge',
      password: 'secret',
      ...(several === undefined ? {} : { destinations: several.destinations, pool: { max: count + 1 } }),
    },
    journal: { dir: join(directory, 'journal'), sync: options.sync },
    backup: { dir: join(directory, 'backup') },
    http: { port: 0 },
  };
  await writeFile(file, JSON.stringify(config));
  const bridge = spawn(process.execPath, [join(checkout, 'dist/main.js'), 'run', '--config', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  tieToThisProcess(bridge);
  try {
    return await measure(bridge, mqttUrl, options.format ?? format, count);
  } finally {
    bridge.kill('SIGTERM');
    await once(bridge, 'exit');
    await rm(directory, { recursive: true });
  }
}

async function measure(
  bridge: ChildProcess,
  mqttUrl: string,
  sent: string,
  destinations: number,
): Promise<BridgeFigures> {
  const said = new Map<string, Record<string, unknown>>();
  createInterface({ input: bridge.stdout! }).on('line', (line) => {
    const entry = JSON.parse(line) as Record<string, unknown>;
    said.set(String(entry['message']), entry);
  });
  await until('the bridge to subscribe', () => said.has('subscribed') && said.has('oracle takes batches'), 30_000);
  const statusUrl = `${String(said.get('bridge started')?.['http'])}/api/status`;
  const status = async (): Promise<Status> => (await (await fetch(statusUrl)).json()) as Status;

  const pid = bridge.pid!;
  const publisher = runRole('publish', ['--url', mqttUrl, '--format', sent, '--destinations', String(destinations)]);
  const published = lastLine(publisher);
  const hasWritten = async (values: number): Promise<boolean> => (await status()).counters.valuesWritten >= values;
  // The driver alone is not measured cold either.
  const warmUp = Math.min(WARM_UP_VALUES, totalValues / 4);
  await until('the first values', () => hasWritten(warmUp), PATIENCE_MS, ASK_EVERY_MS);
  const before = { cpu: await cpuSeconds(pid), ms: performance.now(), values: (await status()).counters.valuesWritten };
  await until('all values', () => hasWritten(totalValues), PATIENCE_MS, ASK_EVERY_MS);
  const seconds = (performance.now() - before.ms) / 1000;
  const values = totalValues - before.values;
  const cpu = (await cpuSeconds(pid)) - before.cpu;
  await published;
  return {
    valuesPerSecond: values / seconds,
    messagesPerSecond: values / tagsPerMessage / seconds,
    cpuMicrosPerValue: (cpu * 1e6) / values,
    peakMegabytes: (await residentMegabytes(pid)).peak,
    averageBatch: (await status()).rolling.avgBatchSize,
  };
}

/** The same messages through a script; undefined, said, where it can't be had. */
async function runPeer(mqttUrl: string, connectString: string): Promise<PeerFigures | undefined> {
  if (!PEERS.some((each) => each === flags.peer)) throw new Error(`--peer must be one of ${PEERS.join(', ')}`);
  try {
    const peer = await startPeer(mqttUrl, connectString, totalValues);
    await lastLine(runRole('publish', ['--url', mqttUrl, '--format', format]));
    return await peer.figures;
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    console.log(`skipped: the ${flags.peer} script (${error.message})`);
    return undefined;
  }
}

/** One turn after the other: what else the machine does falls on all of them, and shows in how far they agree. */
async function orchestrate(): Promise<void> {
  const standin = await startStandinProcess();
  const turns: Turn[] = [];
  try {
    for (let turn = 0; turn < Number(flags.repeat); turn += 1) {
      const driver = JSON.parse(await lastLine(runRole('driver', ['--connect', standin.connectString])));
      const bridge = await onBroker((url) => runBridge(url, standin.connectString));
      const peer = flags.peer === '' ? undefined : await onBroker((url) => runPeer(url, standin.connectString));
      turns.push({ driver: driver as DriverFigures, bridge, peer });
    }
    if (flags.json) console.log(JSON.stringify({ tagsPerMessage, totalValues, turns }));
    else report({ tagsPerMessage, totalValues, turns });
  } finally {
    standin.child.kill('SIGTERM');
  }
}

/** On a broker of its own, unless `--url` names one: else that would keep for each session what others are sent. */
async function onBroker<T>(run: (url: string) => Promise<T>, config: readonly string[] = WINDOWS.large): Promise<T> {
  if (flags.url !== '') return run(flags.url);
  const broker = await startMosquitto({ config });
  try {
    return await run(broker.url);
  } finally {
    await broker.stop();
  }
}

type Ways = Readonly<Record<string, Partial<BridgeOptions>>>;

/**
 * Runs the bridge in each of these ways, in turns and on a broker each: what else the machine does falls on all of
 * them. `tables`: the largest number of destinations.
 */
async function inTurns(
  ways: Ways,
  { config = WINDOWS.large, tables = 1 }: { readonly config?: readonly string[]; readonly tables?: number } = {},
): Promise<ReadonlyMap<string, readonly BridgeFigures[]>> {
  const figures = new Map(Object.keys(ways).map((name): [string, BridgeFigures[]] => [name, []]));
  const standin = await startStandinProcess({ tables });
  try {
    for (let turn = 0; turn < Number(flags.repeat); turn += 1) {
      for (const [name, way] of Object.entries(ways)) {
        const options = { sync: 'always', protocolVersion: 5, ...way } as const;
        figures.get(name)!.push(await onBroker((url) => runBridge(url, standin.connectString, options), config));
      }
    }
  } finally {
    standin.child.kill('SIGTERM');
  }
  return figures;
}

function rateOf(figures: readonly BridgeFigures[]): number {
  return median(figures.map(({ valuesPerSecond }) => valuesPerSecond));
}

/** What the journal costs. */
async function compareJournal(): Promise<void> {
  for (const protocolVersion of [4, 5] as const) {
    for (const [window, config] of Object.entries(WINDOWS)) {
      const ways = { never: { sync: 'never', protocolVersion }, always: { sync: 'always', protocolVersion } } as const;
      const [never = 0, always = 0] = [...(await inTurns(ways, { config })).values()].map(rateOf);
      console.log(
        `MQTT ${protocolVersion === 4 ? '3.1.1' : '5'}, ${window} window: ` +
          `never ${Math.round(never)}, always ${Math.round(always)} values/s: ratio ${(always / never).toFixed(2)}`,
      );
    }
  }
}

/** The first way is what the others are held against. */
async function compare(ways: Ways, tables = 1): Promise<void> {
  const figures = await inTurns(ways, { tables });
  const [[first, ofFirst] = ['', []]] = figures;
  for (const [name, turns] of figures) {
    const micros = median(turns.map(({ cpuMicrosPerValue }) => cpuMicrosPerValue));
    const rate = Math.round(rateOf(turns)).toLocaleString('en-US');
    const ratio = (rateOf(turns) / rateOf(ofFirst)).toFixed(2);
    console.log(`${name}: ${rate} values/s, ${micros.toFixed(2)} µs of CPU a value, ${ratio} of the rate of ${first}`);
  }
}

function compareFormats(): Promise<void> {
  return compare({ polling: { format: 'polling' }, [format]: { format } });
}

function compareDestinations(): Promise<void> {
  const count = Number(flags.destinations);
  return compare({ 'one destination': {}, [`${count} destinations`]: { destinations: count } }, count);
}

function compareBuilds(): Promise<void> {
  return compare({ before: { checkout: flags.before }, now: {} });
}

/** Every format, or the one that is asked for, beside polling. */
function compareDecoders(): void {
  const names = flags.format === '' ? Object.keys(BENCH_MESSAGES) : ['polling', flags.format];
  for (const { micros, name, ratio } of measureDecoders([...new Set(names)], tagsPerMessage)) {
    const rate = Math.round(1e6 / micros).toLocaleString('en-US');
    const shown = `${rate} values/s decoded, ${micros.toFixed(3)} µs of CPU a value`;
    console.log(`${name}: ${shown}, ${ratio.toFixed(2)} of polling's rate`);
  }
}

/** A duplicate policy beside a plain INSERT, by the bridge's session alone. */
async function comparePolicy(): Promise<void> {
  const policy = ON_DUPLICATE.find((each) => each === flags['on-duplicate']);
  if (policy === undefined) throw new Error(`--on-duplicate must be one of ${ON_DUPLICATE.join(', ')}`);
  const measured = await measurePolicy(policy, Number(flags.repeat));
  const rates = measured.map((turns) => median(turns.map(({ rowsPerSecond }) => rowsPerSecond)));
  for (const [i, turns] of measured.entries()) {
    const { onDuplicate, shareThere } = turns[0]!;
    const micros = median(turns.map(({ cpuMicrosPerRow }) => cpuMicrosPerRow));
    const what = i === 0 ? 'plain INSERT' : `${onDuplicate}, ${Math.round(shareThere * 100)} % of the keys there`;
    const ratio = (rates[i]! / rates[0]!).toFixed(2);
    const rate = Math.round(rates[i]!).toLocaleString('en-US');
    console.log(`${what}: ${rate} rows/s, ${micros.toFixed(2)} µs of CPU a row, ${ratio} of the INSERT's rate`);
  }
}

/** What is measured beside the whole way: the first whose flag is given. */
const MODES: readonly (readonly [isAsked: boolean, run: () => Promise<void> | void])[] = [
  [flags.decode, compareDecoders],
  [flags.journal, compareJournal],
  [flags['on-duplicate'] !== '', comparePolicy],
  [flags.line !== '', () => compareLines(Number(flags.line), totalValues, Number(flags.repeat), flags.before)],
  [flags.latency, () => compareLatencies(flags.before, flags.peer !== '')],
  [flags.replay, measureBesideReplay],
  [flags.memory, () => measureMemory(totalValues)],
  [flags.growth !== '', () => measureGrowth(flags.growth, Number(flags.minutes))],
  [flags.before !== '', compareBuilds],
  [flags.destinations !== '1', compareDestinations],
  [flags.format !== '', compareFormats],
  [true, orchestrate],
];

const ROLES: Readonly<Record<string, () => Promise<void> | void>> = {
  '': MODES.find(([isAsked]) => isAsked)![1],
  driver: () => runDriver(flags.connect, tagsPerMessage),
  publish: runPublisher,
};
await ROLES[flags.role]?.();
