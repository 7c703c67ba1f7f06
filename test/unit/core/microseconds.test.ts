import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { microsecondsOf, withMicroseconds } from '../../../src/core/microseconds.ts';

const LIMIT_MS = 2 ** 43;

describe('a time with microseconds', () => {
  it('is one double for each pair of a millisecond and a microsecond, which is read back', () => {
    const edges = fc.constantFrom(-LIMIT_MS + 1, LIMIT_MS - 1, -1, 0, 1, 1_762_093_825_123);
    const wholeMs = fc.oneof(edges, fc.integer({ min: -LIMIT_MS + 1, max: LIMIT_MS - 1 }));
    fc.assert(
      fc.property(wholeMs, fc.nat(999), (ms, us) => {
        const timeMs = withMicroseconds(ms, us);
        expect([Math.floor(timeMs), microsecondsOf(timeMs)]).toEqual([ms, us]);
      }),
      { numRuns: 20_000 },
    );
  });

  it('is the nearest double of the decimal text', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: LIMIT_MS - 1 }), fc.nat(999), (ms, us) => {
        expect(withMicroseconds(ms, us)).toBe(Number(`${ms}.${String(us).padStart(3, '0')}`));
      }),
      { numRuns: 5_000 },
    );
  });

  it('has whole milliseconds where a double would not tell its microseconds apart', () => {
    expect(withMicroseconds(LIMIT_MS, 500)).toBe(LIMIT_MS);
    expect(withMicroseconds(-LIMIT_MS, 500)).toBe(-LIMIT_MS);
    expect(microsecondsOf(2 ** 44 + 0.5)).toBe(0);
  });

  it('goes over to the next millisecond where rounding has led there', () => {
    expect(withMicroseconds(5, 1000)).toBe(6);
  });

  it('is no time where there is none', () => {
    expect(withMicroseconds(Number.NaN, 5)).toBeNaN();
    expect(microsecondsOf(Number.NaN)).toBe(0);
    expect(microsecondsOf(Number.POSITIVE_INFINITY)).toBe(0);
  });
});
