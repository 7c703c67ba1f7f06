import type oracledb from 'oracledb';
import { describe, expect, it } from 'vitest';

import type { ConnectionLender } from '../../../src/oracle/lease.ts';
import { WriteStatement } from '../../../src/oracle/write-statement.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { SESSIONS_OPTIONS } from '../../support/tag-table.ts';

/** A dictionary that knows the table as this type of object; the stand-in database has tables alone. */
class Dictionary implements ConnectionLender {
  questions = 0;
  type: string | undefined;

  constructor(type: string | undefined) {
    this.type = type;
  }

  use: ConnectionLender['use'] = (_what, work) => {
    const execute = async (sql: string): Promise<{ rows: unknown[][] }> => {
      this.questions += 1;
      if (sql.includes('CURRENT_SCHEMA')) return { rows: [['BRIDGE']] };
      return { rows: sql.startsWith('SELECT object_type') && this.type !== undefined ? [[this.type]] : [] };
    };
    return work({ connection: { execute } as unknown as oracledb.Connection, wear: () => {}, cut: () => {} });
  };
}

describe('WriteStatement of "onDuplicate": "ignore"', () => {
  const destination = { ...SESSIONS_OPTIONS.destination, onDuplicate: 'ignore' } as const;

  it('asks of a view, whose keys can not be seen, as seldom as of a table', async () => {
    const clock = new FakeClock();
    const dictionary = new Dictionary('VIEW');
    const statement = new WriteStatement(destination, dictionary, clock);
    const { sql } = await statement.get();
    expect(sql).toMatch(/^INSERT/);
    const { questions } = dictionary;
    await clock.advance(59_000);
    expect((await statement.get()).sql).toBe(sql);
    expect(dictionary.questions).toBe(questions);
    await clock.advance(1_000);
    await statement.get();
    expect(dictionary.questions).toBe(2 * questions);
  });

  it('asks again for a table that is not there, which may come without a key', async () => {
    const dictionary = new Dictionary(undefined);
    const statement = new WriteStatement(destination, dictionary, new FakeClock());
    await statement.get();
    dictionary.type = 'TABLE';
    await expect(statement.get()).rejects.toMatchObject({ code: 'NO_KEY' });
  });
});
