/** Dates and times: literals, and moving between DATE, TIMESTAMP and TIMESTAMP WITH TIME ZONE. */
import { SqlFault } from '../faults.ts';
import type { ValueType } from '../sql/ast.ts';
import { Timestamp } from '../types.ts';
import { parseOffset } from './settings.ts';

const NS_PER_MS = 1_000_000;
const MS_PER_MINUTE = 60_000;
const MS_PER_SECOND = 1000;

export const DATE_TYPE: ValueType = { type: 'DATE', maxBytes: 7 };
export const TIMESTAMP_TYPE: ValueType = { type: 'TIMESTAMP', maxBytes: 11, scale: 9 };
export const TIMESTAMP_TZ_TYPE: ValueType = { type: 'TIMESTAMP WITH TIME ZONE', maxBytes: 13, scale: 9 };

/** The value's own date and time fields, without its zone. */
export function withoutZone(value: Timestamp): Timestamp {
  if (value.offsetMinutes === undefined) return value;
  return new Timestamp(value.ms + value.offsetMinutes * MS_PER_MINUTE, value.ns);
}

/** Fields without a zone are taken to be in the session's zone. */
export function withZone(value: Timestamp, offsetMinutes: number): Timestamp {
  if (value.offsetMinutes !== undefined) return value;
  return new Timestamp(value.ms - offsetMinutes * MS_PER_MINUTE, value.ns, offsetMinutes);
}

export function truncateToSecond(value: Timestamp): Timestamp {
  const plain = withoutZone(value);
  if (plain.ns === 0 && plain.ms % MS_PER_SECOND === 0) return plain;
  return new Timestamp(Math.floor(plain.ms / MS_PER_SECOND) * MS_PER_SECOND);
}

/** Rounds the fraction of a second to `digits` digits, half up. */
export function roundFraction(value: Timestamp, digits: number): Timestamp {
  if (digits >= 9) return value;
  if (digits >= 3) {
    const unit = 10 ** (9 - digits);
    if (value.ns % unit === 0) return value;
    const ns = Math.round(value.ns / unit) * unit;
    return ns < NS_PER_MS
      ? new Timestamp(value.ms, ns, value.offsetMinutes)
      : new Timestamp(value.ms + 1, 0, value.offsetMinutes);
  }
  const unitMs = 10 ** (3 - digits);
  if (value.ns === 0 && value.ms % unitMs === 0) return value;
  const below = value.ms - Math.floor(value.ms / unitMs) * unitMs + value.ns / NS_PER_MS;
  const floor = Math.floor(value.ms / unitMs) * unitMs;
  return new Timestamp(below * 2 >= unitMs ? floor + unitMs : floor, 0, value.offsetMinutes);
}

/** Epoch milliseconds of date and time fields; throws ORA-01839, 01841 and the like for fields out of range. */
export function fieldsToMs(fields: {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}): number {
  const { year, month, day, hour, minute, second } = fields;
  if (year < -4712 || year > 9999 || year === 0) throw new SqlFault(1841);
  if (month < 1 || month > 12) throw new SqlFault(1843);
  if (day < 1 || day > 31) throw new SqlFault(1847);
  if (hour > 23) throw new SqlFault(1850);
  if (minute > 59) throw new SqlFault(1851);
  if (second > 59) throw new SqlFault(1852);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCDate() !== day) throw new SqlFault(1839);
  return date.setUTCHours(hour, minute, second, 0);
}

interface TypedTimestamp {
  readonly value: Timestamp;
  readonly type: ValueType;
}

const DATE_LITERAL = /^\s*(\d{1,4})-(\d{1,2})-(\d{1,2})\s*$/;
const TIMESTAMP_LITERAL =
  /^\s*(\d{1,4})-(\d{1,2})-(\d{1,2}) +(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9}))?(?: *([+-]?\d{1,2}:\d{2}| UTC))?\s*$/;

/** The text of `DATE '…'`. */
export function parseDateLiteral(text: string): TypedTimestamp {
  const match = DATE_LITERAL.exec(text);
  if (match === null) throw new SqlFault(1861);
  const [year, month, day] = match.slice(1).map(Number) as [number, number, number];
  return { value: new Timestamp(fieldsToMs({ year, month, day, hour: 0, minute: 0, second: 0 })), type: DATE_TYPE };
}

/** The text of `TIMESTAMP '…'`; with an offset it is a TIMESTAMP WITH TIME ZONE. */
export function parseTimestampLiteral(text: string): TypedTimestamp {
  const match = TIMESTAMP_LITERAL.exec(text);
  if (match === null) throw new SqlFault(1861);
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const nanoseconds = Number((match[7] ?? '').padEnd(9, '0'));
  const ms = fieldsToMs({ year, month, day, hour, minute, second }) + Math.floor(nanoseconds / NS_PER_MS);
  const value = new Timestamp(ms, nanoseconds % NS_PER_MS);
  if (match[8] === undefined) return { value, type: TIMESTAMP_TYPE };
  return { value: withZone(value, parseOffset(match[8]) ?? 0), type: TIMESTAMP_TZ_TYPE };
}
