import { tableColumns } from '../core/columns.ts';
import { storedName } from '../core/identifier.ts';
import type { MergeTarget } from './merge.ts';
import type { TableOptions } from './statements.ts';
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
export function mayCatch({ columns }: UniqueKey, options: TableOptions): boolean {
  const names = writtenNames(options);
  return columns.every((column) => names.has(column) || OF_EXPRESSION.test(column));
}

/** The key that a MERGE goes by, all of whose columns are written: the primary key before others. */
export function mergeKey(keys: readonly UniqueKey[], options: TableOptions): UniqueKey | undefined {
  const names = writtenNames(options);
  const good = keys.filter(({ columns }) => columns.every((column) => names.has(column)));
  return good.toSorted((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind))[0];
}

export function mergeTarget(key: UniqueKey, facts: readonly ColumnFacts[], options: TableOptions): MergeTarget {
  const names = writtenNames(options);
  const nullable = new Set<string>();
  const timeTypes = new Map<string, string>();
  for (const { name: stored, nullable: mayBeNull, type } of facts) {
    const name = names.get(stored);
    if (name === undefined) continue;
    if (mayBeNull) nullable.add(name);
    if (TIME_TYPE.test(type)) timeTypes.set(name, type);
  }
  return { key: new Set(key.columns.flatMap((column) => names.get(column) ?? [])), nullable, timeTypes };
}

/**
 * The columns that tell a row from its repetition, the time last: what has one name, at one time, of one PLC. A table
 * of latest values has the same without the time.
 */
export function historyKey({ columns }: Pick<TableOptions, 'columns'>, tagNameTemplate: string): readonly string[] {
  const isByPlc = columns.plcCode !== '' && !tagNameTemplate.includes('{plc}');
  return [...(isByPlc ? [columns.plcCode] : []), columns.tagName, columns.timestamp];
}

/** Those of the configuration by those that the dictionary has for them. */
function writtenNames(options: TableOptions): ReadonlyMap<string, string> {
  return new Map(tableColumns(options).map(({ name }) => [storedName(name), name]));
}
