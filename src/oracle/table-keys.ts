import { tableColumns, type ColumnChoice, type ColumnNames } from '../core/columns.ts';
import { parseName, quoteName } from '../core/identifier.ts';
import type { MergeTarget } from './merge.ts';
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
export function mayCatch({ columns }: UniqueKey, written: ColumnChoice): boolean {
  const names = writtenNames(written);
  return columns.every((column) => names.has(column) || OF_EXPRESSION.test(column));
}

/** The key that a MERGE goes by, all of whose columns are written: the primary key before others. */
export function mergeKey(keys: readonly UniqueKey[], written: ColumnChoice): UniqueKey | undefined {
  const names = writtenNames(written);
  const good = keys.filter(({ columns }) => columns.every((column) => names.has(column)));
  return good.toSorted((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind))[0];
}

export function mergeTarget(key: UniqueKey, facts: readonly ColumnFacts[], written: ColumnChoice): MergeTarget {
  const names = writtenNames(written);
  const nullable = new Set<string>();
  const timeTypes = new Map<string, string>();
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
function writtenNames(written: ColumnChoice): ReadonlyMap<string, string> {
  return new Map(tableColumns(written).map(({ key, name }) => [parseName(name, 1)?.[0] ?? '', key]));
}
