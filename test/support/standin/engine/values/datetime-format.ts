/** Format models such as `YYYY-MM-DD"T"HH24:MI:SS.FF3TZH:TZM`: texts to dates and back. */
import { SqlFault } from '../faults.ts';
import { Timestamp } from '../types.ts';
import { fieldsToMs, withoutZone } from './datetime.ts';
import { offsetText } from './settings.ts';

const MONTHS = [
  'JANUARY',
  'FEBRUARY',
  'MARCH',
  'APRIL',
  'MAY',
  'JUNE',
  'JULY',
  'AUGUST',
  'SEPTEMBER',
  'OCTOBER',
  'NOVEMBER',
  'DECEMBER',
];
const DAYS = ['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY'];
const ELEMENT =
  /"[^"]*"|YYYY|RRRR|YY|RR|MONTH|MON|MM|MI|DAY|DY|DDD|DD|D|HH24|HH12|HH|SSSSS|SS|FF[1-9]?|TZH|TZM|TZR|A\.M\.|P\.M\.|AM|PM|X|FM|FX|[\s\-/,.;:]/iy;

interface Fields {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  nanoseconds: number;
  hour12: boolean;
  afternoon: boolean | undefined;
  zoneHours: number | undefined;
  zoneMinutes: number;
}

/** Throws ORA-01821 for what is no format model. */
function elementsOf(format: string): string[] {
  const elements: string[] = [];
  let position = 0;
  while (position < format.length) {
    ELEMENT.lastIndex = position;
    const match = ELEMENT.exec(format);
    if (match === null) throw new SqlFault(1821);
    elements.push(match[0].startsWith('"') ? match[0] : match[0].toUpperCase());
    position = ELEMENT.lastIndex;
  }
  return elements;
}

/** Reads a text from left to right. */
class Scanner {
  readonly #text: string;
  position = 0;
  constructor(text: string) {
    this.#text = text;
  }
  get rest(): string {
    return this.#text.slice(this.position);
  }
  match(pattern: RegExp): string | undefined {
    const found = pattern.exec(this.rest);
    if (found === null) return undefined;
    this.position += found[0].length;
    return found[0];
  }
  /** Up to `width` digits; ORA-01858 when there is none. */
  digits(width: number): string {
    const found = this.match(new RegExp(`^\\d{1,${width}}`));
    if (found === undefined) throw new SqlFault(this.rest === '' ? 1840 : 1858);
    return found;
  }
}

type Reader = (scanner: Scanner, fields: Fields, now: Date) => void;

function readMonthName(scanner: Scanner, fields: Fields): void {
  const name = scanner.match(/^[A-Za-z]+/)?.toUpperCase();
  const index = MONTHS.findIndex((month) => name !== undefined && name.length >= 3 && month.startsWith(name));
  if (index < 0) throw new SqlFault(1843);
  fields.month = index + 1;
}

function readShortYear(scanner: Scanner, fields: Fields, now: Date): void {
  const text = scanner.digits(4);
  const year = Number(text);
  if (text.length > 2) {
    fields.year = year;
    return;
  }
  const century = Math.floor(now.getUTCFullYear() / 100) * 100;
  const isSecondHalf = now.getUTCFullYear() % 100 >= 50;
  fields.year = century + year + (year >= 50 && !isSecondHalf ? -100 : year < 50 && isSecondHalf ? 100 : 0);
}

function readMeridian(scanner: Scanner, fields: Fields): void {
  const text = scanner.match(/^[AaPp]\.?[Mm]\.?/);
  if (text === undefined) throw new SqlFault(1855);
  fields.afternoon = /^p/i.test(text);
}

function readHour12(scanner: Scanner, fields: Fields): void {
  fields.hour = Number(scanner.digits(2));
  fields.hour12 = true;
  if (fields.hour < 1 || fields.hour > 12) throw new SqlFault(1849);
}

