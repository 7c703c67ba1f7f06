export interface BatchSizes {
  /** Values of a batch while no more than that wait. */
  readonly batchSize: number;
  /** The most values of a batch while more wait. */
  readonly maxBatchSize: number;
  /** A batch that takes longer is too large. */
  readonly intervalMs: number;
}

/**
 * How many values the next batch of a stream may have. Over a long line a batch takes a round trip or two whatever its
 * size is, so that larger ones carry more.
 *
 * | the last batch                 | the next one                          |
 * | ------------------------------ | ------------------------------------- |
 * | took longer than `intervalMs`  | may have half as many                 |
 * | was full, so that others wait  | may have twice as many                |
 * | was not full                   | may have as many                      |
 *
 * It is `batchSize` at least, and `maxBatchSize` at most.
 */
export class BatchGrowth {
  #sizes: BatchSizes;
  #size: number;

  constructor(sizes: BatchSizes) {
    this.#sizes = sizes;
    this.#size = sizes.batchSize;
  }

  /** Of the next batch, at most. */
  get size(): number {
    return this.#size;
  }

  /** Holds from the next batch on. */
  tune(sizes: BatchSizes): void {
    this.#sizes = sizes;
    this.#size = this.#within(this.#size);
  }

  /** The database has taken a batch of so many values in so long a time. */
  taken(values: number, tookMs: number): void {
    const isTooLarge = tookMs > this.#sizes.intervalMs;
    const wanted = values < this.#size ? values : this.#size * 2;
    this.#size = this.#within(isTooLarge ? this.#size >> 1 : wanted);
  }

  #within(size: number): number {
    const { batchSize, maxBatchSize } = this.#sizes;
    return Math.max(batchSize, Math.min(maxBatchSize, size));
  }
}
