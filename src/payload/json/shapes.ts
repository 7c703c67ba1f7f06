/** What a key of a mapping may hold: what is said of it, its JSON Schema and its check. */
import { isDestinationName } from '../../core/destination.ts';
import { parseName } from '../../core/identifier.ts';
import { QUALITY_SCALE_NAMES } from '../quality.ts';
import { isObject } from './cursor.ts';

export type JsonSchema = Readonly<Record<string, unknown>>;

export interface Shape {
  /** `must be …`, without the two words. */
  readonly allowed: string;
  readonly jsonSchema: JsonSchema;
  isGood(value: unknown): boolean;
}

const KINDS: readonly unknown[] = ['object', 'array', 'text', 'number', 'boolean', 'null'];

const isText = (value: unknown): value is string => typeof value === 'string';
const isName = (value: unknown): boolean => isText(value) && value !== '';
const isListOf = (value: unknown, isGood: (item: unknown) => boolean): boolean =>
  Array.isArray(value) && value.length > 0 && value.every(isGood);
const isScalar = (value: unknown): boolean => value === null || ['string', 'number', 'boolean'].includes(typeof value);
const hasOnly = (value: unknown, names: readonly string[]): value is Readonly<Record<string, unknown>> =>
  isObject(value) && Object.keys(value).every((name) => names.includes(name));
const isMapOf = (value: unknown, isGood: (item: unknown) => boolean): boolean =>
  isObject(value) && Object.values(value).every(isGood);
const isSum = (value: unknown): boolean => hasOnly(value, ['sum']) && isListOf(value['sum'], isName);
const isSource = (value: unknown): boolean => isName(value) || isSum(value);
const isAnyOf = (value: unknown): boolean => isScalar(value) || isListOf(value, isScalar);
const isCondition = (value: unknown): boolean =>
  isAnyOf(value) ||
  (hasOnly(value, ['exists']) && typeof value['exists'] === 'boolean') ||
  (hasOnly(value, ['is']) && isListOf(value['is'], (kind) => KINDS.includes(kind))) ||
  (hasOnly(value, ['not']) && isCondition(value['not']));

const NAME_SCHEMA = { type: 'string', minLength: 1 };
const NAMES_SCHEMA = { type: 'array', minItems: 1, items: NAME_SCHEMA };
const SCALAR_SCHEMA = { type: ['string', 'number', 'boolean', 'null'] };
const ANY_OF_SCHEMA = { anyOf: [SCALAR_SCHEMA, { type: 'array', minItems: 1, items: SCALAR_SCHEMA }] };
const SOURCE_SCHEMA = { anyOf: [NAME_SCHEMA, objectSchema({ sum: NAMES_SCHEMA })] };
const SOURCES_SCHEMA = {
  anyOf: [NAME_SCHEMA, objectSchema({ sum: NAMES_SCHEMA }), { type: 'array', minItems: 1, items: SOURCE_SCHEMA }],
};

function objectSchema(properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return { type: 'object', additionalProperties: false, required: Object.keys(properties), properties };
}

export function choice(...choices: readonly string[]): Shape {
  return {
    allowed: `one of ${choices.map((each) => JSON.stringify(each)).join(', ')}`,
    jsonSchema: { enum: choices },
    isGood: (value) => isText(value) && choices.includes(value),
  };
}

export const YES_NO: Shape = {
  allowed: 'true or false',
  jsonSchema: { type: 'boolean' },
  isGood: (value) => typeof value === 'boolean',
};

export const TEXT: Shape = { allowed: 'a text', jsonSchema: { type: 'string' }, isGood: isText };

export const PATH: Shape = { allowed: 'a path', jsonSchema: NAME_SCHEMA, isGood: isName };

export const PATHS: Shape = {
  allowed: 'a path, or a list of paths of which the first that is there counts',
  jsonSchema: { anyOf: [NAME_SCHEMA, NAMES_SCHEMA] },
  isGood: (value) => isName(value) || isListOf(value, isName),
};

export const TEMPLATES: Shape = {
  allowed: 'a text with {path}, {#} and {2}, or a list of such texts',
  jsonSchema: { anyOf: [NAME_SCHEMA, NAMES_SCHEMA] },
  isGood: (value) => isName(value) || isListOf(value, isName),
};

export const TEMPLATE: Shape = {
  allowed: 'a text with {path}, {#} and {2}',
  jsonSchema: NAME_SCHEMA,
  isGood: isName,
};

export const DICTIONARY: Shape = {
  allowed: 'an object of "each", a path, and "table", "key" and "name", texts with {path}, {#} and {2}',
  jsonSchema: objectSchema({ each: NAME_SCHEMA, table: NAME_SCHEMA, key: NAME_SCHEMA, name: NAME_SCHEMA }),
  isGood: (value) =>
    hasOnly(value, ['each', 'table', 'key', 'name']) &&
    Object.keys(value).length === 4 &&
    Object.values(value).every(isName),
};

export const NAMES: Shape = {
  allowed: 'a list of texts',
  jsonSchema: { type: 'array', items: NAME_SCHEMA },
  isGood: (value) => Array.isArray(value) && value.every(isName),
};

