import { Backoff } from '../core/backoff.ts';
import { sleep } from '../core/clock.ts';
import { DatabaseError, LEDGER_MOVED } from '../core/errors.ts';
import { RepeatedError } from '../core/logger.ts';
import { comparePlaces, type Place } from '../core/place.ts';
import { countThrough, placeKeyOf, placeOf, TagValues } from '../core/tag-values.ts';
import { Availability } from './availability.ts';
import { LedgerCursor } from './ledger-cursor.ts';
import type { BatchWriterOptions, BatchWriterParts, WriterTuning } from './neighbours.ts';
import { checkRows, type BadRow } from './row-check.ts';

const RETRY_JITTER = 0.1;
const MAX_RETRY_DELAY_MS = 60_000;
const DISK_RETRY_MS = 1_000;
/** How often in a row a moved place is read again and the batch tried at once. */
const MAX_MOVES = 3;

/**
 * Takes batches from the buffer and settles each one before the next: every value of it is then in Oracle, or durably in a CSV.
 *
 * `batch` always holds just the values that are not settled: what is written, backed up or rejected is taken out of it and counted in
 * the same step, so that received = written + backed up + rejected + dropped + filtered + pending at every instant.
 */
export class BatchWriter {
  readonly availability: Availability;
  #options: BatchWriterOptions;
  readonly #parts: BatchWriterParts;
  readonly #diskRefuses: RepeatedError;
  readonly #ledger: LedgerCursor;
  /** The last rows in the backup, if it has any, were certainly not written. */
  #hasUnsentRows = false;
  #pending = 0;
  #stopping: AbortSignal = AbortSignal.abort();
  #sealing: Promise<unknown> = Promise.resolve();

