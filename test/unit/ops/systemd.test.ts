import { describe, expect, it } from 'vitest';

import { collectStatus } from '../../../src/ops/collect-status.ts';
import { statusLine, Systemd, systemdNotify } from '../../../src/ops/systemd.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { madeUpSources } from './made-up-sources.ts';

/** A bridge in good order, and a systemd that keeps what it is told. */
function told({ watchdogMs = 0, failure }: { watchdogMs?: number; failure?: () => Error | undefined } = {}) {
  const sources = madeUpSources();
  const { clock } = sources;
  const log = new RecordingLogger();
  const messages: string[] = [];
  const state = { health: { ok: true, problems: [] as string[] }, hangs: false, release: () => {} };
  const systemd = new Systemd({
    clock,
    log,
    watchdogMs,
    status: () => collectStatus(sources),
    health: () => state.health,
    send: async (assignments) => {
      messages.push(assignments.join(' '));
      if (state.hangs) await new Promise<void>((resolve) => (state.release = resolve));
      const error = failure?.();
      if (error !== undefined) throw error;
    },
  });
  return { sources, clock, log, messages, state, systemd };
}

const failed = (code: string): Error => Object.assign(new Error(`spawn systemd-notify ${code}`), { code });

describe('Systemd', () => {
  it('says that it is ready, reloads and stops, in this order, once each', async () => {
    const { clock, messages, systemd } = told();
    systemd.ready();
    systemd.reloading();
    systemd.reloaded();
    systemd.stopping();
    systemd.stopping();
    systemd.reloading();
    systemd.reloaded();
    await systemd.stop();
    expect(messages).toEqual(['READY=1 STATUS=all is well', 'RELOADING=1', 'READY=1', 'STOPPING=1 STATUS=stopping']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('is never ready once it stops', async () => {
    const { clock, messages, systemd } = told({ watchdogMs: 1000 });
    systemd.stopping();
    systemd.ready();
    await systemd.stop();
    expect(messages).toEqual(['STOPPING=1 STATUS=stopping']);
    expect(clock.pendingTimers).toBe(0);
  });

  it('tells the status when it has changed, at most once in 5 s', async () => {
    const { sources, clock, messages, systemd } = told();
    systemd.ready();
    await clock.advance(60_000);
    expect(messages).toHaveLength(1);
    sources.oracle = () => ({ state: 'down' });
    await clock.advance(1000);
    sources.oracle = () => ({ state: 'retrying' });
    await clock.advance(4000);
    sources.oracle = () => ({ state: 'connected' });
    await clock.advance(60_000);
    expect(messages.slice(1)).toEqual(['STATUS=writing to Oracle fails, trying again', 'STATUS=all is well']);
    await systemd.stop();
  });

  it('feeds the watchdog at half its time while the bridge is healthy, and logs once when it is not', async () => {
    const { clock, log, messages, state, systemd } = told({ watchdogMs: 60_000 });
    const feedings = (): number => messages.filter((message) => message === 'WATCHDOG=1').length;
    systemd.ready();
    await clock.advance(0);
    expect(feedings()).toBe(1);
    await clock.advance(30_000);
    expect(feedings()).toBe(2);
    state.health = { ok: false, problems: ['stuck'] };
    await clock.advance(120_000);
    expect(feedings()).toBe(2);
    expect(log.entries).toEqual([
      { level: 'error', message: 'not healthy: the watchdog is not fed', fields: { problems: ['stuck'] } },
    ]);
    state.health = { ok: true, problems: [] };
    await clock.advance(30_000);
    expect(feedings()).toBe(3);
    await systemd.stop();
    await clock.advance(60_000);
    expect(feedings()).toBe(3);
  });

  it('warns once where systemd-notify is missing, and tries no more', async () => {
    const { sources, clock, log, messages, systemd } = told({ watchdogMs: 1000, failure: () => failed('ENOENT') });
    systemd.ready();
    sources.oracle = () => ({ state: 'down' });
    await clock.advance(60_000);
    await systemd.stop();
    expect(messages).toHaveLength(1);
    expect(log.messages()).toEqual(['systemd-notify is not there: systemd is told nothing']);
  });

  it('goes on after a failure', async () => {
    const failures = [failed('EAGAIN')];
    const { clock, log, messages, systemd } = told({ failure: () => failures.pop() });
    systemd.ready();
    await clock.advance(0);
    systemd.reloading();
    await systemd.stop();
    expect(messages).toHaveLength(3);
    expect(log.messages()).toEqual(['systemd not notified']);
  });

  it('has one feeding wait at most where systemd is slow to take a message', async () => {
    const { clock, messages, state, systemd } = told({ watchdogMs: 1000 });
    state.hangs = true;
    systemd.ready();
    await clock.advance(10_000);
    expect(messages).toEqual(['READY=1 STATUS=all is well']);
    state.hangs = false;
    state.release();
    await clock.advance(0);
    expect(messages).toEqual(['READY=1 STATUS=all is well', 'WATCHDOG=1']);
    await systemd.stop();
  });

  it('does not wait for ever for a message at the end', async () => {
    const { clock, messages, state, systemd } = told({ watchdogMs: 1000 });
    state.hangs = true;
    systemd.ready();
    await clock.advance(10_000);
    const stopped = systemd.stop();
    await clock.advance(2000);
    await stopped;
    expect(messages).toEqual(['READY=1 STATUS=all is well']);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('statusLine', () => {
  it('names what is not as it should be, the worst first, without numbers', () => {
    const sources = madeUpSources();
    sources.mqtt = () => ({ connected: false, protocolVersion: 5, unackedMessages: 0, subscriptionProblems: [] });
    sources.oracle = () => ({ state: 'down' });
    sources.journal = () => ({ bytes: 9, maxBytes: 9, messages: 1, state: 'full' });
    sources.counters.valuesReceived = 7;
    expect(statusLine(collectStatus(sources))).toBe(
      'audit out of balance; not connected to the broker; journal full; Oracle down',
    );
  });
});

describe('systemdNotify', () => {
  it('says by its code that the program is missing', async () => {
    const send = systemdNotify({ notifySocket: '/nowhere', path: '/nowhere', watchdogMs: 0 });
    await expect(send(['READY=1'])).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
