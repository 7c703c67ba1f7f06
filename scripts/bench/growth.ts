import { BridgeProcess } from '../../test/support/bridge-process.ts';
import { startMosquitto, type RunningMosquitto } from '../../test/support/mosquitto.ts';
import { startStandinProcess, type StandinProcess } from '../../test/support/standin-process.ts';
import { until } from '../../test/support/until.ts';
import { BENCH_MESSAGES, type BenchMessage } from './messages.ts';
import { AWAY, LARGE_WINDOW } from './neighbours.ts';
import { cpuSeconds, residentMegabytes } from './process-figures.ts';
import { publish, publishSteadily } from './publish.ts';

/** What one size, or one stretch of time, was measured to be. */
interface Measured {
  readonly what: string;
  readonly cpuMicrosPerValue: number;
  /** From the start of the process until it says that it has started; absent: not of interest. */
  readonly startMs?: number;
  readonly megabytes: number;
}

interface Neighbours {
  readonly broker: RunningMosquitto;
  readonly standin: StandinProcess;
}

type Measure = (neighbours: Neighbours, minutes: number) => AsyncGenerator<Measured>;

const POLLING = BENCH_MESSAGES['polling']!;
const TAGS = 50;
const TAG_NAMES = [1_000, 10_000, 100_000];
const JOURNAL_VALUES = [100_000, 1_000_000, 10_000_000];
const FILES = [100, 1_000, 10_000];
const ROWS_PER_FILE = 100;
const MEASURED_VALUES = 2_000_000;
const UPTIME_RATE = 5_000;
const STRETCHES = 6;
const PATIENCE_MS = 1_800_000;
const LOOK_EVERY_MS = 50;
const MIB = 1024 * 1024;

/** What grows, and how it is measured. */
const MEASURES: Readonly<Record<string, Measure>> = {
  tags: byTags,
  journal: byJournal,
  files: byFiles,
  uptime: byUptime,
};

/** Prints each size as it is measured, held against the first one. Throws for an unknown `what`. */
export async function measureGrowth(what: string, minutes: number): Promise<void> {
  const measure = MEASURES[what];
  if (measure === undefined)
    throw new Error(`--growth must be one of ${Object.keys(MEASURES).join(', ')}, not ${what}`);
  const standin = await startStandinProcess();
  const broker = await startMosquitto({ config: LARGE_WINDOW });
  let first: number | undefined;
  try {
    for await (const measured of measure({ broker, standin }, minutes)) {
      first ??= measured.cpuMicrosPerValue;
      console.log(line(measured, first));
    }
  } finally {
    standin.child.kill('SIGCONT');
    standin.child.kill('SIGTERM');
    await broker.stop();
  }
}

function line({ cpuMicrosPerValue, megabytes, startMs, what }: Measured, first: number): string {
  const ratio = (cpuMicrosPerValue / first).toFixed(2);
  const start = startMs === undefined ? '' : `, started in ${Math.round(startMs)} ms`;
  return `${what}: ${cpuMicrosPerValue.toFixed(2)} µs of CPU a value, ${ratio} of the first${start}, ${Math.round(megabytes)} MB`;
}

/** So many names of tags, in turns. */
async function* byTags(neighbours: Neighbours): AsyncGenerator<Measured> {
  for (const names of TAG_NAMES) {
    let { bridge } = await startBridge(neighbours, 'tags');
    const message = (number: number): BenchMessage => messageOf(number % (names / TAGS), number);
    try {
      const seen = 2 * names;
      await publish(neighbours.broker.url, seen / TAGS, message);
      await untilCounted(bridge, 'valuesWritten', seen);
      const cpuMicrosPerValue = await cpuPerValue(
        bridge,
        { counter: 'valuesWritten', from: seen, to: seen + MEASURED_VALUES },
        () => publish(neighbours.broker.url, MEASURED_VALUES / TAGS, message),
      );
      const { now: megabytes } = await residentMegabytes(bridge.pid);
      await bridge.end();
      const again = await startBridge(neighbours, 'tags', { directory: bridge.directory });
      bridge = again.bridge;
      yield { what: `${count(names)} tags`, cpuMicrosPerValue, startMs: again.startMs, megabytes };
    } finally {
      await bridge.dispose();
    }
  }
}

/** So many values in the journal: the database stands still while they come, and the process is killed. */
async function* byJournal(neighbours: Neighbours): AsyncGenerator<Measured> {
  const { broker, standin } = neighbours;
  for (const values of JOURNAL_VALUES) {
    let { bridge } = await startBridge(neighbours, 'journal');
    try {
      standin.child.kill('SIGSTOP');
      await publish(broker.url, values / TAGS, (number) => POLLING.message(number, TAGS));
      const isThere = async (): Promise<boolean> => (await bridge.status()).counters.messagesReceived >= values / TAGS;
      await until('all messages', isThere, PATIENCE_MS, LOOK_EVERY_MS);
      await bridge.end('SIGKILL');
      const again = await startBridge(neighbours, 'journal', { directory: bridge.directory });
      bridge = again.bridge;
      const cpuMicrosPerValue = await cpuPerValue(bridge, { counter: 'valuesWritten', from: 0, to: values }, () => {
        standin.child.kill('SIGCONT');
      });
      const { peak: megabytes } = await residentMegabytes(bridge.pid);
      yield { what: `${count(values)} values in the journal`, cpuMicrosPerValue, startMs: again.startMs, megabytes };
    } finally {
      standin.child.kill('SIGCONT');
      await bridge.dispose();
    }
  }
}

