import type { BatchSizes } from '../../src/stream/batch-growth.ts';

/** Batches that do not grow. */
export function batchesOf(batchSize: number): BatchSizes {
  return { batchSize, maxBatchSize: batchSize, intervalMs: 500 };
}
