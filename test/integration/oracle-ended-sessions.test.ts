import { describe, expect, it, onTestFinished } from 'vitest';

import { ORIGIN, type Place } from '../../src/core/place.ts';
import type { TagValues } from '../../src/core/tag-values.ts';
import { Sessions } from '../../src/oracle/sessions.ts';
import { LedgerStream } from '../../src/stream/ledger-stream.ts';
import { systemClock } from '../../src/core/clock.ts';
import { RecordingLogger } from '../support/recording-logger.ts';
import { connectionsTo } from '../support/oracle-connections.ts';
import type { FaultRule } from '../support/standin/faults.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';
import { createTables, readRows, SESSIONS_OPTIONS } from '../support/tag-table.ts';
import { valuesOf } from '../support/values.ts';

/*
 * How a server ends a session or a call under the bridge, and what becomes of the open transaction then, as documented:
 * [SQL] Oracle Database SQL Language Reference, ALTER SYSTEM and CREATE PROFILE; [Adm] Administrator's Guide, "Shutting
 * Down a Database" and "Managing Resources with Oracle Database Resource Manager"; [Con] Concepts, "Transactions".
 * Whichever point it strikes at, each value is in the table once, and the ledger behind it.
 */

interface Ending {
  readonly what: string;
  readonly rule: Omit<FaultRule, 'on' | 'sql'>;
  /** At which calls it can strike so. */
  readonly at: readonly Point[];
}

type Point = 'the move of the ledger' | 'the rows' | 'the commit with the rows' | 'the reading of the ledger';

const POINTS: Readonly<Record<Point, Pick<FaultRule, 'on' | 'sql'>>> = {
  'the move of the ledger': { on: 'execute', sql: 'UPDATE "MQTT_BRIDGE_LEDGER"' },
  'the rows': { on: 'execute', sql: 'INSERT INTO "TAG_DATA"' },
  'the commit with the rows': { on: 'commit', sql: 'INSERT INTO "TAG_DATA"' },
  'the reading of the ledger': { on: 'execute', sql: /SELECT .* FOR UPDATE/ },
};

const ANYWHERE: readonly Point[] = [
  'the move of the ledger',
  'the rows',
  'the commit with the rows',
  'the reading of the ledger',
];
const DONE: readonly Point[] = ['the commit with the rows'];
const rolledBack = (error: number): Ending['rule'] => ({ error, ends: 'rollback' });
/** The work was done to its end; what the server had to say for it was the end of the session. */
const committed = (error: number): Ending['rule'] => ({ error, ends: 'commit', when: 'after' });

const ENDINGS: readonly Ending[] = [
  // Rolls back ongoing transactions, releases all locks [SQL, KILL SESSION].
  { what: 'ALTER SYSTEM KILL SESSION', rule: rolledBack(28), at: ANYWHERE },
  { what: 'ALTER SYSTEM KILL SESSION, marked only', rule: rolledBack(31), at: ANYWHERE },
  // Recovers the entire session state at once [SQL, DISCONNECT SESSION … IMMEDIATE].
  { what: 'DISCONNECT SESSION … IMMEDIATE', rule: { reset: 'before' }, at: ANYWHERE },
  // Lets ongoing transactions complete before the session is disconnected [SQL, DISCONNECT SESSION … POST_TRANSACTION].
  { what: 'DISCONNECT SESSION … POST_TRANSACTION, after its commit', rule: { reset: 'after' }, at: DONE },
  { what: 'DISCONNECT SESSION … POST_TRANSACTION, said for the commit', rule: committed(28), at: DONE },
  // The current transaction is rolled back [SQL, CREATE PROFILE].
  { what: 'IDLE_TIME of the profile', rule: rolledBack(2396), at: ANYWHERE },
  { what: 'CONNECT_TIME of the profile', rule: rolledBack(2399), at: ANYWHERE },
  { what: 'CPU_PER_SESSION of the profile', rule: rolledBack(2392), at: ANYWHERE },
  { what: 'LOGICAL_READS_PER_SESSION of the profile', rule: rolledBack(2394), at: ANYWHERE },
  // Aborts the statement alone [SQL, CREATE PROFILE].
  { what: 'CPU_PER_CALL of the profile', rule: { error: 2393 }, at: ANYWHERE },
  // No new transactions; those that are active complete [Adm, Shutting Down with the Transactional Mode].
  { what: 'SHUTDOWN TRANSACTIONAL, before the transaction', rule: rolledBack(1089), at: ['the move of the ledger'] },
  { what: 'SHUTDOWN TRANSACTIONAL, after it', rule: committed(1092), at: DONE },
  // Active transactions are rolled back [Adm, Shutting Down with the Immediate Mode].
  { what: 'SHUTDOWN IMMEDIATE', rule: rolledBack(1089), at: ANYWHERE },
  { what: 'SHUTDOWN ABORT', rule: rolledBack(1092), at: ANYWHERE },
  { what: 'SHUTDOWN ABORT, just after the commit', rule: committed(3113), at: DONE },
  // CANCEL_SQL ends the call, KILL_SESSION the session [Adm, Resource Manager].
  { what: 'resource manager: CANCEL_SQL', rule: { error: 40 }, at: ANYWHERE },
  { what: 'resource manager: KILL_SESSION', rule: rolledBack(41), at: ANYWHERE },
  { what: 'resource manager: MAX_EST_EXEC_TIME', rule: { error: 7455 }, at: ANYWHERE },
  { what: 'resource manager: I/O limit of the call', rule: { error: 56_720 }, at: ANYWHERE },
  { what: 'resource manager: I/O limit of the session', rule: rolledBack(56_721), at: ANYWHERE },
  // Ends the statement; the transaction stays open [SQL, CANCEL SQL].
  { what: 'ALTER SYSTEM CANCEL SQL', rule: { error: 1013 }, at: ANYWHERE },
  // What arrives too late to stop the commit: nobody shows that a server does so, and nobody that it does not.
  ...[40, 1013, 2393, 56_720].map((error): Ending => ({
    what: `ORA-${error}, which breaks a call, just after the commit`,
    rule: { error, when: 'after' },
    at: DONE,
  })),
  ...[28, 41, 2392, 2396, 2399, 56_721].map((error): Ending => ({
    what: `ORA-${error}, which ends a session, just after the commit`,
    rule: committed(error),
    at: DONE,
  })),
];

