import oracledb from 'oracledb';
import { describe, expect, it } from 'vitest';

import { schemaDdl } from '../../../src/oracle/schema.ts';
import { createMerge, type MergeTarget } from '../../../src/oracle/merge.ts';
import { createInsert, type TableOptions } from '../../../src/oracle/statements.ts';
import { SESSIONS_OPTIONS, TABLE_OPTIONS, TABLES_DDL } from '../../support/tag-table.ts';
import { RECEIVED_AT_MS, valuesOf } from '../../support/values.ts';

const OPTIONS: TableOptions = TABLE_OPTIONS;

describe('createInsert', () => {
  it('names the configured columns, always quoted', () => {
    expect(createInsert(OPTIONS).sql).toBe(
      'INSERT INTO "TAG_DATA" ("TAG_NAME", "TAG_VALUE", "TAG_TEXT", "TIMESTAMP", "QUALITY") VALUES (:1, :2, :3, :4, :5)',
    );
  });

  it('takes a schema, quoted names and further columns', () => {
    const columns = { ...OPTIONS.columns, text: '', plcCode: 'plc', receivedAt: '"Received At"' };
    expect(createInsert({ ...OPTIONS, table: 'plant."Tag Data"', columns }).sql).toBe(
      'INSERT INTO "PLANT"."Tag Data" ("TAG_NAME", "TAG_VALUE", "TIMESTAMP", "QUALITY", "PLC", "Received At") VALUES (:1, :2, :3, :4, :5, :6)',
    );
  });

  it.each(['TAG_DATA; DROP TABLE x', 'a b', '"x" ("y") --', "t'x", 'a.b.c', ''])(
    'never lets %s into the SQL',
    (table) => {
      expect(() => createInsert({ ...OPTIONS, table })).toThrow(RangeError);
    },
  );

  it('binds numbers, texts, NULL and UTC instants', () => {
    const insert = createInsert(OPTIONS);
    const at = new Date(RECEIVED_AT_MS);
    expect(insert.rows(valuesOf(1.5, 'RUN', null))).toEqual([
      ['PLC01.D0', 1.5, null, at, 'GOOD'],
      ['PLC01.D1', null, 'RUN', at, 'GOOD'],
      ['PLC01.D2', null, null, at, 'GOOD'],
    ]);
    expect(insert.bindDefs.map(({ type }) => type)).toEqual([
      oracledb.DB_TYPE_VARCHAR,
      oracledb.DB_TYPE_BINARY_DOUBLE,
      oracledb.DB_TYPE_VARCHAR,
      oracledb.DB_TYPE_TIMESTAMP_TZ,
      oracledb.DB_TYPE_VARCHAR,
    ]);
    expect(createInsert({ ...OPTIONS, valueType: 'number' }).bindDefs[1]?.type).toBe(oracledb.DB_TYPE_NUMBER);
  });

  it('gives each row its own time', () => {
    const values = valuesOf(1, 2, 3);
    values.timesMs.set([0, 1000, 0]);
    const times = createInsert(OPTIONS)
      .rows(values)
      .map((row) => row[3]);
    expect(times).toEqual([new Date(0), new Date(1000), new Date(0)]);
  });

  it('fills rows of an earlier batch, whatever their number', () => {
    const insert = createInsert(OPTIONS);
    const first = insert.rows(valuesOf(1, 'two', null));
    const [row] = first;
    const shorter = insert.rows(valuesOf(4, 'five'), first);
    expect(shorter).toEqual(insert.rows(valuesOf(4, 'five')));
    expect(shorter[0]).toBe(row);
    expect(insert.rows(valuesOf('a', 7, 8, 9), first)).toEqual(insert.rows(valuesOf('a', 7, 8, 9)));
    expect(insert.rows(valuesOf(), first)).toEqual([]);
  });
});

