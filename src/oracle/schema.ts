import { tableColumns } from '../core/columns.ts';
import { quoteName } from '../core/identifier.ts';
import type { TableOptions } from './statements.ts';

/** What `schemaDdl` needs of the configuration's oracle section. */
export interface SchemaOptions extends TableOptions {
  /** Empty: no ledger. */
  readonly ledgerTable: string;
}

export type ColumnLine = readonly [name: string, type: string, remark?: string];

/** The columns of the configured table that are written. */
function columnLines(options: TableOptions): readonly ColumnLine[] {
  return tableColumns(options).map(({ content, isRequired, name, type }) => {
    const whole = type + (isRequired ? ' NOT NULL' : '');
    return content.holds === 'time' ? [name, whole, 'UTC'] : [name, whole];
  });
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
  const table = createTable(options.table, columnLines(options));
  if (options.ledgerTable === '') return table;
  return `${table}\n${createTable(options.ledgerTable, LEDGER_COLUMNS, LEDGER_KEY)}`;
}

function createTable(name: string, columns: readonly ColumnLine[], constraint = ''): string {
  const width = Math.max(...columns.map(([column]) => quoteName(column).length));
  const lines = columns.map(([column, type, remark], i) => {
    const comma = i < columns.length - 1 || constraint !== '' ? ',' : '';
    return `  ${quoteName(column).padEnd(width)} ${type}${comma}${remark === undefined ? '' : ` -- ${remark}`}`;
  });
  if (constraint !== '') lines.push(`  ${constraint}`);
  return `CREATE TABLE ${quoteName(name)} (\n${lines.join('\n')}\n);\n`;
}
