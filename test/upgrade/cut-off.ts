import { payloadOf, type Obligation } from '../crash/load-publisher.ts';
import { BridgeProcess } from '../support/bridge-process.ts';
import { startMosquitto, type RunningMosquitto } from '../support/mosquitto.ts';
import { startNeighbours, type Neighbours } from '../support/neighbours.ts';
import { countRows, createTables } from '../support/tag-table.ts';
import { until } from '../support/until.ts';

/**
 * In what a bridge was when it was cut off:
 *
 * - `outage`: the database is away; a backup is sealed and another one open;
 * - `hanging`: after an outage; a batch is committed without an answer, and what followed is in the journal alone.
 *
 * In both a row is rejected, a message is undecodable, and values are in the table.
 */
export const CUTS = ['outage', 'hanging'] as const;
export type Cut = (typeof CUTS)[number];

const TOPIC = 'plc/P/tags';
const VALUES = 5;
const BATCH = 10;
const ROWS_PER_FILE = 20;
/** That come after the one whose commit hangs. */
const MORE_MESSAGES = 3;

/** All of a configuration but addresses and directories. */
export const CONFIG = {
  bridge: { id: 'upgraded' },
  mqtt: { subscriptions: [{ topic: 'plc/+/tags', qos: 1, format: 'polling' }] },
  writer: { batchSize: BATCH, intervalMs: 20, retry: { attempts: 1, initialDelayMs: 20, factor: 1 } },
  oracle: { user: 'bridge', password: 'secret' },
  backup: { maxRowsPerFile: ROWS_PER_FILE, probeIntervalMs: 50 },
};

/** What a bridge left behind, and what it works between, which goes on. */
export interface LeftBehind {
  readonly neighbours: Neighbours<RunningMosquitto>;
  /** All that the broker has acknowledged and the bridge has. */
  readonly obligations: ReadonlyMap<string, Obligation>;
}

/** The addresses that a configuration lacks. */
export function addressesOf({ broker, standin }: Neighbours<RunningMosquitto>): {
  readonly mqtt: { readonly url: string };
  readonly oracle: { readonly connectString: string };
} {
  return { mqtt: { url: broker.url }, oracle: { connectString: standin.connectString } };
}

/**
 * Runs a bridge, by default that of this checkout, in the directory and cuts it off with SIGKILL; then the database is
 * there again. The caller stops the neighbours.
 */
export async function leaveBehind(cut: Cut, directory: string, checkout?: string): Promise<LeftBehind> {
  const neighbours = await startNeighbours(() => startMosquitto());
  const { mqtt, oracle } = addressesOf(neighbours);
  const config = {
    ...CONFIG,
    mqtt: { ...CONFIG.mqtt, ...mqtt },
    // The call that hangs is not given up before the end, on a slow machine either.
    oracle: { ...CONFIG.oracle, ...oracle, callTimeoutMs: 600_000 },
    backup: { ...CONFIG.backup, replay: false },
  };
  let bridge: BridgeProcess | undefined;
  try {
    await createTables(neighbours.standin);
    bridge = await BridgeProcess.start({ config, directory, ...(checkout === undefined ? {} : { checkout }) });
    await bridge.untilSubscribed();
    const plant = new Plant(neighbours, bridge);
    await plant.beforeOutage();
    await plant.outage();
    if (cut === 'hanging') await plant.hang();
    await bridge.end('SIGKILL');
    if (cut === 'outage') await neighbours.standin.open();
    return { neighbours, obligations: plant.obligations };
  } catch (error) {
    await bridge?.end('SIGKILL');
    await neighbours.stop();
    throw error;
  }
}

/** Publishes, and waits for what becomes of it. */
class Plant {
  readonly obligations = new Map<string, Obligation>();
  readonly #neighbours: Neighbours<RunningMosquitto>;
  readonly #bridge: BridgeProcess;

  constructor(neighbours: Neighbours<RunningMosquitto>, bridge: BridgeProcess) {
    this.#neighbours = neighbours;
    this.#bridge = bridge;
  }

  async beforeOutage(): Promise<void> {
    for (let i = 0; i < 4; i += 1) await this.#publishValues();
    await this.#publish(`{ U1`, [this.#obligation('U1', 'undecodable message', 1)]);
    const refused = this.#obligation('P.R1', 'refused value', 1);
    await this.#publish(payloadOf([refused], refused.timeMs), [refused]);
    await this.#bridge.untilStatus('rows, a rejected one and an undecodable message', ({ counters }) => {
      const { messagesUndecodable, valuesRejected, valuesWritten } = counters;
      return valuesWritten === 4 * VALUES && valuesRejected === 1 && messagesUndecodable === 1;
    });
  }

  /** More rows than one file takes. */
  async outage(): Promise<void> {
    const { standin } = this.#neighbours;
    standin.close();
    standin.kill();
    const messages = ROWS_PER_FILE / VALUES + 2;
    for (let i = 0; i < messages; i += 1) await this.#publishValues();
    const isBackedUp = (rows: number): boolean => rows === messages * VALUES;
    await this.#bridge.untilStatus('the backups', ({ counters }) => isBackedUp(counters.valuesBackedUp));
  }

  async hang(): Promise<void> {
    const { standin } = this.#neighbours;
    await standin.open();
    await this.#bridge.untilStatus('Oracle to be back', ({ oracle }) => oracle.state === 'connected');
    const before = await countRows(standin);
    standin.faults.add({ on: 'commit', hang: true, when: 'after' });
    await this.#publishValues();
    await until('the commit whose answer does not come', async () => (await countRows(standin)) > before);
    for (let i = 0; i < MORE_MESSAGES; i += 1) await this.#publishValues();
    await this.#bridge.untilStatus('the messages to be in the journal', ({ journal }) => {
      return journal.messages === 1 + MORE_MESSAGES;
    });
  }

  async #publishValues(): Promise<void> {
    const first = this.obligations.size + 1;
    // The payload has one time.
    const timeMs = Date.now();
    const values = Array.from({ length: VALUES }, (_, i) =>
      this.#obligation(`P.V${first + i}`, 'value', first + i, timeMs),
    );
    await this.#publish(payloadOf(values, timeMs), values);
  }

  /** Each step of the plant ends with a look that all of it is in the table, in a file or in the journal. */
  async #publish(payload: string, obligations: readonly Obligation[]): Promise<void> {
    await this.#neighbours.publisher.publishAsync(TOPIC, payload, { qos: 1 });
    for (const obligation of obligations) obligation.isOwed = true;
  }

  #obligation(name: string, kind: Obligation['kind'], value: number, timeMs = Date.now()): Obligation {
    const obligation = { name, kind, value, timeMs, cycle: 1, isOwed: false };
    this.obligations.set(name, obligation);
    return obligation;
  }
}
