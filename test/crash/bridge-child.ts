import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';

import type { ListedFile } from '../../src/backup/replay/listing.ts';
import type { Status } from '../../src/ops/status.ts';
import { tieToThisProcess } from '../support/tied-process.ts';

type Entry = Readonly<Record<string, unknown>>;

const json = (response: Response): Promise<unknown> => response.json();

export interface BridgeChildOptions {
  /** The step at which it kills itself. */
  readonly killAt?: string;
  /** Further variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** A command that the bridge's is given to, and that becomes it: its process id is the same. */
  readonly wrapper?: readonly string[];
}

/** The bridge, built, as a process that may die at any moment. Its log goes to a file. */
export class BridgeChild {
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  readonly #messages = new Set<string>();
  #url = '';

  constructor(configFile: string, logFile: string, { env: more, killAt, wrapper = [] }: BridgeChildOptions = {}) {
    const env = {
      PATH: process.env['PATH'],
      TZ: 'UTC',
      ...(killAt === undefined ? {} : { BRIDGE_TEST_KILL_AT: killAt }),
      ...more,
    };
    const [command, ...args] = [...wrapper, process.execPath, 'dist/main.js', 'run', '--config', configFile];
    this.#child = spawn(command, args, {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    tieToThisProcess(this.#child);
    const file = createWriteStream(logFile);
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      file.write(`${line}\n`);
      this.#heed(line);
    });
    this.#child.stderr!.on('data', (text: Buffer) => file.write(text));
    this.exited = once(this.#child, 'close').then(() => void file.end());
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** How it ended: the exit code or the signal. */
  get end(): number | NodeJS.Signals | null {
    return this.#child.exitCode ?? this.#child.signalCode;
  }

  /** True when it has logged this. */
  hasSaid(message: string): boolean {
    return this.#messages.has(message);
  }

  /** Where it serves HTTP; empty before it has said so. */
  get url(): string {
    return this.#url;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** `kill -9`, and waits until it is gone. */
  async cutOff(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }

  /** SIGTERM; true when it is gone within the time. Cut off otherwise. */
  async drain(withinMs: number): Promise<boolean> {
    this.#child.kill('SIGTERM');
    await Promise.race([this.exited, wait(withinMs, undefined, { ref: false })]);
    const isInTime = !this.isRunning;
    await this.cutOff();
    return isInTime;
  }

  status(): Promise<Status | undefined> {
    return this.#get('/api/status');
  }

  /** Its wall clock, to the second; NaN while it does not answer. */
  async clockMs(): Promise<number> {
    return (
      (await this.#get<number>('/api/status', async ({ headers }) => Date.parse(headers.get('date') ?? ''))) ?? NaN
    );
  }

  /** Nothing is on its way, and no backup waits. */
  async isSettled(): Promise<boolean> {
    const status = await this.status();
    if (status === undefined) return false;
    return status.journal.messages === 0 && status.backups.pendingFiles === 0 && status.audit.pending === 0;
  }

  /** What Prometheus would scrape; undefined while nothing answers. */
  metrics(): Promise<string | undefined> {
    return this.#get('/metrics', (response) => response.text());
  }

  /** The names of the CSV files that it knows. */
  async files(): Promise<readonly string[]> {
    return ((await this.#get<ListedFile[]>('/api/backups')) ?? []).map(({ file }) => file);
  }

  async #get<T>(path: string, read: (response: Response) => Promise<unknown> = json): Promise<T | undefined> {
    if (this.#url === '') return undefined;
    try {
      const response = await fetch(new URL(path, this.#url));
      return response.ok ? ((await read(response)) as T) : undefined;
    } catch {
      return undefined;
    }
  }

  #heed(line: string): void {
    try {
      const { message, http } = JSON.parse(line) as Entry;
      this.#messages.add(String(message));
      if (message === 'bridge started') this.#url = String(http);
    } catch {
      // cut off by the kill
    }
  }
}
