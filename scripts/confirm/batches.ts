/** Arrays of rows: what is applied, what is refused, and what is committed. */
import oracledb from 'oracledb';

import type { Place } from './place.ts';
import { type Point, same } from './point.ts';

const KEYED = 'id NUMBER(4) PRIMARY KEY, name VARCHAR2(5) NOT NULL';
const NODE_BATCHES = 'node-oracledb documentation, "Batch Statement Execution", "Handling Data Errors"';
const OPTIONS = {
  batchErrors: true,
  bindDefs: [{ type: oracledb.NUMBER }, { type: oracledb.STRING, maxSize: 40 }],
};

const TEXT_FIRST = { ...OPTIONS, bindDefs: OPTIONS.bindDefs.toReversed() };

type Rows = [number, string | null][];

async function insert(
  place: Place,
  rows: Rows,
  more: oracledb.ExecuteManyOptions = {},
): Promise<{ table: string; connection: oracledb.Connection; result: oracledb.Results<unknown> }> {
  const table = await place.table(KEYED);
  const connection = await place.connect();
  const result = await connection.executeMany(`INSERT INTO ${table} VALUES (:1, :2)`, rows, {
    ...OPTIONS,
    ...more,
  });
  return { table, connection, result };
}

function offsetsOf(result: oracledb.Results<unknown>): [number, string][] {
  return (result.batchErrors ?? []).map((error) => [Number(error.offset), error.message.slice(0, 9)]);
}

const INSERT = 'executeMany("INSERT INTO t VALUES (:1, :2)", rows, { batchErrors: true';