function readZoneHours(scanner: Scanner, fields: Fields): void {
  const sign = scanner.match(/^\s*[+-]/)?.trim();
  const hours = Number(scanner.digits(2));
  if (hours > 15) throw new SqlFault(1874);
  fields.zoneHours = sign === '-' ? -hours : hours;
}

const READERS: Readonly<Record<string, Reader>> = {
  YYYY: (scanner, fields) => (fields.year = Number(scanner.digits(4))),
  RRRR: readShortYear,
  RR: readShortYear,
  YY: (scanner, fields, now) => {
    fields.year = Math.floor(now.getUTCFullYear() / 100) * 100 + Number(scanner.digits(2));
  },
  MM: (scanner, fields) => {
    fields.month = Number(scanner.digits(2));
    if (fields.month < 1 || fields.month > 12) throw new SqlFault(1843);
  },
  MON: readMonthName,
  MONTH: readMonthName,
  DD: (scanner, fields) => (fields.day = Number(scanner.digits(2))),
  HH24: (scanner, fields) => (fields.hour = Number(scanner.digits(2))),
  HH12: readHour12,
  HH: readHour12,
  MI: (scanner, fields) => (fields.minute = Number(scanner.digits(2))),
  SS: (scanner, fields) => (fields.second = Number(scanner.digits(2))),
  FF: (scanner, fields) => (fields.nanoseconds = Number(scanner.digits(9).padEnd(9, '0'))),
  X: (scanner) => void scanner.match(/^[.,]/),
  AM: readMeridian,
  PM: readMeridian,
  'A.M.': readMeridian,
  'P.M.': readMeridian,
  TZH: readZoneHours,
  TZM: (scanner, fields) => (fields.zoneMinutes = Number(scanner.digits(2))),
  TZR: (scanner, fields) => {
    if (scanner.match(/^(?:UTC|GMT|Z)/i) !== undefined) fields.zoneHours = 0;
    else {
      readZoneHours(scanner, fields);
      scanner.match(/^:/);
      fields.zoneMinutes = Number(scanner.digits(2));
    }
  },
  FM: () => {},
  FX: () => {},
};

/** What may be missing at the end of a text, as `TO_DATE('2025-01-01', 'YYYY-MM-DD HH24:MI:SS')` shows. */
const OPTIONAL = new Set(['HH24', 'HH12', 'HH', 'MI', 'SS', 'FF', 'X', 'AM', 'PM', 'A.M.', 'P.M.', 'FM', 'FX']);

function readElement(element: string, scanner: Scanner, fields: Fields, now: Date): void {
  const name = element.startsWith('FF') ? 'FF' : element;
  const reader = READERS[name];
  if (reader !== undefined) {
    if (OPTIONAL.has(name) && scanner.rest === '') return;
    if (!name.startsWith('TZ') && name !== 'X') scanner.match(/^\s+/);
    reader(scanner, fields, now);
  } else if (element.startsWith('"')) {
    if (!scanner.rest.startsWith(element.slice(1, -1))) throw new SqlFault(1861);
    scanner.position += element.length - 2;
  } else if (/^[\s\-/,.;:]$/.test(element)) {
    const found = scanner.match(/^(?:\s+|[-/,.;:])/);
    if (found === undefined && scanner.rest !== '' && /^[A-Za-z]/.test(scanner.rest)) throw new SqlFault(1861);
  } else {
    throw new SqlFault(1821);
  }
}

