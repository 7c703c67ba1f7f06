import { beforeEach, describe, expect, it } from 'vitest';

import { InternalError, type DatabaseErrorKind } from '../../../src/core/errors.ts';
import { failure, placeOfValue, RunningWriter } from './running-writer.ts';

describe('BatchWriter', () => {
  let running: RunningWriter;
  let clock: RunningWriter['clock'];
  let source: RunningWriter['source'];
  let database: RunningWriter['database'];
  let backup: RunningWriter['backup'];
  let counters: RunningWriter['counters'];
  let log: RunningWriter['log'];

  beforeEach(() => {
    running = new RunningWriter();
    ({ clock, source, database, backup, counters, log } = running);
    running.start();
  });

  it('takes larger batches while more wait than one has', async () => {
    await running.finish();
    running = new RunningWriter();
    ({ source, database, counters } = running);
    running.start({}, { batchSize: 4, maxBatchSize: 16, intervalMs: 500 });
    source.offer(...Array.from({ length: 50 }, (_, i) => i + 1));
    await running.finish();
    expect(database.calls.map(({ length }) => length)).toEqual([4, 8, 16, 16, 6]);
    expect(database.calls.flat()).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    expect(counters.valuesWritten).toBe(50);
  });

  it('takes smaller batches again once a large one has failed', async () => {
    await running.finish();
    running = new RunningWriter();
    ({ clock, source, database, backup } = running);
    let isSlow = false;
    database.slowness = () =>
      isSlow && database.calls.at(-1)!.length > 6 ? Promise.reject(failure('connection')) : Promise.resolve();
    running.start({}, { batchSize: 4, maxBatchSize: 32, intervalMs: 500 });
    source.offer(...Array.from({ length: 100 }, (_, i) => i + 1));
    await clock.advance(1000);
    isSlow = true;
    for (let round = 0; round < 10; round += 1) {
      source.offer(...Array.from({ length: 32 }, (_, i) => 1000 + round * 32 + i));
      await clock.advance(30_000);
    }
    await running.finish();
    expect(backup.backedUp.length).toBeLessThan(100);
    expect(database.committed.length).toBeGreaterThan(300);
  });

  it('writes what it takes, a batch at a time and in order', async () => {
    source.offer(1, 2, 3, 4, 5, 6);
    await running.finish();
    expect(database.calls).toEqual([
      [1, 2, 3, 4],
      [5, 6],
    ]);
    expect(counters.valuesWritten).toBe(6);
    expect(running.writer.pending).toBe(0);
    expect(running.writer.availability.state).toBe('connected');
  });

  it('takes batches of another size, and retries otherwise, once it is told to', async () => {
    source.offer(1, 2, 3, 4);
    await clock.advance(0);
    running.writer.tune({
      batchSize: 6,
      maxBatchSize: 6,
      intervalMs: 500,
      retry: { attempts: 0, initialDelayMs: 1, factor: 1 },
    });
    source.offer(5, 6, 7, 8, 9, 10, 11);
    await clock.advance(0);
    running.writer.tune({
      batchSize: 2,
      maxBatchSize: 2,
      intervalMs: 500,
      retry: { attempts: 0, initialDelayMs: 1, factor: 1 },
    });
    database.plan = [failure('connection')];
    source.offer(12, 13, 14);
    await running.finish();
    expect(database.calls).toEqual([[1, 2, 3, 4], [5, 6, 7, 8, 9, 10], [11], [12, 13]]);
    expect(backup.backedUp.map(([value]) => value)).toEqual([12, 13, 14]);
    expect(counters).toMatchObject({ valuesWritten: 11, valuesBackedUp: 3 });
  });

  it('tries a batch again after 1, 2 and 4 s, then writes it once', async () => {
    await clock.advance(0);
    database.plan = [failure('connection'), failure('passing'), failure('connection')];
    source.offer(1);
    await clock.advance(999);
    expect(database.calls).toHaveLength(1);
    expect(running.writer.availability.state).toBe('retrying');
    await clock.advance(1);
    expect(database.calls).toHaveLength(2);
    await clock.advance(2000);
    expect(database.calls).toHaveLength(3);
    await clock.advance(3999);
    expect(database.calls).toHaveLength(3);
    await clock.advance(1);
    expect(database.committed).toEqual([1]);
    expect(backup.backedUp).toEqual([]);
    expect(running.writer.availability.state).toBe('connected');
    await running.finish();
  });

  it('backs a batch up once its retries are spent, and the next ones at once', async () => {
    await clock.advance(0);
    database.plan = Array.from({ length: 4 }, () => failure('connection', 'NJS-503'));
    database.probeError = failure('connection', 'NJS-503');
    source.offer(1);
    await clock.advance(7000);
    expect(backup.backedUp).toEqual([[1, 'NJS-503']]);
    expect(running.writer.availability.state).toBe('down');
    source.offer(2, 3);
    await clock.advance(0);
    expect(backup.backedUp.map(([number]) => number)).toEqual([1, 2, 3]);
    expect(database.calls).toHaveLength(4);
    expect(counters.valuesBackedUp).toBe(3);
    await running.finish();
  });

  it('comes back by itself: the probe answers, the next batch is taken, one outage ends', async () => {
    await clock.advance(0);
    database.plan = Array.from({ length: 4 }, () => failure('connection'));
    database.probeError = failure('connection');
    source.offer(1);
    await clock.advance(7000);
    await clock.advance(30_000);
    expect(running.writer.availability.state).toBe('down');
    database.probeError = undefined;
    await clock.advance(5000);
    expect(running.writer.availability.state).toBe('retrying');
    source.offer(2);
    await clock.advance(0);
    expect(database.committed).toEqual([2]);
    expect(running.writer.availability.state).toBe('connected');
    expect(backup.outagesEnded).toBe(1);
    await running.finish();
  });

  it('says when Oracle takes batches, at the start without traffic too: backups of an earlier run wait for that', async () => {
    expect(running.ups).toBe(0);
    await clock.advance(0);
    expect([running.writer.isCertain, running.ups]).toEqual([true, 1]);
    database.plan = [failure('configuration', 'ORA-00942')];
    source.offer(1);
    await clock.advance(60_000);
    expect(running.ups).toBe(1);
    source.offer(2);
    await clock.advance(0);
    expect([running.writer.isCertain, running.ups]).toEqual([true, 2]);
    await running.finish();
  });

  it('ends an outage without traffic a probe interval after the answer', async () => {
    database.plan = [failure('configuration', 'ORA-00942')];
    source.offer(1);
    await clock.advance(0);
    expect(running.writer.availability.state).toBe('down');
    await clock.advance(60_000);
    expect(running.writer.availability.state).toBe('retrying');
    await clock.advance(5000);
    expect(running.writer.availability.state).toBe('connected');
    expect(backup.outagesEnded).toBe(1);
    await running.finish();
  });

  it('goes on with the same outage when the batch after the probe is refused, and tries that one once', async () => {
    await clock.advance(0);
    database.plan = [failure('resource', 'ORA-01653'), failure('resource', 'ORA-01653')];
    source.offer(1);
    await clock.advance(30_000);
    source.offer(2);
    await clock.advance(0);
    expect(backup.backedUp.map(([number]) => number)).toEqual([1, 2]);
    expect(running.writer.availability.state).toBe('down');
    expect(backup.outagesEnded).toBe(0);
    expect(log.messages('error')).toEqual(['oracle is down: batches go to the csv backup']);
    await running.finish();
  });

  it('does not try again what a person must mend, and asks no more than once a minute', async () => {
    await clock.advance(0);
    database.plan = [failure('configuration', 'ORA-01017')];
    database.probeError = failure('configuration', 'ORA-01017');
    const before = database.probes;
    source.offer(1);
    await clock.advance(0);
    expect(backup.backedUp).toEqual([[1, 'ORA-01017']]);
    await clock.advance(180_000);
    expect(database.probes - before).toBe(3);
    await running.finish();
  });

  it('rejects the rows that the database refuses and commits the others', async () => {
    database.refuses.add(2);
    source.offer(1, 2, 3);
    await running.finish();
    expect(database.committed).toEqual([1, 3]);
    expect(backup.rejected).toEqual([[2, 'ORA-00001']]);
    expect(counters).toMatchObject({ valuesWritten: 2, valuesRejected: 1, valuesBackedUp: 0 });
  });

  it('rejects a row that must not be bound before the database sees it', async () => {
    source.offer(1, Number.POSITIVE_INFINITY, 3);
    await running.finish();
    expect(database.calls).toEqual([[1, 3]]);
    expect(backup.rejected).toEqual([[Number.POSITIVE_INFINITY, 'VALUE_NOT_FINITE']]);
  });

  it('counts rows that the table had already as that, and as nothing else', async () => {
    database.there.add(2).add(3);
    database.refuses.add(4);
    source.offer(1, 2, 3, 4);
    await running.finish();
    expect(database.committed).toEqual([1]);
    expect(counters).toMatchObject({ valuesWritten: 1, valuesAlreadyThere: 2, valuesRejected: 1, valuesBackedUp: 0 });
  });

  it('halves a batch that is refused as a whole until the bad row stands alone', async () => {
    database.breaksBatch.add(3);
    source.offer(1, 2, 3, 4);
    await running.finish();
    expect(database.committed).toEqual([1, 2, 4]);
    expect(backup.rejected).toEqual([[3, 'NJS-011']]);
    expect(counters).toMatchObject({ valuesWritten: 3, valuesRejected: 1 });
  });

  it('holds a batch that neither Oracle nor the disk takes, and loses nothing', async () => {
    await clock.advance(0);
    backup.diskError = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    database.plan = [failure('configuration')];
    database.probeError = failure('configuration');
    source.offer(1);
    await clock.advance(10_000);
    expect(running.writer.pending).toBe(1);
    expect(log.messages('error').filter((message) => message.startsWith('the disk refuses'))).toHaveLength(1);
    backup.diskError = undefined;
    await clock.advance(1000);
    expect(backup.backedUp).toHaveLength(1);
    await running.finish();
  });

  it('commits nothing before the rejected rows are safe on disk', async () => {
    await clock.advance(0);
    backup.diskError = new Error('no space left');
    database.refuses.add(2);
    source.offer(1, 2);
    await clock.advance(3000);
    expect(database.committed).toEqual([]);
    expect(running.writer.availability.state).toBe('connected');
    backup.diskError = undefined;
    await clock.advance(1000);
    expect(database.committed).toEqual([1]);
    expect(backup.rejected).toEqual([[2, 'ORA-00001']]);
    await running.finish();
  });

  it('stops in the midst of its retries, and settles nothing that is not', async () => {
    await clock.advance(0);
    database.plan = Array.from({ length: 4 }, () => failure('connection'));
    source.offer(1);
    await clock.advance(500);
    running.stop.abort();
    await clock.advance(0);
    await running.running;
    expect(backup.backedUp).toEqual([]);
    expect(running.settled).toBeUndefined();
    expect(running.writer.pending).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('says up to where all is settled, batch by batch', async () => {
    database.refuses.add(4);
    source.offer(1, 2, 3, 4, 5);
    await running.finish();
    expect(running.settled).toEqual(placeOfValue(5));
  });

  it('ends with an internal error when a batch does not come behind the one before, and leaves it in the journal', async () => {
    source.offer(5, 6);
    await clock.advance(0);
    const ended = running.running.catch((error: unknown) => error);
    source.offer(6, 7);
    await clock.advance(0);
    expect(await ended).toBeInstanceOf(InternalError);
    expect(database.committed).toEqual([5, 6]);
    expect(running.settled).toEqual(placeOfValue(6));
    expect(clock.pendingTimers).toBe(0);
  });

  it('adds up at every step of a stormy day', async () => {
    const kinds: (DatabaseErrorKind | undefined)[] = [
      'connection',
      undefined,
      'passing',
      'refused',
      'resource',
      'mistake',
    ];
    database.refuses.add(7).add(13);
    database.plan = Array.from({ length: 60 }, (_, i) => {
      const kind = kinds[(i * 7) % kinds.length];
      return kind === undefined ? undefined : failure(kind);
    });
    let offered = 0;
    for (let round = 0; round < 200; round += 1) {
      source.offer(offered, offered + 1, offered + 2);
      offered += 3;
      await clock.advance(997);
      const { valuesWritten, valuesBackedUp, valuesRejected } = counters;
      expect(database.committed).toHaveLength(valuesWritten);
      expect(backup.backedUp).toHaveLength(valuesBackedUp);
      expect(backup.rejected).toHaveLength(valuesRejected);
    }
    await clock.advance(120_000);
    await running.finish();
    const ends = [...database.committed, ...backup.backedUp.map(([n]) => n), ...backup.rejected.map(([n]) => n)];
    expect(ends.sort((a, b) => a - b)).toEqual(Array.from({ length: offered }, (_, i) => i));
  });
});
