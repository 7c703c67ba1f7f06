import oracledb from 'oracledb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Rig } from '../support/standin/connect.ts';

const insert = 'INSERT INTO t VALUES (:1, :2)';

describe.each(['19c', '23ai'] as const)('arrays of binds on a %s server', (profile) => {
  let rig: Rig;
  let connection: oracledb.Connection;
  beforeEach(async () => {
    rig = await Rig.start({ profile });
    connection = await rig.connect();
    await connection.execute('CREATE TABLE t (id NUMBER(4) PRIMARY KEY, name VARCHAR2(5) NOT NULL)');
  });
  afterEach(() => rig.end());

  function ids(...values: number[]): [number, string][] {
    return values.map((value) => [value, `n${value % 1000}`]);
  }

  it('commit with autoCommit, and only then', async () => {
    await connection.executeMany(insert, ids(1, 2, 3));
    expect(await rig.count('t')).toBe(0);
    await connection.executeMany(insert, ids(4, 5), { autoCommit: true });
    expect(await rig.count('t')).toBe(5);
    expect(rig.standin.stats.rows).toBe(5);
  });

  it('with batchErrors keep the good rows and report the bad ones, value errors before key errors', async () => {
    const rows = [...ids(1, 2, 1), [4, null], ...ids(5, 99_999), [7, 'too long']];
    const result = await connection.executeMany(insert, rows as [number, string][], { batchErrors: true });
    expect(result.rowsAffected).toBe(3);
    const errors = result.batchErrors!.map((error) => [error.offset, /^ORA-\d+/.exec(error.message)?.[0]]);
    expect(errors).toHaveLength(4);
    expect(errors.toSorted((a, b) => Number(a[0]) - Number(b[0]))).toEqual([
      [2, 'ORA-00001'],
      [3, 'ORA-01400'],
      [5, 'ORA-01438'],
      [6, 'ORA-12899'],
    ]);
    expect(errors.at(-1)).toEqual([2, 'ORA-00001']);
    await connection.commit();
    expect((await rig.sql('SELECT id FROM t ORDER BY id')).map((row) => row['ID'])).toEqual([1, 2, 5]);
  });

  it('with batchErrors and autoCommit commit nothing while a row is bad', async () => {
    await connection.executeMany(insert, ids(1, 1), { batchErrors: true, autoCommit: true });
    expect(await rig.count('t')).toBe(0);
    await connection.commit();
    expect(await rig.count('t')).toBe(1);
    const result = await connection.executeMany(insert, ids(2, 3), { batchErrors: true, autoCommit: true });
    expect(result.batchErrors).toBeUndefined();
    expect(await rig.count('t')).toBe(3);
  });

  it('report thousands of bad rows', async () => {
    const rows = Array.from({ length: 3000 }, (_, i): [number, string] => [i < 2 ? i : 1, 'x']);
    const result = await connection.executeMany(insert, rows, { batchErrors: true, dmlRowCounts: true });
    expect(result.batchErrors).toHaveLength(2998);
    expect(result.batchErrors!.map((error) => error.offset)).toEqual(Array.from({ length: 2998 }, (_, i) => i + 2));
    await connection.ping();
  });

  it('without batchErrors stop at the first bad row and keep those before it in the transaction', async () => {
    await expect(connection.executeMany(insert, ids(1, 2, 2, 4), { autoCommit: true })).rejects.toMatchObject({
      errorNum: 1,
    });
    expect(await rig.count('t')).toBe(0);
    await connection.commit();
    expect((await rig.sql('SELECT id FROM t ORDER BY id')).map((row) => row['ID'])).toEqual([1, 2]);
  });

  it('count the rows of each iteration', async () => {
    const options = { dmlRowCounts: true };
    const inserted = await connection.executeMany(insert, ids(1, 2, 3), options);
    expect(inserted.dmlRowCounts).toEqual([1, 1, 1]);
    const update = "UPDATE t SET name = 'u' WHERE id <= :1";
    for (const expected of [
      [1, 3, 0],
      [1, 3, 0],
    ]) {
      const updated = await connection.executeMany(update, [[1], [3], [0]], options);
      expect(updated).toMatchObject({ dmlRowCounts: expected, rowsAffected: 4 });
    }
  });

  it('survive an error: the connection and the statement stay usable', async () => {
    for (let i = 0; i < 3; i++) {
      await expect(connection.executeMany(insert, ids(1, 1))).rejects.toMatchObject({ errorNum: 1 });
      await connection.rollback();
      await expect(connection.execute('SELECT * FROM nowhere')).rejects.toMatchObject({ errorNum: 942 });
      await expect(connection.execute('SELEKT 1')).rejects.toMatchObject({ errorNum: 900 });
      await connection.executeMany(insert, ids(10 + i), { autoCommit: true });
    }
    expect(await rig.count('t')).toBe(3);
  });

  it('take 20,000 rows in one call, and named binds', async () => {
    await connection.execute('CREATE TABLE big (a NUMBER, b VARCHAR2(20))');
    const rows = Array.from({ length: 20_000 }, (_, a) => ({ a, b: `name ${a}` }));
    const result = await connection.executeMany('INSERT INTO big VALUES (:a, :b)', rows, { autoCommit: true });
    expect(result.rowsAffected).toBe(20_000);
    expect(await rig.sql('SELECT COUNT(*) AS n, MIN(a) AS lo, MAX(a) AS hi FROM big')).toEqual([
      { N: 20_000, LO: 0, HI: 19_999 },
    ]);
  });

  it('run a PL/SQL block with IN binds', async () => {
    const block = "BEGIN INSERT INTO t VALUES (:id, :name); UPDATE t SET name = 'p' WHERE id = :id; END;";
    for (const id of [1, 2]) await connection.execute(block, { id, name: 'x' });
    await connection.commit();
    expect(await rig.sql('SELECT id, name FROM t ORDER BY id')).toEqual([
      { ID: 1, NAME: 'p' },
      { ID: 2, NAME: 'p' },
    ]);
  });
});

describe('a stand-in that only counts', () => {
  it('counts arrays of INSERTs and still carries out single statements', async () => {
    const rig = await Rig.start({ countOnly: true });
    const connection = await rig.connect();
    await connection.execute('CREATE TABLE t (id NUMBER, name VARCHAR2(5))');
    for (let i = 0; i < 3; i++) {
      const rows = Array.from({ length: 100 }, (_, id) => [id, null]);
      const bindDefs = [{ type: oracledb.NUMBER }, { type: oracledb.STRING, maxSize: 5 }];
      const result = await connection.executeMany(insert, rows, { autoCommit: true, bindDefs });
      expect(result.rowsAffected).toBe(100);
    }
    await connection.execute(insert, [1, 'one'], { autoCommit: true });
    expect([rig.standin.stats.rows, await rig.count('t')]).toEqual([301, 1]);
    await rig.end();
  });
});
