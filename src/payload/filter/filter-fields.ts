import {
  isGiven,
  itemProblems,
  objectProblems,
  under,
  unknownKeys,
  unless,
  type Fields,
  type Problem,
} from '../../core/fields.ts';
import {
  PLAUSIBLE_TIME,
  type Deadband,
  type FilterOptions,
  type PlausibleTime,
  type TagFilter,
} from './filter-options.ts';
import type { OnImplausibleTime, TimeOptions } from './filter-options.ts';

/* The keys of a subscription that say which of its values are written, and which times are believed. */

const MAX_PATTERNS = 1_000;
const MAX_PATTERN_LENGTH = 1_000;
const MAX_SILENCE_SECONDS = 31_622_400;
const MAX_PAST_DAYS = 4_000_000;
const MAX_FUTURE_MINUTES = 100_000_000;

const PATTERN_SCHEMA = { type: 'string', minLength: 1, maxLength: MAX_PATTERN_LENGTH };
const PATTERNS_SCHEMA = { type: 'array', maxItems: MAX_PATTERNS, items: PATTERN_SCHEMA };
const BAND_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  minProperties: 1,
  properties: { absolute: { type: 'number', minimum: 0 }, percent: { type: 'number', minimum: 0, maximum: 100 } },
};
const SILENCE_SCHEMA = { type: 'number', minimum: 0, maximum: MAX_SILENCE_SECONDS };
const PATTERN_MUST = `must be a tag name with * for any characters, such as "*.Temp*", of up to ${MAX_PATTERN_LENGTH}`;
const BAND_MUST = 'must be an object such as { "absolute": 0.5 } or { "percent": 2 }';
const ON_IMPLAUSIBLE: readonly unknown[] = ['accept', 'receivedAt', 'reject'] satisfies OnImplausibleTime[];

const TAG_FIELDS: Fields<Required<TagFilter>> = {
  match: { doc: '', jsonSchema: PATTERN_SCHEMA, check: patternProblems },
  deadband: {
    doc: '',
    jsonSchema: { anyOf: [BAND_SCHEMA, { const: 'off' }] },
    default: 'off',
    check: (value) => (value === 'off' ? [] : bandProblems(value, `${BAND_MUST}, or "off"`)),
  },
  maxSilenceSeconds: { doc: '', jsonSchema: SILENCE_SCHEMA, default: 0, check: silenceProblems },
};

const WINDOW_FIELDS: Fields<PlausibleTime> = {
  pastDays: {
    doc: '',
    jsonSchema: { type: 'number', minimum: 0, maximum: MAX_PAST_DAYS },
    default: PLAUSIBLE_TIME.pastDays,
    check: (value) => numberProblems(value, 'a number of days', MAX_PAST_DAYS),
  },
  futureMinutes: {
    doc: '',
    jsonSchema: { type: 'number', minimum: 0, maximum: MAX_FUTURE_MINUTES },
    default: PLAUSIBLE_TIME.futureMinutes,
    check: (value) => numberProblems(value, 'a number of minutes', MAX_FUTURE_MINUTES),
  },
};

/** Complete, but for a deadband that nobody asked for. */
export type CompleteFilters = Required<Omit<FilterOptions, 'deadband'>> & {
  readonly deadband: Deadband | undefined;
} & Required<TimeOptions>;

