import { describe, expect, it } from 'vitest';

import { createCounters } from '../../../src/core/counters.ts';
import { MAX_VALUE_NO } from '../../../src/core/limits.ts';
import { ORIGIN, type Place } from '../../../src/core/place.ts';
import { Checkpoints } from '../../../src/journal/checkpoints.ts';
import { LaneProgress } from '../../../src/journal/lane-progress.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { SampleJournal, takeAll } from './sample-journal.ts';

const { signal } = new AbortController();

/**
 * A journal of two messages with a value each, of which no checkpoint says anything, and the checkpoints of the process
 * that opens it.
 */
async function begun(foundSettled: (places: readonly Place[]) => Place = () => ORIGIN) {
  const sample = new SampleJournal();
  await sample.leave(['one', 'two']);
  const journal = await sample.open();
  const counters = createCounters();
  const { clock, log } = sample;
  const broker = { acknowledgedThrough: 0, idsCountOn: false, setsDuplicate: false, keepsIds: false };
  const messages = await takeAll(journal);
  for (const message of messages) journal.done(message, 1);
  const places = messages.map(({ number }) => ({ messageNo: number, valueNo: 0 }));
  const lane = { counters, isIdle: () => false, ledgerPlace: () => ORIGIN };
  const progress = new LaneProgress(ORIGIN, foundSettled(places), lane);
  const lanes = {
    get settledThrough(): Place {
      return progress.settledThrough(ORIGIN);
    },
    records: (settledNo: number) => ({ default: progress.record(ORIGIN, settledNo) }),
    isOpen: (_destination: string, through: Place) => progress.isOpen(through, ORIGIN),
  };
  const checkpoints = new Checkpoints({ journal, counters, lanes, broker: () => broker, clock, log });
  const settled = (place: Place): void => {
    progress.settled(place);
    checkpoints.settled();
  };
  return { sample, journal, counters, checkpoints, progress, settled, places };
}

async function isOver(sample: SampleJournal, work: Promise<void>): Promise<boolean> {
  let over = false;
  void work.then(() => (over = true));
  await sample.clock.advance(100);
  return over;
}

async function reopened(sample: SampleJournal, journal: Journal): Promise<Journal> {
  await journal.close();
  return sample.open();
}

describe('Checkpoints', () => {
  it('lets a file be taken away once the journal does not give its values again: those found in it at the start, too', async () => {
    const { sample, journal, checkpoints, settled, places } = await begun(([, second]) => second!);
    const saving = checkpoints.saveSettled('default', signal);
    expect(await isOver(sample, saving)).toBe(false);
    settled(places[0]!);
    expect(await isOver(sample, saving)).toBe(false);
    settled(places[1]!);
    expect(await isOver(sample, saving)).toBe(true);
    const again = await reopened(sample, journal);
    expect(again.status.messages).toBe(0);
    await again.close();
  });

  it('does not wait for what the journal has lost', async () => {
    const { sample, journal, checkpoints, settled, places } = await begun(([, second]) => ({
      messageNo: second!.messageNo + 5,
      valueNo: 0,
    }));
    const saving = checkpoints.saveSettled('default', signal);
    settled(places[1]!);
    expect(await isOver(sample, saving)).toBe(true);
    await journal.close();
  });

  it.each([
    { settled: 0, filtered: 0 },
    { settled: 1, filtered: 3 },
    { settled: 2, filtered: 7 },
  ])('saves $filtered values as left out where $settled messages are settled, without a batch', async (expected) => {
    const { sample, journal, counters, checkpoints, progress, settled, places } = await begun();
    Object.assign(counters, { valuesReceived: 9, valuesFiltered: 7 });
    expect(progress.leftOut(places[0]!.messageNo, 3)).toBe(true);
    progress.leftOut(places[1]!.messageNo, 4);
    for (const { messageNo } of places.slice(0, expected.settled)) settled({ messageNo, valueNo: MAX_VALUE_NO });
    expect(await checkpoints.tryToSave()).toBe(true);
    const again = await reopened(sample, journal);
    const { filtered } = expected;
    expect(again.checkpoint?.counters).toMatchObject({ valuesReceived: filtered, valuesFiltered: filtered });
    await again.close();
  });

  it('saves the counters of values as they were at the settled place, and the others as they are', async () => {
    const { sample, journal, counters, checkpoints, settled, places } = await begun();
    Object.assign(counters, { valuesReceived: 2, valuesWritten: 1, messagesReceived: 2 });
    settled(places[0]!);
    Object.assign(counters, { valuesReceived: 9, valuesWritten: 7, messagesReceived: 5 });
    expect(await checkpoints.tryToSave()).toBe(true);
    const again = await reopened(sample, journal);
    expect(again.checkpoint).toMatchObject({
      place: places[0],
      counters: { valuesReceived: 1, valuesWritten: 1, messagesReceived: 5 },
    });
    await again.close();
  });

  it('saves, where one was asked for while another was at work, counters and place of the moment when it begins', async () => {
    const { sample, journal, counters, checkpoints, settled, places } = await begun();
    let second: Promise<boolean> | undefined;
    sample.disk.before = (operation) => {
      if (operation === 'create') second ??= checkpoints.tryToSave();
      if (operation !== 'rename' || counters.messagesReceived > 0) return;
      Object.assign(counters, { valuesReceived: 2, valuesWritten: 2, messagesReceived: 2 });
      settled(places[1]!);
    };
    expect(await checkpoints.tryToSave()).toBe(true);
    expect(await second).toBe(true);
    const again = await reopened(sample, journal);
    expect(again.checkpoint).toMatchObject({
      place: places[1],
      counters: { valuesReceived: 2, valuesWritten: 2, messagesReceived: 2 },
    });
    await again.close();
  });

  it('says when the disk refuses, and tries again in the end', async () => {
    const { sample, journal, checkpoints } = await begun();
    sample.disk.fail('create', 'EIO', 3);
    expect(await checkpoints.tryToSave()).toBe(false);
    const saving = checkpoints.saveInTheEnd(signal);
    expect(await isOver(sample, saving)).toBe(false);
    await sample.clock.advance(2_000);
    await saving;
    expect(sample.log.messages('warn')).toContain('checkpoint could not be saved');
    await journal.close();
  });
});
