import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';

import { DeadlineError, sleep, systemClock, withDeadline } from '../../../src/core/clock.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** Whether a promise has settled by now, and how. */
function watch(promise: Promise<unknown>): { state: string } {
  const seen = { state: 'pending' };
  promise.then(
    () => (seen.state = 'resolved'),
    () => (seen.state = 'rejected'),
  );
  return seen;
}

describe('sleep', () => {
  it('ends when the time is over, not before', async () => {
    const clock = new FakeClock();
    const seen = watch(sleep(clock, 1000));
    await clock.advance(999);
    expect(seen.state).toBe('pending');
    await clock.advance(1);
    expect(seen.state).toBe('resolved');
  });

  it('ends at once when it is aborted, and leaves neither timer nor listener', async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const sleeping = sleep(clock, 1000, abort.signal);
    abort.abort();
    await sleeping;
    expect(clock.pendingTimers).toBe(0);
    expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
  });

  it('takes its listener away when the time is over', async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const sleeping = sleep(clock, 10, abort.signal);
    expect(getEventListeners(abort.signal, 'abort')).toHaveLength(1);
    await clock.advance(10);
    await sleeping;
    expect(getEventListeners(abort.signal, 'abort')).toEqual([]);
  });

  it('sets no timer when it was aborted before', async () => {
    const clock = new FakeClock();
    await sleep(clock, 1000, AbortSignal.abort());
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('withDeadline', () => {
  it('gives the result of work that is in time, and clears its timer', async () => {
    const clock = new FakeClock();
    await expect(withDeadline(clock, 1000, 'login', Promise.resolve(7))).resolves.toBe(7);
    expect(clock.pendingTimers).toBe(0);
  });

  it('throws what the work throws, and clears its timer', async () => {
    const clock = new FakeClock();
    const work = Promise.reject(new Error('refused'));
    await expect(withDeadline(clock, 1000, 'login', work)).rejects.toThrow('refused');
    expect(clock.pendingTimers).toBe(0);
  });

  it('throws a DeadlineError that names the work when it takes too long', async () => {
    const clock = new FakeClock();
    const failure = withDeadline(clock, 1000, 'login', new Promise(() => {})).catch((error: unknown) => error);
    await clock.advance(1000);
    expect(await failure).toBeInstanceOf(DeadlineError);
    expect(await failure).toMatchObject({ name: 'DeadlineError', message: 'login: no answer within 1000 ms' });
  });

  it('leaves no unhandled rejection when the work fails after the deadline', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    const clock = new FakeClock();
    let fail = (): void => {};
    const late = new Promise<never>((_resolve, reject) => {
      fail = () => reject(new Error('too late'));
    });
    const outcome = watch(withDeadline(clock, 10, 'login', late));
    await clock.advance(10);
    fail();
    await clock.advance(1);
    process.off('unhandledRejection', note);
    expect([outcome.state, unhandled]).toEqual(['rejected', []]);
  });
});

describe('systemClock', () => {
  it('calls a timer once, not before its time', async () => {
    const before = systemClock.monotonic();
    await sleep(systemClock, 15);
    expect(systemClock.monotonic() - before).toBeGreaterThanOrEqual(14);
  });

  it('does not call a cancelled timer, and bears a second cancel', async () => {
    let called = false;
    const cancel = systemClock.setTimer(0, () => (called = true));
    cancel();
    cancel();
    await sleep(systemClock, 5);
    cancel();
    expect(called).toBe(false);
  });

  it('gives epoch milliseconds and random numbers of at least 0 and below 1', () => {
    expect(systemClock.now()).toBeGreaterThan(Date.UTC(2024, 0));
    const numbers = Array.from({ length: 1000 }, () => systemClock.random());
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    expect(new Set(numbers).size).toBeGreaterThan(990);
  });
});
