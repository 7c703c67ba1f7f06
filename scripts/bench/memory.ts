import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

import { BridgeProcess } from '../../test/support/bridge-process.ts';
import { startMosquitto, type RunningMosquitto } from '../../test/support/mosquitto.ts';
import { startStandinProcess, type StandinProcess } from '../../test/support/standin-process.ts';
import { until } from '../../test/support/until.ts';
import { BENCH_MESSAGES, type BenchMessage } from './messages.ts';
import { LARGE_WINDOW } from './neighbours.ts';
import { residentMegabytes } from './process-figures.ts';
import { publish } from './publish.ts';

const POLLING = BENCH_MESSAGES['polling']!;
const TAGS = 50;
const PATIENCE_MS = 600_000;
/** What a process that has just started, or had much to do, does yet. */
const SETTLING_MS = 20_000;
const SMALL_HEAP_MB = 64;
/** As deploy/systemd/mqtt-oracle-bridge.service and deploy/docker/Dockerfile say. */
const AS_INSTALLED = { NODE_OPTIONS: '--max-semi-space-size=4' };
/** As many as the buffer holds by default. */
const BUFFERED = 100_000;
const KIB = 1024;
/** SIGUSR2 collects garbage, so that what is held can be told from what was left. */
const COLLECTS = `--import data:text/javascript,${encodeURIComponent(
  "import v8 from 'node:v8';import vm from 'node:vm';v8.setFlagsFromString('--expose-gc');const gc=vm.runInNewContext('gc');process.on('SIGUSR2',()=>gc())",
)}`;

interface Neighbours {
  readonly broker: RunningMosquitto;
  readonly standin: StandinProcess;
}

interface SpeedFigures {
  readonly peakMegabytes: number;
  readonly valuesPerSecond: number;
}

/** A part of the memory and its megabytes. */
type Part = readonly [name: string, megabytes: number];

/** Each has a session of its own at the broker. */
let started = 0;

const message = (number: number): BenchMessage => POLLING.message(number, TAGS);

/**
 * Prints what memory a bridge with the defaults takes, and where it goes: at rest, with a full buffer, at full speed;
 * and the rate that it has with a small heap beside that without a limit. `values`: of each run at full speed.
 */
export async function measureMemory(values: number): Promise<void> {
  const standin = await startStandinProcess();
  const broker = await startMosquitto({ config: LARGE_WINDOW });
  const neighbours = { broker, standin };
  try {
    for (const env of [{}, AS_INSTALLED]) {
      await atRest(neighbours, 'at rest, without a message yet', 0, env);
      await atRest(neighbours, 'at rest, after 50,000 values', 1000, env);
    }
    await withFullBuffer(neighbours);
    const free = await atFullSpeed(neighbours, values, {});
    const installed = await atFullSpeed(neighbours, values, AS_INSTALLED);
    const small = await atFullSpeed(neighbours, values, { NODE_OPTIONS: `--max-old-space-size=${SMALL_HEAP_MB}` });
    console.log(`at full speed: peak ${round(free.peakMegabytes)} MB, ${rounded(free.valuesPerSecond)} values/s`);
    const besideIt = ({ peakMegabytes, valuesPerSecond }: SpeedFigures): string =>
      `peak ${round(peakMegabytes)} MB, ${rounded(valuesPerSecond)} values/s, ` +
      `${(valuesPerSecond / free.valuesPerSecond).toFixed(2)} of that`;
    console.log(`with ${AS_INSTALLED.NODE_OPTIONS}: ${besideIt(installed)}`);
    console.log(`with --max-old-space-size=${SMALL_HEAP_MB}: ${besideIt(small)}`);
  } finally {
    standin.child.kill('SIGCONT');
    standin.child.kill('SIGTERM');
    await broker.stop();
  }
}

async function atRest(
  neighbours: Neighbours,
  what: string,
  messages: number,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const bridge = await startBridge(neighbours, env);
  try {
    if (messages > 0) await publish(neighbours.broker.url, messages, message);
    await untilWritten(bridge, messages * TAGS);
    await wait(SETTLING_MS);
    const { now } = await residentMegabytes(bridge.pid); // asked before the parts, whose answer takes memory, too
    const parts = await partsOf(bridge);
    const flag = 'NODE_OPTIONS' in env ? ` with ${env['NODE_OPTIONS']}` : '';
    const split = parts.map(([name, size]) => `${name} ${round(size)}`).join(', ');
    console.log(`${what}${flag}: ${round(now)} MB resident: ${split}`);
  } finally {
    await bridge.dispose();
  }
}

