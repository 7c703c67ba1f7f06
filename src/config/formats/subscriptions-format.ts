import { filtersOverlap, topicFilterProblem } from '../../core/topic-filter.ts';
import type { Subscription } from '../config.ts';
import { parseJson } from '../json-reader.ts';
import { suggestion } from '../suggestion.ts';
import type { Format, JsonSchema, Problem } from './format.ts';
import { isOneLine } from './plain-formats.ts';

/*
 * A list of subscriptions: an array with a small schema of its own, which convict would take unread.
 * `checkSubscriptions` accepts what the user may write; `fillSubscription` adds what was left out.
 */

type Field = keyof Subscription;

interface FieldRule {
  readonly doc: string;
  readonly jsonSchema: JsonSchema;
  check(value: unknown, fields: Readonly<Record<string, unknown>>): string | undefined;
}

/** Later formats are named, so that a person who read of them elsewhere learns why they are refused. */
const FORMATS: readonly unknown[] = ['polling', 'scalar'];
const LATER_FORMATS: ReadonlySet<unknown> = new Set(['json', 'sparkplugB']);

export const SUBSCRIPTION_FIELDS: Readonly<Record<Field, FieldRule>> = {
  topic: {
    doc: 'topic filter; + stands for one level, a final # for all that follow',
    jsonSchema: { type: 'string', minLength: 1 },
    check: (value) => {
      if (typeof value !== 'string') return 'must be a topic filter, such as "plc/+/tags"';
      const problem = topicFilterProblem(value);
      return problem === undefined ? undefined : `must be a topic filter, and this one ${sentence(problem)}`;
    },
  },
  qos: {
    doc:
      '1: nothing is lost on the way from the broker; 2: the same, and payloads without a time are stored once also on brokers that use ' +
      'packet ids again; 0: for values that may be lost',
    jsonSchema: { enum: [0, 1, 2], default: 1 },
    check: (value) => (value === 0 || value === 1 || value === 2 ? undefined : 'must be 0, 1 or 2'),
  },
  format: {
    doc: 'polling: one JSON message with many tags; scalar: one message is one value',
    jsonSchema: { enum: FORMATS, default: 'polling' },
    check: (value) => {
      if (LATER_FORMATS.has(value)) return 'is not supported in this version: use "polling" or "scalar"';
      return FORMATS.includes(value) ? undefined : 'must be "polling" or "scalar"';
    },
  },
  plcCode: {
    doc: 'PLC code, where the payload does not name it: text with {n} for the n-th level of the topic',
    jsonSchema: { type: 'string', default: '' },
    check: (value, fields) => templateProblem(value, fields['topic']),
  },
  tagAddress: {
    doc: 'tag address for scalar, in the same way: {3} is the third level of the topic',
    jsonSchema: { type: 'string', default: '' },
    check: (value, fields) => {
      if (fields['format'] === 'scalar' && value === '') {
        return 'must say where in the topic the tag address of a scalar value stands, such as "{3}"';
      }
      return templateProblem(value, fields['topic']);
    },
  },
};

const DEFAULTS: Omit<Subscription, 'topic'> = { qos: 1, format: 'polling', plcCode: '', tagAddress: '' };
const FIELD_NAMES = Object.keys(SUBSCRIPTION_FIELDS) as Field[];

/** Adds the fields that were left out. */
export function fillSubscription(given: Pick<Subscription, 'topic'> & Partial<Subscription>): Subscription {
  const { topic, ...others } = given;
  return { topic, ...DEFAULTS, ...others };
}

/** The levels of the topics that a filter takes in; a shared subscription's prefix is none of them. */
function levelsOf(filter: string): string[] {
  const levels = filter.split('/');
  return levels[0] === '$share' ? levels.slice(2) : levels;
}

function templateProblem(value: unknown, topic: unknown): string | undefined {
  const must = 'must be text with {n} for the n-th level of the topic, from 1';
  if (typeof value !== 'string' || !isOneLine(value)) return must;
  const numbers = [...value.matchAll(/\{([1-9]\d{0,4})\}/g)].map((match) => Number(match[1]));
  if (/[{}]/.test(value.replaceAll(/\{[1-9]\d{0,4}\}/g, ''))) return must;
  if (typeof topic !== 'string') return undefined;
  const levels = levelsOf(topic);
  const highest = Math.max(0, ...numbers);
  if (levels.at(-1) === '#' || highest <= levels.length) return undefined;
  return `must not name level ${highest}: the topic ${JSON.stringify(topic)} has ${levels.length}`;
}

function checkOne(value: unknown, at: string): Problem[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ at, must: 'must be an object, such as { "topic": "plc/+/tags" }', got: value }];
  }
  const unknown = Object.keys(value)
    .filter((name) => !Object.hasOwn(SUBSCRIPTION_FIELDS, name))
    .map((name) => ({ at: `${at}.${name}`, must: `is not a known key${suggestion(name, FIELD_NAMES)}` }));
  const fields: Record<string, unknown> = { ...DEFAULTS, ...value };
  const wrong = FIELD_NAMES.flatMap((name): Problem[] => {
    const must = SUBSCRIPTION_FIELDS[name].check(fields[name], fields);
    if (must === undefined) return [];
    return [{ at: `${at}.${name}`, must, ...(must.startsWith('must be') ? { got: fields[name] } : {}) }];
  });
  return [...unknown, ...wrong];
}

/** A broker may send a message that two filters take in once for each of them: it would be written twice. */
function overlaps(list: readonly unknown[]): Problem[] {
  const topics = list.map((item) => (isObject(item) && typeof item['topic'] === 'string' ? item['topic'] : ''));
  const isGood = (topic: string): boolean => topicFilterProblem(topic) === undefined;
  return topics.flatMap((topic, i) => {
    const earlier = topics.findIndex(
      (other, j) => j < i && isGood(other) && isGood(topic) && filtersOverlap(other, topic),
    );
    if (earlier === -1) return [];
    const other = `${JSON.stringify(topics[earlier])} of subscription [${earlier}]`;
    const why = 'a broker may deliver a message once for each, and its values would be written twice';
    return [{ at: `[${i}].topic`, must: `must not overlap ${other}: ${why}` }];
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function sentence(problem: string): string {
  return /^[#+]/.test(problem) ? `is none: ${problem}` : problem;
}

export const subscriptions: Format = {
  allowed: () => 'a list of subscriptions; in the environment as JSON text',
  check: (value) =>
    Array.isArray(value)
      ? [...value.flatMap((item, i) => checkOne(item, `[${i}]`)), ...overlaps(value)]
      : [{ must: 'must be a list of subscriptions, such as [{ "topic": "plc/+/tags" }]', got: value }],
  parse: parseJson,
  jsonSchema: () => ({
    type: 'array',
    minItems: 1,
    items: {
      type: 'object',
      additionalProperties: false,
      required: ['topic'],
      properties: Object.fromEntries(
        FIELD_NAMES.map((name) => {
          const { doc, jsonSchema } = SUBSCRIPTION_FIELDS[name];
          return [name, { description: doc, ...jsonSchema }];
        }),
      ),
    },
  }),
};
