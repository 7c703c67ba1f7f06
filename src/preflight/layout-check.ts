import { tableColumns } from '../core/columns.ts';
import { quoteName, storedName } from '../core/identifier.ts';
import type { FoundTable, TableLayout, TableName } from '../oracle/dictionary.ts';
import type { TableOptions } from '../oracle/statements.ts';
import { historyKey } from '../oracle/table-keys.ts';
import { failed, ok, unknown, warning, type Finding } from './finding.ts';
import { quoted, type TableContext } from './table-check.ts';

type Found = Extract<FoundTable, { state: 'found' }>;

/** What it means for the rows how the table is made: partitions and indexes, or the view in the place of a table. */
export async function checkLayout(
  { table, type }: Found,
  options: TableOptions,
  { dictionary }: TableContext,
): Promise<Finding[]> {
  if (type === 'MATERIALIZED VIEW')
    return [failed('kind of table', 'a materialized view takes no rows', 'name a table in oracle.table')];
  if (type === 'VIEW') return [viewFinding(table, options, await dictionary.insertableColumns(table))];
  const layout = await dictionary.layout(table);
  return layout === undefined ? [] : [partitions(table, layout), indexes(options, layout)];
}

function viewFinding(table: TableName, options: TableOptions, insertable: readonly string[] | undefined): Finding {
  const subject = 'kind of table';
  const where = `${quoted(table)} is a view: rows, keys, partitions and room are those of the table behind it`;
  if (insertable === undefined)
    return unknown(subject, `${where}; whether it takes rows cannot be seen`, 'look at ALL_UPDATABLE_COLUMNS');
  const names = tableColumns(options).map(({ name }) => storedName(name));
  const missing = names.filter((name) => !insertable.includes(name));
  if (missing.length === 0) return ok(subject, `${where}; it takes all columns that are written`);
  const text = `${where}; it takes no rows with ${missing.join(', ')} (ORA-01733)`;
  return failed(subject, text, 'name the table behind it, or have an INSTEAD OF trigger do the work');
}

function partitions(table: TableName, { partitions: found }: TableLayout): Finding {
  const subject = 'partitions';
  if (found === undefined) {
    return ok(
      subject,
      'none: old rows go by DELETE alone, in small transactions, and leave their room to new rows; with a partition a month they go in a moment',
    );
  }
  if (found.isSelfMade) return ok(subject, `by ${found.type}; a missing one is made, or none is ever missing`);
  return warning(
    subject,
    `by ${found.type}, made by hand: a row whose time has no partition is refused (ORA-14400), from the midnight on that nobody thought of`,
    `ALTER TABLE ${quoted(table)} SET INTERVAL (NUMTOYMINTERVAL(1, 'MONTH'));`,
  );
}

/** An index serves a query by tag when the tag's name is the first of its columns. */
function indexes({ columns }: TableOptions, layout: TableLayout): Finding {
  const subject = 'indexes';
  const tagName = storedName(columns.tagName);
  const all = layout.indexes.map((index) => index.join(', ')).join('; ');
  if (layout.indexes.some(([first]) => first === tagName)) return ok(subject, all);
  const what = all === '' ? 'none' : `${all}; none begins with ${tagName}`;
  return ok(
    subject,
    `${what}: each query by tag and time reads the whole table. One makes inserting slower: leave it out where nobody asks so`,
  );
}

/** The statement for the key that tells a row from its repetition. */
export function proposedKey(table: TableName, options: TableOptions, tagNameTemplate: string): string {
  const names = historyKey(options, tagNameTemplate).map(quoteName);
  return `ALTER TABLE ${quoted(table)} ADD UNIQUE (${names.join(', ')});`;
}
