import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Status } from '../../src/ops/status.ts';
import { BridgeChild } from '../crash/bridge-child.ts';
import { until } from '../support/until.ts';

export interface MemberOptions {
  /** Its bridge.id and its client id at the broker. */
  readonly id: string;
  readonly directory: string;
  readonly url: string;
  readonly protocol: 4 | 5;
  readonly standin: { readonly connectString: string };
  /** Laid over `mqtt`. */
  readonly mqtt: Readonly<Record<string, unknown>>;
}

const START_TIMEOUT_MS = 60_000;
const EXIT_TIMEOUT_MS = 30_000;

/** One bridge over all its lives: the built product, with journal and backups in a directory of its own. */
export class BridgeMember {
  readonly id: string;
  readonly directory: string;
  readonly #options: MemberOptions;
  #child: BridgeChild | undefined;
  #lives = 0;

  constructor(options: MemberOptions) {
    this.id = options.id;
    this.directory = options.directory;
    this.#options = options;
  }

  /** Resolves when it runs; with the first start, when it has subscribed. */
  async start(): Promise<void> {
    const configFile = join(this.directory, 'bridge.json');
    if (this.#lives === 0) {
      await mkdir(this.directory, { recursive: true });
      await writeFile(configFile, JSON.stringify(configOf(this.#options), undefined, 2));
    }
    this.#lives += 1;
    const logFile = join(this.directory, `life-${this.#lives}.log`);
    const child = new BridgeChild(configFile, logFile);
    this.#child = child;
    const sign = this.#lives === 1 ? 'subscribed' : 'bridge started';
    await until(
      `the bridge to say "${sign}"`,
      () => {
        if (!child.isRunning) throw new Error(`the bridge ended with ${child.end} in its life ${this.#lives}`);
        return child.hasSaid(sign);
      },
      START_TIMEOUT_MS,
    );
  }

  async kill(): Promise<void> {
    if (this.#child?.isRunning !== true) return;
    this.#child.kill('SIGKILL');
    await this.#child.exited;
  }

  /** In order. */
  async stop(): Promise<void> {
    this.#child?.kill('SIGTERM');
    await until('the bridge to end', () => this.#child?.isRunning !== true, EXIT_TIMEOUT_MS);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  status(): Promise<Status | undefined> {
    return this.#child?.status() ?? Promise.resolve(undefined);
  }

  files(): Promise<readonly string[]> {
    return this.#child?.files() ?? Promise.resolve([]);
  }
}

function configOf({ id, directory, url, protocol, standin, mqtt }: MemberOptions): unknown {
  return {
    bridge: { id, drainTimeoutMs: 5000 },
    mqtt: { url, protocolVersion: protocol, ...mqtt },
    writer: { batchSize: 500, intervalMs: 100, retry: { attempts: 1, initialDelayMs: 50 } },
    oracle: { connectString: standin.connectString, user: 'bridge', password: 'secret' },
    journal: { dir: join(directory, 'journal') },
    backup: { dir: join(directory, 'backup'), probeIntervalMs: 200 },
    http: { port: 0 },
    log: { level: 'debug', format: 'json' },
  };
}
