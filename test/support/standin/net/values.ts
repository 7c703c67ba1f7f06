/**
 * SQL values on the wire: a length byte (0 or 255: null, 254: chunks) and the value's bytes.
 *
 *   BINARY_DOUBLE, BINARY_FLOAT  IEEE big endian; sign bit set for positive values, all bits inverted for negative ones
 *   VARCHAR2, CHAR               UTF-8; national types (charset form 2) UTF-16 big endian
 *   RAW                          as is
 *   BOOLEAN                      `02 01 01` or `01 00`; null is `FD 01`
 */
import { type Column, Decimal, OraError, Timestamp, type TypeName, type Value } from '../engine/types.ts';
import { DateDecoder, encodeDate } from './oracle-date.ts';
import { decodeNumber, encodeNumber } from './oracle-number.ts';
import { StringCache } from './string-cache.ts';
import type { Reader, Writer } from './wire.ts';

/** Oracle's type numbers as clients bind them. */
export const OracleType = {
  varchar: 1,
  number: 2,
  binaryInteger: 3,
  long: 8,
  date: 12,
  raw: 23,
  longRaw: 24,
  char: 96,
  binaryFloat: 100,
  binaryDouble: 101,
  timestamp: 180,
  timestampTz: 181,
  timestampLtz: 231,
  boolean: 252,
} as const;

export const bindableTypes: ReadonlySet<number> = new Set(Object.values(OracleType));

/** Types whose scale takes a ub2 in the descriptions of some clients. */
export const wideScaleTypes: ReadonlySet<number> = new Set([
  OracleType.number,
  OracleType.timestamp,
  OracleType.timestampTz,
  OracleType.timestampLtz,
]);

export interface BindType {
  readonly type: number;
  readonly maxBytes: number;
  /** Charset form 2: UTF-16. */
  readonly national: boolean;
}

const LONG = 254;
const ESCAPE = 253;
const FIRST_SPECIAL = 253;

const ieee = new DataView(new ArrayBuffer(8));
const dates = new DateDecoder();
const strings = new StringCache();

function decodeDouble(bytes: Uint8Array, start: number): number {
  const flip = bytes[start]! >= 0x80 ? 0 : 0xff;
  ieee.setUint8(0, flip === 0 ? bytes[start]! & 0x7f : bytes[start]! ^ 0xff);
  for (let i = 1; i < 8; i++) ieee.setUint8(i, bytes[start + i]! ^ flip);
  return ieee.getFloat64(0);
}

function decodeFloat(bytes: Uint8Array, start: number): number {
  const flip = bytes[start]! >= 0x80 ? 0 : 0xff;
  ieee.setUint8(0, flip === 0 ? bytes[start]! & 0x7f : bytes[start]! ^ 0xff);
  for (let i = 1; i < 4; i++) ieee.setUint8(i, bytes[start + i]! ^ flip);
  return ieee.getFloat32(0);
}

/** IEEE bits in Oracle's order; 8 bytes, or 4 when `single`. */
export function encodeBinary(value: number, single: boolean): Uint8Array {
  const bytes = Buffer.alloc(single ? 4 : 8);
  if (single) bytes.writeFloatBE(value);
  else bytes.writeDoubleBE(value);
  if (bytes[0]! < 0x80) bytes[0]! |= 0x80;
  else for (let i = 0; i < bytes.length; i++) bytes[i]! ^= 0xff;
  return bytes;
}

/** Where the value that starts at `position` ends; -1 when that is beyond `end`. */
export function skipValue(buffer: Uint8Array, position: number, end: number): number {
  if (position >= end) return -1;
  const length = buffer[position]!;
  if (length < FIRST_SPECIAL) return position + 1 + length <= end ? position + 1 + length : -1;
  if (length === ESCAPE) return position + 2 <= end ? position + 2 : -1;
  if (length !== LONG) return position + 1;
  let at = position + 1;
  while (at < end) {
    const size = buffer[at]!;
    if (at + size >= end) return -1;
    let chunk = 0;
    for (let i = 1; i <= size; i++) chunk = chunk * 256 + buffer[at + i]!;
    at += 1 + size + chunk;
    if (chunk === 0) return at <= end ? at : -1;
  }
  return -1;
}

/**
 * Decodes the value of a short form that starts at `start` and is whole. Throws OraError for bytes that are no such
 * value.
 */
