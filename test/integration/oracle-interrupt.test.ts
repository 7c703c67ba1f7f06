import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { systemClock } from '../../src/core/clock.ts';
import type { LedgerSession } from '../../src/core/ledger-session.ts';
import { ORIGIN, type Place } from '../../src/core/place.ts';
import type { Connections } from '../../src/oracle/connections.ts';
import { Sessions, type SessionsOptions } from '../../src/oracle/sessions.ts';
import { connectionsTo, databaseErrorOf } from '../support/oracle-connections.ts';
import type { FaultHandle, FaultRule } from '../support/standin/faults.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';
import { countRows, createTables, SESSIONS_OPTIONS } from '../support/tag-table.ts';
import { until } from '../support/until.ts';
import { valuesOf } from '../support/values.ts';

const TO: Place = { messageNo: 1, valueNo: 2 };
/** Longer than a test may last: what ends before was interrupted. */
const CALL_TIMEOUT_MS = 600_000;

describe('a call to the database that is interrupted', () => {
  let standin: Standin;
  let connections: Connections;

  beforeEach(async () => {
    const started = await startStandin();
    standin = started;
    onTestFinished(() => started.stop());
    await createTables(standin);
    const pool = { min: 0, max: 1, increment: 1, queueTimeoutMs: CALL_TIMEOUT_MS };
    const opened = connectionsTo(standin, { pool, callTimeoutMs: CALL_TIMEOUT_MS });
    connections = opened;
    onTestFinished(() => opened.stop());
  });

  function live(more: Partial<SessionsOptions['destination']> = {}): LedgerSession {
    const destination = { ...SESSIONS_OPTIONS.destination, ...more };
    return new Sessions(connections, { ...SESSIONS_OPTIONS, destination, bridgeId: 'b' }).live('journal00001');
  }

  async function write(session: LedgerSession): Promise<unknown> {
    return session.write(valuesOf(1, 2, 3), { from: ORIGIN, to: TO }, () => Promise.resolve());
  }

  async function struck(rule: FaultRule): Promise<FaultHandle> {
    const fault = standin.faults.add(rule);
    onTestFinished(() => fault.clear());
    return fault;
  }

  const hit = (fault: FaultHandle): Promise<unknown> => until('the call hangs', () => fault.hits > 0);

  it.each([
    ['the move of the ledger', { on: 'execute', sql: 'UPDATE "MQTT_BRIDGE_LEDGER"' }],
    ['the rows', { on: 'execute', sql: 'INSERT INTO "TAG_DATA"' }],
  ] as const)('ends at once at %s, leaves nothing behind, and can be made again', async (_what, at) => {
    const session = live();
    await session.readPlace();
    const fault = await struck({ ...at, hang: true });
    const failing = databaseErrorOf(write(session));
    await hit(fault);
    session.interrupt();
    expect(await failing).toMatchObject({ kind: 'connection', code: 'INTERRUPTED', outcomeUnknown: true });
    expect([await session.readPlace(), await countRows(standin)]).toEqual([ORIGIN, 0]);
    await write(session);
    expect([await session.readPlace(), await countRows(standin)]).toEqual([TO, 3]);
  });

  it('leaves it to the ledger to say that it had committed', async () => {
    const session = live();
    await session.readPlace();
    const fault = await struck({ on: 'commit', sql: 'INSERT INTO "TAG_DATA"', hang: true, when: 'after' });
    const failing = databaseErrorOf(write(session));
    await hit(fault);
    session.interrupt();
    expect(await failing).toMatchObject({ code: 'INTERRUPTED', outcomeUnknown: true });
    expect([await session.readPlace(), await countRows(standin)]).toEqual([TO, 3]);
  });

  it('ends also when it only reads', async () => {
    const session = live();
    const fault = await struck({ on: 'execute', sql: /SELECT .* FOR UPDATE/, hang: true });
    const failing = databaseErrorOf(session.readPlace());
    await hit(fault);
    session.interrupt();
    expect(await failing).toMatchObject({ kind: 'connection', code: 'INTERRUPTED' });
    expect(await session.readPlace()).toEqual(ORIGIN);
  });

  it('ends also while it looks for the keys of its table', async () => {
    await standin.engine.query('ALTER TABLE tag_data ADD CONSTRAINT tag_key PRIMARY KEY (tag_name)', 'BRIDGE');
    const session = live({ onDuplicate: 'update' });
    await session.readPlace();
    const fault = await struck({ on: 'execute', sql: /FROM all_constraints/i, hang: true });
    const failing = databaseErrorOf(write(session));
    await hit(fault);
    session.interrupt();
    expect(await failing).toMatchObject({ kind: 'connection', code: 'INTERRUPTED' });
    expect([await session.readPlace(), await countRows(standin)]).toEqual([ORIGIN, 0]);
    await write(session);
    expect(await countRows(standin)).toBe(3);
  });

  it('has sent nothing, and sends nothing any more, when it was waiting for a connection', async () => {
    const session = live();
    await session.readPlace();
    const sent = await struck({ sql: /"MQTT_BRIDGE_LEDGER"|"TAG_DATA"/, delayMs: 0, times: Infinity });
    const loggedOn = await struck({ on: 'logon', delayMs: 0, times: Infinity });
    let release = (): void => {};
    const held = connections.use('hold', () => new Promise<void>((resolve) => (release = resolve)));
    const failing = databaseErrorOf(write(session));
    const waiting = databaseErrorOf(session.readPlace());
    await systemClock.turn();
    session.interrupt();
    for (const error of await Promise.all([failing, waiting])) {
      expect(error).toMatchObject({ kind: 'connection', code: 'INTERRUPTED', outcomeUnknown: false });
    }
    release();
    await held;
    // Whoever waited has had its turn before this.
    await connections.use('after', () => Promise.resolve());
    expect(sent.hits).toBe(0);
    expect(await session.readPlace()).toEqual(ORIGIN);
    // The connection that came too late is as good as before.
    expect(loggedOn.hits).toBe(0);
  });

  it('is of its own stream: that of another goes on', async () => {
    const pool = { min: 0, max: 2, increment: 1, queueTimeoutMs: CALL_TIMEOUT_MS };
    const two = connectionsTo(standin, { pool, callTimeoutMs: CALL_TIMEOUT_MS });
    onTestFinished(() => two.stop());
    const sessions = new Sessions(two, { ...SESSIONS_OPTIONS, bridgeId: 'b' });
    const [one, other] = [sessions.live('journal00001'), sessions.live('journal00002')];
    await one.readPlace();
    await other.readPlace();
    const fault = await struck({ on: 'execute', sql: 'INSERT INTO "TAG_DATA"', hang: true });
    const failing = databaseErrorOf(write(one));
    await hit(fault);
    other.interrupt();
    await write(other);
    one.interrupt();
    await failing;
    expect([await one.readPlace(), await other.readPlace(), await countRows(standin)]).toEqual([ORIGIN, TO, 3]);
  });

  it('is none when nothing is under way', async () => {
    const session = live();
    session.interrupt();
    expect(await session.readPlace()).toEqual(ORIGIN);
    session.interrupt();
    await write(session);
    expect(await countRows(standin)).toBe(3);
  });
});
