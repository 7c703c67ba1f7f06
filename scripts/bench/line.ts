import { BridgeProcess } from '../../test/support/bridge-process.ts';
import { startMosquitto, type RunningMosquitto } from '../../test/support/mosquitto.ts';
import { startStandinProcess } from '../../test/support/standin-process.ts';
import { until } from '../../test/support/until.ts';
import { median } from './median.ts';
import { BENCH_MESSAGES, type BenchMessage } from './messages.ts';
import { AWAY, LARGE_WINDOW } from './neighbours.ts';
import { publish } from './publish.ts';

/** How a bridge is run over the line. */
interface LineWay {
  readonly name: string;
  /** The checkout whose build it is; absent: this one. */
  readonly checkout?: string;
  readonly writer?: Readonly<Record<string, number>>;
}

interface LineFigures {
  /** Of values that wait at the broker. */
  readonly drainedPerSecond: number;
  /** Of rows in a sealed backup. */
  readonly replayedPerSecond: number;
}

const POLLING = BENCH_MESSAGES['polling']!;
const TAGS = 50;
const PATIENCE_MS = 600_000;
const LOOK_EVERY_MS = 50;

const message = (number: number): BenchMessage => POLLING.message(number, TAGS);

/** Prints both rates of each way, in turns. `before`: a checkout whose build is the first way. */
export async function compareLines(latencyMs: number, values: number, repeat: number, before: string): Promise<void> {
  const ways: readonly LineWay[] = [
    before === '' ? { name: 'batches of 500' } : { name: 'before', checkout: before },
    { name: 'batches of up to 10,000', writer: { maxBatchSize: 10_000 } },
  ];
  const figures: LineFigures[][] = ways.map(() => []);
  for (let turn = 0; turn < repeat; turn += 1) {
    for (const [i, way] of ways.entries()) figures[i]!.push(await measureLine(latencyMs, values, way));
  }
  const parts = { 'from the broker': 'drainedPerSecond', 'from a backup': 'replayedPerSecond' } as const;
  for (const [what, part] of Object.entries(parts)) {
    const rates = figures.map((turns) => median(turns.map((each) => each[part])));
    for (const [i, { name }] of ways.entries()) {
      const rate = Math.round(rates[i]!).toLocaleString('en-US');
      console.log(`${what}, ${name}: ${rate} rows/s, ${(rates[i]! / rates[0]!).toFixed(2)} of the first`);
    }
  }
}

/**
 * A database behind a long line: each of its answers comes `latencyMs` later. Two times are taken, from the first value
 * on that is written: that of values that wait at the broker for a bridge that was away, and that of a backup that was
 * made while the database was.
 */
async function measureLine(latencyMs: number, values: number, way: LineWay): Promise<LineFigures> {
  const standin = await startStandinProcess({ latencyMs });
  const broker = await startMosquitto({ config: LARGE_WINDOW });
  const messages = Math.ceil(values / TAGS);
  const start = (connectString: string, directory?: string): Promise<BridgeProcess> =>
    startBridge(broker, connectString, way, directory);
  let bridge = await start(standin.connectString);
  try {
    await until('the subscription', () => bridge.find('subscribed') !== undefined);
    await bridge.end();
    await publish(broker.url, messages, message);
    bridge = await start(standin.connectString, bridge.directory);
    const drainedPerSecond = await rateOf(bridge, messages * TAGS, 'valuesWritten');
    await bridge.end();

    bridge = await start(AWAY, bridge.directory);
    await publish(broker.url, messages, message);
    await bridge.untilStatus('the backup', ({ backups }) => backups.pendingRows >= messages * TAGS, PATIENCE_MS);
    await bridge.end();
    bridge = await start(standin.connectString, bridge.directory);
    const replayedPerSecond = await rateOf(bridge, messages * TAGS, 'valuesReplayed');
    return { drainedPerSecond, replayedPerSecond };
  } finally {
    await bridge.dispose();
    await broker.stop();
    standin.child.kill('SIGKILL');
  }
}

function startBridge(
  broker: RunningMosquitto,
  connectString: string,
  { checkout, writer = {} }: LineWay,
  directory?: string,
): Promise<BridgeProcess> {
  return BridgeProcess.start({
    ...(checkout === undefined ? {} : { checkout }),
    ...(directory === undefined ? {} : { directory }),
    config: {
      mqtt: { url: broker.url, subscriptions: [POLLING.subscription] },
      oracle: { connectString, user: 'bridge', password: 'secret' },
      writer: { ...writer, retry: { attempts: 0, initialDelayMs: 1, factor: 1 } },
      backup: { probeIntervalMs: 500 },
      log: { level: 'info' },
    },
  });
}

/** From the first that are seen until all are through. */
async function rateOf(
  bridge: BridgeProcess,
  values: number,
  counter: 'valuesWritten' | 'valuesReplayed',
): Promise<number> {
  const hasMore = async (than: number): Promise<number | undefined> => {
    const count = (await bridge.status()).counters[counter];
    return count > than ? count : undefined;
  };
  const first = await until('the first values', () => hasMore(0), PATIENCE_MS, LOOK_EVERY_MS);
  const firstMs = performance.now();
  await until('all values', () => hasMore(values - 1), PATIENCE_MS, LOOK_EVERY_MS);
  return (values - first) / ((performance.now() - firstMs) / 1000);
}
