import { entriesOf, unless, type Fields, type Given } from '../core/fields.ts';
import { QUALITY_SCALE, WORDS, YES_NO, type Shape } from './json/shapes.ts';
import { compileTimeForm } from './time-forms.ts';
import { isTimeZone } from './time-zone.ts';
import type { CompleteMeanings } from './value-meanings.ts';

/** The keys of a subscription that say what its values mean, whatever their format. */
export const MEANING_FIELDS: Fields<CompleteMeanings> = {
  timeZone: {
    doc: 'time zone of times that name none, such as "Europe/Berlin"; empty: UTC',
    jsonSchema: { type: 'string' },
    default: '',
    check: (value) => unless(isZone(value), 'must be a time zone, such as "Europe/Berlin", or empty', value),
  },
  timestampFormat: {
    doc:
      'form of the times: iso, epochS, epochMs, epochUs, epochNs or a date pattern such as "dd.MM.yyyy HH:mm:ss"; ' +
      'empty: ISO 8601 where the payload has a text, epochMs where it has a number',
    jsonSchema: { type: 'string' },
    default: '',
    check: (value) => {
      if (typeof value !== 'string') return unless(false, 'must be a form of time, such as "epochS"', value);
      const form = value === '' ? undefined : compileTimeForm(value, 'UTC');
      if (typeof form !== 'string') return [];
      return unless(false, `must be a form of time that is known, or a date pattern; this one ${form}`, value);
    },
  },
  quality: {
    doc:
      'what the quality in the payload is by: opcDa, opcUa, siemens, ignition, boolean, or a map of your own such as ' +
      '{ "192": "GOOD", "*": "BAD" }; left out: a text as it stands',
    jsonSchema: QUALITY_SCALE.jsonSchema,
    default: undefined,
    check: (value) => (value === undefined ? [] : wrong(QUALITY_SCALE, value)),
  },
  numbersInText: {
    doc: 'texts that are numbers are numbers',
    jsonSchema: YES_NO.jsonSchema,
    default: false,
    check: (value) => wrong(YES_NO, value),
  },
  decimalComma: {
    doc: 'the same for numbers with a decimal comma, 12,5 and 1.234,5',
    jsonSchema: YES_NO.jsonSchema,
    default: false,
    check: (value) => wrong(YES_NO, value),
  },
  words: {
    doc: 'texts that are numbers, or null: { "ON": 1, "OFF": 0 }',
    jsonSchema: WORDS.jsonSchema,
    default: {},
    check: (value) => wrong(WORDS, value),
  },
};

/** Those keys of a subscription, checked or not, that are good; a wrong one is as if it were left out. */
export function goodMeanings(given: Given): CompleteMeanings {
  const entries = entriesOf(MEANING_FIELDS).map(([name, field]) => {
    const value = given[name] ?? field.default;
    return [name, field.check(value, given).length === 0 ? value : field.default] as const;
  });
  return Object.fromEntries(entries) as unknown as CompleteMeanings;
}

function wrong(shape: Shape, value: unknown): ReturnType<typeof unless> {
  return unless(shape.isGood(value), `must be ${shape.allowed}`, value);
}

function isZone(value: unknown): boolean {
  return typeof value === 'string' && (value === '' || isTimeZone(value));
}
