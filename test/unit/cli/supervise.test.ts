import { EventEmitter } from 'node:events';

import { describe, expect, it, vi } from 'vitest';

import { supervise, type Supervised } from '../../../src/cli/process/supervise.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

type Step = 'start' | 'drain' | 'stop';

type Outcome = 'hangs' | Error;

/** A bridge whose steps succeed at once, but for those that hang or fail. */
class FakeBridge implements Supervised {
  readonly calls: Step[] = [];
  readonly #outcomes: Partial<Record<Step, Outcome>>;

  constructor(outcomes: Partial<Record<Step, Outcome>> = {}) {
    this.#outcomes = outcomes;
  }

  start(): Promise<void> {
    return this.#call('start');
  }

  drain(): Promise<void> {
    return this.#call('drain');
  }

  stop(): Promise<void> {
    return this.#call('stop');
  }

  async #call(step: Step): Promise<void> {
    this.calls.push(step);
    const outcome = this.#outcomes[step];
    if (outcome === 'hangs') await new Promise(() => {});
    if (outcome instanceof Error) throw outcome;
  }
}

function supervised(bridge: FakeBridge) {
  const events = new EventEmitter();
  const log = new RecordingLogger();
  const clock = new FakeClock();
  const terminal = { isGone: false };
  const reload = vi.fn<() => void>();
  const isTerminalGone = (): boolean => terminal.isGone;
  const times = { clock, drainTimeoutMs: 20_000, hangTimeoutMs: 5000 };
  const ended = supervise(bridge, events, { ...times, log, reload, isTerminalGone });
  return { events, log, clock, ended, reload, terminal };
}

describe('supervise', () => {
  it.each(['SIGTERM', 'SIGINT'])('drains, stops and ends with 0 on %s', async (signal) => {
    const bridge = new FakeBridge();
    const { events, log, clock, ended } = supervised(bridge);
    await clock.advance(60_000);
    expect(bridge.calls).toEqual(['start']);
    events.emit(signal, signal);
    expect(await ended).toBe(0);
    expect(bridge.calls).toEqual(['start', 'drain', 'stop']);
    expect(log.entries).toEqual([{ level: 'info', message: 'told to stop', fields: { signal } }]);
    expect(events.eventNames()).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('stops at once on a second signal, and ends with 0 as well', async () => {
    const bridge = new FakeBridge({ drain: 'hangs' });
    const { events, clock, log, ended } = supervised(bridge);
    await clock.advance(0);
    events.emit('SIGINT', 'SIGINT');
    await clock.advance(0);
    events.emit('SIGTERM', 'SIGTERM');
    expect(await ended).toBe(0);
    expect(bridge.calls).toEqual(['start', 'drain', 'stop']);
    expect(log.messages('warn')).toEqual(['told to stop at once']);
  });

  it('does not wait for a start that is under way when it is told to stop', async () => {
    const bridge = new FakeBridge({ start: 'hangs' });
    const { events, clock, ended } = supervised(bridge);
    await clock.advance(0);
    events.emit('SIGTERM', 'SIGTERM');
    expect(await ended).toBe(0);
    expect(bridge.calls).toEqual(['start', 'stop']);
  });

  it('stops and throws on what the start throws', async () => {
    const failure = new Error('no');
    const bridge = new FakeBridge({ start: failure });
    const { events, ended } = supervised(bridge);
    await expect(ended).rejects.toBe(failure);
    expect(bridge.calls).toEqual(['start', 'stop']);
    expect(events.eventNames()).toEqual([]);
  });

  it('gives up a drain that hangs well past its time, and still stops', async () => {
    const bridge = new FakeBridge({ drain: 'hangs' });
    const { events, clock, log, ended } = supervised(bridge);
    await clock.advance(0);
    events.emit('SIGTERM', 'SIGTERM');
    await clock.advance(24_999);
    expect(bridge.calls).toEqual(['start', 'drain']);
    await clock.advance(1);
    expect(await ended).toBe(0);
    expect(bridge.calls).toEqual(['start', 'drain', 'stop']);
    expect(log.messages('error')).toEqual(['drain not finished']);
  });

  it('gives up a stop that hangs', async () => {
    const { events, clock, log, ended } = supervised(new FakeBridge({ stop: 'hangs' }));
    await clock.advance(0);
    events.emit('SIGTERM', 'SIGTERM');
    await clock.advance(5000);
    expect(await ended).toBe(0);
    expect(log.messages('error')).toEqual(['stop failed']);
  });

  it('reloads on each SIGHUP, and runs on', async () => {
    const bridge = new FakeBridge();
    const { events, clock, ended, reload } = supervised(bridge);
    await clock.advance(0);
    for (const times of [1, 2]) {
      events.emit('SIGHUP', 'SIGHUP');
      await clock.advance(0);
      expect(reload).toHaveBeenCalledTimes(times);
    }
    expect(bridge.calls).toEqual(['start']);
    events.emit('SIGTERM', 'SIGTERM');
    expect(await ended).toBe(0);
    expect(events.eventNames()).toEqual([]);
  });

  it('reloads only once the start is done, and no more once it is told to stop', async () => {
    const bridge = new FakeBridge({ drain: 'hangs' });
    const { events, clock, ended, reload } = supervised(bridge);
    events.emit('SIGHUP', 'SIGHUP');
    expect(reload).not.toHaveBeenCalled();
    await clock.advance(0);
    expect(reload).toHaveBeenCalledTimes(1);
    events.emit('SIGTERM', 'SIGTERM');
    await clock.advance(0);
    events.emit('SIGHUP', 'SIGHUP');
    await clock.advance(0);
    expect(reload).toHaveBeenCalledTimes(1);
    expect(bridge.calls).toEqual(['start', 'drain']);
    events.emit('SIGTERM', 'SIGTERM');
    expect(await ended).toBe(0);
  });

  it('drains on SIGHUP when the terminal is gone', async () => {
    const bridge = new FakeBridge();
    const { events, clock, ended, reload, terminal } = supervised(bridge);
    await clock.advance(0);
    terminal.isGone = true;
    events.emit('SIGHUP', 'SIGHUP');
    expect(await ended).toBe(0);
    expect(bridge.calls).toEqual(['start', 'drain', 'stop']);
    expect(reload).not.toHaveBeenCalled();
  });

  it('ends with 70 when the drain fails', async () => {
    const bridge = new FakeBridge({ drain: new Error('broken') });
    const { events, clock, ended } = supervised(bridge);
    await clock.advance(0);
    events.emit('SIGTERM', 'SIGTERM');
    expect(await ended).toBe(70);
    expect(bridge.calls).toEqual(['start', 'drain', 'stop']);
  });

  it('ends with 70 at once when an error was caught by nobody, and logs it', async () => {
    const bridge = new FakeBridge();
    const { events, clock, log, ended } = supervised(bridge);
    await clock.advance(0);
    const error = new TypeError('x is undefined');
    events.emit('uncaughtException', error);
    expect(await ended).toBe(70);
    expect(log.entries.find(({ message }) => message === 'internal error')?.fields).toMatchObject({ error });
  });
});
