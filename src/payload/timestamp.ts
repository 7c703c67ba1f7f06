import { MAX_TIME_MS, MIN_TIME_MS } from '../core/limits.ts';
import { withMicroseconds } from '../core/microseconds.ts';

/**
 * Points in time as payloads give them, in epoch milliseconds.
 *
 * ISO 8601 [RFC 3339 section 5.6, and a little more]: `2025-11-02T14:30:25.123Z`; a space or `t` for the `T`, no
 * seconds, a fraction of up to 9 digits (cut below the microsecond), `Z`, `z`, `+01:00`, `+0100`, `+01`, or no zone at
 * all, which is taken as UTC. Days that the calendar doesn't have, hour 24 and second 60 are refused. Or a number of
 * epoch milliseconds, rounded to the nearest microsecond. Years 1 to 9999, in UTC: what can be written
 * (core/limits.ts); which of them have microseconds stands in core/microseconds.ts.
 */

const ISO = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?([Zz]|([+-])(\d\d)(?::?(\d\d))?)?$/;
const LONGEST_ISO = 35;

const DAY_MS = 86_400_000;
const CYCLE_YEARS = 400;
const CYCLE_DAYS = 146_097;
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** The point in time at which a clock on some wall shows these epoch milliseconds of UTC. */
export type LocalToUtc = (localMs: number) => number;

/** Epoch milliseconds, or NaN for what is no point in time. */
export function parseTimestamp(given: unknown): number {
  if (typeof given === 'string') return parseIso(given, undefined);
  return typeof given === 'number' ? timeOfEpochMs(given) : Number.NaN;
}

/** Epoch milliseconds with a fraction, rounded to the nearest microsecond. */
export function timeOfEpochMs(given: number): number {
  const whole = Math.floor(given);
  return whole === given ? inRange(whole) : pointInTime(whole, Math.round((given - whole) * 1000));
}

/**
 * ISO 8601 as above; `toUtc` says what a time without a zone means, UTC where it is undefined.
 * The form that nearly all senders use, `YYYY-MM-DDTHH:MM:SS.mmmZ`, is read without a regular expression.
 */
export function parseIso(text: string, toUtc: LocalToUtc | undefined): number {
  if (
    text.length !== 24 ||
    text.charCodeAt(4) !== 0x2d ||
    text.charCodeAt(7) !== 0x2d ||
    text.charCodeAt(10) !== 0x54 ||
    text.charCodeAt(13) !== 0x3a ||
    text.charCodeAt(16) !== 0x3a ||
    text.charCodeAt(19) !== 0x2e ||
    text.charCodeAt(23) !== 0x5a
  ) {
    return parseAnyIso(text, toUtc);
  }
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const ms = twoDigits(text, 20) * 10 + digit(text, 22);
  const dayMs = timeOfDayMs(twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17), ms);
  return inRange(dateMs(year, twoDigits(text, 5), twoDigits(text, 8)) + dayMs);
}

function parseAnyIso(text: string, toUtc: LocalToUtc | undefined): number {
  const match = text.length <= LONGEST_ISO ? ISO.exec(text) : null;
  if (match === null) return Number.NaN;
  const [
    ,
    year,
    month,
    day,
    hour,
    minute,
    second = '0',
    fraction = '',
    zone,
    sign,
    offsetHour = '0',
    offsetMinute = '0',
  ] = match;
  const dayMs = timeOfDayMs(Number(hour), Number(minute), Number(second), millisecondsIn(fraction));
  const wallMs = dateMs(Number(year), Number(month), Number(day)) + dayMs;
  const microseconds = microsecondsIn(fraction);
  if (zone === undefined) return pointInTime(toUtc === undefined ? wallMs : toUtc(wallMs), microseconds);
  const offsetMs = timeOfDayMs(Number(offsetHour), Number(offsetMinute), 0, 0);
  return pointInTime(wallMs + (sign === '-' ? offsetMs : -offsetMs), microseconds);
}

/** Of the digits of a second's fraction the first three. */
export function millisecondsIn(fraction: string): number {
  return Number(fraction.slice(0, 3).padEnd(3, '0'));
}

/** The next three; what follows is cut. */
export function microsecondsIn(fraction: string): number {
  return fraction.length <= 3 ? 0 : Number(fraction.slice(3, 6).padEnd(3, '0'));
}

/**
 * Epoch milliseconds of the day's start in UTC, or NaN when the calendar has no such day. Date.UTC takes years below
 * 100 for 19xx.
 */
export function dateMs(year: number, month: number, day: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && isLeap ? 29 : DAYS_IN_MONTH[month - 1];
  if (days === undefined || !(day >= 1 && day <= days)) return Number.NaN;
  // The Gregorian calendar repeats itself every 400 years.
  return Date.UTC(year + CYCLE_YEARS, month - 1, day) - CYCLE_DAYS * DAY_MS;
}

/** NaN for what no clock shows. */
export function timeOfDayMs(hour: number, minute: number, second: number, ms: number): number {
  return hour <= 23 && minute <= 59 && second <= 59 ? ((hour * 60 + minute) * 60 + second) * 1000 + ms : Number.NaN;
}

/** NaN for what can't be written. -0 is 0, as it is once a file was read. */
export function inRange(ms: number): number {
  return ms >= MIN_TIME_MS && ms <= MAX_TIME_MS ? ms + 0 : Number.NaN;
}

/** The same with microseconds, a whole number from 0 to 1000. */
export function pointInTime(wholeMs: number, microseconds: number): number {
  return withMicroseconds(inRange(wholeMs), microseconds);
}

/** NaN where there is no digit. */
function digit(text: string, at: number): number {
  const value = text.charCodeAt(at) - 0x30;
  return value >= 0 && value <= 9 ? value : Number.NaN;
}

function twoDigits(text: string, at: number): number {
  return digit(text, at) * 10 + digit(text, at + 1);
}