describe('createMerge', () => {
  const target: MergeTarget = {
    key: new Set(['tag_name']),
    nullable: new Set(),
    timeTypes: new Map([['timestamp', 'TIMESTAMP(3)']]),
  };
  const plain = { ...OPTIONS, columns: { ...OPTIONS.columns, text: '', quality: '' } };

  it('lets the newer time win where the key has none, in the type of its column', () => {
    expect(createMerge(plain, target).sql).toBe(
      'MERGE INTO "TAG_DATA" t USING (SELECT :1 "TAG_NAME", :2 "TAG_VALUE", CAST(:3 AS TIMESTAMP(3)) "TIMESTAMP" ' +
        'FROM dual) s ON (t."TAG_NAME" = s."TAG_NAME") ' +
        'WHEN MATCHED THEN UPDATE SET t."TAG_VALUE" = s."TAG_VALUE", t."TIMESTAMP" = s."TIMESTAMP" ' +
        'WHERE (t."TIMESTAMP" IS NULL OR t."TIMESTAMP" <= s."TIMESTAMP") ' +
        'WHEN NOT MATCHED THEN INSERT ("TAG_NAME", "TAG_VALUE", "TIMESTAMP") ' +
        'VALUES (s."TAG_NAME", s."TAG_VALUE", s."TIMESTAMP")',
    );
  });

  it('asks for no time where the key has it, and finds NULL by NULL', () => {
    const { sql } = createMerge(plain, {
      ...target,
      key: new Set(['timestamp', 'tag_value']),
      nullable: new Set(['tag_value', 'tag_name']),
    });
    expect(sql).toContain(
      'ON ((t."TAG_VALUE" = s."TAG_VALUE" OR (t."TAG_VALUE" IS NULL AND s."TAG_VALUE" IS NULL)) ' +
        'AND t."TIMESTAMP" = s."TIMESTAMP") WHEN MATCHED THEN UPDATE SET t."TAG_NAME" = s."TAG_NAME" WHEN NOT',
    );
  });

  it('has nothing to update where all is in the key', () => {
    const { sql } = createMerge(plain, { ...target, key: new Set(['tag_name', 'tag_value', 'timestamp']) });
    expect(sql).not.toContain('UPDATE');
    expect(sql).toContain(' WHEN NOT MATCHED THEN INSERT ');
  });

  it('has the rows and binds of the INSERT, and knows the column at each place', () => {
    const [merge, insert] = [createMerge(OPTIONS, target), createInsert(OPTIONS)];
    expect(merge.rows(valuesOf(1, 'x'))).toEqual(insert.rows(valuesOf(1, 'x')));
    expect(merge.bindDefs).toEqual(insert.bindDefs);
    expect(merge.columnAt(merge.sql.indexOf(':2'))).toBe('tag_value');
    expect(merge.columnAt(merge.sql.indexOf('SET t."TAG_TEXT"') + 4)).toBe(undefined);
    expect(merge.columnAt(merge.sql.indexOf('t."TAG_TEXT"'))).toBe('tag_text');
    expect(merge.columnAt(merge.sql.lastIndexOf('s."QUALITY"'))).toBe('quality');
    expect([merge.columnAt(0), merge.columnAt(100_000)]).toEqual([undefined, undefined]);
  });
});

describe('the column that an error is about', () => {
  const insert = createInsert(OPTIONS);

  it.each([
    [':1', 'tag_name'],
    [':2', 'tag_value'],
    [':5', 'quality'],
  ])('is that of the bind %s at whose place the database found it', (mark, column) => {
    expect(insert.columnAt(insert.sql.indexOf(mark))?.toLowerCase()).toBe(column);
  });

  it.each([0, 5, 12])('is not known where the database points to %i, before the binds', (offset) => {
    expect(insert.columnAt(offset)).toBeUndefined();
  });
});

describe('schemaDdl', () => {
  it('prints the table and the ledger', () => {
    expect(TABLES_DDL).toBe(`CREATE TABLE "TAG_DATA" (
  "TAG_NAME"  VARCHAR2(255 CHAR) NOT NULL,
  "TAG_VALUE" BINARY_DOUBLE,
  "TAG_TEXT"  VARCHAR2(4000),
  "TIMESTAMP" TIMESTAMP(6) NOT NULL, -- UTC
  "QUALITY"   VARCHAR2(16) NOT NULL
);

CREATE TABLE "MQTT_BRIDGE_LEDGER" (
  "BRIDGE_ID"  VARCHAR2(128) NOT NULL,
  "STREAM"     VARCHAR2(200) NOT NULL,
  "MESSAGE_NO" NUMBER(19) NOT NULL,
  "VALUE_NO"   NUMBER(10) NOT NULL,
  "UPDATED_AT" TIMESTAMP(6) NOT NULL, -- UTC
  PRIMARY KEY ("BRIDGE_ID", "STREAM")
);
`);
  });

  it('follows the value type, the columns and the absence of a ledger', () => {
    const columns = { ...OPTIONS.columns, plcCode: 'plc', receivedAt: 'received_at' };
    const destination = { ...SESSIONS_OPTIONS.destination, valueType: 'number', columns } as const;
    const ddl = schemaDdl([destination], { ledgerTable: '', tagName: '{tag}' });
    expect(ddl).toContain('"TAG_VALUE"   NUMBER,');
    expect(ddl).toContain('"PLC"         VARCHAR2(128 CHAR),');
    expect(ddl).toContain('"RECEIVED_AT" TIMESTAMP(6) -- UTC');
    expect(ddl).not.toContain('LEDGER');
  });

  it('prints the tables of all destinations, with the key that onDuplicate needs', () => {
    const { destination } = SESSIONS_OPTIONS;
    const columns = { ...destination.columns, plcCode: 'plc' };
    const more = [
      destination,
      { ...destination, name: 'alarms', table: 'ALARM_LOG', onDuplicate: 'ignore' },
      { ...destination, name: 'latest', table: 'LATEST', columns, onDuplicate: 'update' },
    ] as const;
    const [plain, ignore, update, none] = schemaDdl(more, { ledgerTable: '', tagName: '{tag}' }).split('\n\n');
    expect(plain).not.toContain('UNIQUE');
    expect(ignore).toMatch(/^CREATE TABLE "ALARM_LOG" \([^]*NOT NULL,\n {2}UNIQUE \("TAG_NAME", "TIMESTAMP"\)\n\);$/);
    expect(update).toContain(
      '\n  UNIQUE ("PLC", "TAG_NAME", "TIMESTAMP") -- for a table of latest values without "TIMESTAMP"\n);',
    );
    expect(none).toBeUndefined();
  });
});
