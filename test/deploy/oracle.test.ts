import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { loadConfig } from '../../src/config/load.ts';
import { Ledger } from '../../src/oracle/ledger.ts';
import { destinationsOf } from '../../src/config/destinations.ts';
import { schemaDdl } from '../../src/oracle/schema.ts';
import { ROOT } from './tools.ts';

const read = (name: string): string => readFileSync(join(ROOT, 'deploy/oracle', name), 'utf8');
const withoutHead = (text: string): string => text.replace(/^(?:--.*\n)+\n/, '');
const PURGES = ['drop-old-partitions.sql', 'delete-old-rows.sql'];
const { oracle } = loadConfig({ files: [], env: {}, flags: {}, need: 'any' });
const DDL = schemaDdl(destinationsOf(oracle), { ...oracle, tagName: '{plc}.{tag}' });

describe('deploy/oracle', () => {
  it('has the tables as `schema` prints them', () => {
    expect(withoutHead(read('tables.sql')).trimEnd()).toBe(DDL.trimEnd());
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
