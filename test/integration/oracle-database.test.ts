import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { withMicroseconds } from '../../src/core/microseconds.ts';
import { ORIGIN, type Place } from '../../src/core/place.ts';
import type { RefusedRow } from '../../src/core/refused-row.ts';
import type { Connections, ConnectionsOptions } from '../../src/oracle/connections.ts';
import { Ledger } from '../../src/oracle/ledger.ts';
import { Database } from '../../src/oracle/database.ts';
import { Refusals } from '../../src/oracle/refusals.ts';
import { WriteStatement } from '../../src/oracle/write-statement.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { connectionsTo, databaseErrorOf } from '../support/oracle-connections.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';
import { countRows, createTables, readRows, SESSIONS_OPTIONS, TABLE_OPTIONS } from '../support/tag-table.ts';
import { until } from '../support/until.ts';
import { valuesOf } from '../support/values.ts';

const CALL_TIMEOUT_MS = 15_000;

let standin: Standin;
let clock: FakeClock;
let connections: Connections;

function connect(options: Partial<ConnectionsOptions> = {}): Connections {
  connections = connectionsTo(standin, { callTimeoutMs: CALL_TIMEOUT_MS, clock, ...options });
  return connections;
}

const ping = ({ connection }: { connection: { ping(): Promise<void> } }): Promise<void> => connection.ping();

function databaseOn(lender: Connections, ledger?: Ledger): Database {
  return new Database({
    connections: lender,
    statement: new WriteStatement(SESSIONS_OPTIONS.destination, lender, clock),
    onDuplicate: 'reject',
    refusals: new Refusals('hold'),
    ledger,
  });
}

