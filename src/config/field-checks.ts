import { tableColumns, type Destination, type FieldColumn } from '../core/columns.ts';
import { DEFAULT_DESTINATION } from '../core/destination.ts';
import { isSameName } from '../core/identifier.ts';
import { COLUMN_KEYS } from './column-checks.ts';
import type { CrossCheck } from './cross-check.ts';
import { destinationsOf } from './destinations.ts';
import { contradictingFields, fieldsByDestination } from './row-targets.ts';

/*
 * What must hold of the columns that mappings fill: each is no other column of its table, has one name and one kind of
 * values, and was known at the start, as the statement is made then.
 */

const SUBSCRIPTIONS = 'mqtt.subscriptions';

export const FIELD_CHECKS: readonly CrossCheck[] = [
  {
    keys: [SUBSCRIPTIONS, 'oracle.destinations', 'oracle.furtherColumns', ...COLUMN_KEYS],
    check: ({ oracle }) => firstOf(destinationsOf(oracle).flatMap(columnTwice)),
  },
  {
    keys: [SUBSCRIPTIONS],
    check: ({ mqtt }) => {
      const [name] = contradictingFields(mqtt.subscriptions);
      return name === undefined ? undefined : `must fill the column ${name} with values of one "type" in all mappings`;
    },
  },
  {
    keys: [SUBSCRIPTIONS, 'oracle.destinations'],
    check: ({ mqtt, oracle }) => {
      const wanted = fieldsByDestination(mqtt.subscriptions);
      // Of a destination that is not known there is nothing to say but that.
      const added = destinationsOf(oracle).flatMap(({ fields = [], name }) =>
        (wanted.get(name) ?? []).filter((column) => !fields.some((known) => isSameField(known, column))),
      );
      return firstOf(added.map(({ name }) => `must not fill a column that it did not at the start, ${name}`));
    },
  },
];

function columnTwice(destination: Destination): string[] {
  const { fields = [], name: destinationName } = destination;
  const used = tableColumns({ ...destination, fields: [] });
  const isDefault = destinationName === DEFAULT_DESTINATION;
  const where = isDefault ? 'oracle.columns has it' : `the destination "${destinationName}" has it already`;
  return fields.flatMap(({ name }, i) => {
    if (used.some((column) => isSameName(column.name, name))) {
      return [`must not fill the column ${name} by a mapping: ${where}`];
    }
    const other = fields.slice(0, i).find((earlier) => isSameName(earlier.name, name));
    return other === undefined ? [] : [`must write the name of a column alike in all mappings: ${other.name}, ${name}`];
  });
}

function isSameField(a: FieldColumn, b: FieldColumn): boolean {
  return a.name === b.name && a.holds === b.holds;
}

function firstOf(problems: readonly string[]): string | undefined {
  return problems[0];
}
