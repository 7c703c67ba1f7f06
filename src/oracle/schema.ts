import { quoteName } from '../core/identifier.ts';
import type { TableOptions } from './statements.ts';

/** What `schemaDdl` needs of the configuration's oracle section. */
export interface SchemaOptions extends TableOptions {
  /** Empty: no ledger. */
  readonly ledgerTable: string;
}

export type ColumnLine = readonly [name: string, type: string, remark?: string];

/** The columns of the configured table; the name of one that is not written is empty. */
export function tableColumns({ columns, valueType }: TableOptions): readonly ColumnLine[] {
  return [
    [columns.tagName, 'VARCHAR2(255 CHAR) NOT NULL'],
    [columns.value, valueType === 'number' ? 'NUMBER' : 'BINARY_DOUBLE'],
    [columns.text, 'VARCHAR2(4000)'],
    [columns.timestamp, 'TIMESTAMP(6) NOT NULL', 'UTC'],
    [columns.quality, 'VARCHAR2(16) NOT NULL'],
    [columns.plcCode, 'VARCHAR2(128 CHAR)'],
    [columns.tagAddress, 'VARCHAR2(255 CHAR)'],
    [columns.receivedAt, 'TIMESTAMP(6)', 'UTC'],
  ];
}

export const LEDGER_COLUMNS: readonly ColumnLine[] = [
  ['bridge_id', 'VARCHAR2(128) NOT NULL'],
  ['stream', 'VARCHAR2(200) NOT NULL'],
  ['message_no', 'NUMBER(19) NOT NULL'],
  ['value_no', 'NUMBER(10) NOT NULL'],
  ['updated_at', 'TIMESTAMP(6) NOT NULL', 'UTC'],
];

export const LEDGER_KEY = 'PRIMARY KEY ("BRIDGE_ID", "STREAM")';

/** The CREATE TABLE statements for the configured table and ledger, ready for a DBA. */
export function schemaDdl(options: SchemaOptions): string {
  const table = createTable(options.table, tableColumns(options));
  if (options.ledgerTable === '') return table;
  return `${table}\n${createTable(options.ledgerTable, LEDGER_COLUMNS, LEDGER_KEY)}`;
}

function createTable(name: string, columns: readonly ColumnLine[], constraint = ''): string {
  const used = columns.filter(([column]) => column !== '');
  const width = Math.max(...used.map(([column]) => quoteName(column).length));
  const lines = used.map(([column, type, remark], i) => {
    const comma = i < used.length - 1 || constraint !== '' ? ',' : '';
    return `  ${quoteName(column).padEnd(width)} ${type}${comma}${remark === undefined ? '' : ` -- ${remark}`}`;
  });
  if (constraint !== '') lines.push(`  ${constraint}`);
  return `CREATE TABLE ${quoteName(name)} (\n${lines.join('\n')}\n);\n`;
}
