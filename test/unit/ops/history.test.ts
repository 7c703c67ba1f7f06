import { afterEach, describe, expect, it } from 'vitest';

import { createCounters } from '../../../src/core/counters.ts';
import { History } from '../../../src/ops/history.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const started: { history: History; clock: FakeClock }[] = [];
afterEach(() => {
  for (const { history, clock } of started.splice(0)) {
    history.stop();
    if (clock.pendingTimers > 0) throw new Error('a timer outlives the history');
  }
});

function start(counters = createCounters()) {
  const clock = new FakeClock();
  const buffer = { size: 0, capacity: 1000 };
  const journal = { bytes: 0 };
  const history = new History({
    clock,
    counters,
    buffer,
    journalMaxBytes: 5000,
    journalBytes: () => journal.bytes,
  });
  history.start();
  started.push({ history, clock });
  return { clock, counters, buffer, journal, history };
}

const START_SECONDS = Date.UTC(2025, 10, 2, 14, 30) / 1000;

describe('the history', () => {
  it('takes a sample every 5 s: rates, average latency, levels', async () => {
    const { clock, counters, buffer, journal, history } = start();
    expect(history.newest).toBeUndefined();
    await clock.advance(4999);
    expect(history.answer()).toEqual({
      intervalMs: 5000,
      capacity: { buffer: 1000, journalBytes: 5000 },
      samples: [],
    });
    Object.assign(counters, { valuesReceived: 500, valuesWritten: 300, valuesReplayed: 50, messagesReceived: 10 });
    buffer.size = 150;
    journal.bytes = 2000;
    history.noteBatch(10);
    history.noteBatch(20.01);
    await clock.advance(1);
    const sample = [START_SECONDS + 5, 100, 70, 15.01, 150, 2000];
    expect(history.answer().samples).toEqual([sample]);
    expect([history.newest, history.taken]).toEqual([sample, 1]);
    await clock.advance(5000);
    expect(history.newest).toEqual([START_SECONDS + 10, 0, 0, null, 150, 2000]);
  });

  it('counts nothing as flow that was counted before the start', async () => {
    const { clock, history } = start({ ...createCounters(), valuesReceived: 1_000_000, valuesWritten: 1_000_000 });
    await clock.advance(5000);
    expect(history.newest?.slice(1, 3)).toEqual([0, 0]);
  });

  it('keeps one hour, oldest first', async () => {
    const { clock, history } = start();
    await clock.advance(3_610_000);
    const { samples } = history.answer();
    expect([samples.length, history.taken]).toEqual([720, 722]);
    expect(samples.map(([at]) => at)).toEqual(Array.from({ length: 720 }, (_, i) => START_SECONDS + 15 + 5 * i));
    expect(samples.at(-1)).toEqual(history.newest);
  });

  it('stops', async () => {
    const { clock, history } = start();
    history.stop();
    await clock.advance(60_000);
    expect(history.taken).toBe(0);
  });
});

describe('the rates', () => {
  it('are those of the last 5 s, each second anew', async () => {
    const { clock, counters, history } = start();
    expect(history.rates).toEqual({ valuesInPerSecond: 0, valuesOutPerSecond: 0, messagesPerSecond: 0 });
    counters.valuesReceived = 60;
    counters.messagesReceived = 3;
    await clock.advance(1000);
    expect(history.rates).toEqual({ valuesInPerSecond: 60, valuesOutPerSecond: 0, messagesPerSecond: 3 });
    await clock.advance(2000);
    expect(history.rates).toEqual({ valuesInPerSecond: 20, valuesOutPerSecond: 0, messagesPerSecond: 1 });
    await clock.advance(3000);
    expect(history.rates).toEqual({ valuesInPerSecond: 0, valuesOutPerSecond: 0, messagesPerSecond: 0 });
  });

  it('are never below 0, though values that the journal gives again are taken out of the count', async () => {
    const { clock, counters, history } = start({ ...createCounters(), valuesReceived: 100 });
    counters.valuesReceived = 40;
    await clock.advance(1000);
    expect(history.rates.valuesInPerSecond).toBe(0);
  });
});
