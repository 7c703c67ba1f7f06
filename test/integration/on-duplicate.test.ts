import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { systemClock } from '../../src/core/clock.ts';
import type { Destination, OnDuplicate } from '../../src/core/columns.ts';
import type { LedgerSession, Written } from '../../src/core/ledger-session.ts';
import { ORIGIN } from '../../src/core/place.ts';
import type { RefusedRow } from '../../src/core/refused-row.ts';
import { TagValues } from '../../src/core/tag-values.ts';
import type { Connections } from '../../src/oracle/connections.ts';
import { Sessions, type SessionsOptions } from '../../src/oracle/sessions.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { connectionsTo, databaseErrorOf } from '../support/oracle-connections.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';
import { createTables, readRows, SESSIONS_OPTIONS } from '../support/tag-table.ts';
import { until } from '../support/until.ts';
import { RECEIVED_AT_MS } from '../support/values.ts';

type Given = readonly [tag: string, number: number, atMs: number, quality?: string];

let standin: Standin;
let connections: Connections;
let messageNo = 0;

const HISTORY = 'ALTER TABLE tag_data ADD CONSTRAINT tag_key UNIQUE (tag_name, timestamp)';
const LATEST = 'ALTER TABLE tag_data ADD CONSTRAINT tag_key PRIMARY KEY (tag_name)';

/** Values of one message, at milliseconds after a fixed time. */
function message(...given: readonly Given[]): TagValues {
  const values = new TagValues(given.length);
  for (const [name, number, atMs, quality = 'GOOD'] of given) {
    values.push({ plcCode: '', address: name, name }, number, null, RECEIVED_AT_MS + atMs, quality);
  }
  messageNo += 1;
  values.stamp(messageNo, RECEIVED_AT_MS);
  return values;
}

function sessions(
  onDuplicate: OnDuplicate,
  more: Partial<Destination> = {},
  options: Partial<SessionsOptions> = {},
): Sessions {
  const destination = { ...SESSIONS_OPTIONS.destination, onDuplicate, ...more };
  return new Sessions(connections, { ...SESSIONS_OPTIONS, ledgerTable: '', bridgeId: 'b', ...options, destination });
}

/** The table of values, with these columns beside the usual ones. */
async function recreate(more: string): Promise<void> {
  const columns = 'tag_name VARCHAR2(255), tag_value BINARY_DOUBLE, tag_text VARCHAR2(4000), quality VARCHAR2(16)';
  await standin.engine.query('DROP TABLE tag_data', 'BRIDGE');
  await standin.engine.query(`CREATE TABLE tag_data (${columns}, ${more})`, 'BRIDGE');
}

async function none(): Promise<void> {
  throw new Error('no row should be refused');
}

const write = (session: LedgerSession, ...given: readonly Given[]): Promise<Written> =>
  session.write(message(...given), undefined, none);

const table = async (): Promise<(readonly [string, number | null, number])[]> =>
  (await readRows(standin)).map(({ name, timeMs, value }) => [name, value, timeMs - RECEIVED_AT_MS] as const);

