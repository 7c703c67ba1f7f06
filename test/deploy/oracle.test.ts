import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { loadConfig } from '../../src/config/load.ts';
import { Ledger } from '../../src/oracle/ledger.ts';
import { destinationsOf } from '../../src/config/destinations.ts';
import { schemaDdl } from '../../src/oracle/schema.ts';
import { startStandin } from '../support/standin/standin.ts';
import { countRows, runDdl } from '../support/tag-table.ts';
import { ROOT } from './tools.ts';

const read = (name: string): string => readFileSync(join(ROOT, 'deploy/oracle', name), 'utf8');
const withoutHead = (text: string): string => text.replace(/^(?:--.*\n)+\n/, '');
const INDEX = 'CREATE INDEX TAG_DATA_BY_TAG ON "TAG_DATA" ("TAG_NAME", "TIMESTAMP") COMPRESS 1;';
const PURGES = ['drop-old-partitions.sql', 'delete-old-rows.sql'];
const { oracle } = loadConfig({ files: [], env: {}, flags: {}, need: 'any' });
const DDL = schemaDdl(destinationsOf(oracle), { ...oracle, tagName: '{plc}.{tag}' });

describe('deploy/oracle', () => {
  it('has the tables as `schema` prints them, and then the index for readers', () => {
    const [index = '', ...tables] = withoutHead(read('tables.sql')).trimEnd().split('\n\n').reverse();
    expect(tables.reverse().join('\n\n')).toBe(DDL.trimEnd());
    expect(index.split('\n').at(-1)).toBe(INDEX);
  });

  it.each(['tables.sql', 'tables-partitioned.sql'])(
    'of %s makes tables that the bridge takes for its own',
    async (name) => {
      const standin = await startStandin();
      try {
        // What the stand-in does not know says nothing of rows: partitions, and how an index is kept.
        const sql = read(name)
          .replace(/\)\nPARTITION BY[^;]*/, ')')
          .replaceAll(/--.*$/gm, '')
          .replaceAll(/ (?:LOCAL )?COMPRESS 1;/g, ';');
        await runDdl(standin, sql);
        const columns = await standin.engine.query(
          "SELECT column_name FROM user_ind_columns WHERE index_name = 'TAG_DATA_BY_TAG' ORDER BY column_position",
          'BRIDGE',
        );
        const { tagName, timestamp } = oracle.columns;
        expect(columns.map(({ COLUMN_NAME: column }) => column)).toEqual(
          [tagName, timestamp].map((each) => each.toUpperCase()),
        );
        const row = "INSERT INTO tag_data VALUES ('a', 1, NULL, TIMESTAMP '2025-11-02 00:00:00', 'GOOD')";
        for (let copy = 0; copy < 2; copy += 1) await standin.engine.query(row, 'BRIDGE');
        expect(await countRows(standin)).toBe(2);
      } finally {
        standin.stop();
      }
    },
  );

  it('says in docs/for-the-dba.md what the index is', () => {
    expect(readFileSync(join(ROOT, 'docs/for-the-dba.md'), 'utf8')).toContain(INDEX);
  });

  it('has the same tables with partitions', () => {
    const [table = '', ledger = ''] = DDL.trimEnd().split('\n\n');
    const partitioned = read('tables-partitioned.sql');
    expect(partitioned).toContain(`${table.replace(/;$/, '')}\nPARTITION BY RANGE ("TIMESTAMP") INTERVAL`);
    expect(partitioned).toContain(ledger);
  });

  it('grants what the statements of the bridge need and nothing else', () => {
    const grants = [...read('grants.sql').matchAll(/^GRANT (.+) ON bridge_owner\.(\w+) TO bridge_app;$/gm)];
    const rights = Object.fromEntries(grants.map(([, what, table]) => [table, what!.split(', ').sort()]));
    const ledgerRights = Object.keys(new Ledger(oracle.ledgerTable, 'id', 'stream').rights).sort();
    expect(rights).toEqual({ [oracle.table]: ['INSERT'], [oracle.ledgerTable]: ledgerRights });
    const all = ['users.sql', 'grants.sql'].flatMap((name) => read(name).match(/^GRANT .*/gm) ?? []);
    expect(all).toHaveLength(grants.length + 1);
    expect(all).toContain('GRANT CREATE SESSION TO bridge_app;');
  });

  it('asks for a password once: SQL*Plus sees ampersands in remarks too', () => {
    expect(read('users.sql').match(/&\w+/g)).toEqual(['&bridge_password']);
    for (const name of ['tables.sql', 'tables-partitioned.sql', 'grants.sql', ...PURGES]) {
      expect(read(name)).not.toContain('&');
    }
  });

  it('has no blank line within a statement, where SQL*Plus would end it', () => {
    for (const name of ['users.sql', 'tables.sql', 'tables-partitioned.sql', 'grants.sql', ...PURGES]) {
      const parts = read(name)
        .trimEnd()
        .split('\n\n')
        .filter((part) => !part.split('\n').every((line) => line.startsWith('--')));
      for (const part of parts)
        expect({ name, end: part.trimEnd().at(-1) }).toEqual({ name, end: expect.stringMatching(/[;/]/) });
    }
  });
});