describe.each(['19c', '23ai'] as const)('against a %s-like server', (profile) => {
  beforeEach(async () => {
    clock = new FakeClock();
    standin = await startStandin({ profile });
    await createTables(standin);
  });

  afterEach(async () => {
    standin.blackHole(false);
    const stopping = connections.stop();
    await clock.advance(10_000);
    await stopping;
    standin.stop();
  });

  it('writes times with their microseconds', async () => {
    const values = valuesOf(1, 2, 3, 4);
    const timesMs = [
      withMicroseconds(1_762_093_825_123, 456),
      withMicroseconds(1_762_093_825_000, 1),
      withMicroseconds(-1, 999),
      1_762_093_825_123,
    ];
    values.timesMs.set(timesMs);
    await databaseOn(connect()).write(values, undefined, () => Promise.resolve());
    expect((await readRows(standin)).map(({ timeMs }) => timeMs)).toEqual(timesMs);
  });

  describe('Connections', () => {
    it('tries a wrong password twice, a minute apart, and then once an hour, whoever asks', async () => {
      connect({ password: 'wrong', pool: { min: 2, max: 5, increment: 2, queueTimeoutMs: 1000 } }).start();
      const errors = await Promise.all([1, 2, 3, 4].map(() => databaseErrorOf(connections.use('ping', ping))));
      expect(errors.map(({ kind, code }) => `${kind} ${code}`)).toEqual(errors.map(() => 'configuration ORA-01017'));
      expect(standin.stats.logonsTried).toBe(1);
      await clock.advance(59_000);
      await databaseErrorOf(connections.use('ping', ping));
      expect(standin.stats.logonsTried).toBe(1);
      await clock.advance(2_000);
      await databaseErrorOf(connections.use('ping', ping));
      expect(standin.stats.logonsTried).toBe(2);
      for (let minute = 0; minute < 59; minute += 1) {
        await clock.advance(60_000);
        await databaseErrorOf(connections.use('ping', ping));
      }
      expect(standin.stats.logonsTried).toBe(2);
      await clock.advance(61_000);
      await databaseErrorOf(connections.use('ping', ping));
      expect(standin.stats.logonsTried).toBe(3);
    });

    it('keeps the wanted number of connections open, and uses those it has', async () => {
      connect({ pool: { min: 2, max: 3, increment: 1, queueTimeoutMs: 1000 } }).start();
      await until('the first', () => standin.stats.connections === 1 && standin.stats.logonsAccepted === 1);
      await until('the second', async () => {
        await clock.advance(1000);
        return standin.stats.logonsAccepted === 2;
      });
      for (let i = 0; i < 10; i += 1) await connections.use('ping', ping);
      await clock.advance(120_000);
      expect(standin.stats.logonsAccepted).toBe(2);
    });

    it('asks for packets that hold a whole batch, and uses what the server gives', async () => {
      connect();
      const database = databaseOn(connections);
      await database.write(valuesOf(1), undefined, async () => {});
      const before = standin.stats.packets;
      await database.write(valuesOf(...Array.from({ length: 500 }, (_, i) => i)), undefined, async () => {});
      expect(standin.stats.packets - before).toBe(profile === '23ai' ? 1 : 3);
      expect(await countRows(standin)).toBe(501);
    });

    it('leaves a database that is away in peace', async () => {
      const attempts = standin.faults.add({ on: 'connect', refuse: 12_514, times: Infinity });
      connect({ pool: { min: 2, max: 3, increment: 2, queueTimeoutMs: 1000 } }).start();
      for (let second = 0; second < 300; second += 10) await clock.advance(10_000);
      await until('the attempts to arrive', () => attempts.hits > 1);
      expect(attempts.hits).toBeLessThanOrEqual(11);
    });

    it('gives up a call whose network went silent, and works again when it is back', async () => {
      connect({ callTimeoutMs: 0 });
      await connections.use('ping', ping);
      standin.blackHole(true);
      const hanging = databaseErrorOf(connections.use('ping', ping));
      await clock.advance(5_001);
      expect(await hanging).toMatchObject({ kind: 'connection', code: 'CALL_TIMEOUT', outcomeUnknown: true });
      standin.blackHole(false);
      await connections.use('ping', ping);
      await until('the silent one is closed', () => standin.stats.connections === 1);
    });

    it('gives up a listener that says nothing', async () => {
      standin.faults.add({ on: 'connect', silent: true });
      connect({ connectTimeoutMs: 1000 });
      expect(await databaseErrorOf(connections.use('ping', ping))).toMatchObject({
        kind: 'connection',
        code: 'NJS-510',
      });
      await connections.use('ping', ping);
    });

    it('lets callers wait for a free connection, for as long as it is told', async () => {
      connect({ pool: { min: 0, max: 1, increment: 1, queueTimeoutMs: 1000 } });
      let finish: () => void = () => {};
      const first = connections.use('hold', () => new Promise<void>((resolve) => (finish = resolve)));
      await until('the first to hold it', () => standin.stats.logonsAccepted === 1);
      const tooLate = databaseErrorOf(connections.use('ping', ping));
      await clock.advance(1001);
      expect((await tooLate).code).toBe('POOL_BUSY');
      const inTime = connections.use('ping', ping);
      finish();
      await Promise.all([first, inTime]);
      expect(standin.stats.logonsAccepted).toBe(1);
    });

    it('never commits what a failed piece of work left behind', async () => {
      connect({ pool: { min: 0, max: 1, increment: 1, queueTimeoutMs: 1000 } });
      const insert = `INSERT INTO tag_data (tag_name, timestamp, quality) VALUES ('x', SYSTIMESTAMP, 'GOOD')`;
      const broken = connections.use('write', async ({ connection }) => {
        await connection.execute(insert);
        throw new Error('made to fail');
      });
      await expect(broken).rejects.toThrow('made to fail');
      await connections.use('commit', ({ connection }) => connection.commit());
      expect(await countRows(standin)).toBe(0);
    });

    it.each([['12514'], ['12528'], ['1033']])('sees a database that is away behind code %s', async (code) => {
      standin.faults.add({ on: 'connect', refuse: Number(code) });
      const error = await databaseErrorOf(connect().use('ping', ping));
      expect(error).toMatchObject({ kind: 'connection', outcomeUnknown: false });
    });
  });

  describe('Database', () => {
    const rejecting = async (): Promise<void> => {
      throw new Error('no row should be refused');
    };

    function database(): Database {
      return databaseOn(connect());
    }

    it('writes a batch in one transaction', async () => {
      await database().write(valuesOf(1.5, 'RUN', null, 2 ** 53), undefined, rejecting);
      const rows = await readRows(standin);
      expect(rows.map(({ value, text }) => [value, text])).toEqual([
        [1.5, null],
        [null, 'RUN'],
        [null, null],
        [2 ** 53, null],
      ]);
      expect(standin.stats.commits).toBe(1);
    });

    it('tells which rows are refused before it commits the others', async () => {
      const values = valuesOf(1, 2, 3, 4);
      values.qualities[1] = 'far longer than sixteen';
      values.tags[3] = { plcCode: '', address: '', name: '' };
      let refused: readonly RefusedRow[] = [];
      let rowsBefore = -1;
      await database().write(values, undefined, async (rows) => {
        refused = rows;
        rowsBefore = await countRows(standin);
      });
      expect(rowsBefore).toBe(0);
      expect(refused.map(({ index, reason }) => `${index} ${reason.code}`).sort()).toEqual([
        '1 ORA-12899',
        '3 ORA-01400',
      ]);
      expect((await readRows(standin)).map(({ value }) => value)).toEqual([1, 3]);
    });

    it('commits nothing when the refused rows cannot be kept', async () => {
      const values = valuesOf(1, 2);
      values.qualities[1] = 'far longer than sixteen';
      const full = async (): Promise<void> => {
        throw new Error('no space left');
      };
      await expect(database().write(values, undefined, full)).rejects.toThrow('no space left');
      expect(await countRows(standin)).toBe(0);
    });

    it('rejects no row for a fault of the whole database, and writes none', async () => {
      standin.faults.add({ on: 'execute', sql: 'INSERT', rowErrors: { 1: 1653 } });
      const error = await databaseErrorOf(database().write(valuesOf(1, 2, 3), undefined, rejecting));
      expect(error).toMatchObject({ kind: 'resource', code: 'ORA-01653' });
      expect(await countRows(standin)).toBe(0);
    });

    it.each([
      ['before it was executed', { on: 'execute', reset: 'before' }, 0],
      ['after its commit', { on: 'execute', reset: 'after' }, 1],
    ] as const)('calls the outcome unknown when the connection is cut %s', async (_title, fault, rows) => {
      standin.faults.add({ ...fault, sql: 'INSERT' });
      const error = await databaseErrorOf(database().write(valuesOf(1), undefined, rejecting));
      expect(error).toMatchObject({ kind: 'connection', outcomeUnknown: true });
      expect(await countRows(standin)).toBe(rows);
    });

    it('asks whether a batch would be taken without writing anything', async () => {
      const asked = database();
      await asked.probe();
      await standin.engine.query('DROP TABLE tag_data', 'BRIDGE');
      const error = await databaseErrorOf(asked.probe());
      expect(error).toMatchObject({ kind: 'configuration', code: 'ORA-00942', outcomeUnknown: false });
      expect(error.remedy).toContain('oracle.table');
      expect(standin.stats.rows).toBe(0);
    });

    it('breaks a call that takes too long', async () => {
      standin.faults.add({ on: 'execute', sql: 'INSERT', hang: true });
      const slow = databaseOn(connect({ callTimeoutMs: 200 }));
      expect(await databaseErrorOf(slow.write(valuesOf(1), undefined, rejecting))).toMatchObject({
        kind: 'passing',
        code: 'NJS-123',
        outcomeUnknown: true,
      });
      await slow.write(valuesOf(2), undefined, rejecting);
      expect((await readRows(standin)).map(({ value }) => value)).toEqual([2]);
    });
  });

  describe('Database with a ledger', () => {
    const rejecting = async (): Promise<void> => {
      throw new Error('no row should be refused');
    };
    const place = (messageNo: number, valueNo = 0): Place => ({ messageNo, valueNo });

    function database(options: Partial<ConnectionsOptions> = {}): Database {
      const ledger = new Ledger(TABLE_OPTIONS.ledgerTable, 'test-bridge', 'live/J');
      return databaseOn(connect(options), ledger);
    }

    async function makeRow({ messageNo, valueNo }: Place): Promise<void> {
      const row = `'test-bridge', 'live/J', ${messageNo}, ${valueNo}, SYSTIMESTAMP`;
      await standin.engine.query(`INSERT INTO ${TABLE_OPTIONS.ledgerTable} VALUES (${row})`, 'BRIDGE');
    }

    it('makes the missing row, and moves it with the rows in one transaction', async () => {
      const live = database();
      expect(await live.readPlace()).toEqual(ORIGIN);
      await live.write(valuesOf(1, 2), { from: ORIGIN, to: place(6, 1) }, rejecting);
      expect(await live.readPlace()).toEqual(place(6, 1));
      expect(await countRows(standin)).toBe(2);
      await live.forget();
      expect(await live.readPlace()).toEqual(ORIGIN);
    });

    it('keeps message numbers exact up to the largest safe integer', async () => {
      const live = database();
      await makeRow(place(Number.MAX_SAFE_INTEGER, 4_294_967_295));
      expect(await live.readPlace()).toEqual(place(Number.MAX_SAFE_INTEGER, 4_294_967_295));
    });

    it('commits no row when the place is not where it was left', async () => {
      const live = database();
      await makeRow(place(5));
      const error = await databaseErrorOf(live.write(valuesOf(1), { from: place(4), to: place(6) }, rejecting));
      expect(error).toMatchObject({ code: 'LEDGER_MOVED', outcomeUnknown: false });
      expect(await countRows(standin)).toBe(0);
      expect(await live.readPlace()).toEqual(place(5));
    });

    it('leaves the place at the last row that was taken, when those behind it were refused', async () => {
      const live = database();
      await makeRow(place(5));
      const values = valuesOf(1, 2, 3);
      values.qualities[2] = 'far longer than sixteen';
      values.messageNos.fill(6);
      const keep = async (): Promise<void> => {};
      const { reached } = await live.write(values, { from: place(5), to: place(6, 2) }, keep);
      expect(reached).toEqual(place(6, 1));
      expect(await live.readPlace()).toEqual(place(6, 1));
      const refused = values.slice(2, 3);
      const again = await live.write(refused, { from: place(6, 1), to: place(6, 2) }, keep);
      expect(again).toEqual({ reached: place(6, 1), alreadyThere: 0 });
      expect(await live.readPlace()).toEqual(place(6, 1));
      expect(await countRows(standin)).toBe(2);
    });

    it('moves the place only when the rows are committed', async () => {
      const live = database();
      await makeRow(place(5));
      standin.faults.add({ on: 'execute', sql: 'INSERT INTO "TAG_DATA"', error: 1653 });
      await databaseErrorOf(live.write(valuesOf(1), { from: place(5), to: place(6) }, rejecting));
      expect(await live.readPlace()).toEqual(place(5));
    });

    it.each(['commit', 'rollback'] as const)(
      'reads the place only after a cut session that holds the row has ended with a late %s',
      async (outcome) => {
        const live = database();
        await makeRow(place(5));
        standin.faults.add({ on: 'commit', sql: 'INSERT', late: { outcome, afterMs: 300 } });
        const move = { from: place(5), to: place(6) };
        expect(await databaseErrorOf(live.write(valuesOf(1), move, rejecting))).toMatchObject({ outcomeUnknown: true });
        expect(await live.readPlace()).toEqual(outcome === 'commit' ? place(6) : place(5));
        expect(await countRows(standin)).toBe(outcome === 'commit' ? 1 : 0);
      },
    );

    it('cannot be moved over a session that commits late', async () => {
      const live = database();
      await makeRow(place(5));
      standin.faults.add({ on: 'commit', sql: 'INSERT', late: { outcome: 'commit', afterMs: 300 } });
      const move = { from: place(5), to: place(6) };
      await databaseErrorOf(live.write(valuesOf(1), move, rejecting));
      expect(await databaseErrorOf(live.write(valuesOf(1), move, rejecting))).toMatchObject({ code: 'LEDGER_MOVED' });
      expect(await countRows(standin)).toBe(1);
    });

    it('waits for a lock that a dead session holds no longer than a call may take', async () => {
      const live = database({ callTimeoutMs: 200 });
      await makeRow(place(5));
      standin.faults.add({ on: 'commit', sql: 'INSERT', late: { outcome: 'rollback', afterMs: 600_000 } });
      const move = { from: place(5), to: place(6) };
      await databaseErrorOf(live.write(valuesOf(1), move, rejecting));
      const stuck = { kind: 'passing', code: 'NJS-123', outcomeUnknown: false };
      expect(await databaseErrorOf(live.readPlace())).toMatchObject(stuck);
      expect(await databaseErrorOf(live.write(valuesOf(1), move, rejecting))).toMatchObject(stuck);
    });

    it('asks for the ledger table too when it probes', async () => {
      const live = database();
      await live.probe();
      await standin.engine.query('DROP TABLE mqtt_bridge_ledger', 'BRIDGE');
      expect(await databaseErrorOf(live.probe())).toMatchObject({ kind: 'configuration', code: 'ORA-00942' });
    });
  });
});
