import type { JsonOptions, RowMapping } from './mapping.ts';
import { PRESET_NAMES } from './presets.ts';
import * as shapes from './shapes.ts';
import type { JsonSchema, Shape } from './shapes.ts';

export const DEFAULT_MAX_INFLATED_BYTES = 8_388_608;
const MOST_INFLATED_BYTES = 268_435_456;

interface MappingKey {
  readonly doc: string;
  readonly shape: Shape;
}

/** The keys of one mapping, in the order in which the documentation has them. */
export const ROW_KEYS: Readonly<Record<keyof RowMapping, MappingKey>> = {
  each: {
    doc: 'where the items are, each of which is a row; `*` is every element or member, `[]` every element or the one thing. Default `/`, the document',
    shape: shapes.PATH,
  },
  optional: { doc: 'nothing at `each` is no reason to refuse the message', shape: shapes.YES_NO },
  names: {
    doc: 'where a list of names stands for the elements of the arrays that the last `*` goes through: these are read as objects with such keys',
    shape: shapes.PATH,
  },
  carry: {
    doc: 'members that an item takes from the last one before it that has them',
    shape: shapes.NAMES,
  },
  when: { doc: 'conditions of an item; others give no row', shape: shapes.CONDITIONS },
  plc: { doc: 'PLC code; default: that of the subscription', shape: shapes.TEMPLATES },
  tag: {
    doc: "tag address; default: the subscription's `tagAddress`, or `{#}` where `each` ends with `*`",
    shape: shapes.TEMPLATES,
  },
  table: {
    doc: 'the table of a `dictionary` in which the tag address is looked up: the name that stands there is the address',
    shape: shapes.TEMPLATE,
  },
  value: { doc: 'where the value is. Default `.`, the item itself', shape: shapes.VALUE },
  missing: {
    doc: 'what to do where there is no value: `reject` the row (default), write `null`, or `skip` it',
    shape: shapes.choice('reject', 'null', 'skip'),
  },
  nested: {
    doc: 'what to do with a value that is an object or array, where it is not flattened: `reject` it (default), or write it as `text`',
    shape: shapes.choice('reject', 'text'),
  },
  flatten: {
    doc: 'what stands between the names of nested members, each of which then is a row: `.` makes `ENERGY.Power`',
    shape: shapes.TEXT,
  },
  nulls: { doc: 'values that mean that there is none: NULL is written', shape: shapes.SENTINELS },
  numbersInText: { doc: 'texts that are numbers are numbers', shape: shapes.YES_NO },
  decimalComma: { doc: 'the same for `12,5` and `1.234,5`', shape: shapes.YES_NO },
  words: { doc: 'texts that are numbers, or null: `{ "ON": 1, "OFF": 0 }`', shape: shapes.WORDS },
  timestamp: { doc: 'where the time is; where nothing is there, the time of receipt', shape: shapes.SOURCES },
  timestampFormat: { doc: 'the form of the time. Default `iso`', shape: shapes.TIME_FORMAT },
  timeZone: { doc: 'for times without a zone; default: that of the subscription, or UTC', shape: shapes.TEXT },
  quality: { doc: 'where the quality is; where nothing is there, it is GOOD', shape: shapes.PATHS },
  qualityScale: { doc: 'what the quality is by; default: text as it stands', shape: shapes.QUALITY_SCALE },
  include: {
    doc: "which keys of members (of an array's elements: tags) are taken; `*` stands for any characters",
    shape: shapes.NAMES,
  },
  exclude: { doc: 'which of them are not', shape: shapes.NAMES },
  columns: {
    doc: 'further columns of the destination, by their names: where in the payload their values are',
    shape: shapes.COLUMNS,
  },
  to: {
    doc: "the destination of the rows, one of `oracle.destinations`; default: the subscription's `to`",
    shape: shapes.DESTINATION,
  },
};

/** The keys that are of the message; `rows` and `preset` apart, those of a row may stand beside them. */
export const MESSAGE_KEYS: Readonly<Record<Exclude<keyof JsonOptions, keyof RowMapping> | 'when', MappingKey>> = {
  preset: {
    doc: 'a mapping that is known by name; keys beside it go before its own',
    shape: shapes.choice(...PRESET_NAMES),
  },
  when: { doc: 'conditions of a document; others are skipped and counted', shape: shapes.CONDITIONS },
  arrayOfDocuments: { doc: 'an array at the top is a list of documents', shape: shapes.YES_NO },
  compression: {
    doc: 'how payloads are compressed. Default `auto`: by their first bytes gzip, zlib or not at all',
    shape: shapes.choice('auto', 'gzip', 'deflate', 'deflateRaw', 'none'),
  },
  maxInflatedBytes: {
    doc: `the most that a compressed payload may come to. Default ${DEFAULT_MAX_INFLATED_BYTES}`,
    shape: shapes.wholeNumber(1, MOST_INFLATED_BYTES),
  },
  notFinite: {
    doc: 'NaN and Infinity, which are no JSON: `reject` the message (default), or read them as `null`',
    shape: shapes.choice('reject', 'null'),
  },
  dictionary: {
    doc: 'where messages tell names for the rows of others: `each` leads to the entries, `table`, `key` and `name` are templates',
    shape: shapes.DICTIONARY,
  },
  rows: {
    doc: 'one mapping or several; the keys of a mapping may also stand without `rows`, for the only one or all of them',
    shape: {
      allowed: 'a list of mappings',
      jsonSchema: { type: 'array', minItems: 1, items: objectOf(ROW_KEYS) },
      isGood: (value) => Array.isArray(value) && value.length > 0,
    },
  },
};

/** The JSON Schema of the whole of `json`. */
export function mappingSchema(): JsonSchema {
  return objectOf({ ...ROW_KEYS, ...MESSAGE_KEYS });
}

function objectOf(keys: Readonly<Record<string, MappingKey>>): JsonSchema {
  const properties = Object.entries(keys).map(([name, { doc, shape }]) => [
    name,
    { description: doc, ...shape.jsonSchema },
  ]);
  return { type: 'object', additionalProperties: false, properties: Object.fromEntries(properties) as JsonSchema };
}
