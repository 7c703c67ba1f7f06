import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Status } from '../../src/ops/status.ts';
import { startRealBroker, type RealBroker, type RunningBroker } from '../brokers/broker.ts';
import { BridgeChild, type BridgeChildOptions } from '../crash/bridge-child.ts';
import { Arrivals } from '../soak/arrivals.ts';
import { untilAllHasArrived } from '../soak/soak-faults.ts';
import { SteadyPublisher } from '../soak/steady-publisher.ts';
import { untilOrStuck } from '../soak/until-or-stuck.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';
import { createTables } from '../support/tag-table.ts';
import { until } from '../support/until.ts';

const START_TIMEOUT_MS = 300_000;
const DRAIN_MS = 30_000;
/** Its client id, too. */
export const BRIDGE_ID = 'withstand';

export interface TrialRigOptions {
  readonly broker: RealBroker;
  /** Empty; for the bridge's configuration, its log and, unless said, journal and backups. */
  readonly directory: string;
  readonly dataDirectory?: string;
  readonly valuesPerSecond?: number;
}

/** A bridge as a process between a broker, a plant that publishes at a steady rate, and a database. */
export class TrialRig {
  readonly broker: RunningBroker;
  readonly standin: Standin;
  readonly publisher: SteadyPublisher;
  readonly #options: TrialRigOptions;
  readonly #arrivals: Arrivals;
  #bridge: BridgeChild | undefined;
  #starts = 0;

  private constructor(options: TrialRigOptions, broker: RunningBroker, standin: Standin) {
    this.#options = options;
    this.broker = broker;
    this.standin = standin;
    this.publisher = new SteadyPublisher(broker.url, options.valuesPerSecond ?? 100);
    this.#arrivals = new Arrivals(standin, this.publisher.ledger);
  }

  static async start(options: TrialRigOptions): Promise<TrialRig> {
    const broker = await startRealBroker(options.broker);
    const standin = await startStandin({ log: () => {} });
    await createTables(standin);
    return new TrialRig(options, broker, standin);
  }

  get bridge(): BridgeChild {
    if (this.#bridge === undefined) throw new Error('the bridge has not been started');
    return this.#bridge;
  }

  /** Resolves when it hears what is published. */
  async startBridge(options: BridgeChildOptions = {}): Promise<BridgeChild> {
    const { directory, dataDirectory = directory } = this.#options;
    await mkdir(directory, { recursive: true });
    const configFile = join(directory, 'bridge.json');
    await writeFile(configFile, JSON.stringify(this.#configuration(dataDirectory), undefined, 2));
    this.#starts += 1;
    const bridge = new BridgeChild(configFile, join(directory, `bridge-${this.#starts}.log`), options);
    this.#bridge = bridge;
    const isFirst = this.#starts === 1;
    const isHeard = async (): Promise<boolean> =>
      isFirst ? bridge.hasSaid('subscribed') : (await bridge.status())?.mqtt.connected === true;
    await until('the session', async () => !bridge.isRunning || (await isHeard()), START_TIMEOUT_MS, 50);
    if (!bridge.isRunning) throw new Error(`the bridge ended with ${bridge.end}: see ${directory}`);
    return bridge;
  }

  /** From now on values are published and noted; resolves when the first of them has come through. */
  async begin(): Promise<void> {
    this.publisher.start();
    this.#arrivals.start();
    await this.untilMore(1);
  }

  /** Resolves when so many more values are in the table. */
  async untilMore(values: number): Promise<void> {
    const { ledger } = this.publisher;
    const wanted = ledger.found + values;
    await untilOrStuck(
      `${values} more values`,
      () => ledger.found >= wanted,
      () => ledger.found,
    );
  }

  /** Resolves when the running bridge says so. */
  async untilStatus(what: string, isSo: (status: Status) => boolean): Promise<Status> {
    let status: Status | undefined;
    const { ledger } = this.publisher;
    await untilOrStuck(
      what,
      async () => {
        status = await this.bridge.status();
        return status !== undefined && isSo(status);
      },
      () => ledger.found,
    );
    return status!;
  }

  /** Nothing new is published: all that there is arrives, the bridge ends in order, and what was found is judged. */
  async end(): Promise<string> {
    const { bridge, publisher } = this;
    publisher.isHeld = true;
    await untilAllHasArrived({ bridge, publisher });
    await untilOrStuck(
      'all to be settled',
      () => bridge.isSettled(),
      () => publisher.ledger.found,
    );
    const status = await bridge.status();
    await bridge.drain(DRAIN_MS);
    await this.#arrivals.stop();
    const { directory, dataDirectory = directory } = this.#options;
    await this.#arrivals.readFiles(join(dataDirectory, 'backup'));
    const { doubled, lost, offences, owed, unknown } = publisher.ledger.verdict();
    const outcome = `values ${owed} · lost ${lost} · doubled ${doubled} · unknown ${unknown}`;
    if (lost + doubled + unknown > 0) throw new Error(`${outcome}: ${offences.join('; ')}`);
    if (status?.audit.balanced !== true) throw new Error(`${outcome}, but the audit does not balance`);
    if (bridge.end !== 0) throw new Error(`${outcome}, but the bridge ended with ${bridge.end} after SIGTERM`);
    return outcome;
  }

  async dispose(): Promise<void> {
    await this.publisher.stop();
    if (this.#bridge?.isRunning === true) {
      this.#bridge.kill('SIGCONT');
      await this.#bridge.cutOff();
    }
    await this.#arrivals.stop().catch(() => {}); // what went wrong was told by `end`, or else something before it was
    this.standin.stop();
    await this.broker.dispose();
  }

  #configuration(dataDirectory: string): unknown {
    const { connectString } = this.standin;
    return {
      bridge: { id: BRIDGE_ID, drainTimeoutMs: DRAIN_MS },
      mqtt: {
        url: this.broker.url,
        protocolVersion: this.#options.broker.protocols[0] ?? 4,
        keepaliveSeconds: 5,
        subscriptions: [{ topic: 'plc/+/tags' }, { topic: 'kept/+/tags' }],
      },
      oracle: { connectString, user: 'bridge', password: 'secret' },
      journal: { dir: join(dataDirectory, 'journal') },
      backup: { dir: join(dataDirectory, 'backup'), probeIntervalMs: 1000 },
      http: { port: 0 },
      log: { level: 'info', format: 'json' },
    };
  }
}
