import { beforeEach, describe, expect, it } from 'vitest';

import { ORIGIN } from '../../../src/core/place.ts';
import { unknownOutcome } from '../../support/fake-store.ts';
import { failure, placeOfValue, RunningWriter } from './running-writer.ts';

const BEHIND = 'ledger is behind what was committed: was the database restored?';

describe('BatchWriter with a ledger', () => {
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
    database.ledger = placeOfValue(0);
    running.start();
  });

  it('moves it with each batch, and reads it once', async () => {
    source.offer(1, 2, 3, 4, 5);
    await running.finish();
    expect(database.ledger).toEqual(placeOfValue(5));
    expect(database.ledgerReads).toBe(1);
  });

  it('writes no value again that was committed though the connection broke', async () => {
    await clock.advance(0);
    database.plan = [unknownOutcome()];
    source.offer(1, 2);
    await clock.advance(0);
    database.ledger = placeOfValue(2);
    database.committed.push(1, 2);
    await clock.advance(1000);
    await running.finish();
    expect(database.committed).toEqual([1, 2]);
    expect(counters.valuesWritten).toBe(2);
  });

  it('writes a batch again that was not committed when the connection broke', async () => {
    await clock.advance(0);
    database.plan = [unknownOutcome()];
    source.offer(1, 2);
    await clock.advance(1000);
    await running.finish();
    expect(database.committed).toEqual([1, 2]);
  });

  it('finds out when a session that outlived its connection commits after the place was read', async () => {
    await clock.advance(0);
    database.plan = [unknownOutcome()];
    source.offer(1, 2);
    await clock.advance(0);
    const read = database.readPlace.bind(database);
    let isLate = true;
    database.readPlace = async () => {
      const place = await read();
      if (isLate) {
        isLate = false;
        database.ledger = placeOfValue(2);
        database.committed.push(1, 2);
      }
      return place;
    };
    await clock.advance(1000);
    source.offer(3);
    await running.finish();
    expect(database.committed).toEqual([1, 2, 3]);
    expect(counters.valuesWritten).toBe(3);
  });

  it('stamps the backups of an outage with what turns out to be in Oracle, before it writes again', async () => {
    await clock.advance(0);
    database.plan = Array.from({ length: 4 }, unknownOutcome);
    source.offer(1, 2);
    await clock.advance(7000);
    expect(backup.backedUp.map(([number]) => number)).toEqual([1, 2]);
    database.ledger = placeOfValue(2);
    await clock.advance(5000);
    source.offer(3);
    await running.finish();
    expect(backup.stamps.at(-1)).toEqual(placeOfValue(2));
    expect(database.committed).toEqual([3]);
  });

  it('passes over what the ledger of an earlier run has', async () => {
    database.ledger = placeOfValue(2);
    await running.restart({ recovered: placeOfValue(3) });
    source.offer(1, 2, 3);
    await running.finish();
    expect(database.committed).toEqual([3]);
    expect(counters.valuesWritten).toBe(3);
  });

  it('takes no value for written that was never sent, whatever the ledger says', async () => {
    database.ledger = placeOfValue(50);
    await running.restart({ recovered: placeOfValue(2) });
    source.offer(1, 2, 3, 4);
    await running.finish();
    expect(database.committed).toEqual([3, 4]);
    expect(running.ahead).toEqual(placeOfValue(50));
  });

  it('writes nothing while another bridge moves its row, and loses nothing', async () => {
    source.offer(1);
    await clock.advance(0);
    database.ledger = placeOfValue(70);
    source.offer(2, 3);
    await clock.advance(0);
    expect(database.committed).toEqual([1]);
    expect(backup.backedUp).toEqual([
      [2, 'LEDGER_SHARED'],
      [3, 'LEDGER_SHARED'],
    ]);
    expect(log.entries.find((entry) => entry.level === 'error')?.fields['remedy']).toContain('bridge.id');
    await running.finish();
  });

  it('passes over what checkpoint and backups settled before this start, and counts it once', async () => {
    await running.restart({ counted: placeOfValue(1), settled: placeOfValue(3), recovered: placeOfValue(4) });
    counters.valuesReceived = 5;
    source.offer(0, 1, 2, 3, 4);
    await running.finish();
    expect(database.committed).toEqual([4]);
    expect(counters).toMatchObject({ valuesReceived: 3, valuesBackedUp: 2, valuesWritten: 1 });
    expect(running.settled).toEqual(placeOfValue(4));
  });

  it('keeps rows that may be in Oracle out of a backup that holds rows which were never sent', async () => {
    await clock.advance(0);
    database.plan = [failure('configuration')];
    database.probeError = failure('configuration');
    source.offer(1);
    await clock.advance(0);
    database.probeError = undefined;
    database.plan = [unknownOutcome()];
    await clock.advance(60_000);
    expect(backup.outagesEnded).toBe(0);
    source.offer(2);
    await clock.advance(0);
    source.offer(3);
    await clock.advance(0);
    expect(backup.backedUp.map(([number]) => number)).toEqual([1, 2, 3]);
    expect(backup.outagesEnded).toBe(1);
    await running.finish();
  });

  it('does so with rows, too, that were in doubt until the place was read', async () => {
    await clock.advance(0);
    await running.restart({ recovered: placeOfValue(1) });
    const readPlace = database.readPlace.bind(database);
    database.readPlace = () => Promise.reject(failure('configuration'));
    source.offer(1);
    await clock.advance(0);
    expect(backup.backedUp.map(([number]) => number)).toEqual([1]);
    database.readPlace = readPlace;
    await clock.advance(60_000);
    database.plan = [unknownOutcome()];
    source.offer(2);
    await clock.advance(0);
    expect(backup.backedUp.map(([number]) => number)).toEqual([1, 2]);
    expect(backup.outagesEnded).toBe(1);
    await running.finish();
  });

  it('goes on when a DBA deletes its row, and says so', async () => {
    source.offer(1);
    await clock.advance(0);
    database.ledger = ORIGIN;
    source.offer(2);
    await running.finish();
    expect(database.committed).toEqual([1, 2]);
    expect(running.log.messages('warn')).toContain('row of the ledger was deleted: made anew');
  });

  it('is connected again when all that was in doubt turns out to be written', async () => {
    await clock.advance(0);
    database.plan = [unknownOutcome()];
    source.offer(1);
    await clock.advance(0);
    expect(running.writer.availability.state).toBe('retrying');
    database.ledger = placeOfValue(1);
    await clock.advance(1000);
    expect(counters.valuesWritten).toBe(1);
    expect(running.writer.availability.state).toBe('connected');
    await running.finish();
  });

  it('neither writes nor rejects again what an earlier run had rejected', async () => {
    await clock.advance(0);
    await running.restart({ recovered: placeOfValue(4), rejected: new Set(['1002/0', '1004/0']) });
    database.refuses.add(4);
    source.offer(1, 2, 3, 4, 5);
    await running.finish();
    expect(database.committed).toEqual([1, 3, 5]);
    expect(backup.rejected).toEqual([]);
    expect(counters).toMatchObject({ valuesWritten: 3, valuesRejected: 2 });
  });

  it('tells a restored database from backups that are not in it yet', async () => {
    await clock.advance(0);
    database.ledger = placeOfValue(2);
    await running.restart({ ledger: placeOfValue(2), settled: placeOfValue(5), counted: placeOfValue(5) });
    await clock.advance(0);
    expect(running.log.messages('warn')).not.toContain(BEHIND);
    await running.restart({ ledger: placeOfValue(4), settled: placeOfValue(5), counted: placeOfValue(5) });
    await clock.advance(0);
    expect(running.log.messages('warn')).toContain(BEHIND);
    await running.finish();
  });

  it('sends nothing while a stamp is owed to a disk that refuses', async () => {
    await clock.advance(0);
    backup.stampError = new Error('EIO');
    source.offer(1);
    await clock.advance(5_000);
    expect(database.calls).toEqual([]);
    backup.stampError = undefined;
    await clock.advance(1_000);
    expect(database.committed).toEqual([1]);
    await running.finish();
  });

  it('tells the backups where the ledger is, also when the journal has lost the messages up to there', async () => {
    await clock.advance(0);
    database.ledger = placeOfValue(9);
    await running.restart({ recovered: placeOfValue(2) });
    await clock.advance(0);
    expect(backup.stamps.at(-1)).toEqual(placeOfValue(9));
    source.offer(1, 2, 10);
    await running.finish();
    expect(database.committed).toEqual([10]);
  });
});