  constructor(options: BatchWriterOptions, parts: BatchWriterParts) {
    this.#options = options;
    this.#parts = parts;
    this.#diskRefuses = new RepeatedError(parts.log, parts.clock, 'the disk refuses the csv files: batches are held');
    const { settled, recovered, ledger } = options.resumeAfter;
    this.#ledger = new LedgerCursor({
      lastKnown: ledger,
      resumeAfter: settled,
      recoveredThrough: recovered,
      stampSkip: async (place) => {
        await parts.backup.stampSkip(place);
        this.#hasUnsentRows = true; // behind the place
      },
      onAhead: (place) => parts.onLedgerAhead(place),
      log: parts.log,
    });
    this.availability = new Availability({
      probeIntervalMs: options.probeIntervalMs,
      probe: async () => {
        await parts.database.probe();
        await this.#ledger.ensure(parts.database);
      },
      onOutageOver: () => void (this.#sealing = this.#onDisk(() => parts.backup.endOutage())),
      onUp: () => parts.onUp(),
      clock: parts.clock,
      log: parts.log,
    });
  }

  /** Values taken from the buffer and not settled yet. */
  get pending(): number {
    return this.#pending;
  }

  /** As last read or set, by this run or an earlier one. */
  get ledgerPlace(): Place {
    return this.#ledger.lastKnown;
  }

  /** True when batches are taken and it is known what Oracle has: only then may backups be replayed. */
  get isCertain(): boolean {
    return this.availability.state === 'connected' && this.#ledger.isCertain;
  }

  /** Holds from the next batch on; a wait for one that has begun ends as it would have. */
  tune({ batchSize, intervalMs, retry }: WriterTuning): void {
    this.#options = { ...this.#options, batchSize, intervalMs, retry };
  }

  /**
   * Settles batches until the source is closed and empty, or until `signal` is aborted: what is not settled then is still in the journal.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { source } = this.#parts;
    let batch = new TagValues(this.#options.batchSize);
    this.#stopping = signal;
    this.availability.start();
    for (;;) {
      await source.whenReady(this.#options.batchSize, this.#options.intervalMs, signal);
      if (signal.aborted) break;
      const { batchSize } = this.#options;
      if (batch.capacity !== batchSize) batch = new TagValues(batchSize);
      this.#pending = source.take(batch, batchSize);
      if (this.#pending === 0 && source.closed) break;
      if (this.#pending > 0) await this.#settleAll(batch);
    }
    this.availability.stop();
    await this.#sealing;
  }

  async #settleAll(batch: TagValues): Promise<void> {
    const last = placeOf(batch, batch.length - 1);
    this.#parts.onStep('taken');
    this.#passOver(batch);
    await this.#settle(batch);
    this.availability.batchEnded();
    if (this.#pending === 0) this.#parts.onSettled(last);
  }

  /** Leaves out what an earlier run had settled: the journal gives it again when the checkpoint was behind. */
  #passOver(batch: TagValues): void {
    const { counted, settled, recovered, rejected } = this.#options.resumeAfter;
    const { counters } = this.#parts;
    if (rejected.size > 0 && comparePlaces(placeOf(batch, 0), recovered) <= 0) {
      const indexes = Array.from({ length: batch.length }, (_, i) => i);
      this.#takeOutRejected(batch, new Set(indexes.filter((i) => rejected.has(placeKeyOf(batch, i)))));
    }
    while (batch.length > 0 && comparePlaces(placeOf(batch, 0), settled) <= 0) {
      const upTo = comparePlaces(placeOf(batch, 0), counted) <= 0 ? counted : settled;
      const count = countThrough(batch, upTo);
      if (upTo === counted) counters.valuesReceived -= count;
      else counters.valuesBackedUp += count;
      this.#takeOut(batch, count);
    }
  }

  async #settle(batch: TagValues): Promise<void> {
    while (batch.length > 0 && !this.#stopping.aborted) {
      if (this.availability.state !== 'down') {
        const error = await this.#write(batch);
        if (error === undefined || this.#stopping.aborted) return;
        if (error.kind === 'row' || error.kind === 'mistake') return this.#isolate(batch, error);
        this.availability.failed(error);
      }
      await this.#rejectBadRows(batch);
      if (await this.#onDisk(() => this.#backUp(batch))) return;
      // Neither way is open. Oracle may come back meanwhile, so both are tried again.
      await this.#hold();
    }
  }

  /** Writes the batch, again where that may help. Undefined when it is settled. */
  async #write(batch: TagValues): Promise<DatabaseError | undefined> {
    const { attempts, initialDelayMs, factor } = this.#options.retry;
    const delays = { initialDelayMs, factor, maxDelayMs: MAX_RETRY_DELAY_MS, jitter: RETRY_JITTER };
    const backoff = new Backoff(delays, this.#parts.clock);
    let moves = 0;
    for (let retriesLeft = attempts; batch.length > 0;) {
      const error = await this.#writeOnce(batch);
      if (this.#stopping.aborted) return undefined;
      if (error === undefined) continue;
      // Someone moved the place, probably a session of ours that outlived its connection: what it wrote is known once the place is read.
      if (error.code === LEDGER_MOVED && moves < MAX_MOVES) {
        moves += 1;
        continue;
      }
      if (retriesLeft === 0 || !this.availability.mayRetry(error)) return error;
      retriesLeft -= 1;
      this.availability.retrying(error);
      await sleep(this.#parts.clock, backoff.next(), this.#stopping);
    }
    return undefined;
  }

  /** One attempt. Undefined: what is still in the batch, if anything, is to be tried at once again. */
  async #writeOnce(batch: TagValues): Promise<DatabaseError | undefined> {
    const { database, backup, clock } = this.#parts;
    const startedMs = clock.monotonic();
    const to = placeOf(batch, batch.length - 1);
    const refused = new Set<number>();
    let isSent = false;
    let reached: Place | undefined;
    this.availability.trying();
    try {
      await backup.flushStamps();
      await this.#ledger.ensure(database);
      this.#countWritten(batch, this.#ledger.countWritten(batch));
      await this.#rejectBadRows(batch);
      if (batch.length === 0 || this.#stopping.aborted) return undefined;
      isSent = true;
      reached = await database.write(batch, this.#ledger.moveFor(batch), async (rows) => {
        await backup.reject(batch, rows);
        for (const { index } of rows) refused.add(index);
        this.#logRejected(rows);
      });
    } catch (thrown) {
      // What is in the rejected CSV already is not tried again with the rest.
      this.#takeOutRejected(batch, refused);
      return this.#failed(thrown, isSent ? to : undefined);
    }
    if (reached !== undefined) this.#ledger.committed(reached);
    backup.outcomeCertain();
    this.#takeOutRejected(batch, refused);
    this.#reportWritten(batch, clock.monotonic() - startedMs);
    this.#countWritten(batch, batch.length);
    this.availability.succeeded();
    return undefined;
  }

  async #failed(thrown: unknown, sentTo: Place | undefined): Promise<DatabaseError | undefined> {
    if (thrown instanceof DatabaseError) {
      if (sentTo !== undefined) this.#ledger.failed(thrown, sentTo);
      if (thrown.outcomeUnknown) this.#parts.backup.outcomeUnknown();
      this.#parts.onError(thrown.code);
      return thrown;
    }
    // A CSV or a stamp could not be written, so nothing was committed: the disk's fault and not the database's.
    this.#diskRefuses.report({ error: thrown });
    await this.#hold();
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

  #rejectBadRows(batch: TagValues): Promise<void> {
    return this.#rejectOnDisk(batch, checkRows(batch, this.#options.rowCheck));
  }

  async #rejectOnDisk(batch: TagValues, rows: readonly BadRow[]): Promise<void> {
    if (rows.length === 0) return;
    const indexes = new Set(rows.map(({ index }) => index));
    while (!(await this.#onDisk(() => this.#parts.backup.reject(batch, rows)))) {
      if (this.#stopping.aborted) return;
      await this.#hold();
    }
    this.#logRejected(rows);
    this.#takeOutRejected(batch, indexes);
  }

  /** A stamp speaks for all of a file's rows up to a place: so rows that may be written never come behind rows that are not. */
  async #backUp(batch: TagValues): Promise<void> {
    const reason = this.availability.reason ?? { code: 'UNKNOWN', message: 'the batch could not be written' };
    const isInDoubt = this.#ledger.isInDoubt(batch);
    if (isInDoubt && this.#hasUnsentRows) await this.#parts.backup.endOutage();
    this.#hasUnsentRows = !isInDoubt;
    await this.#parts.backup.backUp(batch, reason);
    // The disk may have held the batch until the outage was over.
    if (!this.availability.inOutage) await this.#parts.backup.endOutage();
    this.#parts.counters.valuesBackedUp += batch.length;
    this.#takeOut(batch, batch.length);
  }

  #reportWritten(batch: TagValues, latencyMs: number): void {
    if (batch.length === 0) return;
    const lagMs = Math.max(0, this.#parts.clock.now() - batch.receivedAtMs[0]!);
    this.#parts.onWritten(batch.length, latencyMs, lagMs);
  }

  #countWritten(batch: TagValues, count: number): void {
    this.#parts.counters.valuesWritten += count;
    this.#takeOut(batch, count);
  }

  #takeOutRejected(batch: TagValues, indexes: ReadonlySet<number>): void {
    batch.remove(indexes);
    this.#parts.counters.valuesRejected += indexes.size;
    this.#pending -= indexes.size;
  }

  /** The first `count` values are settled. */
  #takeOut(batch: TagValues, count: number): void {
    batch.removeFirst(count);
    this.#pending -= count;
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

  #hold(): Promise<void> {
    return sleep(this.#parts.clock, DISK_RETRY_MS, this.#stopping);
  }
}