export const BATCH_POINTS: readonly Point[] = [
  {
    id: 'bad-rows-alone',
    belief: 'with batch errors the rows before and behind a bad one are applied; offsets count from 0',
    how: `${INSERT} }) with a key twice; SELECT`,
    source: 'python-oracledb, its tests test_3200_features_12_1.py (test_3222); oracle-nio, BatchExecutionTests',
    run: async (place) => {
      const rows: Rows = [[1, 'a'], [1, 'b'], [2, 'c']]; // prettier-ignore
      const { table, connection, result } = await insert(place, rows);
      same(offsetsOf(result), [[1, 'ORA-00001']]);
      await connection.commit();
      return same(await place.row(`SELECT COUNT(*), MAX(id) FROM ${table}`), [2, 2]);
    },
  },
  {
    id: 'bad-row-counts-zero',
    belief: 'a refused row counts 0 in rowsAffected and in the counts of the rows',
    how: `${INSERT}, dmlRowCounts: true })`,
    source: 'node-oracledb, its tests of executeMany, 163.7',
    run: async (place) => {
      const rows: Rows = [[1, 'a'], [1, 'b'], [2, 'c']]; // prettier-ignore
      const { result } = await insert(place, rows, { dmlRowCounts: true });
      return same([result.rowsAffected, result.dmlRowCounts], [2, [1, 0, 1]]);
    },
  },
  {
    id: 'bad-row-stops-commit',
    belief: 'batch errors and autoCommit together commit nothing while a row is bad',
    how: `${INSERT}, autoCommit: true }) with a key twice; SELECT in another session`,
    source: `${NODE_BATCHES}; no driver's suite asserts it`,
    run: async (place) => {
      const rows: Rows = [[1, 'a'], [1, 'b']]; // prettier-ignore
      const { table, connection } = await insert(place, rows, { autoCommit: true });
      same(await place.count(table), 0);
      await connection.commit();
      return same(await place.count(table), 1);
    },
  },
  {
    id: 'good-batch-commits',
    belief: 'and commit when none is; batchErrors is absent then',
    how: `${INSERT}, autoCommit: true }); SELECT in another session`,
    source: NODE_BATCHES,
    run: async (place) => {
      const rows: Rows = [[1, 'a'], [2, 'b']]; // prettier-ignore
      const { table, result } = await insert(place, rows, { autoCommit: true });
      same(result.batchErrors === undefined, true);
      return same(await place.count(table), 2);
    },
  },
  {
    id: 'two-calls-one-transaction',
    belief: 'an UPDATE and an array with autoCommit after it are one transaction, committed by the second',
    how: 'execute("UPDATE …"), then executeMany(…, { autoCommit: true }); SELECT in another session after each',
    source: 'node-oracledb documentation, "Managing Transactions"; python-oracledb test_1104, test_1128',
    run: async (place) => {
      const { table } = await insert(place, [[1, 'a']], { autoCommit: true });
      const connection = await place.connect();
      await connection.execute(`UPDATE ${table} SET name = 'moved' WHERE id = 1`);
      same(await place.row(`SELECT name FROM ${table}`), ['a']);
      await connection.executeMany(`INSERT INTO ${table} VALUES (:1, :2)`, [[2, 'b']], {
        ...OPTIONS,
        autoCommit: true,
      });
      return same(await place.row(`SELECT COUNT(*), MAX(name) FROM ${table}`), [2, 'moved']);
    },
  },
  {
    id: 'values-before-keys',
    belief: 'the errors of a batch are not sorted by row: values that are too long, too large or NULL come before keys',
    how: `${INSERT} }) with keys twice at 1 and 5, a NULL at 2, a text too long at 3, a number too large at 4`,
    run: async (place) => {
      const rows: Rows = [[1, 'a'], [1, 'b'], [3, null], [4, 'too long'], [99_999, 'e'], [1, 'f']]; // prettier-ignore
      const { result } = await insert(place, rows);
      return same(
        offsetsOf(result).map(([offset]) => offset),
        [2, 3, 4, 1, 5],
      );
    },
  },
  {
    id: 'many-bad-rows',
    belief:
      'three hundred and three thousand batch errors are read by the driver (codes and offsets come in chunks then)',
    how: `${INSERT} }) with 3,000 times one key`,
    run: async (place) => {
      for (const count of [60, 300, 3000]) {
        const rows: Rows = Array.from({ length: count + 1 }, (): [number, string] => [1, 'a']);
        const { result } = await insert(place, rows);
        const offsets = offsetsOf(result).map(([offset]) => offset);
        same([offsets.length, offsets[0], offsets.at(-1)], [count, 1, count]);
      }
      return '60, 300 and 3,000 read';
    },
  },
  {
    id: 'array-stops',
    belief: 'without batch errors an array stops at the first bad row, and those before it stay in the transaction',
    how: 'executeMany("INSERT INTO t VALUES (:1, :2)", rows, { autoCommit: true }) with a key twice; COMMIT; SELECT',
    source: 'python-oracledb and oracle-nio, tests of arrays with ORA-12899',
    run: async (place) => {
      const table = await place.table(KEYED);
      const connection = await place.connect();
      const rows = [[1, 'a'], [1, 'b'], [2, 'c']]; // prettier-ignore
      await connection
        .executeMany(`INSERT INTO ${table} VALUES (:1, :2)`, rows, { ...OPTIONS, batchErrors: false, autoCommit: true })
        .catch(() => undefined);
      same(await place.count(table), 0);
      await connection.commit();
      return same(await place.count(table), 1);
    },
  },
  {
    id: 'bad-row-leaves-nothing',
    belief: 'a refused row of an UPDATE leaves no trace',
    how: 'executeMany("UPDATE t SET name = :1 WHERE id = :2", rows, { batchErrors: true }) with a text too long',
    source: 'Oracle Database Concepts, "Statement-Level Atomicity"; python-oracledb test_3224',
    run: async (place) => {
      const { table, connection } = await insert(place, [[1, 'a'], [2, 'b']]); // prettier-ignore
      const update = `UPDATE ${table} SET name = :1 WHERE id = :2`;
      const result = await connection.executeMany(update, [['too long', 1], ['c', 2]], TEXT_FIRST); // prettier-ignore
      same(offsetsOf(result), [[0, 'ORA-12899']]);
      await connection.commit();
      return same(await place.row(`SELECT MIN(name), MAX(name) FROM ${table}`), ['a', 'c']);
    },
  },
];
