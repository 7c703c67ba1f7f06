import { Backoff } from '../core/backoff.ts';
import { sleep } from '../core/clock.ts';
import { DatabaseError, InternalError } from '../core/errors.ts';
import { RepeatedError } from '../core/logger.ts';
import { comparePlaces, type Place } from '../core/place.ts';
import { countThrough, placeOf, TagValues } from '../core/tag-values.ts';
import { BatchGrowth } from '../stream/batch-growth.ts';
import { spoilsBatch, type LedgerStream, type SettledAs, type WriteOutcome } from '../stream/ledger-stream.ts';
import { Availability } from './availability.ts';
import { createLiveStream } from './live-stream.ts';
import type { BatchWriterOptions, BatchWriterParts, WriterTuning } from './neighbours.ts';

const RETRY_JITTER = 0.1;
const MAX_RETRY_DELAY_MS = 60_000;
const DISK_RETRY_MS = 1_000;
/** A batch stalls when for so long nothing of it came to its end, and for so many times what a batch takes usually. */
const STALLED_AFTER_MS = 1_000;
const STALLED_AFTER_BATCHES = 5;
const USUAL_WEIGHT = 0.2;

/**
 * Takes batches from the buffer and settles each one before the next: every value of it is then in Oracle, or durably
 * in a CSV. What makes a write happen exactly once is the stream's; here is when to write, how often to try, and when
 * to give a batch to the backup.
 *
 * `batch` always holds just the values that are not settled: what is written, backed up or rejected is taken out of it
 * and counted in the same step, so that received = written + already there + backed up + rejected + dropped +
 * filtered + pending at every instant.
 */
export class BatchWriter {
  readonly availability: Availability;
  #options: BatchWriterOptions;
  readonly #parts: BatchWriterParts;
  readonly #diskRefuses: RepeatedError;
  readonly #stream: LedgerStream;
  readonly #growth: BatchGrowth;
  /** The open backup, if there is one, ends with rows that were never sent. */
  #hasUnsentRows = false;
  /** The last place of the batch before. */
  #takenThrough: Place | undefined;
  #pending = 0;
  /** When something of the batch last came to its end, by the monotonic clock. */
  #progressMs = 0;
  /** How long a write that Oracle takes usually takes; undefined until there was one. */
  #usualMs: number | undefined;
  /** Ends the waits and tries of the batch that is being written; so does the end of the run. */
  #givingUp = new AbortController();
  #stopping: AbortSignal = AbortSignal.abort();
  #sealing: Promise<unknown> = Promise.resolve();

