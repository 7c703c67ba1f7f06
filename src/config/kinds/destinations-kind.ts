import { COLUMNS, isColumnKey, ON_DUPLICATE, VALUE_TYPES } from '../../core/columns.ts';
import { DEFAULT_DESTINATION, DESTINATION_NAME, isDestinationName } from '../../core/destination.ts';
import {
  completed,
  fieldsJsonSchema,
  isGiven,
  objectProblems,
  under,
  unless,
  type Field,
  type Fields,
  type JsonSchema,
  type Problem,
} from '../../core/fields.ts';
import { printable } from '../../core/printable.ts';
import type { DestinationConfig } from '../config.ts';
import { parseJson } from '../json-reader.ts';
import type { Setting, SettingKind } from '../setting.ts';
import { furtherColumnProblems } from './further-columns.ts';
import { columnName, tableName } from './oracle-kinds.ts';
import { choice } from './plain-kinds.ts';

/*
 * The destinations beside `oracle.table`: an object whose keys are their names. Every field but the table may be left
 * out, and has no default of its own: `destinationsOf` takes it from `oracle`.
 */

const EXAMPLE = '{ "table": "ALARM_LOG" }';

export const DESTINATION_MUST = 'must be a name: a letter, then up to 63 letters, digits, "_" or "-"';

/** What is asked of a field that may be left out; `kind` says it as it does of the setting in `oracle`. */
function optional<T>(doc: string, kind: SettingKind, setting: Partial<Setting> = {}): Field<T | undefined> {
  const asked: Setting = { doc, kind, default: undefined, ...setting };
  return {
    doc,
    jsonSchema: kind.jsonSchema(asked),
    default: undefined,
    check: (value) => (value === undefined ? [] : kind.check(value, asked)),
  };
}

type ColumnFields = Fields<NonNullable<DestinationConfig['columns']>>;

const COLUMN_FIELDS = Object.fromEntries(
  COLUMNS.map(({ doc, key, mayBeAbsent }) => [
    key,
    optional(`${doc} Left out: as oracle.columns.${key}.`, columnName, mayBeAbsent ? { mayBeEmpty: true } : {}),
  ]),
) as ColumnFields;

/** Keys that are none of these are further columns. */
function columnsProblems(value: unknown): readonly Problem[] {
  if (value === undefined) return [];
  if (!isGiven(value)) return objectProblems(COLUMN_FIELDS, value, '{ "text": "MSG" }');
  const known = Object.fromEntries(Object.entries(value).filter(([key]) => isColumnKey(key)));
  const further = Object.entries(furtherOf(value));
  return [
    ...objectProblems(COLUMN_FIELDS, known, '{ "text": "MSG" }'),
    ...further.flatMap(([name, content]) => furtherColumnProblems(name, content)),
  ];
}

function furtherOf<T extends object>(columns: T): Partial<T> {
  return Object.fromEntries(Object.entries(columns).filter(([key]) => !isColumnKey(key))) as Partial<T>;
}

/** The keys of one destination. */
export const DESTINATION_FIELDS: Fields<DestinationConfig> = {
  table: {
    doc: 'table that the values are written to; no two destinations, and not the ledger, may have the same',
    jsonSchema: { type: 'string', minLength: 1 },
    check: (value) => tableName.check(value, { doc: '', kind: tableName, default: '' }),
  },
  columns: {
    doc: 'its columns, by the keys of oracle.columns; each that is left out is as there, "" has none written',
    jsonSchema: { ...fieldsJsonSchema(COLUMN_FIELDS), patternProperties: { '.': { type: 'string' } } },
    default: undefined,
    check: columnsProblems,
    complete: (value) => (value === undefined ? value : { ...completed(COLUMN_FIELDS, value), ...furtherOf(value) }),
  },
  valueType: optional('type of its value column: binary_double or number', choice, { choices: VALUE_TYPES }),
  onDuplicate: optional('what becomes of a row whose key is there already: reject, ignore or update', choice, {
    choices: ON_DUPLICATE,
  }),
};

export const destinations: SettingKind = {
  allowed: () => 'an object: name → destination; in the environment as JSON text',
  check: (value) => {
    if (!isGiven(value)) return [{ must: `must be an object, such as { "alarms": ${EXAMPLE} }`, got: value }];
    return Object.entries(value).flatMap(([name, destination]): Problem[] =>
      nameProblems(name).concat(under(`.${printable(name)}`, objectProblems(DESTINATION_FIELDS, destination, EXAMPLE))),
    );
  },
  parse: parseJson,
  jsonSchema: (): JsonSchema => ({
    type: 'object',
    propertyNames: { pattern: DESTINATION_NAME.source, not: { const: DEFAULT_DESTINATION } },
    additionalProperties: fieldsJsonSchema(DESTINATION_FIELDS),
  }),
};

function nameProblems(name: string): Problem[] {
  if (name === DEFAULT_DESTINATION)
    return under(`.${name}`, unless(false, 'must have another name: "default" is the table of oracle.table'));
  return unless(isDestinationName(name), `has a destination whose name ${DESTINATION_MUST}`, name);
}

/** Gives the fields of good destinations their order; the names keep theirs. */
export function fillDestinations(
  given: Readonly<Record<string, DestinationConfig>>,
): Readonly<Record<string, DestinationConfig>> {
  return Object.fromEntries(
    Object.entries(given).map(([name, destination]) => [name, completed(DESTINATION_FIELDS, destination)]),
  );
}
