import { destinationsOf } from '../../src/config/destinations.ts';
import { loadConfig } from '../../src/config/load.ts';
import { withMicroseconds } from '../../src/core/microseconds.ts';
import { schemaDdl } from '../../src/oracle/schema.ts';
import type { Timestamp, Value } from './standin/engine/types.ts';
import type { Standin } from './standin/standin.ts';

export const TABLE_OPTIONS = {
  table: 'TAG_DATA',
  columns: {
    tagName: 'tag_name',
    value: 'tag_value',
    text: 'tag_text',
    timestamp: 'timestamp',
    quality: 'quality',
    plcCode: '',
    tagAddress: '',
    receivedAt: '',
  },
  valueType: 'binary_double',
  onDuplicate: 'reject',
  destinations: {},
  ledgerTable: 'MQTT_BRIDGE_LEDGER',
  onMissingPartition: 'hold',
} as const;

/** The options of `Sessions` but the bridge's id. */
export const SESSIONS_OPTIONS = {
  destination: {
    name: 'default',
    table: TABLE_OPTIONS.table,
    columns: TABLE_OPTIONS.columns,
    valueType: TABLE_OPTIONS.valueType,
    onDuplicate: 'reject',
  },
  ledgerTable: TABLE_OPTIONS.ledgerTable,
  onMissingPartition: TABLE_OPTIONS.onMissingPartition,
} as const;

/** The DDL of this table and the ledger. */
export const TABLES_DDL = schemaDdl([SESSIONS_OPTIONS.destination], { ...TABLE_OPTIONS, tagName: '{plc}.{tag}' });

export interface TagRow {
  readonly name: string;
  readonly value: number | null;
  readonly text: string | null;
  readonly timeMs: number;
  readonly quality: string;
  /** The number of its message, where the table has a column for it, `message_no`. */
  readonly messageNo?: number | undefined;
}

/** The bridge's own DDL, and more on top. */
export async function createTables(standin: Standin, ...more: string[]): Promise<void> {
  for (const ddl of [TABLES_DDL, ...more]) await runDdl(standin, ddl);
}

/** The tables of all destinations of a configuration file, as `schema` prints them. */
export async function createTablesOf(standin: Standin, config: object): Promise<void> {
  const { oracle, tagName } = loadConfig({ files: ['f'], env: {}, readFile: () => JSON.stringify(config) });
  await runDdl(standin, schemaDdl(destinationsOf(oracle), { ...oracle, tagName }));
}

/** Statements that a semicolon parts, run as the bridge's user. */
export async function runDdl(standin: Standin, ddl: string): Promise<void> {
  for (const sql of ddl.split(/;\s*/)) if (sql.trim() !== '') await standin.engine.query(sql, 'BRIDGE');
}

/** All rows that are committed, in the order of the table. */
export async function readRows(standin: Standin, where = '1 = 1'): Promise<TagRow[]> {
  const rows = await standin.engine.query(`SELECT * FROM tag_data WHERE ${where}`, 'BRIDGE');
  return rows.map((row) => ({
    name: row['TAG_NAME'] as string,
    value: row['TAG_VALUE'] as number | null,
    text: row['TAG_TEXT'] as string | null,
    timeMs: timeMsOf(row['TIMESTAMP'] as Exclude<Value, string | number> as Timestamp),
    quality: row['QUALITY'] as string,
    messageNo: row['MESSAGE_NO'] as number | undefined,
  }));
}

function timeMsOf({ ms, ns }: Timestamp): number {
  return withMicroseconds(ms, Math.round(ns / 1000));
}

export async function countRows(standin: Standin, table = 'tag_data'): Promise<number> {
  const rows = await standin.engine.query(`SELECT COUNT(*) AS n FROM ${table}`, 'BRIDGE');
  return rows[0]?.['N'] as number;
}
