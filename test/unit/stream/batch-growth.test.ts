import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { BatchGrowth } from '../../../src/stream/batch-growth.ts';

const SIZES = { batchSize: 500, maxBatchSize: 4000, intervalMs: 100 };

describe('how large batches are', () => {
  it('doubles while they are full, up to the most', () => {
    const growth = new BatchGrowth(SIZES);
    const sizes = Array.from({ length: 5 }, () => {
      growth.taken(growth.size, 10);
      return growth.size;
    });
    expect(sizes).toEqual([1000, 2000, 4000, 4000, 4000]);
  });

  it('is halved when one takes too long, and no less than what is configured', () => {
    const growth = new BatchGrowth(SIZES);
    for (let i = 0; i < 3; i += 1) growth.taken(growth.size, 10);
    const sizes = Array.from({ length: 4 }, () => {
      growth.taken(growth.size, 101);
      return growth.size;
    });
    expect(sizes).toEqual([2000, 1000, 500, 500]);
  });

  it('follows what waits, so that it is what is configured when little comes', () => {
    const growth = new BatchGrowth(SIZES);
    for (let i = 0; i < 3; i += 1) growth.taken(growth.size, 10);
    growth.taken(2700, 10);
    expect(growth.size).toBe(2700);
    growth.taken(3, 10);
    expect(growth.size).toBe(500);
  });

  it('stays as it is when a file ends with a smaller one: more wait in the next', () => {
    const growth = new BatchGrowth(SIZES);
    growth.taken(500, 10, { moreWait: true });
    growth.taken(3, 10, { moreWait: true });
    expect(growth.size).toBe(1000);
  });

  it('is what is configured after a failure, and grows to half of what failed for a while', () => {
    const growth = new BatchGrowth(SIZES);
    for (let i = 0; i < 3; i += 1) growth.taken(growth.size, 10);
    growth.failed();
    expect(growth.size).toBe(500);
    const sizes = Array.from({ length: 70 }, () => {
      growth.taken(growth.size, 10);
      return growth.size;
    });
    expect(sizes.slice(0, 4)).toEqual([1000, 2000, 2000, 2000]);
    expect(sizes.at(-1)).toBe(4000);
    expect(sizes.indexOf(4000)).toBeGreaterThan(60);
  });

  it('is not held down by failures while it is what is configured', () => {
    const growth = new BatchGrowth(SIZES);
    for (let i = 0; i < 5; i += 1) growth.failed();
    for (let i = 0; i < 3; i += 1) growth.taken(growth.size, 10);
    expect(growth.size).toBe(4000);
  });

  it('never grows where the most is less than what is configured, or the same', () => {
    for (const maxBatchSize of [1, 500]) {
      const growth = new BatchGrowth({ ...SIZES, maxBatchSize });
      growth.taken(500, 10);
      expect(growth.size).toBe(500);
    }
  });

  it('is within its bounds whatever comes, and whatever they are changed to', () => {
    const sizes = fc.record({
      batchSize: fc.integer({ min: 1, max: 10_000 }),
      maxBatchSize: fc.integer({ min: 1, max: 10_000 }),
      intervalMs: fc.integer({ min: 1, max: 60_000 }),
    });
    const event = fc.oneof(
      sizes,
      fc.constant('failed' as const),
      fc.record({ share: fc.double({ min: 0, max: 1, noNaN: true }), tookMs: fc.nat() }),
    );
    fc.assert(
      fc.property(sizes, fc.array(event), (first, events) => {
        const growth = new BatchGrowth(first);
        let now = first;
        for (const each of events) {
          if (each === 'failed') growth.failed();
          else if ('share' in each) growth.taken(Math.ceil(growth.size * each.share), each.tookMs);
          else growth.tune((now = each));
          expect(growth.size).toBeGreaterThanOrEqual(now.batchSize);
          expect(growth.size).toBeLessThanOrEqual(Math.max(now.batchSize, now.maxBatchSize));
        }
      }),
    );
  });
});
