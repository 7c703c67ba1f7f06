import { onTestFinished, describe, expect, it } from 'vitest';

import { ORIGIN, type Place } from '../../src/core/place.ts';
import { noStep } from '../../src/core/steps.ts';
import { Sessions } from '../../src/oracle/sessions.ts';
import { connectionsTo, databaseErrorOf } from '../support/oracle-connections.ts';
import type { FaultRule } from '../support/standin/faults.ts';
import { startStandin } from '../support/standin/standin.ts';
import { countRows, createTables, SESSIONS_OPTIONS } from '../support/tag-table.ts';
import { until } from '../support/until.ts';
import { valuesOf } from '../support/values.ts';

/*
 * A session that ends in order commits what is open in it, in Oracle and in the stand-in. So whatever ends a batch
 * after the ledger was moved and before its rows are there, the move must be rolled back: committed alone, it would
 * make the rows count as written.
 */

const CALL_TIMEOUT_MS = 300;
const TO: Place = { messageNo: 1, valueNo: 2 };
const ON_ROWS = { on: 'execute', sql: 'INSERT INTO "TAG_DATA"' } as const;

const ENDS: readonly (readonly [string, FaultRule])[] = [
  ['the call is not answered in time', { ...ON_ROWS, hang: true }],
  ['the statement is refused', { ...ON_ROWS, error: 942 }],
  ['the space is used up', { ...ON_ROWS, error: 1653 }],
  ['a resource manager cancels the call', { ...ON_ROWS, error: 40 }],
  ['the network is lost before the rows arrive', { ...ON_ROWS, reset: 'before' }],
  ['the session is killed', { ...ON_ROWS, error: 28 }],
];

describe.each([true, false])('with call statuses that hide an open transaction: %s', (hidesTransactions) => {
  it.each(ENDS)('a ledger that was moved is back when %s', async (_what, fault) => {
    const standin = await startStandin({ hidesTransactions });
    onTestFinished(() => standin.stop());
    await createTables(standin);
    const connections = connectionsTo(standin, { callTimeoutMs: CALL_TIMEOUT_MS });
    onTestFinished(() => connections.stop());
    const session = new Sessions(connections, { ...SESSIONS_OPTIONS, bridgeId: 'b' }, noStep).live('journal00001');
    expect(await session.readPlace()).toEqual(ORIGIN);
    const values = valuesOf(1, 2, 3);
    values.stamp(TO.messageNo, 0);
    const ill = standin.faults.add(fault);
    await databaseErrorOf(session.write(values, { from: ORIGIN, to: TO }, () => Promise.resolve()));
    expect(ill.hits).toBe(1);
    expect([await session.readPlace(), await countRows(standin)]).toEqual([ORIGIN, 0]);
    expect(await session.write(values, { from: ORIGIN, to: TO }, () => Promise.resolve())).toMatchObject({
      reached: TO,
    });
    expect(await countRows(standin)).toBe(3);
  });

  it('rows that were taken are rolled back when the rejected ones can not be kept', async () => {
    const standin = await startStandin({ hidesTransactions });
    onTestFinished(() => standin.stop());
    await createTables(standin);
    const connections = connectionsTo(standin);
    onTestFinished(() => connections.stop());
    const session = new Sessions(connections, { ...SESSIONS_OPTIONS, bridgeId: 'b' }, noStep).live('journal00001');
    await session.readPlace();
    const values = valuesOf(1, 2, 3);
    values.stamp(TO.messageNo, 0);
    values.qualities[1] = 'far longer than sixteen characters';
    const full = new Error('ENOSPC');
    await expect(session.write(values, { from: ORIGIN, to: TO }, () => Promise.reject(full))).rejects.toBe(full);
    await until('the transaction to be over', async () => (await session.readPlace()) !== undefined);
    expect([await session.readPlace(), await countRows(standin)]).toEqual([ORIGIN, 0]);
  });
});
