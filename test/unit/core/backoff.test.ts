import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Backoff } from '../../../src/core/backoff.ts';
import { FakeClock } from '../../support/fake-clock.ts';

class LoadedClock extends FakeClock {
  next = 0.5;

  override random(): number {
    return this.next;
  }
}

const OPTIONS = { initialDelayMs: 1000, factor: 2, maxDelayMs: 60_000, jitter: 0 };

describe('Backoff', () => {
  it('waits 1, 2, 4 s and so on up to its limit, and from the beginning after a reset', () => {
    const backoff = new Backoff({ ...OPTIONS, maxDelayMs: 5000 }, new FakeClock());
    expect([backoff.next(), backoff.next(), backoff.next(), backoff.next()]).toEqual([1000, 2000, 4000, 5000]);
    backoff.reset();
    expect(backoff.next()).toBe(1000);
  });

  it('takes off or adds its share by chance', () => {
    const clock = new LoadedClock();
    const backoff = new Backoff({ ...OPTIONS, factor: 1, jitter: 0.2 }, clock);
    const delays = [0, 0.5, 0.999_999_9].map((chance) => {
      clock.next = chance;
      return backoff.next();
    });
    expect(delays).toEqual([800, 1000, 1200]);
  });

  it('stays a whole number within its share of the limit, however often it is asked', () => {
    const options = fc.record({
      initialDelayMs: fc.integer({ min: 1, max: 100_000 }),
      factor: fc.double({ min: 1, max: 10, noNaN: true }),
      maxDelayMs: fc.integer({ min: 1, max: 1_000_000 }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const chance = fc.double({ min: 0, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(options, chance, (given, random) => {
        const clock = new LoadedClock();
        clock.next = random;
        const backoff = new Backoff(given, clock);
        for (let attempt = 0; attempt < 1200; attempt += 1) {
          const delayMs = backoff.next();
          const isWithin = delayMs >= 0 && delayMs <= given.maxDelayMs * (1 + given.jitter) + 1;
          expect({ attempt, delayMs, fits: Number.isInteger(delayMs) && isWithin }).toMatchObject({ fits: true });
        }
      }),
      { numRuns: 20 },
    );
  });

  it('with no delay at all stays at none', () => {
    const backoff = new Backoff({ ...OPTIONS, initialDelayMs: 0 }, new FakeClock());
    const delays = Array.from({ length: 2000 }, () => backoff.next());
    expect(delays.every((delayMs) => delayMs === 0)).toBe(true);
  });
});
