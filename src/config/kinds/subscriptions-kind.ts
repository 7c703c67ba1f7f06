import {
  completed,
  fieldsJsonSchema,
  isGiven,
  itemProblems,
  objectProblems,
  unless,
  type Fields,
  type Problem,
} from '../../core/fields.ts';
import { filtersOverlap, topicFilterProblem } from '../../core/topic-filter.ts';
import type { Subscription } from '../config.ts';
import { parseJson } from '../json-reader.ts';
import type { SettingKind } from '../setting.ts';
import { isOneLine } from './plain-kinds.ts';

/*
 * A list of subscriptions: an array with a table of fields of its own, which convict would take unread. `subscriptions` accepts what the
 * user may write; `fillSubscription` adds what was left out.
 */

/** Later formats are named, so that a person who read of them elsewhere learns why they are refused. */
const FORMATS: readonly unknown[] = ['polling', 'scalar'];
const LATER_FORMATS: ReadonlySet<unknown> = new Set(['json', 'sparkplugB']);

export const SUBSCRIPTION_FIELDS: Fields<Subscription> = {
  topic: {
    doc: 'topic filter; + stands for one level, a final # for all that follow',
    jsonSchema: { type: 'string', minLength: 1 },
    check: (value) => {
      if (typeof value !== 'string') return unless(false, 'must be a topic filter, such as "plc/+/tags"', value);
      const problem = topicFilterProblem(value);
      if (problem === undefined) return [];
      return unless(false, `must be a topic filter, and this one ${sentence(problem)}`, value);
    },
  },
  qos: {
    doc:
      '1: nothing is lost on the way from the broker; 2: the same, and payloads without a time are stored once also on brokers that use ' +
      'packet ids again; 0: for values that may be lost',
    jsonSchema: { enum: [0, 1, 2] },
    default: 1,
    check: (value) => unless(value === 0 || value === 1 || value === 2, 'must be 0, 1 or 2', value),
  },
  format: {
    doc: 'polling: one JSON message with many tags; scalar: one message is one value',
    jsonSchema: { enum: FORMATS },
    default: 'polling',
    check: (value) => {
      if (LATER_FORMATS.has(value)) {
        return unless(false, 'is not supported in this version: use "polling" or "scalar"');
      }
      return unless(FORMATS.includes(value), 'must be "polling" or "scalar"', value);
    },
  },
  plcCode: {
    doc: 'PLC code, where the payload does not name it: text with {n} for the n-th level of the topic',
    jsonSchema: { type: 'string' },
    default: '',
    check: (value, { topic }) => templateProblems(value, topic),
  },
  tagAddress: {
    doc: 'tag address for scalar, in the same way: {3} is the third level of the topic',
    jsonSchema: { type: 'string' },
    default: '',
    check: (value, { format, topic }) => {
      if (format === 'scalar' && value === '') {
        return unless(false, 'must say where in the topic the tag address of a scalar value stands, such as "{3}"');
      }
      return templateProblems(value, topic);
    },
  },
};

/** Adds the fields that were left out. */
export function fillSubscription(given: Pick<Subscription, 'topic'> & Partial<Subscription>): Subscription {
  return completed(SUBSCRIPTION_FIELDS, given);
}

/** The levels of the topics that a filter takes in; a shared subscription's prefix is none of them. */
function levelsOf(filter: string): string[] {
  const levels = filter.split('/');
  return levels[0] === '$share' ? levels.slice(2) : levels;
}

function templateProblems(value: unknown, topic: unknown): Problem[] {
  const must = 'must be text with {n} for the n-th level of the topic, from 1';
  if (typeof value !== 'string' || !isOneLine(value)) return unless(false, must, value);
  const numbers = [...value.matchAll(/\{([1-9]\d{0,4})\}/g)].map((match) => Number(match[1]));
  if (/[{}]/.test(value.replaceAll(/\{[1-9]\d{0,4}\}/g, ''))) return unless(false, must, value);
  if (typeof topic !== 'string') return [];
  const levels = levelsOf(topic);
  const highest = Math.max(0, ...numbers);
  const isThere = levels.at(-1) === '#' || highest <= levels.length;
  return unless(isThere, `must not name level ${highest}: the topic ${JSON.stringify(topic)} has ${levels.length}`);
}

/** A broker may send a message that two filters take in once for each of them: it would be written twice. */
function overlaps(list: readonly unknown[]): Problem[] {
  const topics = list.map((item) => (isGiven(item) && typeof item['topic'] === 'string' ? item['topic'] : ''));
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

function sentence(problem: string): string {
  return /^[#+]/.test(problem) ? `is none: ${problem}` : problem;
}

const EXAMPLE = '{ "topic": "plc/+/tags" }';

export const subscriptions: SettingKind = {
  allowed: () => 'a list of subscriptions; in the environment as JSON text',
  check: (value) =>
    Array.isArray(value)
      ? [...itemProblems(value, (item) => objectProblems(SUBSCRIPTION_FIELDS, item, EXAMPLE)), ...overlaps(value)]
      : [{ must: `must be a list of subscriptions, such as [${EXAMPLE}]`, got: value }],
  parse: parseJson,
  jsonSchema: () => ({ type: 'array', minItems: 1, items: fieldsJsonSchema(SUBSCRIPTION_FIELDS) }),
};
