import { tableColumns, type Destination } from '../core/columns.ts';
import { storedName } from '../core/identifier.ts';
import type { ColumnFacts, UniqueKey } from '../oracle/dictionary.ts';
import { mayCatch, mergeKey } from '../oracle/table-keys.ts';
import { failed, ok, warning, type Finding } from './finding.ts';

/**
 * The keys that refuse a second equal row, and what becomes of such a row by `onDuplicate`. `proposal`: the statement
 * for a key that tells a row from its repetition.
 */
export function checkKeys(
  keys: readonly UniqueKey[],
  columns: readonly ColumnFacts[],
  destination: Destination,
  proposal: string,
): Finding[] {
  const names = new Set(tableColumns(destination).map(({ name }) => storedName(name)));
  const filledOf = (key: UniqueKey): string | undefined =>
    key.columns.find((name) => !names.has(name) && columns.some((column) => column.name === name && column.hasDefault));
  const byDefault = keys.flatMap((key) => {
    const filled = filledOf(key);
    const text = `${shown(key)}; ${filled} has a default, which must differ from row to row`;
    return filled === undefined ? [] : [ok(subjectOf(key), text)];
  });
  const others = keys.filter((key) => filledOf(key) === undefined);
  if (destination.onDuplicate === 'reject' && keys.length > 0 && others.length === 0) return byDefault;
  return [...byDefault, ...KEY_CHECKS[destination.onDuplicate](others, destination, proposal, columns)];
}

type KeyCheck = (
  keys: readonly UniqueKey[],
  destination: Destination,
  proposal: string,
  columns: readonly ColumnFacts[],
) => Finding[];

const KEY_CHECKS: Readonly<Record<Destination['onDuplicate'], KeyCheck>> = {
  reject: (keys, _destination, proposal) =>
    keys.length === 0
      ? [
          ok(
            'unique keys',
            `none: equal rows are kept, as they should be. What would tell repetitions from new rows: ${proposal}`,
          ),
        ]
      : keys.map((key) =>
          rejecting(
            key,
            'drop it, unless such values are to be rejected: the ledger keeps values from being doubled',
            'or let them be passed over: "onDuplicate": "ignore"',
          ),
        ),
  ignore: (keys, destination, proposal) => {
    if (!keys.some((key) => mayCatch(key, destination))) return [noKey(destination, proposal)];
    return keys.map((key) => ok(subjectOf(key), `${shown(key)}: a row that has these already is left as it is`));
  },
  update: (keys, destination, proposal, columns) => {
    const chosen = mergeKey(keys, destination);
    if (chosen === undefined) return [noKey(destination, proposal)];
    const rest = keys.filter((key) => key !== chosen);
    return [
      mergedBy(chosen, destination, columns),
      ...rest.map((key) => rejecting(key, `"onDuplicate": "update" goes by ${chosen.name} alone: drop this one`)),
    ];
  },
};

function noKey({ onDuplicate }: Destination, proposal: string): Finding {
  const text = `"onDuplicate": "${onDuplicate}" needs a primary or unique key over columns that are written, and there is none`;
  return failed('unique keys', text, proposal, 'or, for a table of latest values, the same without the time');
}

function rejecting(key: UniqueKey, ...remedies: readonly string[]): Finding {
  const text = `${shown(key)}: a value that comes twice with the same of these is rejected (ORA-00001)`;
  return warning(subjectOf(key), text, ...remedies);
}

function mergedBy(key: UniqueKey, { columns: names }: Destination, columns: readonly ColumnFacts[]): Finding {
  const time = storedName(names.timestamp);
  const meaning = key.columns.includes(time)
    ? 'a row that has these already gets the other columns anew'
    : 'a table of latest values: of a row that has these already the newer time wins';
  const padded = columns.find(({ name, type }) => key.columns.includes(name) && /^N?CHAR$/.test(type));
  if (padded === undefined) return ok(subjectOf(key), `${shown(key)}: ${meaning}`);
  const text = `${shown(key)}: ${padded.name} is a ${padded.type}, whose blanks make it unlike what comes: such rows are rejected`;
  return failed(subjectOf(key), text, 'make it a VARCHAR2');
}

function subjectOf({ name }: UniqueKey): string {
  return `unique key ${name}`;
}

function shown({ columns, kind }: UniqueKey): string {
  return `${kind} on ${columns.join(', ')}`;
}
