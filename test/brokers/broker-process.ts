import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs';

import { answers } from '../support/mosquitto.ts';
import { tieGroupToThisProcess } from '../support/tied-process.ts';
import { until } from '../support/until.ts';

/** How a broker's process is started; the same way each time. */
export interface ProcessSpec {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Its standard output and standard error. */
  readonly logFile: string;
  /** The MQTT port, on the loopback interface. */
  readonly port: number;
  /** What it leaves running beside its own process group is ended by this, at last. */
  readonly afterwards?: () => Promise<void>;
}

const START_TIMEOUT_MS = 300_000; // a first start under load takes minutes
const ASK_EVERY_MS = 50;
const END_TIMEOUT_MS = 60_000;
const LOG_BYTES_SHOWN = 2000;

/**
 * A broker as a process group of its own, as some start by a script whose child is the broker: signals go to the whole
 * group, and it has ended when nobody of the group lives any more.
 */
export class BrokerProcess {
  readonly #spec: ProcessSpec;
  #child: ChildProcess | undefined;
  #untie = (): void => {};

  constructor(spec: ProcessSpec) {
    this.#spec = spec;
  }

  /** Resolves when it listens. Throws, with the end of its log, when it ends before or takes minutes. */
  async start(): Promise<void> {
    const { command, args, env, cwd, logFile, port } = this.#spec;
    const log = openSync(logFile, 'a');
    const child = spawn(command, [...args], {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    closeSync(log);
    this.#child = child;
    this.#untie = tieGroupToThisProcess(child);
    let failure: Error | undefined;
    child.once('error', (error) => (failure = error));
    await until(
      `${command} to listen`,
      () => {
        if (failure !== undefined) throw failure;
        if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}: ${this.#lastWords()}`);
        return answers(port);
      },
      START_TIMEOUT_MS,
      ASK_EVERY_MS,
    );
  }

  /** In order, by SIGTERM; what does not end in time is killed, and told of. */
  async stop(): Promise<void> {
    this.#signal('SIGTERM');
    try {
      await this.#untilEnded(END_TIMEOUT_MS);
    } catch {
      await this.kill();
      throw new Error(`${this.#spec.command} did not end on SIGTERM within ${END_TIMEOUT_MS} ms`);
    }
  }

  async kill(): Promise<void> {
    this.#signal('SIGKILL');
    await this.#untilEnded(END_TIMEOUT_MS);
  }

  /** Freezes it: its connections stay and nobody answers on them, until `resume`. */
  suspend(): void {
    this.#signal('SIGSTOP');
  }

  resume(): void {
    this.#signal('SIGCONT');
  }

  /** For good: with what it left behind. */
  async end(): Promise<void> {
    if (this.#child !== undefined) await this.kill();
    await this.#spec.afterwards?.();
  }

  /** What it complained of last, or else the end of its log. */
  #lastWords(): string {
    const log = readFileSync(this.#spec.logFile, 'utf8').slice(-LOG_BYTES_SHOWN);
    return log.split('\n').findLast((line) => /exception|error/i.test(line) && !/^\s+at /.test(line)) ?? log;
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child?.pid !== undefined) signalGroup(this.#child.pid, signal);
  }

  async #untilEnded(timeoutMs: number): Promise<void> {
    const group = this.#child?.pid;
    if (group === undefined) return;
    await until(
      `${this.#spec.command} to end`,
      async () => !livesIn(group) && !(await answers(this.#spec.port)),
      timeoutMs,
      ASK_EVERY_MS,
    );
    this.#untie();
  }
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/**
 * Whether a process group has a member that is more than a zombie, from /proc [proc(5)]. A zombie with more than one
 * thread is one whose first thread alone has ended: it still holds its port.
 */
function livesIn(group: number): boolean {
  return readdirSync('/proc').some((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(fields[2]) === group && (fields[0] !== 'Z' || Number(fields[17]) > 1);
    } catch {
      return false; // ended meanwhile
    }
  });
}
