export interface BatchSizes {
  /** Values of a batch while no more than that wait. */
  readonly batchSize: number;
  /** The most values of a batch while more wait. */
  readonly maxBatchSize: number;
  /** A batch that takes longer is too large. */
  readonly intervalMs: number;
}

/** So many full batches in a row without a failure, and batches may be larger than what failed was. */
const PATIENCE = 64;

/**
 * How many values the next batch of a stream may have. Over a long line a batch takes a round trip or two whatever its
 * size is, so that larger ones carry more.
 *
 * | the last batch                           | the next one                                            |
 * | ---------------------------------------- | ------------------------------------------------------- |
 * | failed                                   | `batchSize`; for a while it grows to half of that again |
 * | took longer than `intervalMs`            | may have half as many                                   |
 * | was full, so that others wait            | may have twice as many                                  |
 * | was not full, as no more wait            | may have as many                                        |
 * | was not full, as its file ended, say     | may have as many as that might                          |
 *
 * It is `batchSize` at least, and `maxBatchSize` at most.
 */
export class BatchGrowth {
  #sizes: BatchSizes;
  #size: number;
  /** Larger ones have failed. */
  #ceiling = Number.POSITIVE_INFINITY;
  #fullAtCeiling = 0;

  constructor(sizes: BatchSizes) {
    this.#sizes = sizes;
    this.#size = sizes.batchSize;
  }

  /** Of the next batch, at most. */
  get size(): number {
    return this.#size;
  }

  /** Holds from the next batch on, which is as large as is configured. */
  tune(sizes: BatchSizes): void {
    this.#sizes = sizes;
    this.#size = sizes.batchSize;
    this.#ceiling = Number.POSITIVE_INFINITY;
    this.#fullAtCeiling = 0;
  }

  /** The database has taken a batch of so many values in so long a time. */
  taken(values: number, tookMs: number, { moreWait = false } = {}): void {
    const isFull = values >= this.#size;
    if (tookMs > this.#sizes.intervalMs) this.#size = this.#within(this.#size >> 1);
    else if (isFull) this.#grow();
    else if (!moreWait) this.#size = this.#within(values);
  }

  /** The database has not taken it, perhaps as it was so large. */
  failed(): void {
    const { batchSize } = this.#sizes;
    if (this.#size > batchSize) this.#ceiling = Math.max(batchSize, this.#size >> 1);
    this.#fullAtCeiling = 0;
    this.#size = batchSize;
  }

  #grow(): void {
    this.#size = this.#within(this.#size * 2);
    this.#fullAtCeiling = this.#size < this.#ceiling ? 0 : this.#fullAtCeiling + 1;
    if (this.#fullAtCeiling < PATIENCE) return;
    this.#fullAtCeiling = 0;
    this.#ceiling *= 2;
  }

  #within(size: number): number {
    const { batchSize, maxBatchSize } = this.#sizes;
    return Math.max(batchSize, Math.min(maxBatchSize, this.#ceiling, size));
  }
}
