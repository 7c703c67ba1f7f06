import { describe, expect, it } from 'vitest';

import type { ColumnFacts, Dictionary } from '../../../src/oracle/dictionary.ts';
import {
  checkKeys,
  checkOtherColumns,
  checkQuota,
  locate,
  type TableContext,
} from '../../../src/preflight/table-check.ts';

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

  it('take a key with a default in it for harmless', async () => {
    const context = contextWith({
      uniqueKeys: () => Promise.resolve([{ name: 'PK', kind: 'primary key', columns: ['ID', 'TAG_NAME'] }]),
    });
    const columns = [column('ID', { hasDefault: true }), column('TAG_NAME')];
    expect(await checkKeys(TABLE, columns, ['tag_name'], context)).toMatchObject([
      { verdict: 'ok', subject: 'unique key PK' },
    ]);
    expect(await checkKeys(TABLE, [column('ID'), column('TAG_NAME')], ['tag_name'], context)).toMatchObject([
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
