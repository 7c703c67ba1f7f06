import { tableColumns, type Destination } from '../core/columns.ts';
import { DEFAULT_DESTINATION, settingOf } from '../core/destination.ts';
import { quoteName } from '../core/identifier.ts';
import type { ColumnFacts, FoundTable, TableName, UniqueKey } from '../oracle/dictionary.ts';
import { createMerge } from '../oracle/merge.ts';
import { createInsert } from '../oracle/statements.ts';
import { mergeKey, mergeTarget } from '../oracle/table-keys.ts';
import { failed, ok, unknown, type Finding } from './finding.ts';
import { checkKeys } from './key-check.ts';
import { checkLayout, proposedKey } from './layout-check.ts';
import { checkRight } from './rights-check.ts';
import { checkColumns, checkOtherColumns, checkQuota, locate, quoted, type TableContext } from './table-check.ts';

type Found = Extract<FoundTable, { state: 'found' }>;

/** What the dictionary has of a table that was found. */
interface Facts {
  readonly columns: readonly ColumnFacts[];
  readonly keys: readonly UniqueKey[];
}

/**
 * The table of a destination: there, its columns, how it lies, its keys and the rights that its statement needs.
 * `seen`: the tables of the destinations before it, with their names; synonyms may lead two to one.
 */
export async function checkDestination(
  destination: Destination,
  tagName: string,
  context: TableContext,
  seen: Map<string, string>,
): Promise<Finding[]> {
  const { name } = destination;
  const isDefault = name === DEFAULT_DESTINATION;
  const key = `${settingOf(name)}.table`;
  const rights = destination.onDuplicate === 'update' ? 'INSERT, UPDATE, SELECT' : 'INSERT';
  const { finding, found, table } = await locate(key, destination.table, context, rights);
  if (table === undefined || found === undefined) return [finding];
  const other = seen.get(quoted(table));
  seen.set(quoted(table), name);
  const same = `${quoted(table)} is the table of the destination "${other}", too`;
  const findings = [
    ...(other === undefined ? [] : [failed('table', same, `${key} must name another one`)]),
    ...(await checkFound(destination, found, tagName, context)),
  ];
  const named = isDefault
    ? findings
    : findings.map((each) => Object.assign({}, each, { subject: `${name}: ${each.subject}` }));
  return [finding, ...named];
}

async function checkFound(
  destination: Destination,
  found: Found,
  tagName: string,
  context: TableContext,
): Promise<Finding[]> {
  const { table } = found;
  const facts = {
    columns: await context.dictionary.columns(table),
    keys: await context.dictionary.uniqueKeys(table),
  };
  const written = tableColumns(destination).map(({ name }) => name);
  return [
    ...checkColumns(destination, table, facts.columns),
    ...(await checkOtherColumns(table, facts.columns, written, context)),
    ...(await checkLayout(found, destination, context)),
    ...keyFindings(destination, found, facts, tagName),
    ...(await rightFindings(destination, table, facts, context)),
    await checkQuota(table, context),
  ];
}

function keyFindings(
  destination: Destination,
  { table, type }: Found,
  { columns, keys }: Facts,
  tagName: string,
): Finding[] {
  const { onDuplicate } = destination;
  if (type === 'VIEW' && onDuplicate === 'update')
    return [
      failed(
        'unique keys',
        'a view\'s can\'t be seen, and "onDuplicate": "update" goes by one',
        'name the table itself',
      ),
    ];
  if (type === 'VIEW' && onDuplicate === 'ignore')
    return [unknown('unique keys', "a view's can't be seen from here", 'see that the table behind it has one')];
  return checkKeys(keys, columns, destination, proposedKey(table, destination, tagName));
}

/**
 * A MERGE needs INSERT and UPDATE, and SELECT where its UPDATE has a condition on the table, unless SQL92_SECURITY is
 * FALSE [Oracle Database SQL Language Reference, "MERGE"; Database Reference, "SQL92_SECURITY"]. The database does not
 * say which of them it misses.
 */
async function rightFindings(
  destination: Destination,
  table: TableName,
  { columns, keys }: Facts,
  context: TableContext,
): Promise<Finding[]> {
  const insert = { right: 'INSERT', sql: createInsert(destination).sql } as const;
  const key = destination.onDuplicate === 'update' ? mergeKey(keys, destination) : undefined;
  if (key === undefined) return [await checkRight(insert, table, context)];
  const { sql } = createMerge(destination, mergeTarget(key, columns, destination));
  const merge = await checkRight({ right: 'UPDATE', sql }, table, context);
  if (merge.verdict === 'ok') return [ok(`INSERT and UPDATE on ${table.name}`, merge.text)];
  const [name, column] = [quoteName(destination.table), quoteName(destination.columns.value)];
  const parts = [
    await checkRight(insert, table, context),
    await checkRight({ right: 'UPDATE', sql: `UPDATE ${name} SET ${column} = :1` }, table, context),
    await checkRight({ right: 'SELECT', sql: `SELECT ${column} FROM ${name}` }, table, context),
  ];
  const missing = parts.filter(({ verdict }) => verdict !== 'ok');
  return missing.length > 0 ? missing : [merge];
}