/** The database stands still, so that values stay in the buffer. */
async function withFullBuffer(neighbours: Neighbours): Promise<void> {
  const bridge = await startBridge(neighbours, { NODE_OPTIONS: COLLECTS });
  try {
    await publish(neighbours.broker.url, BUFFERED / TAGS, message);
    await untilWritten(bridge, BUFFERED);
    const before = await held(bridge);
    neighbours.standin.child.kill('SIGSTOP');
    await publish(neighbours.broker.url, BUFFERED / TAGS + 100, message);
    const isFull = async (): Promise<boolean> => (await bridge.status()).buffer.size === BUFFERED;
    await until('a full buffer', isFull, PATIENCE_MS);
    const after = await held(bridge);
    console.log(
      `${rounded(BUFFERED)} values in the buffer: ${(after - before).toFixed(1)} MB more, after a collection`,
    );
  } finally {
    neighbours.standin.child.kill('SIGCONT');
    await bridge.dispose();
  }
}

/** What the process holds on to, in megabytes: on the heap and beside it. */
async function held(bridge: BridgeProcess): Promise<number> {
  const figures = await metricsOf(bridge);
  const collections = (): Promise<number> =>
    metricsOf(bridge).then((each) => sum(each, 'nodejs_gc_duration_seconds_count'));
  const before = sum(figures, 'nodejs_gc_duration_seconds_count');
  process.kill(bridge.pid, 'SIGUSR2');
  await until('a collection', async () => (await collections()) > before);
  const now = await metricsOf(bridge);
  return (sum(now, 'nodejs_heap_size_used_bytes') + sum(now, 'nodejs_external_memory_bytes')) / KIB / KIB;
}

async function atFullSpeed(
  neighbours: Neighbours,
  values: number,
  env: Readonly<Record<string, string>>,
): Promise<SpeedFigures> {
  const bridge = await startBridge(neighbours, env);
  try {
    const startedMs = performance.now();
    await publish(neighbours.broker.url, Math.ceil(values / TAGS), message);
    await untilWritten(bridge, values);
    const valuesPerSecond = (values * 1000) / (performance.now() - startedMs);
    return { peakMegabytes: (await residentMegabytes(bridge.pid)).peak, valuesPerSecond };
  } finally {
    await bridge.dispose();
  }
}

async function startBridge(
  { broker, standin }: Neighbours,
  env: Readonly<Record<string, string>>,
): Promise<BridgeProcess> {
  const bridge = await BridgeProcess.start({
    env,
    config: {
      bridge: { id: `bench-${(started += 1)}` },
      mqtt: { url: broker.url, subscriptions: [POLLING.subscription] },
      oracle: { connectString: standin.connectString, user: 'bridge', password: 'secret', callTimeoutMs: PATIENCE_MS },
      log: { level: 'info' },
    },
  });
  await bridge.untilSubscribed();
  return bridge;
}

async function untilWritten(bridge: BridgeProcess, values: number): Promise<void> {
  await bridge.untilStatus('all values', ({ counters }) => counters.valuesWritten >= values, PATIENCE_MS);
}

/** Resident memory of files [proc(5), /proc/pid/status], V8's heap by space, what is held beside it, and the rest. */
async function partsOf(bridge: BridgeProcess): Promise<readonly Part[]> {
  const figures = await metricsOf(bridge);
  const status = await readFile(`/proc/${bridge.pid}/status`, 'utf8');
  const kilobytes = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]);
  const files = kilobytes('RssFile') / KIB;
  const spaces = [...figures]
    .filter(([name, value]) => name.startsWith('nodejs_heap_space_size_total_bytes') && value >= KIB * KIB)
    .map(([name, value]): Part => [`${/space="(\w+)"/.exec(name)?.[1]} space`, value / KIB / KIB]);
  const beside: Part = ['beside the heap', sum(figures, 'nodejs_external_memory_bytes') / KIB / KIB];
  const known = [...spaces, beside].reduce((total, [, size]) => total + size, files);
  const rest: Part = ['the rest', Math.max(0, kilobytes('VmRSS') / KIB - known)];
  return [['files of Node.js', files], ...spaces, beside, rest];
}

async function metricsOf(bridge: BridgeProcess): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(new URL('/metrics', bridge.url))).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line): [string, number] => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

function sum(figures: ReadonlyMap<string, number>, name: string): number {
  return [...figures].reduce((total, [key, value]) => total + (key.split('{')[0] === name ? value : 0), 0);
}

function round(megabytes: number): number {
  return Math.round(megabytes);
}

function rounded(figure: number): string {
  return Math.round(figure).toLocaleString('en-US');
}