  constructor(options: BatchWriterOptions, parts: BatchWriterParts) {
    this.#options = options;
    this.#parts = parts;
    this.#diskRefuses = new RepeatedError(parts.log, parts.clock, 'the disk refuses the csv files: batches are held');
    this.#growth = new BatchGrowth(options);
    this.#stream = createLiveStream(options, parts, {
      onStamped: () => (this.#hasUnsentRows = true), // behind the place
      onSettled: (as, count) => this.#count(as, count),
      onCommitted: (latencyMs) => {
        this.#usualMs ??= latencyMs;
        this.#usualMs += USUAL_WEIGHT * (latencyMs - this.#usualMs);
        this.availability.succeeded();
      },
    });
    this.availability = new Availability({
      probeIntervalMs: options.probeIntervalMs,
      probe: () => this.#stream.probe(),
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

  /** For how long nothing of the batch at hand has come to its end; 0 without one. */
  get stalledMs(): number {
    return this.#pending === 0 ? 0 : this.#parts.clock.monotonic() - this.#progressMs;
  }

  /** The batch at hand takes far longer than batches do. */
  get isStalled(): boolean {
    return this.stalledMs >= Math.max(STALLED_AFTER_MS, STALLED_AFTER_BATCHES * (this.#usualMs ?? 0));
  }

  /** The batch that is being written goes to the backup at once, its call being cut off, and the next ones with it. */
  giveUp(): void {
    if (this.availability.state === 'down') return;
    this.#givingUp.abort();
    // It may have come to a call only since it was told so before.
    this.#parts.database.interrupt();
  }

  /** As last read or set, by this run or an earlier one. */
  get ledgerPlace(): Place {
    return this.#stream.lastKnown;
  }

  /** True when batches are taken and it is known what Oracle has: only then may backups be replayed. */
  get isCertain(): boolean {
    return this.availability.state === 'connected' && this.#stream.isCertain;
  }

  /** It is known what Oracle has, whether batches are taken or not. */
  get isLedgerKnown(): boolean {
    return this.#stream.isCertain;
  }

  /** Holds from the next batch on; a wait for one that has begun ends as it would have. */
  tune({ batchSize, intervalMs, maxBatchSize, retry }: WriterTuning): void {
    this.#options = { ...this.#options, batchSize, intervalMs, maxBatchSize, retry };
    this.#growth.tune(this.#options);
  }

  /**
   * Settles batches until `signal` is aborted: what is not settled then is still in the journal. Throws InternalError
   * when a batch does not come in its order.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { source } = this.#parts;
    let batch = new TagValues(this.#options.batchSize);
    const endWaits = (): void => this.#givingUp.abort();
    this.#stopping = signal;
    signal.addEventListener('abort', endWaits);
    this.availability.start();
    try {
      for (;;) {
        await source.whenReady(this.#options.batchSize, this.#options.intervalMs, signal);
        if (signal.aborted) break;
        const { size } = this.#growth;
        if (batch.capacity !== size) batch = new TagValues(size);
        this.#pending = source.take(batch, size);
        this.#progressMs = this.#parts.clock.monotonic();
        if (this.#pending > 0) await this.#settleAll(batch);
      }
    } finally {
      signal.removeEventListener('abort', endWaits);
      this.availability.stop();
      await this.#sealing;
    }
  }

  async #settleAll(batch: TagValues): Promise<void> {
    const last = placeOf(batch, batch.length - 1);
    this.#assertInOrder(batch, last);
    const { length } = batch;
    const begunMs = this.#parts.clock.monotonic();
    this.#parts.onStep('taken');
    this.#passOver(batch);
    await this.#settle(batch);
    this.availability.batchEnded();
    if (this.availability.state === 'connected') this.#growth.taken(length, this.#parts.clock.monotonic() - begunMs);
    if (this.#pending === 0) this.#parts.onSettled(last);
  }

  /**
   * Each batch comes behind the one before: what the ledger, a stamp and the checkpoint say of a place rests on that.
   */
  #assertInOrder(batch: TagValues, last: Place): void {
    const first = placeOf(batch, 0);
    const before = this.#takenThrough;
    if (before !== undefined && comparePlaces(first, before) <= 0) {
      throw new InternalError('a batch does not come behind the one before', { before, first });
    }
    this.#takenThrough = last;
  }

  /** Leaves out what an earlier run had settled: the journal gives it again when the checkpoint was behind. */
  #passOver(batch: TagValues): void {
    const { counted, settled } = this.#options.resumeAfter;
    const { counters } = this.#parts;
    this.#stream.leaveOutRejected(batch);
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
        const outcome = await this.#write(batch);
        if (!(outcome instanceof DatabaseError)) return;
        if (spoilsBatch(outcome)) return this.#isolate(batch, outcome);
        this.#growth.failed();
        this.availability.failed(outcome);
      }
      if (await this.#onDisk(() => this.#backUp(batch))) return;
      // Neither way is open. Oracle may come back meanwhile, so both are tried again.
      await this.#hold();
    }
  }

  /** Writes the batch, again where that may help. An error: Oracle does not take what is left of it. */
  async #write(batch: TagValues): Promise<WriteOutcome> {
    const { attempts, initialDelayMs, factor } = this.#options.retry;
    const delays = { initialDelayMs, factor, maxDelayMs: MAX_RETRY_DELAY_MS, jitter: RETRY_JITTER };
    const backoff = new Backoff(delays, this.#parts.clock);
    this.#givingUp = new AbortController();
    const givingUp = this.#givingUp.signal;
    for (let retriesLeft = attempts; ;) {
      const outcome = await this.#writeOnce(batch);
      if (this.#stopping.aborted) return 'stopped';
      if (outcome === 'again') continue;
      if (!(outcome instanceof DatabaseError)) return outcome;
      if (givingUp.aborted && !spoilsBatch(outcome)) return this.#stalled(outcome);
      if (retriesLeft === 0 || !this.availability.mayRetry(outcome)) return outcome;
      retriesLeft -= 1;
      this.availability.retrying(outcome);
      await sleep(this.#parts.clock, backoff.next(), givingUp);
      if (this.#stopping.aborted) return 'stopped';
      if (givingUp.aborted) return this.#stalled(outcome);
    }
  }

  #stalled({ code, kind, message, outcomeUnknown, remedy }: DatabaseError): DatabaseError {
    const text = `other destinations waited for this one, which wrote nothing for ${Math.round(this.stalledMs)} ms`;
    return new DatabaseError(kind, 'DESTINATION_STALLED', `${text} (${code}: ${message})`, { remedy, outcomeUnknown });
  }

  /** `again`: the disk refused a CSV or a stamp, so nothing was committed, and has been waited for. */
  async #writeOnce(batch: TagValues): Promise<WriteOutcome | 'again'> {
    this.availability.trying();
    try {
      return await this.#stream.write(batch, this.#stopping);
    } catch (thrown) {
      if (thrown instanceof InternalError) throw thrown;
      this.#diskRefuses.report({ error: thrown });
      await this.#hold();
      return 'again';
    }
  }

  /** The database refuses the batch as a whole because of one row, which must be found. */
  async #isolate(batch: TagValues, error: DatabaseError): Promise<void> {
    let halves: readonly TagValues[] | DatabaseError = [];
    while (!(await this.#onDisk(async () => void (halves = await this.#stream.isolate(batch, error))))) {
      if (this.#stopping.aborted) return;
      await this.#hold();
    }
    if (isUnanswered(halves)) {
      this.availability.failed(halves);
      await this.#settle(batch);
      return;
    }
    for (const half of halves) await this.#settle(half);
  }

  /**
   * A stamp speaks for all of a file's rows up to a place: so rows that may be written never come behind rows that are
   * not.
   */
  async #backUp(batch: TagValues): Promise<void> {
    await this.#stream.rejectUnfit(batch);
    if (batch.length === 0) return;
    const reason = this.availability.reason ?? { code: 'UNKNOWN', message: 'the batch could not be written' };
    const isInDoubt = this.#stream.isInDoubt(batch);
    if (isInDoubt && this.#hasUnsentRows) await this.#parts.backup.endOutage();
    this.#hasUnsentRows = !isInDoubt;
    await this.#parts.backup.backUp(batch, reason);
    // The disk may have held the batch until the outage was over.
    if (!this.availability.inOutage) await this.#parts.backup.endOutage();
    this.#parts.counters.valuesBackedUp += batch.length;
    this.#takeOut(batch, batch.length);
  }

  #count(as: SettledAs, count: number): void {
    const { counters } = this.#parts;
    if (as === 'written') counters.valuesWritten += count;
    if (as === 'alreadyThere') counters.valuesAlreadyThere += count;
    if (as === 'rejected') counters.valuesRejected += count;
    this.#progressed(count);
  }

  /** The first `count` values are settled. */
  #takeOut(batch: TagValues, count: number): void {
    batch.removeFirst(count);
    this.#progressed(count);
  }

  #progressed(count: number): void {
    this.#pending -= count;
    this.#progressMs = this.#parts.clock.monotonic();
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

/** The type of what a closure has set is lost on the way. */
function isUnanswered(halves: readonly TagValues[] | DatabaseError): halves is DatabaseError {
  return halves instanceof DatabaseError;
}
