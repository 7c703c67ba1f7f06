import oracledb from 'oracledb';
import { describe, expect, it } from 'vitest';

import { detailNeeds } from '../../../src/core/columns.ts';
import { originOf } from '../../../src/core/value-details.ts';
import { createMerge } from '../../../src/oracle/merge.ts';
import { schemaDdl } from '../../../src/oracle/schema.ts';
import { createInsert } from '../../../src/oracle/statements.ts';
import { TABLE_OPTIONS } from '../../support/tag-table.ts';
import { RECEIVED_AT_MS, valuesOf } from '../../support/values.ts';

const COLUMNS = {
  ...TABLE_OPTIONS.columns,
  source: "'gateway-01'",
  shift: '2',
  line: '{2}',
  '"Topic"': '{topic}',
  kept: '{retained}',
  no: '{messageNo}',
  place: '{valueNo}',
  code: '{qualityCode}',
  mixed: "{1}'s {7}{qualityCode}",
  off: '',
};
const FIELDS = [
  { name: 'batch', holds: 'text' },
  { name: 'temp', holds: 'number' },
  { name: 'made_at', holds: 'time' },
] as const;
const OPTIONS = { ...TABLE_OPTIONS, columns: COLUMNS, fields: FIELDS };
const KNOWN = 5;

describe('further columns', () => {
  const insert = createInsert(OPTIONS);

  it('are bound with what the configuration and the payload say, NULL where there is nothing', () => {
    const values = valuesOf(1, 2);
    values.stamp(9, RECEIVED_AT_MS, originOf('plant/7/tags', true));
    const fields = new Map<string, string | number>([
      ['batch', 'B1'],
      ['temp', 12.5],
      ['made_at', RECEIVED_AT_MS + 1],
    ]);
    values.details = [{ qualityCode: 192, fields }, null];
    const madeAt = new Date(RECEIVED_AT_MS + 1);
    expect(insert.rows(values).map((row) => row.slice(KNOWN))).toEqual([
      ['gateway-01', 2, '7', 'plant/7/tags', 1, 9, 0, 192, "plant's 192", 'B1', 12.5, madeAt],
      ['gateway-01', 2, '7', 'plant/7/tags', 1, 9, 1, null, "plant's ", null, null, null],
    ]);
    const without = ['gateway-01', 2, null, null, null, 1, 0, null, "'s ", null, null, null];
    expect(insert.rows(valuesOf(1))[0]!.slice(KNOWN)).toEqual(without);
  });

  it('have their names in the statement, and a type of bind each', () => {
    expect(insert.sql).toContain(
      '"QUALITY", "SOURCE", "SHIFT", "LINE", "Topic", "KEPT", "NO", "PLACE", "CODE", "MIXED", "BATCH", "TEMP", "MADE_AT")',
    );
    expect(insert.columnAt(insert.sql.indexOf(':14'))).toBe('mixed');
    const [text, number, time] = [oracledb.DB_TYPE_VARCHAR, oracledb.DB_TYPE_NUMBER, oracledb.DB_TYPE_TIMESTAMP_TZ];
    const expected = [text, number, text, text, number, number, number, number, text, text, number, time];
    expect(insert.bindDefs.slice(KNOWN).map(({ type }) => type)).toEqual(expected);
  });

  it('have a line each in the DDL', () => {
    const destination = { ...OPTIONS, name: 'default', onDuplicate: 'reject' } as const;
    const ddl = schemaDdl([destination], { ledgerTable: '', tagName: '{plc}.{tag}' });
    expect(ddl).toContain('"SOURCE"    VARCHAR2(64 CHAR),');
    expect(ddl).toContain('"KEPT"      NUMBER(1),');
    expect(ddl).toContain('"MADE_AT"   TIMESTAMP(6) -- UTC');
    expect(ddl).not.toContain('"OFF"');
  });

  it('are written by a MERGE as well, and may be its key', () => {
    const target = { key: new Set(['tag_name', 'line']), nullable: new Set(['line']), timeTypes: new Map() };
    const { sql } = createMerge(OPTIONS, target);
    expect(sql).toContain('(t."LINE" = s."LINE" OR (t."LINE" IS NULL AND s."LINE" IS NULL))');
    expect(sql).toContain('t."BATCH" = s."BATCH"');
    expect(sql).not.toContain('SET t."LINE"');
  });

  it('say what has to be kept of messages for them', () => {
    const nothing = { origin: false, qualityCode: false };
    expect(detailNeeds([TABLE_OPTIONS])).toEqual(nothing);
    expect(detailNeeds([{ columns: { source: "'{topic}'", no: '{messageNo}', off: '' } }])).toEqual(nothing);
    const all = [TABLE_OPTIONS, { columns: { a: '{3}' } }, { columns: { b: 'x{qualityCode}' } }];
    expect(detailNeeds(all)).toEqual({ origin: true, qualityCode: true });
  });
});
