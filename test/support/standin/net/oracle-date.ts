/**
 * DATE, TIMESTAMP and TIMESTAMP WITH TIME ZONE on the wire, 7, 11 or 13 bytes:
 *
 *   century + 100, year of century + 100, month, day, hour + 1, minute + 1, second + 1
 *   [4 bytes nanoseconds; a TIMESTAMP leaves them out when they are 0]
 *   [hour of the offset + 20, minute + 60]: the fields before are then in UTC, unless bit 6 of the hour is set
 */
import { OraError, Timestamp } from '../engine/types.ts';

const MS_PER_DAY = 86_400_000;
const OFFSET_HOUR_BIAS = 20;
const OFFSET_MINUTE_BIAS = 60;
const LOCAL_FIELDS = 0x40;
const NAMED_ZONE = 0x80;

/**
 * Days from 1970-01-01 to a date of the proleptic Gregorian calendar (the usual era arithmetic: a year begins in
 * March).
 */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}

/** Reads dates and keeps the last ones: consecutive rows mostly repeat the time, or at least the second. */
export class DateDecoder {
  #secondKey = -1;
  #dayKey = -1;
  #secondMs = 0;
  #last = new Timestamp(0);

  /**
   * `length` is 7, 11 or 13 bytes from `start`; only with `zoned` the result has an offset. Throws OraError for fields
   * that are no date.
   */
  decode(bytes: Uint8Array, start: number, length: number, zoned: boolean): Timestamp {
    const dayKey =
      ((bytes[start]! << 24) | (bytes[start + 1]! << 16) | (bytes[start + 2]! << 8) | bytes[start + 3]!) >>> 0;
    const secondKey = (bytes[start + 4]! << 16) | (bytes[start + 5]! << 8) | bytes[start + 6]!;
    if (dayKey !== this.#dayKey || secondKey !== this.#secondKey) {
      this.#secondMs = wholeSeconds(bytes, start);
      this.#dayKey = dayKey;
      this.#secondKey = secondKey;
    }
    const nanos =
      length < 11
        ? 0
        : ((bytes[start + 7]! << 24) | (bytes[start + 8]! << 16) | (bytes[start + 9]! << 8) | bytes[start + 10]!) >>> 0;
    const millis = Math.floor(nanos / 1_000_000);
    let ms = this.#secondMs + millis;
    let offset: number | undefined;
    if (zoned) {
      offset = length < 13 ? 0 : zoneOffset(bytes[start + 11]!, bytes[start + 12]!);
      if (length >= 13 && (bytes[start + 11]! & LOCAL_FIELDS) !== 0) ms -= offset * 60_000;
    }
    const ns = nanos - millis * 1_000_000;
    const last = this.#last;
    if (last.ms !== ms || last.ns !== ns || last.offsetMinutes !== offset) this.#last = new Timestamp(ms, ns, offset);
    return this.#last;
  }
}

function zoneOffset(hour: number, minute: number): number {
  if ((hour & NAMED_ZONE) !== 0) return 0;
  return ((hour & 0x3f) - OFFSET_HOUR_BIAS) * 60 + minute - OFFSET_MINUTE_BIAS;
}

function wholeSeconds(bytes: Uint8Array, start: number): number {
  const year = (bytes[start]! - 100) * 100 + bytes[start + 1]! - 100;
  const month = bytes[start + 2]!;
  const day = bytes[start + 3]!;
  const hour = bytes[start + 4]! - 1;
  const minute = bytes[start + 5]! - 1;
  const second = bytes[start + 6]! - 1;
  if (year < -4712 || year > 9999 || year === 0) {
    throw new OraError(1841, '(full) year must be between -4713 and +9999, and not be 0');
  }
  if (month < 1 || month > 12) throw new OraError(1843, 'not a valid month');
  if (day < 1 || day > 31) throw new OraError(1847, 'day of month must be between 1 and last day of month');
  if (hour < 0 || hour > 23) throw new OraError(1850, 'hour must be between 0 and 23');
  if (minute < 0 || minute > 59) throw new OraError(1851, 'minutes must be between 0 and 59');
  if (second < 0 || second > 59) throw new OraError(1852, 'seconds must be between 0 and 59');
  return daysFromCivil(year, month, day) * MS_PER_DAY + ((hour * 60 + minute) * 60 + second) * 1000;
}

/** The bytes of a date; `kind` decides how many. */
export function encodeDate(value: Timestamp, kind: 'DATE' | 'TIMESTAMP' | 'TIMESTAMP WITH TIME ZONE'): Uint8Array {
  const date = new Date(value.ms);
  const year = date.getUTCFullYear();
  const nanos = (((value.ms % 1000) + 1000) % 1000) * 1_000_000 + value.ns;
  const length = kind === 'TIMESTAMP WITH TIME ZONE' ? 13 : kind === 'DATE' || nanos === 0 ? 7 : 11;
  const bytes = Buffer.alloc(length);
  bytes.set([
    Math.trunc(year / 100) + 100,
    (year % 100) + 100,
    date.getUTCMonth() + 1,
    date.getUTCDate(),
    date.getUTCHours() + 1,
    date.getUTCMinutes() + 1,
    date.getUTCSeconds() + 1,
  ]);
  if (length >= 11) bytes.writeUInt32BE(nanos, 7);
  if (length === 13) {
    const offset = value.offsetMinutes ?? 0;
    bytes[11] = Math.trunc(offset / 60) + OFFSET_HOUR_BIAS;
    bytes[12] = (offset % 60) + OFFSET_MINUTE_BIAS;
  }
  return bytes;
}
