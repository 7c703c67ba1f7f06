import { join } from 'node:path';
import { pid } from 'node:process';

import { sleep, type Clock } from '../core/clock.ts';
import { systemErrorCode } from '../core/errors.ts';
import type { FileSystem } from '../core/filesystem.ts';
import { Reserve, RESERVE_BYTES } from '../core/reserve.ts';
import { JOURNAL_FILES } from './file-names.ts';

/** Keeps a directory for one process. */
export interface JournalLock {
  /** Throws an Error that names the directory and the process when another one holds it. */
  acquire(directory: string): Promise<void>;
  release(): Promise<void>;
}

interface Holder {
  readonly pid: number;
  /** Boot of the machine and start of the process in ticks since, empty where the system does not tell. */
  readonly startedAt: string;
  /** Made by chance: tells apart those that take over a stale lock at the same time. */
  readonly token: string;
}

const NAME = JOURNAL_FILES.lock;
/** Another process may be between creating its lock file and writing it. */
const WRITTEN_WITHIN_MS = 200;
const ATTEMPTS = 5;
/** A process that has ended and that nobody has asked for its end: in a container without an init that may stay so. */
const ENDED_STATES = new Set(['Z', 'X']);
/** Index of the field `starttime` in /proc/<pid>/stat behind the command's closing parenthesis [proc_pid_stat(5)]. */
const START_TIME_FIELD = 19;

/** Another process holds the directory. */
class JournalInUseError extends Error {
  readonly code = 'EBUSY';
}

/**
 * A file `lock` that holds the process id and the start of the process. It is stale when no process has that id, or
 * another one has got it since. Processes in other containers or on other machines that share the directory are not
 * seen.
 */
export class ProcessLock implements JournalLock {
  readonly #fileSystem: FileSystem;
  readonly #clock: Clock;
  #path: string | undefined;

  constructor(fileSystem: FileSystem, clock: Clock) {
    this.#fileSystem = fileSystem;
    this.#clock = clock;
  }

  async acquire(directory: string): Promise<void> {
    const path = join(directory, NAME);
    const token = String(this.#clock.random());
    const reserve = new Reserve(directory, RESERVE_BYTES, this.#fileSystem);
    const own = JSON.stringify({ pid, startedAt: await this.#startOf(pid), token } satisfies Holder);
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const isCreated = await reserve.spendOn(() => this.#create(path, own));
      if (isCreated && (attempt === 0 || (await this.#isKept(path, own)))) {
        this.#path = path;
        return;
      }
      const found = await this.#read(path);
      const holder = parseHolder(found);
      if (holder !== undefined && (await this.#isRunning(holder))) {
        throw new JournalInUseError(
          `${directory} is in use by process ${holder.pid}: two bridges must not share a journal. ` +
            'Stop that one, or give this one a directory of its own (journal.dir)',
        );
      }
      await this.#removeStale(path, found, `${path}.${pid}.${token}`);
    }
    throw new Error(`${path} could not be taken: other processes are after it, too`);
  }

  async release(): Promise<void> {
    if (this.#path === undefined) return;
    await this.#fileSystem.remove(this.#path);
    this.#path = undefined;
  }

  async #create(path: string, text: string): Promise<boolean> {
    try {
      const file = await this.#fileSystem.create(path);
      try {
        await file.append(Buffer.from(text));
      } catch (error) {
        await this.#fileSystem.remove(path);
        throw error;
      } finally {
        await file.close();
      }
      return true;
    } catch (error) {
      if (systemErrorCode(error) === 'EEXIST') return false;
      throw error;
    }
  }

  /** Another one that gave back what it had moved away may have overwritten it. */
  async #isKept(path: string, own: string): Promise<boolean> {
    await sleep(this.#clock, WRITTEN_WITHIN_MS);
    return (await this.#readNow(path)) === own;
  }

  /** What stands in the file; empty when it is gone, or is still empty after a while. */
  async #read(path: string): Promise<string> {
    const text = await this.#readNow(path);
    if (parseHolder(text) !== undefined) return text;
    await sleep(this.#clock, WRITTEN_WITHIN_MS);
    return this.#readNow(path);
  }

  async #readNow(path: string): Promise<string> {
    try {
      return String(await this.#fileSystem.read(path));
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return '';
      throw error;
    }
  }

  /** Moves it away first: what another process has put there meanwhile is given back. */
  async #removeStale(path: string, stale: string, aside: string): Promise<void> {
    try {
      await this.#fileSystem.rename(path, aside);
      if ((await this.#readNow(aside)) === stale) await this.#fileSystem.remove(aside);
      else await this.#fileSystem.rename(aside, path);
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw error;
    }
  }

  async #isRunning(holder: Holder): Promise<boolean> {
    try {
      process.kill(holder.pid, 0);
    } catch (error) {
      if (systemErrorCode(error) === 'ESRCH') return false;
    }
    return holder.startedAt === (await this.#startOf(holder.pid));
  }

  /** Empty where there is no /proc: then the id alone decides. */
  async #startOf(processId: number): Promise<string> {
    try {
      const boot = String(await this.#fileSystem.read('/proc/sys/kernel/random/boot_id')).trim();
      const stat = String(await this.#fileSystem.read(`/proc/${processId}/stat`));
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return ENDED_STATES.has(fields[0]!) ? 'ended' : `${boot}/${fields[START_TIME_FIELD]}`;
    } catch {
      return '';
    }
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Partial<Holder> | null;
    const isHolder = Number.isSafeInteger(holder?.pid) && typeof holder?.startedAt === 'string';
    return isHolder ? (holder as Holder) : undefined;
  } catch {
    return undefined;
  }
}
