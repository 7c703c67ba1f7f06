import type oracledb from 'oracledb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Rig, failureOf } from '../support/standin/connect.ts';
import { until } from '../support/until.ts';

describe.each(['19c', '23ai'] as const)('transactions on a %s server', (profile) => {
  let rig: Rig;
  let a: oracledb.Connection;
  let b: oracledb.Connection;
  beforeEach(async () => {
    rig = await Rig.start({ profile });
    a = await rig.connect();
    b = await rig.connect();
    await a.execute('CREATE TABLE t (id NUMBER PRIMARY KEY, n NUMBER)');
  });
  afterEach(() => rig.end());

  async function seen(connection: oracledb.Connection): Promise<unknown[]> {
    const { rows } = await connection.execute<[number]>('SELECT id FROM t ORDER BY id');
    return rows!.map(([id]) => id);
  }

  it('are seen by others after commit, and never after rollback', async () => {
    await a.execute('INSERT INTO t VALUES (1, 0)');
    expect([await seen(a), await seen(b)]).toEqual([[1], []]);
    await a.commit();
    expect(await seen(b)).toEqual([1]);
    await a.execute('INSERT INTO t VALUES (2, 0)');
    await a.rollback();
    expect([await seen(a), await seen(b)]).toEqual([[1], [1]]);
    expect(rig.standin.stats.commits).toBe(1);
  });

  it('are rolled back when the connection is lost', async () => {
    await a.execute('INSERT INTO t VALUES (1, 0)');
    rig.standin.kill();
    await until('the connections to be gone', () => rig.standin.stats.connections === 0);
    expect(await rig.count('t')).toBe(0);
    await expect(a.ping()).rejects.toThrow('NJS-500');
  });

  it('are rolled back when the client closes in their middle', async () => {
    await a.execute('INSERT INTO t VALUES (1, 0)');
    await a.close();
    expect(await seen(b)).toEqual([]);
  });

  it('wait for a key that another one has inserted, and fail when that one commits', async () => {
    await a.execute('INSERT INTO t VALUES (1, 0)');
    const second = b.execute('INSERT INTO t VALUES (1, 1)');
    const outcome = failureOf(second);
    await until('the second insert to have arrived', () => rig.standin.stats.calls === 3);
    await a.commit();
    expect(await outcome).toMatchObject({ errorNum: 1 });
    expect(await seen(b)).toEqual([1]);
  });

  it('go on with the key when the other one rolls back or is lost', async () => {
    for (const end of [() => a.rollback(), () => a.close()]) {
      await a.execute('INSERT INTO t VALUES (1, 0)');
      const calls = rig.standin.stats.calls;
      const second = b.execute('INSERT INTO t VALUES (1, 1)');
      await until('the second insert to have arrived', () => rig.standin.stats.calls > calls);
      await end();
      expect((await second).rowsAffected).toBe(1);
      await b.rollback();
    }
  });

  it('can be broken off while they wait, by a call timeout, and stay usable', async () => {
    await a.execute('INSERT INTO t VALUES (1, 0)');
    b.callTimeout = 100;
    await expect(b.execute('INSERT INTO t VALUES (1, 1)')).rejects.toThrow('NJS-123');
    expect(await seen(b)).toEqual([]);
    await b.execute('INSERT INTO t VALUES (2, 1)', [], { autoCommit: true });
    await a.commit();
    expect(await seen(b)).toEqual([1, 2]);
  });

  it('can be broken off by a break from the program', async () => {
    await a.execute('INSERT INTO t VALUES (1, 0)');
    const calls = rig.standin.stats.calls;
    const waiting = b.execute('INSERT INTO t VALUES (1, 1)');
    const outcome = failureOf(waiting);
    await until('the insert to have arrived', () => rig.standin.stats.calls > calls);
    await b.break();
    expect(await outcome).toMatchObject({ errorNum: 1013 });
    await b.ping();
  });

  it('take the rows of a request all or not at all, when a call timeout breaks it off in its middle', async () => {
    await a.execute('CREATE TABLE big (id NUMBER)');
    const rows = Array.from({ length: 20_000 }, (_, id) => [id]);
    let broken = 0;
    for (const callTimeout of [1, 3, 5, 8, 12, 20]) {
      a.callTimeout = callTimeout;
      const error = await failureOf(a.executeMany('INSERT INTO big VALUES (:1)', rows));
      expect(error?.message ?? 'done').toMatch(/done|NJS-123|ORA-01013/);
      if (error !== undefined) broken++;
      a.callTimeout = 0;
      await failureOf(a.ping());
      const { rows: counted } = await a.execute<[number]>('SELECT COUNT(*) FROM big');
      expect([0, 20_000]).toContain(counted![0]![0]);
      await a.rollback();
    }
    expect(broken).toBeGreaterThan(0);
  });
});
