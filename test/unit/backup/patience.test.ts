import { beforeEach, describe, expect, it } from 'vitest';

import { Patience } from '../../../src/backup/replay/patience.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const FILE = 'backup_20251102_143000.csv';

describe('the patience with a file that is refused', () => {
  let clock: FakeClock;
  let rowsTaken: number;
  let patience: Patience;

  beforeEach(() => {
    clock = new FakeClock();
    rowsTaken = 0;
    patience = new Patience({ rowsTaken: () => rowsTaken, clock });
  });

  /** Tries the file whenever it is due, for so long; other rows are taken between the tries, or not. */
  async function goOn(forMs: number, others: boolean, isProof = true): Promise<number> {
    const untilMs = clock.monotonic() + forMs;
    let tries = 0;
    while (clock.monotonic() < untilMs) {
      if (patience.isDue(FILE)) {
        patience.refused(FILE, isProof);
        tries += 1;
      }
      if (others) rowsTaken += 1;
      await clock.advance(1000);
    }
    return tries;
  }

  it('waits longer and longer, up to ten minutes, and lets others go on meanwhile', async () => {
    patience.refused(FILE, true);
    const delaysMs: number[] = [];
    for (let i = 0; i < 7; i += 1) {
      expect(patience.isDue(FILE)).toBe(false);
      expect(patience.isDue('another.csv')).toBe(true);
      delaysMs.push(patience.nextDueInMs!);
      await clock.advance(patience.nextDueInMs!);
      expect(patience.isDue(FILE)).toBe(true);
      patience.refused(FILE, true);
    }
    expect(delaysMs).toEqual([30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000]);
  });

  it('is over once others were taken between three refusals, over five minutes', async () => {
    await goOn(299_000, true);
    expect(patience.isOver(FILE)).toBe(false);
    await goOn(1000, true);
    expect(patience.isOver(FILE)).toBe(true);
    patience.forget(FILE);
    expect([patience.isOver(FILE), patience.isDue(FILE), patience.nextDueInMs]).toEqual([false, true, undefined]);
  });

  it.each([
    ['nothing else is taken', false, true],
    ['the database is known to be to blame', true, false],
  ])('is never over while %s', async (_why, others, isProof) => {
    expect(await goOn(36_000_000, others, isProof)).toBeGreaterThan(50);
    expect(patience.isOver(FILE)).toBe(false);
  });

  it('is not over by the number of tries alone', () => {
    for (let i = 0; i < 10; i += 1) {
      rowsTaken += 1;
      patience.wake();
      patience.refused(FILE, true);
    }
    expect(patience.isOver(FILE)).toBe(false);
  });
});
