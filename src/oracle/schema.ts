import { quoteName } from '../core/identifier.ts';
import type { TableOptions } from './statements.ts';

/** What `schemaDdl` needs of the configuration's oracle section. */
export interface SchemaOptions extends TableOptions {
  /** Empty: no ledger. */
  readonly ledgerTable: string;
}

/** The CREATE TABLE statements for the configured table and ledger, ready for a DBA. */
export function schemaDdl(options: SchemaOptions): string {
  const { columns } = options;
  const number = options.valueType === 'number' ? 'NUMBER' : 'BINARY_DOUBLE';
  const table = createTable(options.table, [
    [columns.tagName, 'VARCHAR2(255 CHAR) NOT NULL'],
    [columns.value, number],
    [columns.text, 'VARCHAR2(4000)'],
    [columns.timestamp, 'TIMESTAMP(6) NOT NULL', 'UTC'],
    [columns.quality, 'VARCHAR2(16) NOT NULL'],
    [columns.plcCode, 'VARCHAR2(128 CHAR)'],
    [columns.tagAddress, 'VARCHAR2(255 CHAR)'],
    [columns.receivedAt, 'TIMESTAMP(6)', 'UTC'],
  ]);
  if (options.ledgerTable === '') return table;
  const ledger = createTable(
    options.ledgerTable,
    [
      ['bridge_id', 'VARCHAR2(128) NOT NULL'],
      ['stream', 'VARCHAR2(200) NOT NULL'],
      ['message_no', 'NUMBER(19) NOT NULL'],
      ['value_no', 'NUMBER(10) NOT NULL'],
      ['updated_at', 'TIMESTAMP(6) NOT NULL', 'UTC'],
    ],
    'PRIMARY KEY ("BRIDGE_ID", "STREAM")',
  );
  return `${table}\n${ledger}`;
}

type ColumnLine = readonly [name: string, type: string, remark?: string];

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
