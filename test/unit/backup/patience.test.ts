import { beforeEach, describe, expect, it } from 'vitest';

import { Patience, type Why } from '../../../src/backup/replay/patience.ts';
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
  async function goOn(forMs: number, others: boolean, why: Why = 'rows'): Promise<number> {
    const untilMs = clock.monotonic() + forMs;
    let tries = 0;
    while (clock.monotonic() < untilMs) {
      if (patience.isDue(FILE)) {
        patience.refused(FILE, why);
        tries += 1;
      }
      if (others) rowsTaken += 1;
      await clock.advance(1000);
    }
    return tries;
  }

  it('waits longer and longer, up to ten minutes, and lets others go on meanwhile', async () => {
    patience.refused(FILE, 'rows');
    const delaysMs: number[] = [];
    for (let i = 0; i < 7; i += 1) {
      expect(patience.isDue(FILE)).toBe(false);
      expect(patience.isDue('another.csv')).toBe(true);
      delaysMs.push(patience.nextDueInMs([FILE])!);
      await clock.advance(patience.nextDueInMs([FILE])!);
      expect(patience.isDue(FILE)).toBe(true);
      patience.refused(FILE, 'rows');
    }
    expect(delaysMs).toEqual([30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000]);
  });

  it('is over once others were taken between three refusals, over five minutes', async () => {
    await goOn(299_000, true);
    expect(patience.isOver(FILE)).toBe(false);
    await goOn(1000, true);
    expect(patience.isOver(FILE)).toBe(true);
    patience.forget(FILE);
    expect([patience.isOver(FILE), patience.isDue(FILE), patience.nextDueInMs([FILE])]).toEqual([
      false,
      true,
      undefined,
    ]);
  });

  it.each([
    ['nothing else is taken', false, 'rows'],
    ['the database is known to be to blame', true, 'the database'],
    ['it waits for another file or destination', true, 'another'],
  ] as const)('is never over while %s', async (_what, others, why) => {
    expect(await goOn(36_000_000, others, why)).toBeGreaterThan(50);
    expect(patience.isOver(FILE)).toBe(false);
  });

  it('knows of no other file when the next one is due, nor of one that is gone', () => {
    patience.refused(FILE, 'rows');
    expect(patience.nextDueInMs(['another.csv'])).toBeUndefined();
  });

  it('lets those go on that waited for another file, and no others', () => {
    patience.refused(FILE, 'rows');
    patience.refused('held.csv', 'another');
    patience.wakeWaiting();
    expect([patience.isDue(FILE), patience.isDue('held.csv')]).toEqual([false, true]);
  });

  it('is not over by the number of tries alone', () => {
    for (let i = 0; i < 10; i += 1) {
      rowsTaken += 1;
      patience.wake();
      patience.refused(FILE, 'rows');
    }
    expect(patience.isOver(FILE)).toBe(false);
  });
});