export const FILTER_FIELDS: Fields<CompleteFilters> = {
  include: {
    doc: 'patterns of the tag names that are wanted, such as ["*.Temp"]; none: all are',
    jsonSchema: PATTERNS_SCHEMA,
    default: [],
    check: patternsProblems,
  },
  exclude: {
    doc: 'patterns of tag names that are not wanted, also where include names them',
    jsonSchema: PATTERNS_SCHEMA,
    default: [],
    check: patternsProblems,
  },
  deadband: {
    doc:
      'a number that differs by no more than this from the last one of its tag that was written is left out: ' +
      '{ "absolute": 0.5 }, { "percent": 2 } of the last one, or both, of which the wider counts: docs/filters.md',
    jsonSchema: BAND_SCHEMA,
    default: undefined,
    check: (value) => (value === undefined ? [] : bandProblems(value, BAND_MUST)),
  },
  maxSilenceSeconds: {
    doc: 'within a deadband too a value is written when the last one is so much older; 0: not for that',
    jsonSchema: SILENCE_SCHEMA,
    default: 0,
    check: (value, { deadband, tags }) => {
      const problems = silenceProblems(value);
      const hasBand = deadband !== undefined || (Array.isArray(tags) && tags.some((each) => isBanded(each)));
      if (problems.length > 0 || value === 0 || hasBand) return problems;
      return unless(false, 'must not be given without a deadband: all values are written as it is', value);
    },
  },
  tags: {
    doc:
      'other deadbands by tag name, the first match counts: [{ "match": "*.Temp", "deadband": { "absolute": 0.5 }, ' +
      '"maxSilenceSeconds": 60 }]; what one leaves out is that of the subscription; "off": no deadband',
    jsonSchema: {
      type: 'array',
      maxItems: MAX_PATTERNS,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['match'],
        properties: {
          match: TAG_FIELDS.match.jsonSchema,
          deadband: TAG_FIELDS.deadband.jsonSchema,
          maxSilenceSeconds: SILENCE_SCHEMA,
        },
      },
    },
    default: [],
    check: (value) => {
      if (!Array.isArray(value) || value.length > MAX_PATTERNS) {
        return unless(false, `must be a list of up to ${MAX_PATTERNS} objects such as ${TAG_EXAMPLE}`, value);
      }
      return itemProblems(value, (item) => objectProblems(TAG_FIELDS, item, TAG_EXAMPLE));
    },
  },
  onImplausibleTime: {
    doc:
      'what to do with values whose time is outside of plausibleTime: accept: write them, and say so in the status; ' +
      'receivedAt: write them with the time of receipt; reject: keep them in CSV',
    jsonSchema: { enum: ON_IMPLAUSIBLE },
    default: 'accept',
    check: (value) => unless(ON_IMPLAUSIBLE.includes(value), 'must be "accept", "receivedAt" or "reject"', value),
  },
  plausibleTime: {
    doc: 'how many days before and how many minutes after its receipt the time of a value may be',
    jsonSchema: {
      type: 'object',
      additionalProperties: false,
      properties: {
        pastDays: WINDOW_FIELDS.pastDays.jsonSchema,
        futureMinutes: WINDOW_FIELDS.futureMinutes.jsonSchema,
      },
    },
    default: PLAUSIBLE_TIME,
    check: (value) => objectProblems(WINDOW_FIELDS, value, JSON.stringify(PLAUSIBLE_TIME)),
    complete: (value) => ({ ...PLAUSIBLE_TIME, ...value }),
  },
};

const TAG_EXAMPLE = '{ "match": "*.Temp*", "deadband": { "absolute": 0.5 } }';

function isBanded(given: unknown): boolean {
  return isGiven(given) && given['deadband'] !== undefined && given['deadband'] !== 'off';
}

function patternsProblems(value: unknown): Problem[] {
  const isList = Array.isArray(value) && value.length <= MAX_PATTERNS;
  if (!isList) return unless(false, `must be a list of up to ${MAX_PATTERNS} patterns such as "*.Temp*"`, value);
  return itemProblems(value, patternProblems);
}

function patternProblems(value: unknown): Problem[] {
  const isGood = typeof value === 'string' && value !== '' && value.length <= MAX_PATTERN_LENGTH;
  return unless(isGood, PATTERN_MUST, value);
}

function bandProblems(value: unknown, must: string): Problem[] {
  if (!isGiven(value)) return unless(false, must, value);
  const { absolute, percent } = value;
  const unknown = unknownKeys(value, ['absolute', 'percent']);
  if (unknown.length > 0) return unknown;
  if (absolute === undefined && percent === undefined) return unless(false, must, value);
  const wrong = (name: string, given: unknown, most: number): Problem[] =>
    given === undefined ? [] : under(`.${name}`, numberProblems(given, 'a number', most));
  return [...wrong('absolute', absolute, Number.MAX_VALUE), ...wrong('percent', percent, 100)];
}

function silenceProblems(value: unknown): Problem[] {
  return numberProblems(value, 'a number of seconds', MAX_SILENCE_SECONDS);
}

function numberProblems(value: unknown, what: string, most: number): Problem[] {
  const isGood = typeof value === 'number' && value >= 0 && value <= most;
  const range = most === Number.MAX_VALUE ? 'from 0 on' : `from 0 to ${most}`;
  return unless(isGood, `must be ${what} ${range}`, value);
}
