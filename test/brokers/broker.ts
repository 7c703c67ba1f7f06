import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from '../support/free-port.ts';
import { BrokerProcess, type ProcessSpec } from './broker-process.ts';

/** 4 is MQTT 3.1.1. */
export type Protocol = 4 | 5;

/** A broker as its makers ship it. The settings are those that docs/brokers.md advises. */
export interface RealBroker {
  /** As on the command line. */
  readonly name: string;
  readonly title: string;
  readonly version: string;
  readonly protocols: readonly Protocol[];
  /** Sessions and messages outlive a restart in order. */
  readonly isPersistent: boolean;
  /**
   * What it does with QoS 2 that no client can make exact without a time in the payload; absent: what the specification
   * says.
   */
  readonly qos2?: string;
  /**
   * A new message takes the place of one that is not acknowledged yet and has the same packet id: the older one is
   * lost, and can be told from a loss of the bridge's only by the packets.
   */
  readonly overwritesInFlight?: true;
  /** Why it can't be run here at all, such as a toolchain that is not installed. */
  readonly missing: string | undefined;
  /** Fetches and builds it, once. Throws Unavailable. */
  readonly install: () => Promise<string>;
  /** Writes what it needs into an empty directory of its own. `home` is what `install` gave. */
  readonly prepare: (home: string, directory: string, port: number) => Promise<ProcessSpec>;
}

/** A broker that does not start again on its own data. */
export class BrokerGone extends Error {}

export interface RunningBroker {
  readonly broker: RealBroker;
  readonly port: number;
  readonly url: string;
  /** SIGTERM, then the same data on the same port. Throws BrokerGone when it does not come back. */
  restart(): Promise<void>;
  /** The same after `kill -9`; `whileDown` runs in between. */
  crash(whileDown?: () => Promise<void>): Promise<void>;
  /** Freezes it: its connections stay and nobody answers on them, until `resume`. */
  suspend(): void;
  resume(): void;
  /** Starts it with nothing in it, after it was gone. */
  renew(): Promise<void>;
  /** Ends it and removes its data. */
  dispose(): Promise<void>;
}

/**
 * Starts a broker on a free port of the loopback interface, in a temporary directory of its own.
 *
 * @throws Unavailable where it can't be had.
 */
export async function startRealBroker(broker: RealBroker): Promise<RunningBroker> {
  const home = await broker.install();
  const port = await freePort();
  let directory = '';
  let running: BrokerProcess | undefined;
  const dispose = async (): Promise<void> => {
    await running?.end();
    running = undefined;
    await rm(directory, { recursive: true, force: true });
  };
  const begin = async (): Promise<void> => {
    directory = await mkdtemp(join(tmpdir(), `broker-${broker.name}-`));
    try {
      running = new BrokerProcess(await broker.prepare(home, directory, port));
      await running.start();
    } catch (error) {
      await dispose();
      throw error;
    }
  };
  const again = async (end: (present: BrokerProcess) => Promise<void>): Promise<void> => {
    if (running === undefined) throw new Error(`${broker.name} does not run`);
    await end(running);
    await running.start().catch((error: unknown) => {
      throw new BrokerGone((error as Error).message, { cause: error });
    });
  };
  await begin();
  return {
    broker,
    port,
    url: `mqtt://127.0.0.1:${port}`,
    restart: () => again((present) => present.stop()),
    crash: (whileDown) =>
      again(async (present) => {
        await present.kill();
        await whileDown?.();
      }),
    suspend: () => running?.suspend(),
    resume: () => running?.resume(),
    renew: async () => {
      await dispose();
      await begin();
    },
    dispose,
  };
}
