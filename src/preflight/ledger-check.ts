import type { ColumnFacts, TableName } from '../oracle/dictionary.ts';
import { Ledger } from '../oracle/ledger.ts';
import { LEDGER_COLUMNS, LEDGER_KEY } from '../oracle/schema.ts';
import type { Content } from './column-rules.ts';
import { failed, ok, warning, type Finding } from './finding.ts';
import { checkRight } from './rights-check.ts';
import {
  checkColumn,
  checkOtherColumns,
  checkQuota,
  findColumn,
  locate,
  missingColumn,
  quoted,
  type TableContext,
} from './table-check.ts';

const CONTENTS: Readonly<Record<string, Content>> = {
  bridge_id: 'text',
  stream: 'text',
  message_no: 'messageNo',
  value_no: 'valueNo',
  updated_at: 'time',
};

const KEY_COLUMNS = ['BRIDGE_ID', 'STREAM'];

/** The ledger table: there, its columns, its key and the rights on it. */
export async function checkLedger(ledgerTable: string, bridgeId: string, context: TableContext): Promise<Finding[]> {
  if (ledgerTable === '') {
    const text = 'none is configured: after an interruption some values may be written twice';
    return [warning('oracle.ledgerTable', text, 'name a table; `mqtt-oracle-bridge schema` prints its DDL')];
  }
  const { finding, table } = await locate('oracle.ledgerTable', ledgerTable, context, 'INSERT, SELECT, UPDATE, DELETE');
  if (table === undefined) return [finding];
  const columns = await context.dictionary.columns(table);
  const names = LEDGER_COLUMNS.map(([name]) => name);
  const findings = [
    finding,
    ...columnFindings(table, columns),
    ...(await checkOtherColumns(table, columns, names, context)).filter(({ verdict }) => verdict !== 'ok'),
    await checkKey(table, context),
    await checkQuota(table, context),
  ];
  const isWhole = names.every((name) => findColumn(columns, name) !== undefined);
  return isWhole ? [...findings, ...(await rights(ledgerTable, bridgeId, table, context))] : findings;
}

/** One line when all are good. */
function columnFindings(table: TableName, columns: readonly ColumnFacts[]): Finding[] {
  const findings = LEDGER_COLUMNS.map(([name, proposedType]) => {
    const subject = `ledger column ${name.toUpperCase()}`;
    const column = findColumn(columns, name);
    if (column === undefined) return missingColumn(subject, '', name, proposedType, table, columns);
    return checkColumn(subject, column, CONTENTS[name]!, proposedType, table);
  });
  const bad = findings.filter(({ verdict }) => verdict !== 'ok');
  return bad.length > 0 ? bad : [ok('ledger columns', 'all there, of good types')];
}

async function checkKey(table: TableName, { dictionary }: TableContext): Promise<Finding> {
  const keys = await dictionary.uniqueKeys(table);
  const isKey = (columns: readonly string[]): boolean =>
    columns.length === KEY_COLUMNS.length && KEY_COLUMNS.every((column) => columns.includes(column));
  if (keys.some(({ columns }) => isKey(columns))) return ok('ledger key', KEY_COLUMNS.join(', '));
  const narrow = keys.find(({ columns }) => columns.every((column) => KEY_COLUMNS.includes(column)));
  const text =
    narrow === undefined
      ? `nothing keeps ${KEY_COLUMNS.join(', ')} from being there twice`
      : `${narrow.kind} ${narrow.name} on ${narrow.columns.join(', ')} alone: a bridge needs a row for each stream`;
  return failed('ledger key', text, `ALTER TABLE ${quoted(table)} ADD ${LEDGER_KEY};`);
}

async function rights(
  ledgerTable: string,
  bridgeId: string,
  table: TableName,
  context: TableContext,
): Promise<Finding[]> {
  const statements = new Ledger(ledgerTable, bridgeId, 'check').rights;
  const findings: Finding[] = [];
  for (const right of ['SELECT', 'INSERT', 'UPDATE'] as const) {
    findings.push(await checkRight({ right, sql: statements[right] }, table, context));
  }
  const without = 'the rows of backups that are replayed stay for ever';
  return [...findings, await checkRight({ right: 'DELETE', sql: statements.DELETE, without }, table, context)];
}
