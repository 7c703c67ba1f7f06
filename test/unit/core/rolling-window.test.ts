import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { RollingWindow } from '../../../src/core/rolling-window.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const WINDOW_MS = 300_000;
const SLOT_MS = 5000;

/** Moves without letting anything run: there is nothing to run. */
class PlainClock extends FakeClock {
  ms = 0;

  override monotonic(): number {
    return this.ms;
  }
}

describe('RollingWindow', () => {
  it('is empty with an average of 0 at first', () => {
    const window = new RollingWindow(WINDOW_MS, new PlainClock());
    expect([window.count, window.average, window.windowMs]).toEqual([0, 0, WINDOW_MS]);
  });

  it('averages what was added', () => {
    const window = new RollingWindow(WINDOW_MS, new PlainClock());
    for (const figure of [500, 100, 0]) window.add(figure);
    expect([window.count, window.average]).toEqual([3, 200]);
  });

  it('keeps a figure for almost the whole window and forgets it after it', () => {
    const clock = new PlainClock();
    const window = new RollingWindow(WINDOW_MS, clock);
    window.add(1);
    clock.ms = WINDOW_MS - 1;
    expect(window.count).toBe(1);
    clock.ms = WINDOW_MS;
    expect([window.count, window.average]).toEqual([0, 0]);
  });

  it('does not mix in an old slot that comes round again', () => {
    const clock = new PlainClock();
    const window = new RollingWindow(WINDOW_MS, clock);
    window.add(1000);
    clock.ms = WINDOW_MS + 1;
    window.add(10);
    expect([window.count, window.average]).toEqual([1, 10]);
  });

  it('agrees with a list of all figures, but for those of the slot that is just leaving', () => {
    const steps = fc.array(fc.record({ waitMs: fc.nat(60_000), figure: fc.integer({ min: -1000, max: 1000 }) }), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(fc.nat(10_000_000), steps, (startMs, moves) => {
        const clock = new PlainClock();
        clock.ms = startMs;
        const window = new RollingWindow(WINDOW_MS, clock);
        const all: { atMs: number; figure: number }[] = [];
        for (const { waitMs, figure } of moves) {
          clock.ms += waitMs;
          window.add(figure);
          all.push({ atMs: clock.ms, figure });
          const firstSlot = Math.floor(clock.ms / SLOT_MS) - WINDOW_MS / SLOT_MS + 1;
          const held = all.filter(({ atMs }) => atMs >= firstSlot * SLOT_MS);
          expect(held.every(({ atMs }) => atMs > clock.ms - WINDOW_MS)).toBe(true);
          expect(all.filter(({ atMs }) => atMs > clock.ms - WINDOW_MS + SLOT_MS).length).toBeLessThanOrEqual(
            held.length,
          );
          expect(window.count).toBe(held.length);
          expect(window.average).toBeCloseTo(held.reduce((sum, each) => sum + each.figure, 0) / held.length, 6);
        }
      }),
      { numRuns: 50 },
    );
  });
});