describe.each(['19c', '23ai'] as const)('against a %s-like server', (profile) => {
  beforeEach(async () => {
    standin = await startStandin({ profile });
    connections = connectionsTo(standin, { pool: { min: 0, max: 4, increment: 1, queueTimeoutMs: 10_000 } });
    await createTables(standin);
    messageNo = 0;
  });

  afterEach(async () => {
    await connections.stop();
    standin.stop();
  });

  describe('ignore', () => {
    beforeEach(() => standin.engine.query(HISTORY, 'BRIDGE'));

    it('leaves the row that is there, and counts the one that comes', async () => {
      const live = sessions('ignore').live('J');
      expect(await write(live, ['A', 1, 0], ['B', 2, 0])).toEqual({ reached: undefined, alreadyThere: 0 });
      expect(await write(live, ['A', 9, 0], ['A', 3, 1])).toEqual({ reached: undefined, alreadyThere: 1 });
      expect(await write(live, ['A', 9, 0], ['B', 9, 0])).toEqual({ reached: undefined, alreadyThere: 2 });
      expect(await table()).toEqual([
        ['A', 1, 0],
        ['B', 2, 0],
        ['A', 3, 1],
      ]);
    });

    it('finds a row of the same batch there', async () => {
      expect(await write(sessions('ignore').live('J'), ['A', 1, 0], ['A', 2, 0])).toMatchObject({ alreadyThere: 1 });
      expect(await table()).toEqual([['A', 1, 0]]);
    });

    it('moves the ledger over rows that were all there, to where the next write begins', async () => {
      const { ledgerTable } = SESSIONS_OPTIONS;
      const live = sessions('ignore', {}, { ledgerTable }).live('J');
      await live.readPlace();
      await live.write(message(['A', 1, 0]), { from: ORIGIN, to: { messageNo: 1, valueNo: 0 } }, none);
      const move = { from: { messageNo: 1, valueNo: 0 }, to: { messageNo: 2, valueNo: 0 } };
      expect(await live.write(message(['A', 1, 0]), move, none)).toEqual({ reached: move.to, alreadyThere: 1 });
      expect(await live.readPlace()).toEqual(move.to);
    });

    it('has a connection replaced within a minute whose duplicates make the driver parse at every call', async () => {
      const clock = new FakeClock();
      await connections.stop();
      connections = connectionsTo(standin, { clock });
      const live = sessions('ignore', {}, { clock }).live('J');
      await write(live, ['A', 1, 0]);
      await clock.advance(61_000);
      await write(live, ['B', 1, 0]);
      expect(standin.stats.logonsAccepted).toBe(1);
      expect(await write(live, ['A', 9, 0])).toMatchObject({ alreadyThere: 1 });
      await write(live, ['C', 1, 0]);
      expect(standin.stats.logonsAccepted).toBe(2);
    });

    it('still refuses what is wrong with a row otherwise, and only that', async () => {
      const live = sessions('ignore').live('J');
      await write(live, ['A', 1, 0]);
      const refused: RefusedRow[] = [];
      const keep = async (rows: readonly RefusedRow[]): Promise<void> => void refused.push(...rows);
      const given = message(['A', 9, 0], ['B', 2, 0, 'far longer than sixteen'], ['C', 3, 0]);
      expect(await live.write(given, undefined, keep)).toMatchObject({ alreadyThere: 1 });
      expect(refused).toMatchObject([{ index: 1, reason: { code: 'ORA-12899' } }]);
      expect(await table()).toEqual([
        ['A', 1, 0],
        ['C', 3, 0],
      ]);
    });

    it('does not wear a connection out: nothing would be better on a new one', async () => {
      const clock = new FakeClock();
      const own = connectionsTo(standin, { clock });
      const live = new Sessions(own, {
        ...SESSIONS_OPTIONS,
        bridgeId: 'b',
        clock,
        destination: { ...SESSIONS_OPTIONS.destination, onDuplicate: 'ignore' },
      }).live('J');
      const before = standin.stats.connectionsAccepted;
      for (let i = 0; i < 3; i += 1) {
        await live.write(message(['A', 1, 0], ['A', 1, 0]), undefined, none);
        await clock.advance(25_000);
      }
      expect(standin.stats.connectionsAccepted - before).toBe(1);
      await own.stop();
    });
  });

  describe('update', () => {
    it('writes what is not in the key, whatever came before', async () => {
      await standin.engine.query(HISTORY, 'BRIDGE');
      const live = sessions('update').live('J');
      expect(await write(live, ['A', 1, 0], ['B', 2, 0])).toEqual({ reached: undefined, alreadyThere: 0 });
      expect(await write(live, ['A', 9, 0], ['A', 3, 1], ['A', 4, 1])).toMatchObject({ alreadyThere: 0 });
      expect(await table()).toEqual([
        ['A', 9, 0],
        ['B', 2, 0],
        ['A', 4, 1],
      ]);
    });

    it('keeps the newest time in a table of latest values, not the last arrival', async () => {
      await standin.engine.query(LATEST, 'BRIDGE');
      const live = sessions('update').live('J');
      expect(await write(live, ['A', 1, 10], ['A', 2, 30], ['A', 3, 20])).toMatchObject({ alreadyThere: 1 });
      expect(await write(live, ['A', 4, 29], ['B', 5, 0])).toMatchObject({ alreadyThere: 1 });
      expect(await table()).toEqual([
        ['A', 2, 30],
        ['B', 5, 0],
      ]);
      expect(await write(live, ['A', 6, 30])).toMatchObject({ alreadyThere: 0 });
      expect(await table()).toEqual([
        ['A', 6, 30],
        ['B', 5, 0],
      ]);
    });

    it.each(['DATE', 'TIMESTAMP(0)', 'TIMESTAMP(3)'])(
      'finds a time again that its column keeps as a %s',
      async (type) => {
        await recreate(`timestamp ${type} NOT NULL`);
        await standin.engine.query(HISTORY, 'BRIDGE');
        const live = sessions('update').live('J');
        await write(live, ['A', 1, 0]);
        await write(live, ['A', 2, 0]);
        expect((await table()).map(([, value]) => value)).toEqual([2]);
      },
    );

    it('finds a key with NULL in it, as its index does', async () => {
      await recreate('timestamp TIMESTAMP(6) NOT NULL, plc VARCHAR2(16)');
      await standin.engine.query('ALTER TABLE tag_data ADD CONSTRAINT tag_key UNIQUE (plc, tag_name)', 'BRIDGE');
      const columns = { ...SESSIONS_OPTIONS.destination.columns, plcCode: 'plc' };
      const live = sessions('update', { columns }).live('J');
      await write(live, ['A', 1, 0]);
      expect(await write(live, ['A', 2, 1])).toMatchObject({ alreadyThere: 0 });
      expect(await table()).toEqual([['A', 2, 1]]);
    });

    it('tries a row again that another session inserts at the same time', async () => {
      await standin.engine.query(LATEST, 'BRIDGE');
      const other = standin.engine.openSession('BRIDGE');
      const insert = `INSERT INTO tag_data VALUES ('A', 7, NULL, TIMESTAMP '2020-01-01 00:00:00', 'GOOD')`;
      await other.execute(other.parse(insert), []);
      const live = sessions('update').live('J');
      await live.probe();
      const before = standin.stats.rows;
      const writing = write(live, ['B', 1, 0], ['A', 2, 0]);
      await until('the rows arrive', () => standin.stats.rows === before + 2);
      await systemClock.turn();
      other.commit();
      expect(await writing).toMatchObject({ alreadyThere: 0 });
      expect(standin.stats.rows).toBe(before + 3);
      expect(await table()).toContainEqual(['A', 2, 0]);
      expect(await table()).toContainEqual(['B', 1, 0]);
    });

    it('rejects what another key than the one it goes by refuses', async () => {
      await standin.engine.query(LATEST, 'BRIDGE');
      await standin.engine.query('ALTER TABLE tag_data ADD CONSTRAINT v_key UNIQUE (tag_value)', 'BRIDGE');
      const live = sessions('update').live('J');
      await write(live, ['A', 1, 0]);
      const refused: RefusedRow[] = [];
      const keep = async (rows: readonly RefusedRow[]): Promise<void> => void refused.push(...rows);
      await live.write(message(['B', 2, 0], ['C', 1, 0], ['A', 1, 1]), undefined, keep);
      expect(refused).toMatchObject([{ index: 1, reason: { code: 'ORA-00001' } }]);
      expect((await table()).map(([tag]) => tag).toSorted()).toEqual(['A', 'B']);
    });

    it('says which column an error of the statement is about', async () => {
      await standin.engine.query(LATEST, 'BRIDGE');
      const live = sessions('update', {
        columns: { ...SESSIONS_OPTIONS.destination.columns, text: 'no_such' },
      }).live('J');
      const error = await databaseErrorOf(live.probe());
      expect(error).toMatchObject({ kind: 'configuration', code: 'ORA-00904' });
    });
  });

  it.each(['ignore', 'update'] as const)(
    '%s takes nothing from a table without a key, until it has one',
    async (how) => {
      const clock = new FakeClock();
      const live = sessions(how, {}, { clock }).live('J');
      const error = await databaseErrorOf(write(live, ['A', 1, 0]));
      expect(error).toMatchObject({ kind: 'configuration', code: 'NO_KEY', outcomeUnknown: false });
      expect(error.remedy).toContain('check --connect');
      expect((await databaseErrorOf(live.probe())).code).toBe('NO_KEY');
      expect(await table()).toEqual([]);
      await standin.engine.query(HISTORY, 'BRIDGE');
      await live.probe();
      await write(live, ['A', 1, 0], ['A', 1, 0]);
      expect(await table()).toEqual([['A', 1, 0]]);
    },
  );

  it('update notices within a minute that the table has another key', async () => {
    const clock = new FakeClock();
    await standin.engine.query(LATEST, 'BRIDGE');
    const live = sessions('update', {}, { clock }).live('J');
    await write(live, ['A', 1, 0]);
    await standin.engine.query('ALTER TABLE tag_data DROP CONSTRAINT tag_key', 'BRIDGE');
    await standin.engine.query(HISTORY, 'BRIDGE');
    await clock.advance(60_000);
    await write(live, ['A', 2, 1]);
    expect(await table()).toEqual([
      ['A', 1, 0],
      ['A', 2, 1],
    ]);
  });

  it.each(['ignore', 'update'] as const)('%s says of a table that is not there what the database says', async (how) => {
    const live = sessions(how, { table: 'NO_SUCH' }).live('J');
    expect(await databaseErrorOf(write(live, ['A', 1, 0]))).toMatchObject({ kind: 'configuration', code: 'ORA-00942' });
  });

  it.each(['ignore', 'update'] as const)(
    '%s goes through a synonym, and may be asked for by several at once',
    async (how) => {
      await standin.engine.query(HISTORY, 'BRIDGE');
      await standin.engine.query('CREATE SYNONYM tags FOR tag_data', 'BRIDGE');
      const both = sessions(how, { table: 'tags' });
      await Promise.all([write(both.live('J'), ['A', 1, 0]), write(both.replay('R'), ['A', 1, 0], ['B', 1, 0])]);
      expect((await table()).map(([tag]) => tag).toSorted()).toEqual(['A', 'B']);
    },
  );
});