/** So many files in the backup directory, which are replayed. */
async function* byFiles(neighbours: Neighbours): AsyncGenerator<Measured> {
  const { broker, standin } = neighbours;
  for (const files of FILES) {
    const values = files * ROWS_PER_FILE;
    let { bridge } = await startBridge(neighbours, 'files', { connectString: AWAY });
    try {
      await publish(broker.url, values / TAGS, (number) => POLLING.message(number, TAGS));
      const isThere = async (): Promise<boolean> => (await bridge.status()).backups.pendingRows >= values;
      await until('all files', isThere, PATIENCE_MS, LOOK_EVERY_MS);
      await bridge.end();
      standin.child.kill('SIGSTOP');
      const again = await startBridge(neighbours, 'files', { directory: bridge.directory });
      bridge = again.bridge;
      const cpuMicrosPerValue = await cpuPerValue(bridge, { counter: 'valuesReplayed', from: 0, to: values }, () => {
        standin.child.kill('SIGCONT');
      });
      const { peak: megabytes } = await residentMegabytes(bridge.pid);
      const what = `${count(files)} backup files of ${ROWS_PER_FILE} rows`;
      yield { what, cpuMicrosPerValue, startMs: again.startMs, megabytes };
    } finally {
      await bridge.dispose();
    }
  }
}

/** A plant's rate for so many minutes. */
async function* byUptime(neighbours: Neighbours, minutes: number): AsyncGenerator<Measured> {
  const { bridge } = await startBridge(neighbours, 'uptime');
  const messages = Math.round(((minutes * 60) / STRETCHES) * (UPTIME_RATE / TAGS));
  const message = (number: number): BenchMessage => POLLING.message(number, TAGS);
  try {
    for (let stretch = 0; stretch < STRETCHES; stretch += 1) {
      const cpuMicrosPerValue = await cpuPerValue(
        bridge,
        { counter: 'valuesWritten', from: stretch * messages * TAGS, to: (stretch + 1) * messages * TAGS },
        () => publishSteadily(neighbours.broker.url, messages, UPTIME_RATE / TAGS, message),
      );
      const { now: megabytes } = await residentMegabytes(bridge.pid);
      const minute = Math.round(((stretch + 1) * minutes) / STRETCHES);
      yield { what: `${count(UPTIME_RATE)} values/s, up to minute ${minute}`, cpuMicrosPerValue, megabytes };
    }
  } finally {
    await bridge.dispose();
  }
}

/** A message of one of many PLCs. */
function messageOf(plc: number, number: number): BenchMessage {
  const { payload } = POLLING.message(number, TAGS);
  return { topic: `plc/PLC${plc}/tags`, payload: String(payload).replace('PLC01', `PLC${plc}`) };
}

async function startBridge(
  { broker, standin }: Neighbours,
  id: string,
  {
    connectString = standin.connectString,
    directory,
  }: { readonly connectString?: string; readonly directory?: string } = {},
): Promise<{ readonly bridge: BridgeProcess; readonly startMs: number }> {
  const startedMs = performance.now();
  const bridge = await BridgeProcess.start({
    ...(directory === undefined ? {} : { directory }),
    startTimeoutMs: PATIENCE_MS,
    config: {
      bridge: { id },
      mqtt: { url: broker.url, subscriptions: [POLLING.subscription] },
      oracle: { connectString, user: 'bridge', password: 'secret', callTimeoutMs: 600_000 },
      journal: { maxBytes: 4096 * MIB },
      backup: { maxRowsPerFile: ROWS_PER_FILE, probeIntervalMs: 500 },
      log: { level: 'info' },
    },
  });
  const startMs = performance.now() - startedMs;
  await bridge.untilSubscribed();
  return { bridge, startMs };
}

type Counter = 'valuesWritten' | 'valuesReplayed';

/** Processor time a value, from before `work` until the counter, which was `from`, is `to`. */
async function cpuPerValue(
  bridge: BridgeProcess,
  { counter, from, to }: { readonly counter: Counter; readonly from: number; readonly to: number },
  work: () => Promise<void> | void,
): Promise<number> {
  const before = await cpuSeconds(bridge.pid);
  await work();
  await untilCounted(bridge, counter, to);
  return (((await cpuSeconds(bridge.pid)) - before) * 1e6) / (to - from);
}

async function untilCounted(bridge: BridgeProcess, counter: Counter, values: number): Promise<void> {
  const isThere = async (): Promise<boolean> => (await bridge.status()).counters[counter] >= values;
  await until('all values', isThere, PATIENCE_MS, LOOK_EVERY_MS);
}

function count(figure: number): string {
  return figure.toLocaleString('en-US');
}