export function decodeShort(bind: BindType, buffer: Buffer, start: number, length: number): Value {
  switch (bind.type) {
    case OracleType.varchar:
    case OracleType.char:
    case OracleType.long:
      return bind.national
        ? Buffer.from(buffer.subarray(start, start + length))
            .swap16()
            .toString('utf16le')
        : strings.get(buffer, start, length);
    case OracleType.number:
    case OracleType.binaryInteger: {
      const number = decodeNumber(buffer, start, start + length);
      if (number === undefined) throw new OraError(1722, 'invalid number');
      return number;
    }
    case OracleType.binaryDouble:
      return decodeDouble(buffer, start);
    case OracleType.binaryFloat:
      return decodeFloat(buffer, start);
    case OracleType.date:
    case OracleType.timestamp:
      return dates.decode(buffer, start, length, false);
    case OracleType.timestampTz:
    case OracleType.timestampLtz:
      return dates.decode(buffer, start, length, true);
    case OracleType.boolean:
      return length === 2 ? 1 : 0;
    default:
      return Uint8Array.from(buffer.subarray(start, start + length));
  }
}

/** Decodes one value; throws NeedMoreData when it is not whole. */
export function readValue(bind: BindType, reader: Reader): Value {
  const first = reader.peek();
  if (first === ESCAPE) {
    reader.skip(2);
    return null;
  }
  if (first < FIRST_SPECIAL && first > 0) {
    reader.skip(1 + first);
    return decodeShort(bind, reader.buffer, reader.position - first, first);
  }
  const bytes = reader.bytes();
  return bytes === null ? null : decodeShort(bind, bytes, 0, bytes.length);
}

/**
 * A column's type number, whether it has a charset, and the size that a description gives where it is not the column's
 * own.
 */
export const wireTypes: Readonly<Record<TypeName, { type: number; text: boolean; describedBytes?: number }>> = {
  VARCHAR2: { type: OracleType.varchar, text: true },
  CHAR: { type: OracleType.char, text: true },
  RAW: { type: OracleType.raw, text: false },
  NUMBER: { type: OracleType.number, text: false },
  BINARY_FLOAT: { type: OracleType.binaryFloat, text: false, describedBytes: 1 },
  BINARY_DOUBLE: { type: OracleType.binaryDouble, text: false, describedBytes: 1 },
  DATE: { type: OracleType.date, text: false, describedBytes: 1 },
  TIMESTAMP: { type: OracleType.timestamp, text: false },
  'TIMESTAMP WITH TIME ZONE': { type: OracleType.timestampTz, text: false },
  'TIMESTAMP WITH LOCAL TIME ZONE': { type: OracleType.timestampLtz, text: false },
};

/** WITH LOCAL TIME ZONE is sent in the zone of the database, which is UTC here. */
const dateKinds: Readonly<Partial<Record<TypeName, Parameters<typeof encodeDate>[1]>>> = {
  DATE: 'DATE',
  TIMESTAMP: 'TIMESTAMP',
  'TIMESTAMP WITH LOCAL TIME ZONE': 'TIMESTAMP',
};

/** Writes a result's value as its column's type. */
export function writeValue(writer: Writer, column: Column, value: Value): void {
  if (value === null) writer.ub1(0);
  else if (value instanceof Timestamp) {
    writer.bytes(encodeDate(value, dateKinds[column.type] ?? 'TIMESTAMP WITH TIME ZONE'));
  } else if (value instanceof Uint8Array) writer.bytes(value);
  else if (column.type === 'NUMBER') writer.bytes(encodeNumber(value instanceof Decimal ? value : Number(value)));
  else if (column.type === 'BINARY_DOUBLE' || column.type === 'BINARY_FLOAT') {
    const number = Number(value instanceof Decimal ? value.text : value);
    writer.bytes(encodeBinary(number, column.type === 'BINARY_FLOAT'));
  } else writer.text(value instanceof Decimal ? value.text : String(value));
}

/** Whether a result's value repeats the one above, so that it is not sent again. */
export function sameValue(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (a instanceof Timestamp && b instanceof Timestamp) {
    return a.ms === b.ms && a.ns === b.ns && a.offsetMinutes === b.offsetMinutes;
  }
  if (a instanceof Decimal && b instanceof Decimal) return a.text === b.text;
  return a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0;
}
