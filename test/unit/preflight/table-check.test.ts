import { describe, expect, it } from 'vitest';

import type { ColumnFacts, Dictionary, UniqueKey } from '../../../src/oracle/dictionary.ts';
import { DatabaseError } from '../../../src/core/errors.ts';
import { checkKeys } from '../../../src/preflight/key-check.ts';
import { checkLayout, proposedKey } from '../../../src/preflight/layout-check.ts';
import { checkRight } from '../../../src/preflight/rights-check.ts';
import type { TableOptions } from '../../../src/oracle/statements.ts';
import {
  checkColumns,
  checkOtherColumns,
  checkQuota,
  locate,
  type TableContext,
} from '../../../src/preflight/table-check.ts';
import { SESSIONS_OPTIONS, TABLE_OPTIONS } from '../../support/tag-table.ts';

/** What the stand-in does not have: triggers, database links, views. */
function contextWith(dictionary: Partial<Pick<Dictionary, keyof Dictionary>>): TableContext {
  const server = {
    product: 'Oracle',
    characterSet: 'AL32UTF8',
    user: 'BRIDGE',
    schema: 'BRIDGE',
    accountStatus: 'OPEN',
    passwordExpiresAtMs: undefined,
  };
  return { dictionary: dictionary as TableContext['dictionary'], server };
}

function column(name: string, more: Partial<ColumnFacts> = {}): ColumnFacts {
  const plain = { bytes: 22, precision: null, scale: null, length: 0, inCharacters: false };
  return { name, type: 'NUMBER', nullable: false, hasDefault: false, ...plain, ...more };
}

const TABLE = { owner: 'BRIDGE', name: 'TAG_DATA' };

describe('the checks of a table', () => {
  it('warn of a NOT NULL column that a trigger may fill, where they fail without one', async () => {
    for (const [triggers, verdict] of [
      [['FILL_ID'], 'warning'],
      [[], 'failed'],
    ] as const) {
      const context = contextWith({ insertTriggers: () => Promise.resolve([...triggers]) });
      const findings = await checkOtherColumns(TABLE, [column('ID'), column('TAG_NAME')], ['tag_name'], context);
      expect(findings).toMatchObject([{ verdict, subject: 'column ID' }]);
      for (const trigger of triggers) expect(findings[0]?.text).toContain(trigger);
    }
  });

  it('take a key with a default in it for harmless', () => {
    const keys: UniqueKey[] = [{ name: 'PK', kind: 'primary key', columns: ['ID', 'TAG_NAME'] }];
    const columns = [column('ID', { hasDefault: true }), column('TAG_NAME')];
    expect(checkKeys(keys, columns, SESSIONS_OPTIONS.destination, '')).toMatchObject([
      { verdict: 'ok', subject: 'unique key PK' },
    ]);
    expect(checkKeys(keys, [column('ID'), column('TAG_NAME')], SESSIONS_OPTIONS.destination, '')).toMatchObject([
      { verdict: 'warning' },
    ]);
  });

  it('end at a database link', async () => {
    const context = contextWith({
      find: () => Promise.resolve({ state: 'remote', synonym: 'BRIDGE.TAG_DATA', link: 'CENTRAL' }),
    });
    const { finding, table } = await locate('oracle.table', 'tag_data', context);
    expect(finding).toMatchObject({ verdict: 'unknown', text: expect.stringContaining('CENTRAL') as string });
    expect(table).toBeUndefined();
  });

  it('know of no room for what has no tablespace', async () => {
    const context = contextWith({ tablespaceOf: () => Promise.resolve(undefined) });
    expect(await checkQuota(TABLE, context)).toMatchObject({ verdict: 'unknown', subject: 'space for TAG_DATA' });
  });
});

describe('a table that is none', () => {
  const options: TableOptions = {
    ...TABLE_OPTIONS,
    columns: { ...TABLE_OPTIONS.columns, plcCode: '' },
  };

  it('but a view is asked for what it takes', async () => {
    const found = { state: 'found', table: TABLE, type: 'VIEW', synonyms: [] } as const;
    const all = ['TAG_NAME', 'TAG_VALUE', 'TAG_TEXT', 'TIMESTAMP', 'QUALITY'];
    for (const [insertable, verdict, text] of [
      [all, 'ok', 'takes all columns'],
      [all.slice(1), 'failed', 'no rows with TAG_NAME (ORA-01733)'],
      [undefined, 'unknown', 'cannot be seen'],
    ] as const) {
      const context = contextWith({ insertableColumns: () => Promise.resolve(insertable) });
      const findings = await checkLayout(found, options, context);
      expect(findings).toMatchObject([{ verdict, text: expect.stringContaining(text) as string }]);
      expect(findings[0]?.text).toContain('is a view');
    }
  });

  it('but a materialized view fails', async () => {
    const found = { state: 'found', table: TABLE, type: 'MATERIALIZED VIEW', synonyms: [] } as const;
    expect(await checkLayout(found, options, contextWith({}))).toMatchObject([{ verdict: 'failed' }]);
  });

  it.each([
    [{ type: 'RANGE', isSelfMade: false }, 'warning', 'ORA-14400'],
    [{ type: 'RANGE', isSelfMade: true }, 'ok', 'a missing one is made'],
    [undefined, 'ok', 'old rows go by DELETE alone'],
  ] as const)('has partitions %j', async (partitions, verdict, text) => {
    const found = { state: 'found', table: TABLE, type: 'TABLE', synonyms: [] } as const;
    const context = contextWith({ layout: () => Promise.resolve({ partitions, indexes: [] }) });
    const [finding] = await checkLayout(found, options, context);
    expect(finding).toMatchObject({ verdict, subject: 'partitions', text: expect.stringContaining(text) as string });
    const blind = contextWith({ layout: () => Promise.resolve(undefined) });
    expect(await checkLayout(found, options, blind)).toEqual([]);
  });

  it('has the PLC in the proposed key where the tag names lack it', () => {
    const byPlc = { ...options, columns: { ...options.columns, plcCode: 'plc' } };
    expect(proposedKey(TABLE, byPlc, '{tag}')).toContain('UNIQUE ("PLC", "TAG_NAME", "TIMESTAMP")');
    expect(proposedKey(TABLE, byPlc, '{plc}.{tag}')).toContain('UNIQUE ("TAG_NAME", "TIMESTAMP")');
  });

  it('costs more with a LOB, which serves as no name', () => {
    const lob = (name: string): ColumnFacts => column(name, { type: 'CLOB', nullable: true });
    const columns = [lob('TAG_TEXT'), lob('TAG_NAME')];
    const findings = checkColumns(options, TABLE, columns);
    const about = (key: string): unknown => findings.find(({ subject }) => subject.includes(`(${key})`));
    expect(about('text')).toMatchObject({ verdict: 'ok', text: expect.stringContaining('a LOB') as string });
    expect(about('tagName')).toMatchObject({ verdict: 'warning', text: expect.stringContaining('no index') as string });
  });

  it('gives its owner no grant to himself', async () => {
    const parse = (): Promise<DatabaseError> =>
      Promise.resolve(new DatabaseError('configuration', 'ORA-01031', 'insufficient privileges'));
    const finding = await checkRight({ right: 'INSERT', sql: '' }, TABLE, contextWith({ parse }));
    expect(finding.verdict).toBe('failed');
    expect(finding.remedy.join('\n')).toMatch(/the owner of the table behind it must GRANT INSERT/);
    expect(finding.remedy.join('\n')).not.toContain('TO "BRIDGE";');
  });
});
