import { DESTINATION_NAME, isDestinationName } from '../../core/destination.ts';
import {
  completed,
  entriesOf,
  isGiven,
  objectProblems,
  unless,
  type Field,
  type Fields,
  type Given,
  type Problem,
} from '../../core/fields.ts';
import { levelsOf, topicFilterProblem } from '../../core/topic-filter.ts';
import { FILTER_FIELDS } from '../../payload/filter/filter-fields.ts';
import type { PayloadFormat, Said } from '../../payload/format.ts';
import { findFormat, FORMATS, LATER_FORMATS, type FormatName } from '../../payload/formats.ts';
import { MEANING_FIELDS } from '../../payload/value-fields.ts';
import type { Subscription } from '../config.ts';
import { DESTINATION_MUST } from './destinations-kind.ts';
import { isOneLine, listOf } from './plain-kinds.ts';

/*
 * The keys of a subscription: those that all have, and those of its payload format. `subscriptionProblems` says what
 * the user may not write; `fillSubscription` adds what was left out.
 */

const FORMAT_NAMES = FORMATS.map(({ name }) => name);

/** What every subscription has. */
const COMMON_FIELDS: Fields<Subscription> = {
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
    doc: FORMATS.map(({ doc, name }) => `${name}: ${doc}`).join('; '),
    jsonSchema: { enum: FORMAT_NAMES },
    default: FORMATS[0]!.name,
    check: (value) => {
      if (findFormat(value) !== undefined) return [];
      const isLater = LATER_FORMATS.some((name) => name === value);
      if (isLater) return unless(false, `is not supported in this version: use ${listOf(FORMAT_NAMES)}`);
      return unless(false, `must be ${listOf(FORMAT_NAMES)}`, value);
    },
  },
  plcCode: {
    doc:
      'PLC code, where the payload does not name it: text with {n} for the n-th level of the topic; "": none. Left out ' +
      'with format polling: the level of the first wildcard of the topic filter, if it has one',
    jsonSchema: { type: 'string' },
    default: '',
    check: (value, { topic }) => templateProblems(value, topic),
  },
  tagAddress: {
    doc: 'tag address, in the same way: {3} is the third level of the topic',
    jsonSchema: { type: 'string' },
    default: '',
    check: (value, beside) => {
      if (value !== '' || said(beside)?.tagAddress !== false) return templateProblems(value, beside['topic']);
      const what = `the tag address of a ${String(beside['format'])} value`;
      return unless(false, `must say where in the topic ${what} stands, such as "{3}"`);
    },
  },
  ...MEANING_FIELDS,
  to: {
    doc: 'destination of the values, a name in oracle.destinations; left out, or "default": the table of oracle.table',
    jsonSchema: { type: 'string', pattern: DESTINATION_NAME.source },
    default: undefined,
    check: (value) => unless(value === undefined || isDestinationName(value), DESTINATION_MUST, value),
  },
  retained: {
    doc:
      'what to do with messages that the broker had kept (retained): write, once: what is stored already is not stored ' +
      'again; or skip',
    jsonSchema: { enum: ['write', 'skip'] },
    default: 'write',
    check: (value) => unless(value === 'write' || value === 'skip', 'must be "write" or "skip"', value),
  },
  ...FILTER_FIELDS,
};

/**
 * All keys that subscriptions can have, for the reference: those of one format are needed or optional with that format
 * only.
 */
export const SUBSCRIPTION_FIELDS: Fields = {
  ...COMMON_FIELDS,
  ...formatOptions((field, format) => ({
    default: undefined,
    ...field,
    doc: `with format ${format}${'default' in field ? '' : ', which needs it'}: ${field.doc}`,
  })),
};

/** The options of all formats, each as `shown` has it. */
function formatOptions(shown: (field: Field, format: FormatName) => Field): Fields {
  const options = FORMATS.flatMap((format) =>
    entriesOf(format.options).map(([name, field]) => [name, shown(field, format.name)] as const),
  );
  return Object.fromEntries(options);
}

/** Adds the fields that were left out. */
export function fillSubscription(given: Pick<Subscription, 'topic'> & Partial<Subscription>): Subscription {
  const options = findFormat(given.format ?? COMMON_FIELDS.format.default)?.options;
  const filled = completed<Subscription>({ ...COMMON_FIELDS, ...options }, given);
  // One that an earlier run has kept on disk says what it had: its messages are read as they were then.
  if (given.plcCode !== undefined || filled.format !== 'polling') return filled;
  return { ...filled, plcCode: wildcardTemplate(filled.topic) };
}

/** The template of the level at which the first wildcard of a topic filter stands; empty: it has none. */
export function wildcardTemplate(topic: string): string {
  const index = levelsOf(topic).findIndex((level) => level === '+' || level === '#');
  return index === -1 ? '' : `{${index + 1}}`;
}

/** An example of a subscription, for errors. */
export const EXAMPLE = '{ "topic": "plc/+/tags" }';

/** What is wrong with one subscription as the user wrote it. */
export function subscriptionProblems(value: unknown): Problem[] {
  const name = isGiven(value) && 'format' in value ? value['format'] : COMMON_FIELDS.format.default;
  const format = findFormat(name);
  const fields = { ...COMMON_FIELDS, ...optionsOfOthers(format), ...format?.options };
  return objectProblems(fields, value, EXAMPLE);
}

/** Options of other formats than this. Where it is not known which format was meant, none is refused. */
function optionsOfOthers(format: PayloadFormat | undefined): Fields {
  return formatOptions((field, owner) => {
    const must = `must not be given: it is an option of "format": "${owner}"`;
    const check = (value: unknown): Problem[] => unless(format === undefined || value === undefined, must);
    return { ...field, default: undefined, check };
  });
}

/** What the payloads say; undefined where the format or its options are not good. */
function said(beside: Given): Said | undefined {
  const format = findFormat(beside['format']);
  if (format === undefined) return undefined;
  const isGood = entriesOf(format.options).every(([name, field]) => field.check(beside[name], beside).length === 0);
  return isGood ? format.says(completed<object>(format.options, beside)) : undefined;
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

function sentence(problem: string): string {
  return /^[#+]/.test(problem) ? `is none: ${problem}` : problem;
}
