/**
 * Whose fault an error is: what comes with single rows and what for the whole statement. The bridge takes both, so that
 * these points only tell which road it goes.
 */
import oracledb from 'oracledb';

import type { Place } from './place.ts';
import { Differs, firstLine, type Point, same } from './point.ts';

/** Two rows into a table that refuses both for one reason: `row` when each has its own error, `statement` otherwise. */
async function roadOf(
  place: Place,
  table: string,
  code: string,
  type: oracledb.DbType = oracledb.DB_TYPE_NUMBER,
): Promise<string> {
  const connection = await place.connect();
  const options = { batchErrors: true, bindDefs: [{ type }] };
  try {
    const { batchErrors = [] } = await connection.executeMany(
      `INSERT INTO ${table} (c) VALUES (:1)`,
      [[1], [2]],
      options,
    );
    if (batchErrors.length === 0) throw new Differs('both rows are taken');
    same(batchErrors.map((error) => error.message.slice(0, 9)), [code, code]); // prettier-ignore
    return 'row';
  } catch (error) {
    const { message } = error as Error;
    if (!message.startsWith(code)) throw error;
    return `statement: ${firstLine(message)}`;
  }
}

async function believed(road: 'row' | 'statement', seen: Promise<string>): Promise<string> {
  const text = await seen;
  if (!text.startsWith(road)) throw new Differs(`by ${text} rather than by ${road}`);
  return `by ${text}`;
}

export const FAULT_POINTS: readonly Point[] = [
  {
    id: 'other-type',
    belief: 'a bind of a type that the column does not take (ORA-00932) is refused for the whole statement',
    how: 'executeMany("INSERT INTO t (c) VALUES (:1)", [[1], [2]], { batchErrors: true }), BINARY_DOUBLE into DATE',
    run: async (place) =>
      believed('statement', roadOf(place, await place.table('c DATE'), 'ORA-00932', oracledb.DB_TYPE_BINARY_DOUBLE)),
  },
  {
    id: 'read-only-table',
    belief: 'a table that is READ ONLY (ORA-12081) refuses the whole statement',
    how: 'ALTER TABLE t READ ONLY; the same INSERT with batch errors',
    run: async (place) => {
      const table = await place.table('c NUMBER');
      await (await place.connect()).execute(`ALTER TABLE ${table} READ ONLY`);
      return believed('statement', roadOf(place, table, 'ORA-12081'));
    },
  },
  {
    id: 'unusable-index',
    belief: 'an unusable unique index (ORA-01502) refuses the whole statement',
    how: 'CREATE UNIQUE INDEX i ON t (c); ALTER INDEX i UNUSABLE; the same INSERT with batch errors',
    run: async (place) => {
      const table = await place.table('c NUMBER');
      const connection = await place.connect();
      await connection.execute(`CREATE UNIQUE INDEX ${table}_I ON ${table} (c)`);
      await connection.execute(`ALTER INDEX ${table}_I UNUSABLE`);
      return believed('statement', roadOf(place, table, 'ORA-01502'));
    },
  },
  {
    id: 'no-partition',
    belief: 'a row for which there is no partition (ORA-14400) is refused row by row',
    how: 'CREATE TABLE t (c NUMBER) PARTITION BY RANGE (c) (PARTITION p VALUES LESS THAN (0)); the same INSERT',
    needs: 'the partitioning option',
    run: async (place) => {
      const partitions = 'PARTITION BY RANGE (c) (PARTITION p VALUES LESS THAN (0))';
      return believed('row', roadOf(place, await place.table('c NUMBER', partitions), 'ORA-14400'));
    },
  },
  {
    id: 'check-constraint',
    belief: 'a row that breaks a CHECK (ORA-02290) is refused row by row',
    how: 'CREATE TABLE t (c NUMBER CHECK (c < 0)); the same INSERT',
    source: 'Oracle Database Concepts, "Data Integrity"; node-oracledb, its tests of executeMany, 163.7 (02291, alike)',
    run: async (place) => believed('row', roadOf(place, await place.table('c NUMBER CHECK (c < 0)'), 'ORA-02290')),
  },
  {
    id: 'expiry-date',
    belief: "everybody may read when their own password expires (USER_USERS) and the dictionary's views of own tables",
    how: 'SELECT expiry_date FROM user_users; SELECT COUNT(*) FROM user_tables',
    source: 'Oracle Database Reference, USER_USERS and "Static Data Dictionary Views"',
    run: async (place) => {
      const found = await place.row('SELECT COUNT(*), COUNT(expiry_date) FROM user_users');
      return same(found[0], 1);
    },
  },
  {
    id: 'session-names',
    belief: 'module and client identifier that the driver sends are those of the session',
    how: "connection.module = 'bridge'; SELECT SYS_CONTEXT('USERENV', 'MODULE') FROM dual",
    source: 'node-oracledb documentation, "End-to-end Tracing, Mid-tier Authentication, and Auditing"',
    run: async (place) => {
      const connection = await place.connect();
      connection.module = 'confirm module';
      connection.clientId = 'confirm client';
      const sql = "SELECT SYS_CONTEXT('USERENV', 'MODULE'), SYS_CONTEXT('USERENV', 'CLIENT_IDENTIFIER') FROM dual";
      return same((await connection.execute(sql)).rows, [['confirm module', 'confirm client']]);
    },
  },
  {
    id: 'packet-size',
    belief: "the driver's wish for long packets (sdu) is taken, or cut down, never refused",
    how: 'getConnection({ sdu: 65535 }); read 3,000 rows',
    source: 'recordings of 19.22 (8,192) and 23.26 (65,536) in fclairamb/dbbat',
    run: async (place) => {
      const connection = await place.connect({ sdu: 65_535 });
      return same((await connection.execute('SELECT 1 FROM dual')).rows, [[1]]);
    },
  },
];
