import { beforeEach, describe, expect, it } from 'vitest';

import { sleep } from '../../../src/core/clock.ts';
import { unknownOutcome } from '../../support/fake-store.ts';
import { failure, placeOfValue, RunningWriter } from './running-writer.ts';

describe('BatchWriter.giveUp', () => {
  let running: RunningWriter;
  let clock: RunningWriter['clock'];
  let source: RunningWriter['source'];
  let database: RunningWriter['database'];
  let backup: RunningWriter['backup'];
  let counters: RunningWriter['counters'];

  beforeEach(async () => {
    running = new RunningWriter();
    ({ clock, source, database, backup, counters } = running);
    database.ledger = placeOfValue(0);
    running.start();
    await clock.advance(0);
    database.probeError = failure('connection', 'NJS-503');
  });

  const giveUp = async (): Promise<void> => {
    running.writer.giveUp();
    await clock.advance(0);
  };
  const outages = (): number => running.log.messages('error').filter((text) => text.includes('oracle is down')).length;

  it('cuts off a write that hangs: its batch goes to the backup, and the next ones at once, in one outage', async () => {
    database.hangs = 'before';
    source.offer(1, 2, 3, 4, 5, 6);
    await clock.advance(1500);
    expect([backup.backedUp, running.writer.stalledMs]).toEqual([[], 1500]);
    await giveUp();
    expect(backup.backedUp).toEqual([1, 2, 3, 4, 5, 6].map((value) => [value, 'DESTINATION_STALLED']));
    source.offer(7);
    await clock.advance(0);
    expect([database.calls, database.interrupts, outages()]).toEqual([[[1, 2, 3, 4]], 1, 1]);
    expect(counters).toMatchObject({ valuesWritten: 0, valuesBackedUp: 7 });
    expect(running.log.entries.find(({ level }) => level === 'error')?.fields).toMatchObject({
      code: 'DESTINATION_STALLED',
      error: 'other destinations waited for this one, which wrote nothing for 1500 ms (INTERRUPTED: given up)',
      outcomeUnknown: true,
    });
    await running.finish();
  });

  it('does not wait for another try of a batch that is tried again, nor try it', async () => {
    database.plan = Array.from({ length: 4 }, () => failure('connection'));
    source.offer(1);
    await clock.advance(1500);
    expect(database.calls).toHaveLength(2);
    await giveUp();
    expect(backup.backedUp).toEqual([[1, 'DESTINATION_STALLED']]);
    expect([database.calls.length, outages()]).toEqual([2, 1]);
    await running.finish();
  });

  it('does nothing while batches go to the backup already', async () => {
    database.plan = [failure('configuration', 'ORA-00942')];
    source.offer(1);
    await clock.advance(0);
    await giveUp();
    expect([database.interrupts, outages(), backup.backedUp]).toEqual([0, 1, [[1, 'ORA-00942']]]);
    await running.finish();
  });

  it('does no harm to the next batch when there is none at hand', async () => {
    await giveUp();
    source.offer(1);
    await running.finish();
    expect([database.committed, backup.backedUp, outages()]).toEqual([[1], [], 0]);
  });

  it('is as it was before once the database takes a batch again, and can give up again', async () => {
    for (const first of [1, 11]) {
      database.probeError = failure('connection');
      database.hangs = 'before';
      source.offer(first);
      await clock.advance(1000);
      await giveUp();
      database.probeError = undefined;
      await clock.advance(5000);
      source.offer(first + 1, first + 2);
      await clock.advance(0);
      expect(running.writer.availability.state).toBe('connected');
    }
    await running.finish();
    expect(database.committed).toEqual([2, 3, 12, 13]);
    expect(backup.backedUp.map(([value]) => value)).toEqual([1, 11]);
    expect(outages()).toBe(2);
  });

  it('leaves it to the stamp to say that a call that was cut off had committed', async () => {
    database.hangs = 'after';
    source.offer(1, 2, 3, 4);
    await clock.advance(1000);
    await giveUp();
    expect([database.committed, backup.stamps, backup.unknowns]).toEqual([[1, 2, 3, 4], [placeOfValue(0)], 1]);
    expect(counters).toMatchObject({ valuesWritten: 0, valuesBackedUp: 4 });
    database.probeError = undefined;
    await clock.advance(5000);
    expect(backup.stamps.at(-1)).toEqual(placeOfValue(4));
    source.offer(5);
    await running.finish();
    expect(database.committed).toEqual([1, 2, 3, 4, 5]);
    expect(backup.backedUp.map(([value]) => value)).toEqual([1, 2, 3, 4]);
    expect(counters).toMatchObject({ valuesWritten: 1, valuesBackedUp: 4 });
  });

  it.each(['committed', 'rolled back', 'commits late', 'rolls back late'] as const)(
    'neither loses nor doubles what a try before had %s',
    async (fate) => {
      database.store.losesAnswer = fate;
      source.offer(1, 2, 3, 4);
      await clock.advance(500);
      await giveUp();
      database.probeError = undefined;
      await clock.advance(5000);
      source.offer(5);
      await running.finish();
      const isThere = fate === 'committed' || fate === 'commits late';
      expect(database.committed).toEqual(isThere ? [1, 2, 3, 4, 5] : [5]);
      // The stamp says which rows of the backup a replay leaves out.
      expect(backup.stamps.at(-1)).toEqual(placeOfValue(isThere ? 4 : 0));
      expect(backup.backedUp.map(([value]) => value)).toEqual([1, 2, 3, 4]);
    },
  );

  it('cuts off a call that hangs only after it was told to give up, as the disk held it until then', async () => {
    backup.stampError = new Error('EIO');
    database.hangs = 'before';
    source.offer(1);
    await clock.advance(1500);
    await giveUp();
    backup.stampError = undefined;
    await clock.advance(1000);
    expect([database.calls, backup.backedUp]).toEqual([[[1]], []]);
    await giveUp();
    expect(backup.backedUp).toEqual([[1, 'DESTINATION_STALLED']]);
    await running.finish();
  });

  it('has stalled since something of its batch last came to its end, and not at all without one', async () => {
    expect(running.writer.stalledMs).toBe(0);
    database.plan = [undefined, unknownOutcome()];
    source.offer(1, 2, 3, 4, 5);
    await clock.advance(700);
    expect([database.committed.length, running.writer.stalledMs]).toEqual([4, 700]);
    await clock.advance(300);
    expect([database.committed.length, running.writer.stalledMs]).toEqual([5, 0]);
    await running.finish();
  });

  describe('of a batch that stalls', () => {
    /** After how many milliseconds of a hang the batch stalls, to a tenth of a second. */
    async function stallsAfterMs(): Promise<number> {
      database.hangs = 'before';
      source.offer(99);
      await clock.advance(0);
      let afterMs = 0;
      for (; !running.writer.isStalled && afterMs < 60_000; afterMs += 100) await clock.advance(100);
      await giveUp();
      await running.finish();
      return afterMs;
    }

    it('speaks after a second where batches are quick, and where there was none yet', async () => {
      source.offer(1, 2, 3, 4, 5);
      await clock.advance(0);
      expect(await stallsAfterMs()).toBe(1000);
    });

    it('waits for five times what batches take where the database is slow', async () => {
      database.slowness = () => sleep(clock, 800);
      for (let i = 0; i < 40; i += 1) {
        source.offer(i);
        await clock.advance(800);
      }
      database.slowness = undefined;
      expect(await stallsAfterMs()).toBe(4000);
    });

    it('knows that from the first batch on, so that a slow database is not taken for one that hangs', async () => {
      database.slowness = () => sleep(clock, 2000);
      source.offer(1);
      await clock.advance(2000);
      database.slowness = undefined;
      expect(await stallsAfterMs()).toBe(10_000);
    });

    it('does not count the waits between tries, nor tries in vain, among what batches take', async () => {
      for (let i = 1; i <= 5; i += 1) {
        database.plan = [failure('connection'), failure('connection')];
        source.offer(i);
        await clock.advance(3000);
      }
      expect(database.committed).toEqual([1, 2, 3, 4, 5]);
      expect(await stallsAfterMs()).toBe(1000);
    });
  });
});