export const SOURCES: Shape = {
  allowed: 'a path, { "sum": [paths] }, or a list of these of which the first that is there counts',
  jsonSchema: SOURCES_SCHEMA,
  isGood: (value) => isSource(value) || isListOf(value, isSource),
};

export const VALUE: Shape = {
  allowed: `${SOURCES.allowed}; null for no value`,
  jsonSchema: { anyOf: [...SOURCES_SCHEMA.anyOf, { type: 'null' }] },
  isGood: (value) => value === null || SOURCES.isGood(value),
};

export const SENTINELS: Shape = {
  allowed: 'a list of numbers and texts',
  jsonSchema: { type: 'array', items: { type: ['number', 'string'] } },
  isGood: (value) => Array.isArray(value) && value.every((item) => typeof item === 'number' || isText(item)),
};

export const WORDS: Shape = {
  allowed: 'an object of texts and their numbers, such as { "ON": 1, "OFF": 0 }',
  jsonSchema: { type: 'object', additionalProperties: { type: ['number', 'null'] } },
  isGood: (value) => isMapOf(value, (item) => item === null || typeof item === 'number'),
};

export const CONDITIONS: Shape = {
  allowed:
    'an object of paths and what must stand there, such as { "/type": "data" }, { "/a": [1, 2] }, { "/b": { "exists": true } }, ' +
    '{ "/c": { "is": ["object"] } } or { "/d": { "not": "x" } }',
  jsonSchema: {
    type: 'object',
    additionalProperties: {
      anyOf: [
        ...ANY_OF_SCHEMA.anyOf,
        objectSchema({ exists: { type: 'boolean' } }),
        objectSchema({ is: { type: 'array', minItems: 1, items: { enum: KINDS } } }),
        objectSchema({ not: {} }),
      ],
    },
  },
  isGood: (value) => isMapOf(value, isCondition),
};

export const TIME_FORMAT: Shape = {
  allowed:
    '"iso", "epochS", "epochMs", "epochUs", "epochNs", "senml", a date pattern such as "dd.MM.yyyy HH:mm:ss", or ' +
    '{ "seconds": path, "nanos": path }',
  jsonSchema: { anyOf: [NAME_SCHEMA, objectSchema({ seconds: NAME_SCHEMA, nanos: NAME_SCHEMA })] },
  isGood: (value) =>
    isName(value) || (hasOnly(value, ['seconds', 'nanos']) && isName(value['seconds']) && isName(value['nanos'])),
};

export const QUALITY_SCALE: Shape = {
  allowed:
    `${QUALITY_SCALE_NAMES.map((name) => JSON.stringify(name)).join(', ')}, or an object such as ` +
    '{ "192": "GOOD", "*": "BAD" } with texts of 1 to 64 characters',
  jsonSchema: {
    anyOf: [
      { enum: QUALITY_SCALE_NAMES },
      { type: 'object', minProperties: 1, additionalProperties: { type: 'string', minLength: 1, maxLength: 64 } },
    ],
  },
  isGood: (value) =>
    (isText(value) && (QUALITY_SCALE_NAMES as readonly string[]).includes(value)) ||
    (isMapOf(value, (item) => isName(item) && Buffer.byteLength(item as string) <= 64) &&
      Object.keys(value as object).length > 0),
};

const COLUMN_TYPES = ['text', 'number', 'time'];
const COLUMN_SOURCE_SCHEMA = {
  anyOf: [
    NAME_SCHEMA,
    NAMES_SCHEMA,
    {
      type: 'object',
      additionalProperties: false,
      required: ['path'],
      properties: { path: SOURCES_SCHEMA, type: { enum: COLUMN_TYPES }, timestampFormat: NAME_SCHEMA },
    },
  ],
};

function isColumnSource(value: unknown): boolean {
  if (isName(value) || isListOf(value, isName)) return true;
  if (!hasOnly(value, ['path', 'type', 'timestampFormat']) || !SOURCES.isGood(value['path'])) return false;
  const { timestampFormat, type } = value;
  if (type !== undefined && !(isText(type) && COLUMN_TYPES.includes(type))) return false;
  return timestampFormat === undefined || (type === 'time' && isName(timestampFormat));
}

export const COLUMNS: Shape = {
  allowed:
    'an object of names of columns and, for each, a path, a list of paths, a text with {path}, {#} and {2}, or ' +
    '{ "path": path, "type": "text", "number" or "time" }, with "timestampFormat" beside "time"',
  jsonSchema: { type: 'object', additionalProperties: COLUMN_SOURCE_SCHEMA },
  isGood: (value) =>
    isMapOf(value, isColumnSource) && Object.keys(value as object).every((name) => parseName(name, 1) !== undefined),
};

export const DESTINATION: Shape = {
  allowed: 'the name of a destination: a letter, then letters, digits, _ and -, at most 64',
  jsonSchema: NAME_SCHEMA,
  isGood: isDestinationName,
};

export function wholeNumber(min: number, max: number): Shape {
  return {
    allowed: `a whole number from ${min} to ${max}`,
    jsonSchema: { type: 'integer', minimum: min, maximum: max },
    isGood: (value) => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max,
  };
}
