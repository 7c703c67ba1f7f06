import { digitsOf, ELEMENT_TYPE, integerOf, TYPE } from './data-types.ts';
import { forEachPart } from './metric.ts';
import { MalformedError, type ProtoReader } from './proto-reader.ts';

/*
 * Arrays and data sets as JSON text, for the text column. Integers of 64 bits keep all their digits; NaN and the
 * infinities, which JSON does not have, stand as texts.
 */

const DATA_SET = { columns: 2, types: 3, rows: 4 } as const;
const ROW_ELEMENTS = 1;
const CELL = { int: 1, long: 2, float: 3, double: 4, boolean: 5, string: 6 } as const;
const MAX_TIME_MS = 8.64e15;

/** The elements of an array, `[1,2]`. Throws MalformedError where the bytes are no such array. */
export function arrayText(type: number, bytes: Buffer): string {
  if (type === TYPE.booleanArray) return booleansText(bytes);
  if (type === TYPE.stringArray) return stringsText(bytes);
  const element = ELEMENT_TYPE.get(type)!;
  if (bytes.length % element.bytes !== 0) {
    throw new MalformedError(`an array of elements of ${element.bytes} bytes ends`, bytes.length);
  }
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; at += element.bytes) texts.push(elementText(element.type, bytes, at));
  return `[${texts.join(',')}]`;
}

function elementText(type: number, bytes: Buffer, at: number): string {
  switch (type) {
    case TYPE.float: {
      return doubleText(bytes.readFloatLE(at));
    }
    case TYPE.double: {
      return doubleText(bytes.readDoubleLE(at));
    }
    case TYPE.int8:
    case TYPE.uint8: {
      return integerText(type, bytes.readUInt8(at), 0);
    }
    case TYPE.int16:
    case TYPE.uint16: {
      return integerText(type, bytes.readUInt16LE(at), 0);
    }
    case TYPE.int32:
    case TYPE.uint32: {
      return integerText(type, bytes.readUInt32LE(at), 0);
    }
    default: {
      return integerText(type, bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4));
    }
  }
}

/** A count of 32 bits, then the bits, the first one uppermost in its byte. */
function booleansText(bytes: Buffer): string {
  const count = bytes.length >= 4 ? bytes.readUInt32LE(0) : 0;
  if (bytes.length !== 4 + Math.ceil(count / 8)) throw new MalformedError('an array of bits ends', bytes.length);
  const texts: string[] = [];
  for (let i = 0; i < count; i += 1) texts.push((bytes[4 + (i >> 3)]! & (0x80 >> (i & 7))) === 0 ? 'false' : 'true');
  return `[${texts.join(',')}]`;
}

/** Each text ends with a NUL. */
function stringsText(bytes: Buffer): string {
  if (bytes.length === 0) return '[]';
  if (bytes.at(-1) !== 0) throw new MalformedError('an array of texts ends without a NUL', bytes.length);
  return JSON.stringify(bytes.toString('utf8', 0, bytes.length - 1).split('\0'));
}

/** `{"columns":["a"],"rows":[[1],[null]]}`. Throws MalformedError. */
export function dataSetText(reader: ProtoReader, start: number, end: number): string {
  const { bytes } = reader;
  const columns: string[] = [];
  const types: number[] = [];
  reader.open(bytes, start, end);
  while (reader.next()) {
    if (reader.field === DATA_SET.columns) columns.push(reader.text());
    else if (reader.field === DATA_SET.types) readTypes(reader, types);
    else reader.skip();
  }
  const rows: string[] = [];
  forEachPart(reader, bytes, start, end, DATA_SET.rows, (rowStart, rowEnd) => {
    const cells: string[] = [];
    forEachPart(reader, bytes, rowStart, rowEnd, ROW_ELEMENTS, (cellStart, cellEnd) => {
      reader.open(bytes, cellStart, cellEnd);
      cells.push(cellText(reader, types[cells.length] ?? TYPE.unknown));
    });
    rows.push(`[${cells.join(',')}]`);
  });
  return `{"columns":${JSON.stringify(columns)},"rows":[${rows.join(',')}]}`;
}

/** One a field, or all in one. */
function readTypes(reader: ProtoReader, types: number[]): void {
  if (reader.wireType === 0) {
    reader.integer();
    types.push(reader.unsigned);
    return;
  }
  reader.range();
  const { bytes, at, end } = reader;
  reader.open(bytes, reader.start, reader.stop);
  while (reader.at < reader.end) {
    reader.readVarint();
    types.push(reader.unsigned);
  }
  reader.open(bytes, at, end);
}

/** An empty cell is null. */
function cellText(reader: ProtoReader, type: number): string {
  let text = 'null';
  while (reader.next()) {
    if (reader.field === CELL.int || reader.field === CELL.long) {
      reader.integer();
      text = integerText(type, reader.low, reader.high);
    } else if (reader.field === CELL.float) {
      text = doubleText(reader.float());
    } else if (reader.field === CELL.double) {
      text = doubleText(reader.double());
    } else if (reader.field === CELL.boolean) {
      reader.integer();
      text = reader.low === 0 ? 'false' : 'true';
    } else if (reader.field === CELL.string) {
      text = JSON.stringify(reader.text());
    } else {
      reader.skip();
    }
  }
  return text;
}

function integerText(type: number, low: number, high: number): string {
  const digits = digitsOf(type, low, high);
  if (digits !== null) return digits;
  const number = integerOf(type, low, high);
  const time = type === TYPE.dateTime ? timeText(number) : null;
  if (time !== null) return `"${time}"`;
  if (type === TYPE.boolean) return number === 0 ? 'false' : 'true';
  return String(number);
}

function doubleText(value: number): string {
  return Number.isFinite(value) ? String(value + 0) : `"${value}"`;
}

/** ISO 8601; null where no calendar reaches. */
export function timeText(epochMs: number): string | null {
  return epochMs <= MAX_TIME_MS ? new Date(epochMs).toISOString() : null;
}
