/** Implicit conversions between the runtime forms of a value, and comparison. */
import { SqlFault } from '../faults.ts';
import type { TypeName, Value } from '../types.ts';
import { Decimal, Timestamp } from '../types.ts';
import { formatTimestamp, parseTimestamp } from './datetime-format.ts';
import { withZone } from './datetime.ts';
import type { NumberValue } from './decimal.ts';
import { compareNumbers, numberText, parseNumber } from './decimal.ts';
import type { SessionSettings } from './settings.ts';

/** A session's settings and clock, which conversions need. */
export interface ConversionContext {
  readonly settings: SessionSettings;
  /** Epoch milliseconds. */
  now(): number;
}

export type NonNull = Exclude<Value, null>;

/** The data type of a value as an error message names it. */
export function typeNameOf(value: NonNull): string {
  if (typeof value === 'string') return 'CHAR';
  if (value instanceof Timestamp) return value.offsetMinutes === undefined ? 'TIMESTAMP' : 'TIMESTAMP WITH TIME ZONE';
  return value instanceof Uint8Array ? 'BINARY' : 'NUMBER';
}

function inconsistent(expected: string, value: NonNull): SqlFault {
  return new SqlFault(932, { expected, actual: typeNameOf(value) });
}

/** ORA-01722 for text that is no number. */
export function toNumber(value: NonNull): NumberValue {
  if (typeof value === 'number' || value instanceof Decimal) return value;
  if (typeof value !== 'string') throw inconsistent('NUMBER', value);
  const number = parseNumber(value);
  if (number === undefined) throw new SqlFault(1722, { value, character: firstBadCharacter(value) });
  return number;
}

function firstBadCharacter(text: string): string {
  return /[^\d\s.+-]/u.exec(text)?.[0] ?? text.trim().slice(0, 1);
}

/** Texts `NaN`, `Inf` and `-Infinity` are binary doubles, too. */
export function toDoubleOperand(value: NonNull): NumberValue {
  if (typeof value === 'string') {
    const special = /^\s*([+-]?)(nan|inf(?:inity)?)\s*$/i.exec(value);
    if (special !== null) {
      return special[2]!.toLowerCase() === 'nan' ? Number.NaN : special[1] === '-' ? -Infinity : Infinity;
    }
  }
  return toNumber(value);
}

export function toText(value: NonNull, context: ConversionContext, type?: TypeName): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex').toUpperCase();
  if (!(value instanceof Timestamp)) return numberText(value);
  const { settings } = context;
  const zoned = value.offsetMinutes === undefined ? settings.timestampFormat : settings.timestampTzFormat;
  return formatTimestamp(value, type === 'DATE' ? settings.dateFormat : zoned, settings.offsetMinutes);
}

/** Text is read by the session's format for `type`. */
export function toTimestamp(value: NonNull, context: ConversionContext, type: TypeName): Timestamp {
  if (value instanceof Timestamp) return value;
  if (typeof value !== 'string') throw inconsistent(type, value);
  const { dateFormat, timestampFormat, timestampTzFormat } = context.settings;
  const format =
    type === 'DATE' ? dateFormat : type === 'TIMESTAMP WITH TIME ZONE' ? timestampTzFormat : timestampFormat;
  return parseTimestamp(value, format, context.now());
}

/** ORA-01465 for text that is not hexadecimal. */
export function toBytes(value: NonNull): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value !== 'string') throw inconsistent('BINARY', value);
  if (!/^(?:[\da-f]{2})*$/i.test(value)) throw new SqlFault(1465);
  return Buffer.from(value, 'hex');
}

/** Negative, zero or positive. Text is converted to the other side's type; ORA-00932 where nothing can be converted. */
export function compareValues(left: NonNull, right: NonNull, context: ConversionContext): number {
  if (typeof left === 'string' && typeof right === 'string') return left < right ? -1 : Number(left > right);
  if (left instanceof Timestamp || right instanceof Timestamp) return compareTimestamps(left, right, context);
  if (left instanceof Uint8Array || right instanceof Uint8Array) return Buffer.compare(toBytes(left), toBytes(right));
  return compareNumbers(toNumber(left), toNumber(right));
}

function compareTimestamps(left: NonNull, right: NonNull, context: ConversionContext): number {
  const type = (other: NonNull): TypeName =>
    other instanceof Timestamp && other.offsetMinutes !== undefined ? 'TIMESTAMP WITH TIME ZONE' : 'TIMESTAMP';
  let a = toTimestamp(left, context, type(right));
  let b = toTimestamp(right, context, type(left));
  if (a.offsetMinutes !== undefined || b.offsetMinutes !== undefined) {
    a = withZone(a, context.settings.offsetMinutes);
    b = withZone(b, context.settings.offsetMinutes);
  }
  return a.ms - b.ms || a.ns - b.ns;
}

/** Equal values of one column have equal keys. */
export function keyOf(value: NonNull): string | number {
  if (typeof value === 'string' || typeof value === 'number') return value;
  if (value instanceof Decimal) return value.text;
  if (value instanceof Timestamp) return value.ns === 0 ? value.ms : `${value.ms}.${value.ns}`;
  return Buffer.from(value).toString('hex');
}
