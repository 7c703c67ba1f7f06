import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from '../support/mosquitto.ts';
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
  /** Why it can't be run here at all, such as a toolchain that is not installed. */
  readonly missing: string | undefined;
  /** Fetches and builds it, once. Throws Unavailable. */
  readonly install: () => Promise<string>;
  /** Writes what it needs into an empty directory of its own. `home` is what `install` gave. */
  readonly prepare: (home: string, directory: string, port: number) => Promise<ProcessSpec>;
}

export interface RunningBroker {
  readonly broker: RealBroker;
  readonly port: number;
  readonly url: string;
  /** SIGTERM, then the same data on the same port. `whileDown` runs in between. */
  restart(whileDown?: () => Promise<void>): Promise<void>;
  /** The same after `kill -9`. */
  crash(): Promise<void>;
  logTail(): string;
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
  const directory = await mkdtemp(join(tmpdir(), `broker-${broker.name}-`));
  const port = await freePort();
  let running: BrokerProcess | undefined;
  const dispose = async (): Promise<void> => {
    await running?.end();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    running = new BrokerProcess(await broker.prepare(home, directory, port));
    await running.start();
  } catch (error) {
    await dispose();
    throw error;
  }
  return runningOf(broker, port, running, dispose);
}

function runningOf(
  broker: RealBroker,
  port: number,
  running: BrokerProcess,
  dispose: () => Promise<void>,
): RunningBroker {
  return {
    broker,
    port,
    url: `mqtt://127.0.0.1:${port}`,
    restart: async (whileDown) => {
      await running.stop();
      await whileDown?.();
      await running.start();
    },
    crash: async () => {
      await running.kill();
      await running.start();
    },
    logTail: () => running.logTail(),
    dispose,
  };
}
