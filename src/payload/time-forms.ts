/**
 * The forms in which payloads give a time, compiled once: the unit is stated, never guessed (1700000000 is a time in
 * milliseconds, too). A text without a zone is of the time zone that the subscription names. All give epoch
 * milliseconds down to the microsecond: what is finer is cut.
 */
import { compileDatePattern } from './date-pattern.ts';
import { compileTimeZone } from './time-zone.ts';
import { parseIso, pointInTime, timeOfEpochMs, type LocalToUtc } from './timestamp.ts';

/** What a time is read from: a scalar as parsed, the text of a number that no double holds with `exactDigits`. */
export interface TimeSource {
  readonly receivedAtMs: number;
  /** The digits of a number that the parser kept as such, else undefined. */
  exactDigits(given: unknown): string | undefined;
  /**
   * Called where a double is too near the border of two microseconds to tell which one it was before it was rounded.
   */
  needDigits(): void;
}

/** Epoch milliseconds, or NaN for what is no time in this form. */
export type TimeForm = (given: unknown, source: TimeSource) => number;

const UNITS = {
  epochS: { perMicrosecond: 1e-6, text: /^[+-]?\d{1,15}(?:\.\d{1,18})?$/ },
  epochMs: { perMicrosecond: 1e-3, text: /^[+-]?\d{1,18}(?:\.\d{1,18})?$/ },
  epochUs: { perMicrosecond: 1, text: /^[+-]?\d{1,20}(?:\.\d{1,18})?$/ },
  epochNs: { perMicrosecond: 1_000, text: /^[+-]?\d{1,22}(?:\.\d{1,18})?$/ },
} as const;

type UnitName = keyof typeof UNITS;

/** [RFC 8428 section 4.5.3] Below so many seconds a time is relative to now. */
const SENML_RELATIVE_SECONDS = 2 ** 28;

/**
 * `form`: `iso`, `epochS`, `epochMs`, `epochUs`, `epochNs`, `senml`; all else is a date pattern. `timeZone`: an IANA
 * name, for times without a zone. Gives what is wrong with the form, as a text, where it means nothing.
 */
export function compileTimeForm(form: string, timeZone: string): TimeForm | string {
  const toUtc = compileTimeZone(timeZone);
  if (form === 'iso') return (given) => (typeof given === 'string' ? parseIso(given, toUtc) : Number.NaN);
  if (form === 'senml') return senmlTime;
  if (Object.hasOwn(UNITS, form)) return compileUnit(form as UnitName);
  return compilePattern(form, toUtc);
}

/** Seconds and nanoseconds beside each other; a missing part is 0, but not both. */
export function timeOfSecondsAndNanos(seconds: unknown, nanos: unknown, source: TimeSource): number {
  const secondsMs = READ_SECONDS(seconds ?? 0, source);
  const nanosMs = READ_NANOS(nanos ?? 0, source);
  return timeOfEpochMs(secondsMs + nanosMs);
}

function compilePattern(form: string, toUtc: LocalToUtc | undefined): TimeForm | string {
  const read = compileDatePattern(form, toUtc);
  if (typeof read === 'string') return read;
  return (given) => (typeof given === 'string' ? read(given) : Number.NaN);
}

function compileUnit(name: UnitName): TimeForm {
  const { text } = UNITS[name];
  return (given, source) => {
    if (typeof given === 'number') return timeOfNumber(given, name, source);
    const digits = typeof given === 'string' ? given.trim() : source.exactDigits(given);
    return digits !== undefined && text.test(digits) ? timeOfDigits(digits, name, source) : Number.NaN;
  };
}

const READ_SECONDS = compileUnit('epochS');
const READ_NANOS = compileUnit('epochNs');

/** A double of seconds, or of milliseconds, is a quarter of a microsecond off at most: the nearest one is meant. */
function timeOfNumber(given: number, name: UnitName, source: TimeSource): number {
  if (name === 'epochMs') return timeOfEpochMs(given);
  if (name === 'epochS') return timeOfMicroseconds(Math.round(given * 1e6));
  const { perMicrosecond } = UNITS[name];
  // Exact, however long the number is.
  const rest = given % perMicrosecond;
  if (Math.abs(given) > Number.MAX_SAFE_INTEGER) {
    const maxError = 2 ** (Math.floor(Math.log2(Math.abs(given))) - 53);
    if (Math.abs(rest) <= maxError || Math.abs(rest) >= perMicrosecond - maxError) source.needDigits();
  }
  const whole = Math.round((given - rest) / perMicrosecond);
  return timeOfMicroseconds(rest < 0 ? whole - 1 : whole);
}

function timeOfDigits(digits: string, name: UnitName, source: TimeSource): number {
  const [whole = ''] = digits.split('.');
  // Up to 15 digits a double does as well. Negative times with a fraction are not worth the care of cutting them
  // downwards exactly.
  if (name === 'epochS' || whole.length <= 15) return timeOfNumber(Number(digits), name, source);
  if (name === 'epochMs') return timeOfEpochMs(Number(whole));
  const exact = BigInt(whole.replace('+', ''));
  const perMicrosecond = BigInt(UNITS[name].perMicrosecond);
  const rest = ((exact % perMicrosecond) + perMicrosecond) % perMicrosecond;
  return timeOfMicroseconds(Number((exact - rest) / perMicrosecond));
}

function timeOfMicroseconds(whole: number): number {
  const wholeMs = Math.floor(whole / 1000);
  return pointInTime(wholeMs, whole - wholeMs * 1000);
}

function senmlTime(given: unknown, source: TimeSource): number {
  const ms = READ_SECONDS(given, source);
  return ms < SENML_RELATIVE_SECONDS * 1000 ? source.receivedAtMs + ms : ms;
}
