import { Backoff } from '../core/backoff.ts';
import { sleep, type Clock } from '../core/clock.ts';
import type { Reason } from '../core/errors.ts';
import { RepeatedError, type Logger } from '../core/logger.ts';
import type { Records } from './files/backup-file.ts';
import { TimeRange } from './files/file-info.ts';

const RETRY = { initialDelayMs: 500, factor: 2, maxDelayMs: 15_000, jitter: 0.2 };

interface Waiting {
  readonly records: Records;
  readonly reason: Reason;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Records of many callers made durable together: what comes in while one sync runs goes with the next. A disk that
 * refuses is asked again, at growing intervals, until it takes them or `stop` is called.
 */
export class GroupCommit {
  readonly #append: (records: Records, reason: Reason) => Promise<unknown>;
  readonly #clock: Clock;
  readonly #error: RepeatedError;
  readonly #stopping = new AbortController();
  #waiting: Waiting[] = [];
  #run: Promise<void> | undefined;

  constructor(append: (records: Records, reason: Reason) => Promise<unknown>, clock: Clock, log: Logger) {
    this.#append = append;
    this.#clock = clock;
    this.#error = new RepeatedError(log, clock, 'backup directory takes no data');
  }

  /** Resolves when the records are durable; throws when `stop` comes first. */
  add(records: Records, reason: Reason): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#stopping.signal.aborted) {
        reject(new Error('the backups are stopping'));
        return;
      }
      this.#waiting.push({ records, reason, resolve, reject });
      this.#run ??= this.#commitAll().finally(() => (this.#run = undefined));
    });
  }

  /** Tries what waits once more, then gives it up. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#run;
  }

  async #commitAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      const error = await this.#commit(group);
      for (const { resolve, reject } of group) {
        if (error === undefined) resolve();
        else reject(error);
      }
    }
  }

  async #commit(group: readonly Waiting[]): Promise<Error | undefined> {
    const { signal } = this.#stopping;
    const backoff = new Backoff(RETRY, this.#clock);
    const records = combined(group.map((waiting) => waiting.records));
    for (;;) {
      try {
        await this.#append(records, group[0]!.reason);
        this.#error.over();
        return undefined;
      } catch (error) {
        if (signal.aborted) return new Error('the disk did not take the message before the stop', { cause: error });
        this.#error.report({ error });
      }
      await sleep(this.#clock, backoff.next(), signal);
    }
  }
}

function combined(group: readonly Records[]): Records {
  const times = new TimeRange();
  for (const records of group) times.merge(records.times);
  return {
    buffers: group.flatMap((records) => records.buffers),
    rows: group.reduce((rows, records) => rows + records.rows, 0),
    times,
  };
}
