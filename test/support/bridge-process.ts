import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import type { Status } from '../../src/ops/status.ts';
import { BUILT_BRIDGE } from './built-bridge.ts';
import { tieToThisProcess } from './tied-process.ts';
import { until } from './until.ts';

type JsonObject = Record<string, unknown>;

export interface BridgeProcessOptions {
  /**
   * Laid over a configuration that logs JSON, serves HTTP on a free port and keeps its files in a directory of its own.
   */
  readonly config: Readonly<Record<string, JsonObject>>;
  /** The process's time zone. */
  readonly timeZone?: string;
  /** Further variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** The checkout whose build it is; default: this one. */
  readonly checkout?: string;
  /** Where a bridge ran before that this one goes on for; default: a new one. */
  readonly directory?: string;
  /** How long the start may take; default: 30 s. */
  readonly startTimeoutMs?: number;
}

/** A start takes a second; where a machine has much else to do, a process may wait long for its turn. */
const START_TIMEOUT_MS = 30_000;

/** The bridge as its users run it: a process of its own. */
export class BridgeProcess {
  readonly directory: string;
  /** Log entries, as written. */
  readonly log: JsonObject[] = [];
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  #stderr = '';

  private constructor(directory: string, child: ChildProcess) {
    this.directory = directory;
    this.#child = child;
    this.#exited = once(child, 'exit').then(([code]) => code as number | null);
    createInterface({ input: child.stdout! }).on('line', (line) => this.log.push(JSON.parse(line) as JsonObject));
    child.stderr!.on('data', (text: Buffer) => (this.#stderr += text.toString()));
  }

  /** Resolves when the bridge says that it has started. */
  static async start(options: BridgeProcessOptions): Promise<BridgeProcess> {
    const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'bridge-test-')));
    const file = join(directory, 'bridge.json');
    await writeFile(file, JSON.stringify(completeConfig(directory, options.config)));
    const main = options.checkout === undefined ? BUILT_BRIDGE : join(options.checkout, 'dist/main.js');
    const child = spawn(process.execPath, [main, 'run', '--config', file], {
      env: { PATH: process.env['PATH'], TZ: options.timeZone ?? 'UTC', ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    tieToThisProcess(child);
    const bridge = new BridgeProcess(directory, child);
    const hasStarted = (): boolean => {
      if (child.exitCode !== null) throw new Error(`the bridge ended with ${child.exitCode}: ${bridge.#stderr}`);
      return bridge.find('bridge started') !== undefined;
    };
    try {
      await until('the bridge to start', hasStarted, options.startTimeoutMs ?? START_TIMEOUT_MS);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
    return bridge;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  find(message: string): JsonObject | undefined {
    return this.log.find((entry) => entry['message'] === message);
  }

  /** Resolves when it gets what is published, also by a session that was there, where nothing had to be subscribed. */
  async untilSubscribed(): Promise<void> {
    const isPresent = (): boolean =>
      this.log.some(
        ({ message, sessionPresent, stage }) =>
          message === 'subscribed' ||
          (message === 'connected to the broker' && stage === 'mqtt' && sessionPresent === true),
      );
    await until('the subscription', isPresent);
  }

  /** Where it serves HTTP. */
  get url(): string {
    return String(this.find('bridge started')?.['http']);
  }

  async status(): Promise<Status> {
    const response = await fetch(new URL('/api/status', this.url));
    return (await response.json()) as Status;
  }

  async untilStatus(what: string, isSo: (status: Status) => boolean, timeoutMs = 30_000): Promise<Status> {
    return until(
      what,
      async () => {
        const status = await this.status();
        return isSo(status) ? status : undefined;
      },
      timeoutMs,
    );
  }

  /** Files in the backup directory with their content. */
  async backupFiles(): Promise<Map<string, string>> {
    const directory = join(this.directory, 'backup');
    const names = await readdir(directory);
    const files = names.map(async (name) => [name, await readFile(join(directory, name), 'utf8')] as const);
    return new Map(await Promise.all(files));
  }

  /** Sends the signal and waits for the exit code; null when the signal itself ended it. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.#child.kill(signal);
    return this.#exited;
  }

  /** For the end of a test: stops what still runs, removes the files. */
  async dispose(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.end('SIGKILL');
    await rm(this.directory, { recursive: true, force: true });
  }
}

function completeConfig(directory: string, config: BridgeProcessOptions['config']): JsonObject {
  const base: Record<string, JsonObject> = {
    bridge: { id: 'test-bridge' },
    http: { port: 0 },
    log: { format: 'json', level: 'debug' },
    journal: { dir: join(directory, 'journal') },
    backup: { dir: join(directory, 'backup') },
  };
  for (const [section, keys] of Object.entries(config)) base[section] = { ...base[section], ...keys };
  return base;
}
