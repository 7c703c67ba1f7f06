import type { Setting, SettingKind } from '../setting.ts';
import { readWithUnit, unitOfKey, unitPattern, unitsAllowed, withUnit, type KeyUnit } from '../units.ts';
import { textKind } from './text-kind.ts';

/* Strict where convict's own formats are not: those read "1.5" as 1, "yes" as true and an empty variable as NaN. */

const INTEGER = /^(?:0|-?[1-9]\d{0,15})$/;
const DECIMAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

function numberKind(noun: string, isGood: (value: number) => boolean, syntax: RegExp, type: string): SettingKind {
  const allowed = ({ min, max }: Setting): string => `${noun} from ${min ?? '-∞'} to ${max ?? '∞'}`;
  return {
    allowed,
    check: (value, setting) => {
      const { min = -Infinity, max = Infinity } = setting;
      const good = typeof value === 'number' && isGood(value) && value >= min && value <= max;
      return good ? [] : [{ must: `must be ${allowed(setting)}`, got: value }];
    },
    parse: (text) => (syntax.test(text) ? Number(text) : text),
    jsonSchema: ({ min, max }) => ({
      type,
      ...(min === undefined ? {} : { minimum: min }),
      ...(max === undefined ? {} : { maximum: max }),
    }),
  };
}

/** An integer between `min` and `max`; the unit is the end of the key's name. */
export const wholeNumber = numberKind('an integer', Number.isSafeInteger, INTEGER, 'integer');

/** The same, or a text with a unit, which is turned into the number: `2 GB`, `5 s`. */
function measured(unit: KeyUnit): SettingKind {
  const read = (value: unknown): unknown => (typeof value === 'string' ? (readWithUnit(value, unit) ?? value) : value);
  const allowed = (setting: Setting): string =>
    `${wholeNumber.allowed(setting)}, or ${unitsAllowed(unit, withUnit(Number(setting.default), unit))}`;
  return {
    allowed,
    check: (value, setting) =>
      wholeNumber.check(read(value), setting).map(() => ({ must: `must be ${allowed(setting)}`, got: value })),
    parse: (text) => wholeNumber.parse(text),
    complete: read,
    jsonSchema: (setting) => ({
      anyOf: [wholeNumber.jsonSchema(setting), { type: 'string', pattern: unitPattern(unit) }],
    }),
  };
}

export const milliseconds = measured(unitOfKey('Ms')!);
export const seconds = measured(unitOfKey('Seconds')!);
export const bytes = measured(unitOfKey('Bytes')!);

export const decimal = numberKind('a number', Number.isFinite, DECIMAL, 'number');

export const yesNo: SettingKind = {
  allowed: () => 'true or false',
  check: (value) => (typeof value === 'boolean' ? [] : [{ must: 'must be true or false', got: value }]),
  parse: (text) => (text === 'true' ? true : text === 'false' ? false : text),
  jsonSchema: () => ({ type: 'boolean' }),
};

/** One of the setting's `choices`. */
export const choice: SettingKind = {
  allowed: ({ choices = [] }) => listOf(choices),
  check: (value, { choices = [] }) =>
    choices.some((option) => option === value) ? [] : [{ must: `must be ${listOf(choices)}`, got: value }],
  parse: (text) => (INTEGER.test(text) ? Number(text) : text),
  jsonSchema: ({ choices = [] }) => ({ enum: choices }),
};

/** `"a", "b" or "c"` */
export function listOf(choices: readonly (string | number)[]): string {
  const texts = choices.map((option) => JSON.stringify(option));
  return texts.length < 2 ? texts.join('') : `${texts.slice(0, -1).join(', ')} or ${texts.at(-1)}`;
}

/**
 * No control characters: a password file with a second line is a mistake that the server would only call a wrong
 * password.
 */
export function isOneLine(text: string): boolean {
  return !/\p{Cc}/u.test(text);
}

const MAX_TEXT_CHARACTERS = 4096;

export const text = textKind('one line of text', (value) => {
  return value !== '' && value.length <= MAX_TEXT_CHARACTERS && isOneLine(value);
});

export const path = textKind('a path', (value) => value !== '' && isOneLine(value));

export const host = textKind('a host name or address to listen on', (value) => /^[A-Za-z0-9_.:%-]{1,255}$/.test(value));

/** Goes into an HTTP header. */
export const token = textKind('printable characters without spaces', (value) => /^[\x21-\x7e]{1,512}$/.test(value));

const ID = '^[A-Za-z0-9._-]{1,64}$';

export const bridgeId = textKind('1 to 64 letters, digits, ".", "_" or "-"', (value) => new RegExp(ID).test(value), {
  pattern: ID,
});

/** Text with `{plc}` and `{tag}` in it. */
export const tagNameTemplate = textKind(
  'text with {tag}, and mostly {plc}, in it',
  (value) => value.includes('{tag}') && isOneLine(value) && !/[{}]/.test(value.replace(/\{(?:plc|tag)\}/g, '')),
  { pattern: '\\{tag\\}' },
);
