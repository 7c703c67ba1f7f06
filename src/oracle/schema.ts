import { tableColumns, type Destination } from '../core/columns.ts';
import { quoteName } from '../core/identifier.ts';
import type { TableOptions } from './statements.ts';
import { historyKey } from './table-keys.ts';

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

/**
 * The CREATE TABLE statements for the tables of all destinations and the ledger, ready for a DBA; with the key that
 * `onDuplicate` needs. `tagName`: the template of the names, which may have the PLC in them.
 */
export function schemaDdl(
  destinations: readonly Destination[],
  { ledgerTable, tagName }: { readonly ledgerTable: string; readonly tagName: string },
): string {
  const tables = destinations.map((each) => destinationTable(each, tagName));
  const ledger = ledgerTable === '' ? [] : [createTable(ledgerTable, LEDGER_COLUMNS, LEDGER_KEY)];
  return [...tables, ...ledger].join('\n');
}

function destinationTable(destination: Destination, tagName: string): string {
  const columns = columnLines(destination);
  if (destination.onDuplicate === 'reject') return createTable(destination.table, columns);
  const names = historyKey(destination, tagName).map(quoteName);
  const latest = `for a table of latest values without ${names.at(-1)}`;
  const remark = destination.onDuplicate === 'update' ? ` -- ${latest}` : '';
  return createTable(destination.table, columns, `UNIQUE (${names.join(', ')})${remark}`);
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
