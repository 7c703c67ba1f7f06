import type { ColumnKey, ColumnNames } from '../core/columns.ts';
import { parseName, quoteName } from '../core/identifier.ts';
import type { MergeTarget } from './merge.ts';
import { usedColumns } from './statements.ts';
import type { ColumnFacts, UniqueKey } from './table-dictionary.ts';

/* Which of the keys of a table tells that a row is there already. */

/** What an index on an expression has in the place of a column. */
const OF_EXPRESSION = /^SYS_NC\d+\$$/;
const TIME_TYPE = /^(?:DATE|TIMESTAMP\(\d\)(?: WITH (?:LOCAL )?TIME ZONE)?)$/;
const KINDS: readonly UniqueKey['kind'][] = ['primary key', 'unique constraint', 'unique index'];

/**
 * Whether the key may refuse a row because of what the bridge writes: with a column of another origin in it, a number
 * of a sequence say, no two rows are alike.
 */
export function mayCatch({ columns }: UniqueKey, written: ColumnNames): boolean {
  const names = writtenNames(written);
  return columns.every((column) => names.has(column) || OF_EXPRESSION.test(column));
}

/** The key that a MERGE goes by, all of whose columns are written: the primary key before others. */
export function mergeKey(keys: readonly UniqueKey[], written: ColumnNames): UniqueKey | undefined {
  const names = writtenNames(written);
  const good = keys.filter(({ columns }) => columns.every((column) => names.has(column)));
  return good.toSorted((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind))[0];
}

export function mergeTarget(key: UniqueKey, facts: readonly ColumnFacts[], written: ColumnNames): MergeTarget {
  const names = writtenNames(written);
  const nullable = new Set<ColumnKey>();
  const timeTypes = new Map<ColumnKey, string>();
  for (const { name, nullable: mayBeNull, type } of facts) {
    const columnKey = names.get(name);
    if (columnKey === undefined) continue;
    if (mayBeNull) nullable.add(columnKey);
    if (TIME_TYPE.test(type)) timeTypes.set(columnKey, type);
  }
  return { key: key.columns.flatMap((column) => names.get(column) ?? []), nullable, timeTypes };
}

/** The statements for the key that a history has, and for that of a table of latest values. */
export function keyDdl(table: string, { tagName, timestamp }: ColumnNames): string {
  const [tag, time] = [quoteName(tagName), quoteName(timestamp)];
  return `ALTER TABLE ${quoteName(table)} ADD UNIQUE (${tag}, ${time}); for a table of latest values ADD UNIQUE (${tag})`;
}

/** By the names that the dictionary has for them. */
function writtenNames(columns: ColumnNames): ReadonlyMap<string, ColumnKey> {
  return new Map(usedColumns(columns).map(({ key }) => [parseName(columns[key], 1)?.[0] ?? '', key]));
}
