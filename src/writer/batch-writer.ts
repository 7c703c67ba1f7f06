import { Backoff } from '../core/backoff.ts';
import { sleep, type Clock } from '../core/clock.ts';
import type { Counters } from '../core/counters.ts';
import { DatabaseError, type Reason } from '../core/errors.ts';
import { RepeatedError, type Logger } from '../core/logger.ts';
import { TagValues } from '../core/tag-values.ts';
import { Availability } from './availability.ts';
import { checkRows, type BadRow, type RowCheckOptions } from './row-check.ts';

/** Where the values come from: the tag buffer. */
export interface ValueSource {
  /** Resolves when `count` values are there, or the oldest has waited `maxWaitMs`, or the source is closed, or on abort. */
  whenReady(count: number, maxWaitMs: number, signal: AbortSignal): Promise<void>;
  /** Moves at most `max` values into the list, the oldest first. */
  take(into: TagValues, max: number): number;
  /** True when nothing more will be put in. */
  readonly closed: boolean;
}

/** The database session. `write` commits once `beforeCommit` has resolved; both throw DatabaseError. */
export interface BatchDatabase {
  write(values: TagValues, beforeCommit: (refused: readonly BadRow[]) => Promise<void>): Promise<void>;
  probe(): Promise<void>;
}

/** The CSV files. All resolve when what they were given is durable, and throw the system error of a disk that refuses. */
export interface BatchBackup {
  backUp(values: TagValues, reason: Reason): Promise<void>;
  reject(values: TagValues, rows: readonly BadRow[]): Promise<void>;
  endOutage(): Promise<void>;
}

export interface BatchWriterOptions {
  readonly batchSize: number;
  readonly intervalMs: number;
  /** `attempts` after the first one. */
  readonly retry: { readonly attempts: number; readonly initialDelayMs: number; readonly factor: number };
  readonly probeIntervalMs: number;
  readonly rowCheck: RowCheckOptions;
}

export interface BatchWriterParts {
  readonly source: ValueSource;
  readonly database: BatchDatabase;
  readonly backup: BatchBackup;
  readonly counters: Counters;
  /** Told of each batch that was written: rows, milliseconds the write took, age of the oldest value since its receipt. */
  readonly onWritten: (rows: number, latencyMs: number, lagMs: number) => void;
  readonly onError: (code: string) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

const RETRY_JITTER = 0.1;
const MAX_RETRY_DELAY_MS = 60_000;
const DISK_RETRY_MS = 1_000;

/**
 * Takes batches from the buffer and settles each one before the next: every value of it is then in Oracle, or durably in a CSV.
 *
 * `batch` always holds just the values that are not settled: what is written, backed up or rejected is taken out of it and counted in
 * the same step, so that received = written + backed up + rejected + dropped + filtered + pending at every instant.
 */
export class BatchWriter {
  readonly availability: Availability;
  readonly #options: BatchWriterOptions;
  readonly #parts: BatchWriterParts;
  readonly #diskRefuses: RepeatedError;
  #pending = 0;
  #stopping: AbortSignal = AbortSignal.abort();
  #sealing: Promise<unknown> = Promise.resolve();

