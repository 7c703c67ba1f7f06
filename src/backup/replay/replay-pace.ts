import { sleep, type Clock } from '../../core/clock.ts';
import { BatchGrowth, type BatchSizes } from '../../stream/batch-growth.ts';

/**
 * How large the batches of a destination's replays are, and when the next one may begin: half of the database's time is
 * the live data's, whatever it is able to do. What a replay itself takes between two batches is of that half.
 */
export class ReplayPace {
  readonly #growth: BatchGrowth;
  readonly #clock: Clock;
  /** By the monotonic clock. */
  #restUntilMs = 0;

  constructor(sizes: BatchSizes, clock: Clock) {
    this.#growth = new BatchGrowth(sizes);
    this.#clock = clock;
  }

  /** Rows of the next batch, at most. */
  get batchSize(): number {
    return this.#growth.size;
  }

  tune(sizes: BatchSizes): void {
    this.#growth.tune(sizes);
  }

  /** A batch of so many rows, begun then, has just been taken; more wait, in its file or in the next one. */
  taken(rows: number, startedMs: number): void {
    const endedMs = this.#clock.monotonic();
    const tookMs = endedMs - startedMs;
    this.#growth.taken(rows, tookMs, { moreWait: true });
    this.#restUntilMs = endedMs + tookMs;
  }

  /** The database has not taken a batch. */
  failed(): void {
    this.#growth.failed();
  }

  /** Resolves when the next batch may begin, or on abort. */
  async rest(signal: AbortSignal): Promise<void> {
    const leftMs = this.#restUntilMs - this.#clock.monotonic();
    if (leftMs > 0) await sleep(this.#clock, leftMs, signal);
  }
}
