import { sleep, type Clock } from '../../core/clock.ts';
import { BatchGrowth, type BatchSizes } from '../../stream/batch-growth.ts';

/**
 * How large the batches of a destination's replays are, and when the next one may begin: half of the database's time is
 * the live data's where that wants so much. A batch is followed by a rest as long as itself where a live one, of
 * whatever table, is at hand as it begins or ends: always where live data comes as fast as it is written, seldom where
 * that asks for little. What the replay does between two batches is of that rest.
 */
export class ReplayPace {
  readonly #growth: BatchGrowth;
  readonly #isLiveBusy: () => boolean;
  readonly #clock: Clock;
  /** Whether a live batch was at hand when the present one began. */
  #beganBesideLive = false;
  /** By the monotonic clock. */
  #restUntilMs = 0;

  /** `isLiveBusy`: whether a live batch is at hand now. */
  constructor(sizes: BatchSizes, isLiveBusy: () => boolean, clock: Clock) {
    this.#growth = new BatchGrowth(sizes);
    this.#isLiveBusy = isLiveBusy;
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
    this.#restUntilMs = this.#beganBesideLive || this.#isLiveBusy() ? endedMs + tookMs : endedMs;
  }

  /** The database has not taken a batch. */
  failed(): void {
    this.#growth.failed();
  }

  /** Resolves when the next batch may begin, or on abort. */
  async rest(signal: AbortSignal): Promise<void> {
    const leftMs = this.#restUntilMs - this.#clock.monotonic();
    if (leftMs > 0) await sleep(this.#clock, leftMs, signal);
    this.#beganBesideLive = this.#isLiveBusy();
  }
}
