/**
 * What the trouble of one table does to another: values for both come at a steady rate, for a while with all well, then
 * with the one table in trouble for as long. Printed of the other one, for both whiles: rows a second, and how long a
 * message takes from its publisher into the table.
 *
 *     npm run isolation                            a minute each, 1,000 values a second for each table
 *     npm run isolation -- --seconds 10 --rate 5000
 *
 * Ends with 1 when the rows of the troubled table are not all there in the end, each once.
 */
import { parseArgs } from 'node:util';

import { BridgeProcess } from '../test/support/bridge-process.ts';
import { startMosquitto, type RunningMosquitto } from '../test/support/mosquitto.ts';
import { startNeighbours, type Neighbours } from '../test/support/neighbours.ts';
import { ALARM_LOG, TABLE_ILLS } from '../test/support/table-ills.ts';
import { createTables } from '../test/support/tag-table.ts';
import { until } from '../test/support/until.ts';

const TAGS = 50;
/** The default of `writer.batchSize`. */
const BATCH_SIZE = 500;
const LOOK_EVERY_MS = 10;
const COMES_BACK_WITHIN_MS = 180_000;

const { values: flags } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, rate: { type: 'string', default: '1000' } },
});
const phaseMs = Number(flags.seconds) * 1000;
const messageEveryMs = (TAGS * 1000) / Number(flags.rate);

interface Figures {
  readonly rowsPerSecond: number;
  /** From its publisher into the table, one a message. */
  readonly latenciesMs: readonly number[];
}

/** Publishes for both tables, and sees when the rows of the well one are there. */
class Traffic {
  readonly #neighbours: Neighbours<RunningMosquitto>;
  readonly #publishedAtMs: number[] = [];
  #arrived = 0;

  constructor(neighbours: Neighbours<RunningMosquitto>) {
    this.#neighbours = neighbours;
  }

  /** So many rows each table should have. */
  get rows(): number {
    return this.#publishedAtMs.length * TAGS;
  }

  async run(): Promise<Figures> {
    const latenciesMs: number[] = [];
    const [begunMs, arrivedBefore] = [performance.now(), this.#arrived];
    let nextMs = begunMs;
    for (let nowMs = begunMs; nowMs < begunMs + phaseMs; nowMs = performance.now()) {
      for (; nextMs <= nowMs; nextMs += messageEveryMs) this.#publish();
      const there = (await this.count('tag_data')) / TAGS;
      for (; this.#arrived < there; this.#arrived += 1) {
        latenciesMs.push(performance.now() - this.#publishedAtMs[this.#arrived]!);
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    const seconds = (performance.now() - begunMs) / 1000;
    return { rowsPerSecond: ((this.#arrived - arrivedBefore) * TAGS) / seconds, latenciesMs };
  }

  async count(table: string): Promise<number> {
    const [row] = await this.#neighbours.standin.engine.query(`SELECT COUNT(*) AS n FROM ${table}`, 'BRIDGE');
    return row!['N'] as number;
  }

  #publish(): void {
    const from = this.rows;
    const tags = Object.fromEntries(Array.from({ length: TAGS }, (_, i) => [`T${from + i}`, from + i]));
    const payload = JSON.stringify({ timestamp: new Date().toISOString(), plc_code: 'PLC01', tag_values: tags });
    this.#publishedAtMs.push(performance.now());
    const { publisher } = this.#neighbours;
    for (const topic of ['alarm/PLC01', 'plc/PLC01/tags']) publisher.publish(topic, payload, { qos: 1 });
  }
}

function startBridge({ broker, standin }: Neighbours<RunningMosquitto>): Promise<BridgeProcess> {
  const destinations = { alarms: { table: 'ALARM_LOG', columns: { text: 'MSG' } } };
  return BridgeProcess.start({
    config: {
      mqtt: {
        url: broker.url,
        subscriptions: [
          { topic: 'plc/+/tags', format: 'polling' },
          { topic: 'alarm/+', format: 'polling', to: 'alarms' },
        ],
      },
      oracle: { connectString: standin.connectString, user: 'bridge', password: 'secret', destinations },
      log: { level: 'info' },
    },
  });
}

function line(what: string, { latenciesMs, rowsPerSecond }: Figures): string {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const at = (share: number): string => `${Math.round(sorted[Math.floor(share * (sorted.length - 1))]!)}`.padStart(5);
  const rate = Math.round(rowsPerSecond).toLocaleString('en-US').padStart(7);
  return `${what.padEnd(44)} ${rate} rows/s   p50 ${at(0.5)}   p99 ${at(0.99)}   most ${at(1)} ms`;
}

async function tryIll({ begin, name, takesRows }: (typeof TABLE_ILLS)[number]): Promise<boolean> {
  const neighbours = await startNeighbours(startMosquitto);
  await createTables(neighbours.standin, ALARM_LOG);
  const bridge = await startBridge(neighbours);
  try {
    await bridge.untilSubscribed();
    const traffic = new Traffic(neighbours);
    console.log(line('both are well', await traffic.run()));
    const gone = takesRows === true ? await traffic.count('alarm_log') : 0;
    const end = await begin(neighbours.standin, BATCH_SIZE);
    console.log(line(`the other ${name}`, await traffic.run()));
    await end();
    const isBack = async (): Promise<boolean> => (await traffic.count('alarm_log')) === traffic.rows - gone;
    const endedMs = performance.now();
    await until('the rows of the other', isBack, COMES_BACK_WITHIN_MS, 100);
    const { audit, backups } = await bridge.status();
    const tookS = ((performance.now() - endedMs) / 1000).toFixed(0);
    console.log(
      `    its rows were there ${tookS} s later; audit balanced: ${audit.balanced}, pending files: ${backups.pendingFiles}`,
    );
    return audit.balanced;
  } catch (error) {
    console.log(`    ${(error as Error).message}`);
    return false;
  } finally {
    await neighbours.stop(bridge);
  }
}

for (const ill of TABLE_ILLS) if (!(await tryIll(ill))) process.exitCode = 1;
