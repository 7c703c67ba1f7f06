import { describe, expect, it } from 'vitest';

import { createValueCounters } from '../../../src/core/counters.ts';
import { collectStatus } from '../../../src/ops/collect-status.ts';
import { type DestinationFacts, shortStatus } from '../../../src/ops/destination-status.ts';
import { Metrics } from '../../../src/ops/metrics.ts';
import { problemPhrases } from '../../../src/ops/problems.ts';
import type { Status } from '../../../src/ops/status.ts';
import { madeUpDestination, madeUpSources } from './made-up-sources.ts';

const AT = { sinceMs: Date.UTC(2025, 10, 2, 14, 30) };
const NO_TABLE = { code: 'ORA-00942', message: 'ORA-00942: table or view does not exist' };
const NO_LISTENER = { code: 'ORA-12541', message: 'ORA-12541: no listener' };

const missingTable = (name: string): DestinationFacts =>
  madeUpDestination(name, {
    state: 'down',
    reason: NO_TABLE,
    kind: 'configuration',
    remedy: 'Correct oracle.table, or create it.',
    ...AT,
  });

function statusOf(...destinations: DestinationFacts[]): Status {
  return collectStatus({ ...madeUpSources(), destinations: () => destinations });
}

describe('the destinations in a status', () => {
  it('have one entry where there is only the default, which is Oracle’s state too', () => {
    const sources = madeUpSources();
    sources.counters.valuesReceived = 3;
    sources.writerPending = () => 3;
    sources.oracle = () => ({ state: 'down', reason: NO_LISTENER, ...AT });
    const { destinations, oracle } = collectStatus(sources);
    const { connectString, ...state } = oracle;
    expect(connectString).toBe('db.example:1521/FREEPDB1');
    expect(state).toEqual({ state: 'down', reason: NO_LISTENER, since: '2025-11-02T14:30:00.000Z' });
    expect(destinations).toMatchObject([
      {
        name: 'default',
        table: 'TAG_DATA',
        ...state,
        pending: 3,
        buffer: { size: 0, capacity: 1000 },
        backups: { pendingFiles: 0, pendingRows: 0 },
        audit: { balanced: true, pending: 3, difference: 0 },
      },
    ]);
  });

  it('give Oracle the state of the one that is worst off, and the reason its name', () => {
    const retrying = madeUpDestination('energy', { state: 'retrying', reason: NO_LISTENER });
    const { oracle } = statusOf(madeUpDestination('default'), retrying, missingTable('alarms'));
    expect(oracle).toMatchObject({
      state: 'down',
      reason: {
        code: 'ORA-00942',
        message: 'destination alarms (table ALARMS): table or view does not exist',
      },
      kind: 'configuration',
      remedy: 'Correct oracle.destinations.alarms.table, or create it.',
      since: '2025-11-02T14:30:00.000Z',
    });
    expect(statusOf(madeUpDestination('default'), retrying).oracle.state).toBe('retrying');
  });

  it('are one problem each where only some are down, and one together where all are for the same reason', () => {
    const some = statusOf(madeUpDestination('default'), missingTable('alarms'), missingTable('energy'));
    expect(some.advice).toEqual([
      {
        problem:
          'The destination alarms (table ALARMS) is down since 2025-11-02T14:30:00Z: ORA-00942: table or view does not exist. Its values go to CSV backups.',
        remedy: 'Correct oracle.destinations.alarms.table, or create it.',
      },
      {
        problem: expect.stringContaining('The destination energy (table ENERGY) is down') as string,
        remedy: 'Correct oracle.destinations.energy.table, or create it.',
      },
    ]);
    expect(problemPhrases(some)).toEqual(['alarms: Oracle down', 'energy: Oracle down']);
    const away = { state: 'down', reason: NO_LISTENER, ...AT } as const;
    const all = statusOf(madeUpDestination('default', away), madeUpDestination('alarms', away));
    expect(all.problems).toEqual([
      'Oracle is down since 2025-11-02T14:30:00Z: ORA-12541: no listener. Values go to CSV backups.',
    ]);
    expect(all.oracle.reason).toEqual(NO_LISTENER);
  });

  it('are named when one’s buffer is full though together there is room', () => {
    const full = madeUpDestination('alarms', { buffer: { size: 1000, capacity: 1000 } });
    expect(statusOf(madeUpDestination('default'), full).problems).toEqual([
      'The buffer of the destination alarms (table ALARMS) is full.',
    ]);
  });

  it('are named when one is out of balance, even where another makes up for it in the total', () => {
    const missing = madeUpDestination('alarms', { counters: { ...createValueCounters(), valuesReceived: 2 } });
    const twice = madeUpDestination('energy', { counters: { ...createValueCounters(), valuesWritten: 2 } });
    const { audit, problems } = statusOf(madeUpDestination('default'), missing, twice);
    expect(audit).toEqual({ balanced: false, pending: 0, difference: 0 });
    expect(problems).toEqual([
      'The audit of the destination alarms (table ALARMS) does not balance: 2 values missing.',
      'The audit of the destination energy (table ENERGY) does not balance: 2 values counted twice.',
    ]);
  });

  it('that are gone do not make Oracle down, and are a problem while values are on their way to them', () => {
    const counters = { ...createValueCounters(), valuesReceived: 7 };
    const gone = madeUpDestination('old', { table: undefined, state: 'down', reason: NO_TABLE, counters, pending: 7 });
    const { advice, destinations, oracle } = statusOf(madeUpDestination('default'), gone);
    expect(oracle.state).toBe('connected');
    expect(destinations[1]).toMatchObject({ name: 'old', gone: true });
    expect(destinations[1]).not.toHaveProperty('table');
    expect(advice).toEqual([
      {
        problem: '7 values from before the start for what is not in oracle.destinations any more go to CSV: old.',
        remedy: expect.stringContaining('backups replay FILE --to NAME') as string,
      },
    ]);
    expect(
      statusOf(madeUpDestination('default'), { ...gone, counters: createValueCounters(), pending: 0 }),
    ).toMatchObject({ problems: [] });
  });

  it('stand in the health notice only while they are not connected, without their figures', () => {
    expect(shortStatus(statusOf(madeUpDestination('default')))).toMatchObject({
      bridgeId: 'gateway-01',
      destinations: [],
    });
    expect(shortStatus(statusOf(madeUpDestination('default'), missingTable('alarms')))).toMatchObject({
      destinations: [
        { name: 'alarms', table: 'ALARMS', state: 'down', reason: NO_TABLE, since: '2025-11-02T14:30:00.000Z' },
      ],
    });
  });
});

