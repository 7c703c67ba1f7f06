import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createCounters, createValueCounters } from '../../../src/core/counters.ts';
import { auditCounters, type AuditedLane, AuditMonitor } from '../../../src/ops/audit.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

const ENDS = [
  'valuesWritten',
  'valuesAlreadyThere',
  'valuesBackedUp',
  'valuesRejected',
  'valuesDropped',
  'valuesFiltered',
] as const;

describe('auditCounters', () => {
  it('balances whatever the received values became, and names the difference when some are missing or doubled', () => {
    const figures = fc.array(fc.nat(1_000_000_000), { minLength: ENDS.length, maxLength: ENDS.length });
    fc.assert(
      fc.property(figures, fc.nat(100_000), fc.integer({ min: -1000, max: 1000 }), (ends, pending, missing) => {
        const counters = createCounters();
        for (const [i, name] of ENDS.entries()) counters[name] = ends[i]!;
        counters.valuesReceived = ends.reduce((total, end) => total + end, 0) + pending + missing;
        const balanced = missing === 0;
        expect(auditCounters(counters, pending)).toEqual({ balanced, pending, difference: missing });
      }),
    );
  });

  it('does not count replayed values: they were counted when they were backed up', () => {
    const counters = { ...createCounters(), valuesReceived: 10, valuesBackedUp: 10, valuesReplayed: 10 };
    expect(auditCounters(counters, 0).balanced).toBe(true);
  });
});

describe('AuditMonitor', () => {
  function monitored() {
    const clock = new FakeClock();
    const log = new RecordingLogger();
    const counters = createCounters();
    const state: { pending: number; lanes: AuditedLane[] } = { pending: 0, lanes: [] };
    const monitor = new AuditMonitor({
      clock,
      log,
      counters,
      pending: () => state.pending,
      lanes: () => state.lanes,
    });
    return { clock, log, counters, state, monitor };
  }

  it('says nothing while values are on their way and all of them are found', async () => {
    const { clock, log, counters, state, monitor } = monitored();
    monitor.start();
    counters.valuesReceived = 500;
    state.pending = 500;
    await clock.advance(60_000);
    monitor.stop();
    expect(log.entries).toEqual([]);
  });

  it('logs an error with the figures once when values are missing, and again when it balances', async () => {
    const { clock, log, counters, state, monitor } = monitored();
    monitor.start();
    counters.valuesReceived = 500;
    state.pending = 499;
    await clock.advance(9999);
    expect(log.entries).toEqual([]);
    await clock.advance(20_001);
    expect(log.messages('error')).toEqual(['audit out of balance']);
    expect(log.entries[0]?.fields).toMatchObject({ difference: 1, pending: 499, valuesReceived: 500 });
    state.pending = 500;
    await clock.advance(30_000);
    expect(log.messages('info')).toEqual(['audit balanced again']);
    state.pending = 0;
    await clock.advance(10_000);
    monitor.stop();
    expect(log.messages('error')).toHaveLength(2);
  });

  it('says which destination is out of balance, though the total is not', () => {
    const { log, monitor, state } = monitored();
    const missing = { name: 'alarms', counters: { ...createValueCounters(), valuesReceived: 3 }, pending: 0 };
    const twice = { name: 'default', counters: { ...createValueCounters(), valuesWritten: 3 }, pending: 0 };
    state.lanes = [twice, missing, { name: 'energy', counters: createValueCounters(), pending: 0 }];
    expect(monitor.check()).toEqual({ balanced: false, pending: 0, difference: 0 });
    expect(log.entries[0]?.fields).toMatchObject({ difference: 0, destinations: { alarms: 3, default: -3 } });
    state.lanes = [];
    expect(monitor.check().balanced).toBe(true);
    expect(log.messages('info')).toEqual(['audit balanced again']);
  });

  it('leaves no timer behind, started twice or not', () => {
    const { clock, monitor } = monitored();
    monitor.start();
    monitor.start();
    expect(clock.pendingTimers).toBe(1);
    monitor.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});