/** The result has an offset when the format has TZH or TZR. */
export function parseTimestamp(text: string, format: string, nowMs: number): Timestamp {
  const now = new Date(nowMs);
  const fields: Fields = {
    year: now.getUTCFullYear(),
    month: now.getUTCMonth() + 1,
    day: 1,
    hour: 0,
    minute: 0,
    second: 0,
    nanoseconds: 0,
    hour12: false,
    afternoon: undefined,
    zoneHours: undefined,
    zoneMinutes: 0,
  };
  const scanner = new Scanner(text.trim());
  for (const element of elementsOf(format)) readElement(element, scanner, fields, now);
  if (scanner.rest.trim() !== '') throw new SqlFault(1830);
  if (fields.hour12) fields.hour = (fields.hour % 12) + (fields.afternoon === true ? 12 : 0);
  const ms = fieldsToMs(fields) + Math.floor(fields.nanoseconds / 1_000_000);
  const ns = fields.nanoseconds % 1_000_000;
  if (fields.zoneHours === undefined) return new Timestamp(ms, ns);
  const isWest = fields.zoneHours < 0 || Object.is(fields.zoneHours, -0);
  const offsetMinutes = fields.zoneHours * 60 + (isWest ? -fields.zoneMinutes : fields.zoneMinutes);
  return new Timestamp(ms - offsetMinutes * 60_000, ns, offsetMinutes + 0);
}

const pad = (value: number, width: number): string => String(value).padStart(width, '0');

type Writer = (date: Date, nanoseconds: number, offsetMinutes: number) => string;

const writeHour12: Writer = (date) => pad(date.getUTCHours() % 12 || 12, 2);
const writeMeridian: Writer = (date) => (date.getUTCHours() < 12 ? 'AM' : 'PM');
const writeShortYear: Writer = (date) => pad(date.getUTCFullYear() % 100, 2);
const writeYear: Writer = (date) => pad(date.getUTCFullYear(), 4);

const WRITERS: Readonly<Record<string, Writer>> = {
  YYYY: writeYear,
  RRRR: writeYear,
  YY: writeShortYear,
  RR: writeShortYear,
  MM: (date) => pad(date.getUTCMonth() + 1, 2),
  MON: (date) => MONTHS[date.getUTCMonth()]!.slice(0, 3),
  MONTH: (date) => MONTHS[date.getUTCMonth()]!.padEnd(9),
  DD: (date) => pad(date.getUTCDate(), 2),
  D: (date) => String(date.getUTCDay() + 1),
  DY: (date) => DAYS[date.getUTCDay()]!.slice(0, 3),
  DAY: (date) => DAYS[date.getUTCDay()]!.padEnd(9),
  HH24: (date) => pad(date.getUTCHours(), 2),
  HH12: writeHour12,
  HH: writeHour12,
  MI: (date) => pad(date.getUTCMinutes(), 2),
  SS: (date) => pad(date.getUTCSeconds(), 2),
  SSSSS: (date) => pad(date.getUTCHours() * 3600 + date.getUTCMinutes() * 60 + date.getUTCSeconds(), 5),
  X: () => '.',
  AM: writeMeridian,
  PM: writeMeridian,
  'A.M.': (date) => (date.getUTCHours() < 12 ? 'A.M.' : 'P.M.'),
  'P.M.': (date) => (date.getUTCHours() < 12 ? 'A.M.' : 'P.M.'),
  TZH: (_date, _ns, offset) => offsetText(offset).slice(0, 3),
  TZM: (_date, _ns, offset) => offsetText(offset).slice(4),
  TZR: (_date, _ns, offset) => offsetText(offset),
  FM: () => '',
  FX: () => '',
};

const DEFAULT_FRACTION_DIGITS = 6;

/** `sessionOffset` is the zone of a value that has none. */
export function formatTimestamp(value: Timestamp, format: string, sessionOffset: number): string {
  const fields = withoutZone(value);
  const date = new Date(fields.ms);
  const nanoseconds = (((fields.ms % 1000) + 1000) % 1000) * 1_000_000 + fields.ns;
  const offset = value.offsetMinutes ?? sessionOffset;
  return elementsOf(format)
    .map((element) => {
      if (element.startsWith('FF')) {
        return pad(nanoseconds, 9).slice(0, Number(element.slice(2)) || DEFAULT_FRACTION_DIGITS);
      }
      if (element.startsWith('"')) return element.slice(1, -1);
      return WRITERS[element]?.(date, nanoseconds, offset) ?? element;
    })
    .join('');
}