const CASES = ENDINGS.flatMap(({ at, rule, what }) =>
  at.map((point): [string, Point, FaultRule] => [what, point, { ...POINTS[point], ...rule }]),
);

const FIRST: Place = { messageNo: 1, valueNo: 2 };
const MAX_TRIES = 5;

/** A stream as the writer has it, that gives a batch again until it is settled. */
function streamTo(standin: Standin): { readonly write: (values: TagValues) => Promise<number> } {
  const connections = connectionsTo(standin, { callTimeoutMs: 2000 });
  onTestFinished(() => connections.stop());
  const session = new Sessions(connections, { ...SESSIONS_OPTIONS, bridgeId: 'b' }).live('journal00001');
  let settled = 0;
  const stream = new LedgerStream({
    session,
    lastKnown: ORIGIN,
    resumeAfter: ORIGIN,
    recoveredThrough: ORIGIN,
    countsEarlierRuns: false,
    mayComeAgain: false,
    onRead: () => Promise.resolve(),
    onAhead: () => {},
    checkRows: () => [],
    reject: () => Promise.reject(new Error('no row is to blame')),
    beforeSending: () => Promise.resolve(),
    onSettled: (_as, count) => void (settled += count),
    onCommitted: () => {},
    onFailed: () => {},
    clock: systemClock,
    log: new RecordingLogger(),
  });
  const write = async (values: TagValues): Promise<number> => {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      if ((await stream.write(values, new AbortController().signal)) === 'settled') return settled;
    }
    throw new Error('the batch was never settled');
  };
  return { write };
}

describe.each([true, false])('with call statuses that hide an open transaction: %s', (hidesTransactions) => {
  it.each(CASES)('%s at %s loses and doubles nothing', async (_what, _point, rule) => {
    const standin = await startStandin({ hidesTransactions });
    onTestFinished(() => standin.stop());
    await createTables(standin);
    const { write } = streamTo(standin);
    const ill = standin.faults.add(rule);
    const values = valuesOf(1, 2, 3);
    values.stamp(FIRST.messageNo, 0);
    await write(values);
    expect(ill.hits).toBe(1);
    const more = valuesOf(4, 5);
    more.stamp(2, 0);
    expect(await write(more)).toBe(5);
    const rows = await readRows(standin);
    expect(rows.map(({ value }) => Number(value)).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5]);
    const [ledger] = await standin.engine.query('SELECT message_no, value_no FROM mqtt_bridge_ledger', 'BRIDGE');
    expect(ledger).toEqual({ MESSAGE_NO: 2, VALUE_NO: 1 });
  });
});
