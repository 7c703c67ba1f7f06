/** Sessions and their transactions: what is rolled back, what waits, and what a time-out leaves. */
import type oracledb from 'oracledb';

import type { Place } from './place.ts';
import { Differs, errorOf, NotTried, type Point, same } from './point.ts';

const SHORT_TIMEOUT_MS = 1_500;
const NOTICED_WITHIN_MS = 20_000;
const CONCEPTS = 'Oracle Database Concepts';

/** A table with row 1, and two sessions. */
async function scene(place: Place): Promise<{ table: string; one: oracledb.Connection; two: oracledb.Connection }> {
  const table = await place.table('id NUMBER PRIMARY KEY, n NUMBER');
  const one = await place.connect();
  await one.execute(`INSERT INTO ${table} VALUES (1, 0)`, [], { autoCommit: true });
  return { table, one, two: await place.connect() };
}

/** A call that waits for a lock: it must not have ended after a while, and ends when `release` has run. */
async function afterWaiting<T>(call: Promise<T>, release: () => Promise<unknown>): Promise<T> {
  const first = await Promise.race([call.then(() => 'ended', () => 'ended'), pause(500)]); // prettier-ignore
  if (first === 'ended') throw new Differs('it does not wait');
  await release();
  return call;
}

function pause(ms: number): Promise<string> {
  return new Promise((resolve) => setTimeout(() => resolve('still waiting'), ms));
}

/** Logs off, rows uncommitted and an error answered last, and looks what became of the rows. */
async function logOffAfterError(place: Place, fail: (table: string, one: oracledb.Connection) => Promise<unknown>) {
  const { table, one, two } = await scene(place);
  await two.execute(`UPDATE ${table} SET n = 5 WHERE id = 1`);
  await one.execute(`INSERT INTO ${table} VALUES (2, 2)`);
  await fail(table, one);
  await one.close();
  await two.rollback();
  const found = await place.count(table);
  if (found === 2) throw new Differs('the logoff has committed: no open transaction was told with the error');
  return same(found, 1);
}