it('the health notice has the outages that last, of those that the status lists', () => {
  const sources = madeUpSources();
  const lasting = { of: 'broker', began: '2025-11-02T14:30:00.000Z', seconds: 1, reason: 'gone' } as const;
  sources.outages = () => [lasting, { ...lasting, ended: '2025-11-02T14:30:01.000Z' }];
  expect(shortStatus(collectStatus(sources))).toMatchObject({ outages: [lasting] });
});

it('the health notice does not say where the database is, nor what each subscription brings', () => {
  const notice = JSON.stringify(shortStatus(collectStatus(madeUpSources())));
  expect(notice).not.toMatch(/connectString|FREEPDB1|"subscriptions"/);
});

describe('the metrics of destinations', () => {
  it('stand beside those of all together, which keep their names and labels', async () => {
    const sources = madeUpSources();
    const counters = { ...createValueCounters(), valuesReceived: 9, valuesWritten: 4 };
    const alarms = madeUpDestination('alarms', { state: 'down', counters, pending: 5 });
    const backups = { ...alarms.backups, pendingFiles: 1, pendingRows: 40 };
    const gone = madeUpDestination('old', { table: undefined, backups });
    sources.destinations = () => [madeUpDestination('default'), alarms, gone];
    const metrics = new Metrics(sources);
    metrics.observeBatch(4, 20, 30, 'alarms');
    metrics.countOracleError('ORA-00942', 'alarms');
    const lines = (await metrics.text()).split('\n');
    for (const line of [
      'bridge_destination_values_received_total{destination="alarms"} 9',
      'bridge_destination_values_written_total{destination="alarms"} 4',
      'bridge_destination_values_pending{destination="alarms"} 5',
      'bridge_destination_connected{destination="default"} 1',
      'bridge_destination_connected{destination="alarms"} 0',
      'bridge_destination_gone{destination="old"} 1',
      'bridge_destination_backup_pending_rows{destination="old"} 40',
      'bridge_destination_batch_write_duration_seconds_count{destination="alarms"} 1',
      'bridge_destination_oracle_errors_total{destination="alarms",code="ORA-00942"} 1',
      'bridge_batch_write_duration_seconds_count 1',
      'bridge_oracle_errors_total{code="ORA-00942"} 1',
      'bridge_oracle_connected 0',
    ]) {
      expect(lines).toContain(line);
    }
    expect(lines.filter((line) => line.startsWith('bridge_destination_connected{destination="old"}'))).toEqual([]);
  });
});