  constructor(options: BatchWriterOptions, parts: BatchWriterParts) {
    this.#options = options;
    this.#parts = parts;
    this.#diskRefuses = new RepeatedError(parts.log, parts.clock, 'the disk refuses the csv files: batches are held');
    this.availability = new Availability({
      probeIntervalMs: options.probeIntervalMs,
      probe: () => parts.database.probe(),
      onOutageOver: () => void (this.#sealing = this.#onDisk(() => parts.backup.endOutage())),
      clock: parts.clock,
      log: parts.log,
    });
  }

  /** Values taken from the buffer and not settled yet. */
  get pending(): number {
    return this.#pending;
  }

  /**
   * Settles batches until the source is closed and empty. Once `signal` is aborted the database is not tried any more: what is left goes
   * to the backup, and what the disk refuses then is lost, counted as dropped and logged.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { source } = this.#parts;
    const { batchSize, intervalMs } = this.#options;
    const batch = new TagValues(batchSize);
    this.#stopping = signal;
    this.availability.start();
    for (;;) {
      await source.whenReady(batchSize, intervalMs, signal);
      this.#pending = source.take(batch, batchSize);
      if (this.#pending > 0) await this.#settle(batch);
      else if (source.closed || signal.aborted) break;
    }
    this.availability.stop();
    await this.#sealing;
  }

  async #settle(batch: TagValues): Promise<void> {
    await this.#rejectOnDisk(batch, checkRows(batch, this.#options.rowCheck));
    while (batch.length > 0) {
      if (this.availability.state !== 'down' && !this.#stopping.aborted) {
        const error = await this.#write(batch);
        if (error === undefined) return;
        if (error.kind === 'row' || error.kind === 'mistake') return this.#isolate(batch, error);
        this.availability.failed(error);
      }
      if (await this.#onDisk(() => this.#backUp(batch))) return;
      // Neither way is open. Oracle may come back meanwhile, so both are tried again.
      await this.#holdOrGiveUp(batch);
    }
  }

  /** Writes the batch, again where that may help. Undefined when it is settled. */
  async #write(batch: TagValues): Promise<DatabaseError | undefined> {
    const { attempts, initialDelayMs, factor } = this.#options.retry;
    const delays = { initialDelayMs, factor, maxDelayMs: MAX_RETRY_DELAY_MS, jitter: RETRY_JITTER };
    const backoff = new Backoff(delays, this.#parts.clock);
    for (let retriesLeft = attempts; batch.length > 0;) {
      const error = await this.#writeOnce(batch);
      if (error === undefined) continue;
      if (retriesLeft === 0 || this.#stopping.aborted || !this.availability.mayRetry(error)) return error;
      retriesLeft -= 1;
      this.availability.retrying(error);
      await sleep(this.#parts.clock, backoff.next(), this.#stopping);
    }
    return undefined;
  }

  async #writeOnce(batch: TagValues): Promise<DatabaseError | undefined> {
    const { database, backup, clock } = this.#parts;
    const startedMs = clock.monotonic();
    const refused = new Set<number>();
    this.availability.trying();
    try {
      await database.write(batch, async (rows) => {
        await backup.reject(batch, rows);
        for (const { index } of rows) refused.add(index);
        this.#logRejected(rows);
      });
    } catch (thrown) {
      // What is in the rejected CSV already is not tried again with the rest.
      this.#takeOutRejected(batch, refused);
      if (thrown instanceof DatabaseError) {
        this.#parts.onError(thrown.code);
        return thrown;
      }
      // The rejected CSV could not be written, so nothing was committed: the disk's fault and not the database's.
      this.#diskRefuses.report({ error: thrown });
      await this.#holdOrGiveUp(batch);
      return undefined;
    }
    this.#takeOutRejected(batch, refused);
    this.#countWritten(batch, clock.monotonic() - startedMs);
    this.availability.succeeded();
    return undefined;
  }

  /** The database refuses the batch as a whole because of one row: halves it until that row stands alone. */
  async #isolate(batch: TagValues, error: DatabaseError): Promise<void> {
    if (batch.length === 1) {
      await this.#rejectOnDisk(batch, [{ index: 0, reason: { code: error.code, message: error.message } }]);
      return;
    }
    const middle = batch.length >> 1;
    const halves = [batch.slice(0, middle), batch.slice(middle, batch.length)];
    for (const half of halves) await this.#settle(half);
  }

  async #rejectOnDisk(batch: TagValues, rows: readonly BadRow[]): Promise<void> {
    if (rows.length === 0) return;
    const indexes = new Set(rows.map(({ index }) => index));
    while (batch.length > 0 && !(await this.#onDisk(() => this.#parts.backup.reject(batch, rows)))) {
      await this.#holdOrGiveUp(batch);
    }
    if (batch.length === 0) return;
    this.#logRejected(rows);
    this.#takeOutRejected(batch, indexes);
  }

  async #backUp(batch: TagValues): Promise<void> {
    const reason = this.availability.reason ?? {
      code: 'STOPPING',
      message: 'the bridge was stopped before the batch was written',
    };
    await this.#parts.backup.backUp(batch, reason);
    this.#parts.counters.valuesBackedUp += batch.length;
    this.#settled(batch);
  }

  #countWritten(batch: TagValues, latencyMs: number): void {
    const { counters, clock, onWritten } = this.#parts;
    if (batch.length === 0) return;
    const lagMs = Math.max(0, clock.now() - batch.receivedAtMs[0]!);
    counters.valuesWritten += batch.length;
    onWritten(batch.length, latencyMs, lagMs);
    this.#settled(batch);
  }

  #takeOutRejected(batch: TagValues, indexes: ReadonlySet<number>): void {
    batch.remove(indexes);
    this.#parts.counters.valuesRejected += indexes.size;
    this.#pending -= indexes.size;
  }

  #settled(batch: TagValues): void {
    this.#pending -= batch.length;
    batch.clear();
  }

  #logRejected(rows: readonly BadRow[]): void {
    this.#parts.log.warn('values rejected', { values: rows.length, first: rows[0]?.reason });
  }

  /** True when the disk took it. */
  async #onDisk(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      this.#diskRefuses.over();
      return true;
    } catch (thrown) {
      this.#diskRefuses.report({ error: thrown });
      return false;
    }
  }

  async #holdOrGiveUp(batch: TagValues): Promise<void> {
    if (!this.#stopping.aborted) {
      await sleep(this.#parts.clock, DISK_RETRY_MS, this.#stopping);
      return;
    }
    this.#parts.log.error('values lost: stopped while the disk refuses the csv files', { values: batch.length });
    this.#parts.counters.valuesDropped += batch.length;
    this.#settled(batch);
  }
}