export const TRANSACTION_POINTS: readonly Point[] = [
  {
    id: 'error-tells-transaction',
    belief:
      "an error's answer says that a transaction is open: the driver rolls back before its logoff, which would commit",
    how: 'INSERT; SELECT * FROM a table that is not there; connection.close(); SELECT in another session: nothing',
    run: (place) =>
      logOffAfterError(place, (_table, one) => errorOf(one.execute('SELECT * FROM confirm_absent'), 'ORA-')),
  },
  {
    id: 'break-tells-transaction',
    belief: 'so does the answer to a broken call (ORA-01013)',
    how: 'INSERT; an UPDATE that waits until its call time-out; connection.close(); SELECT in another session: nothing',
    run: (place) =>
      logOffAfterError(place, async (table, one) => {
        one.callTimeout = SHORT_TIMEOUT_MS;
        await errorOf(one.execute(`UPDATE ${table} SET n = 1 WHERE id = 1`), 'NJS-123');
      }),
  },
  {
    id: 'lost-connection-rolls-back',
    belief: 'a connection that is cut is rolled back',
    how: 'INSERT; cut the socket; SELECT … FOR UPDATE in another session',
    source: `${CONCEPTS}, "Overview of Transactions"`,
    run: async (place) => {
      const { table, one } = await scene(place);
      await one.execute(`UPDATE ${table} SET n = 9 WHERE id = 1`);
      const cut = (one as unknown as { _impl?: { nscon?: { forceDisconnect?: () => void } } })._impl?.nscon;
      if (cut?.forceDisconnect === undefined) throw new NotTried('this driver has no way to cut its connection');
      cut.forceDisconnect();
      const other = await place.connect();
      other.callTimeout = NOTICED_WITHIN_MS;
      const { rows } = await other.execute(`SELECT n FROM ${table} WHERE id = 1 FOR UPDATE`);
      return same(rows, [[0]]);
    },
  },
  {
    id: 'time-out-leaves-usable',
    belief: 'a call that waited too long is broken; the session goes on, and keeps what it had done before',
    how: 'INSERT; an UPDATE that waits until its call time-out (NJS-123, ORA-01013); SELECT; COMMIT',
    source: 'seerdb, its page on the protocol (tried on 10g to 23ai)',
    run: async (place) => {
      const { table, one, two } = await scene(place);
      await two.execute(`UPDATE ${table} SET n = 5 WHERE id = 1`);
      await one.execute(`INSERT INTO ${table} VALUES (2, 2)`);
      one.callTimeout = SHORT_TIMEOUT_MS;
      await errorOf(one.execute(`UPDATE ${table} SET n = 1 WHERE id = 1`), 'NJS-123');
      one.callTimeout = NOTICED_WITHIN_MS;
      await one.commit();
      return same(await place.count(table), 2);
    },
  },
  {
    id: 'for-update-waits',
    belief: 'SELECT … FOR UPDATE waits for the session that holds the row, and then sees what that has committed',
    how: 'UPDATE in one session; SELECT … FOR UPDATE in another; COMMIT in the first',
    source: `${CONCEPTS}, "Locking Mechanisms"`,
    run: async (place) => {
      const { table, one, two } = await scene(place);
      await one.execute(`UPDATE ${table} SET n = 5 WHERE id = 1`);
      const reading = two.execute(`SELECT n FROM ${table} WHERE id = 1 FOR UPDATE`);
      return same((await afterWaiting(reading, () => one.commit())).rows, [[5]]);
    },
  },
  {
    id: 'compare-and-set',
    belief: 'an UPDATE that waited reads its WHERE again: a compare-and-set sees what was committed meanwhile',
    how: 'two sessions: UPDATE t SET n = 1 WHERE id = 1 AND n = 0; COMMIT in the first: the second changes 0 rows',
    source: `${CONCEPTS}, "Data Concurrency and Consistency", restart of a statement`,
    run: async (place) => {
      const { table, one, two } = await scene(place);
      const move = `UPDATE ${table} SET n = n + 1 WHERE id = 1 AND n = 0`;
      await one.execute(move);
      const moving = two.execute(move);
      return same((await afterWaiting(moving, () => one.commit())).rowsAffected, 0);
    },
  },
  {
    id: 'key-waits-commit',
    belief: 'a key that another session has inserted makes a second INSERT wait; its commit gives ORA-00001',
    how: 'INSERT the same key in two sessions; COMMIT in the first',
    source: 'public reports; Oracle Database Concepts on unique indexes',
    run: async (place) => {
      const { table, one, two } = await scene(place);
      await one.execute(`INSERT INTO ${table} VALUES (7, 1)`);
      const inserting = errorOf(two.execute(`INSERT INTO ${table} VALUES (7, 2)`), 'ORA-00001');
      return afterWaiting(inserting, () => one.commit());
    },
  },
  {
    id: 'key-waits-rollback',
    belief: 'and its rollback lets the second pass',
    how: 'INSERT the same key in two sessions; ROLLBACK in the first',
    source: 'public reports; Oracle Database Concepts on unique indexes',
    run: async (place) => {
      const { table, one, two } = await scene(place);
      await one.execute(`INSERT INTO ${table} VALUES (7, 1)`);
      const inserting = two.execute(`INSERT INTO ${table} VALUES (7, 2)`);
      return same((await afterWaiting(inserting, () => one.rollback())).rowsAffected, 1);
    },
  },
  {
    id: 'parse-only',
    belief: 'getStatementInfo asks for the table and the rights, with unbound placeholders, and executes nothing',
    how: 'getStatementInfo("INSERT INTO t (id) VALUES (:1)"), and of a table that is not there: ORA-00942',
    source: 'node-oracledb, its tests of getStmtInfo; python-oracledb test_4367',
    run: async (place) => {
      const { table, one } = await scene(place);
      await one.getStatementInfo(`INSERT INTO ${table} (id) VALUES (:1)`);
      await one.getStatementInfo(`UPDATE ${table} SET n = :1 WHERE id = :2`);
      await one.getStatementInfo(`SELECT n FROM ${table} WHERE id = :1 FOR UPDATE`);
      const text = await errorOf(one.getStatementInfo('INSERT INTO confirm_absent (id) VALUES (:1)'), 'ORA-00942');
      same(await place.count(table), 1);
      return text;
    },
  },
  {
    id: 'killed-session',
    belief: 'a session that a DBA kills hears ORA-00028 at its next call, and its open transaction is rolled back',
    how: "ALTER SYSTEM KILL SESSION 'sid,serial#'; then any call of it",
    source: 'recordings of 23.26 in fclairamb/dbbat (the answer); Oracle Database Administrator’s Guide (the rollback)',
    needs: 'ALTER SYSTEM, and SELECT on V_$SESSION',
    run: async (place) => {
      const { table, one, two } = await scene(place);
      const [sid] = (await one.execute<unknown[]>("SELECT SYS_CONTEXT('USERENV', 'SID') FROM dual")).rows?.[0] ?? [];
      const session = await two.execute<unknown[]>('SELECT sid, serial# FROM v$session WHERE sid = :1', [String(sid)]);
      await one.execute(`UPDATE ${table} SET n = 9 WHERE id = 1`);
      await two.execute(`ALTER SYSTEM KILL SESSION '${session.rows?.[0]?.join(',')}'`);
      const text = await errorOf(one.execute('SELECT 1 FROM dual'), 'ORA-00028');
      same(await place.row(`SELECT n FROM ${table}`), [0]);
      return text;
    },
  },
  {
    id: 'wrong-password',
    belief: 'a wrong password is answered with ORA-01017 at once',
    how: 'log on with another password (counts towards FAILED_LOGIN_ATTEMPTS)',
    source: 'node-oracledb, tests of connections; the bytes of the answer: no recording',
    needs: '--log-ons, as it counts towards the lock of the account',
    run: (place) => {
      if (!place.refusesLogOns) throw new NotTried('it counts towards the lock of the account: --log-ons tries it');
      return errorOf(place.connect({ password: `not it ${Date.now()}` }), 'ORA-01017');
    },
  },
];
