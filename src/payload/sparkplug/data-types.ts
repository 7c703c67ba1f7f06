import { TWO_POW_32 } from './proto-reader.ts';

/** The types of Sparkplug B by their numbers on the wire [Sparkplug 3.0, section 6.4.16]. */
export const TYPE = {
  unknown: 0,
  int8: 1,
  int16: 2,
  int32: 3,
  int64: 4,
  uint8: 5,
  uint16: 6,
  uint32: 7,
  uint64: 8,
  float: 9,
  double: 10,
  boolean: 11,
  string: 12,
  dateTime: 13,
  text: 14,
  uuid: 15,
  dataSet: 16,
  bytes: 17,
  file: 18,
  template: 19,
  int8Array: 22,
  int16Array: 23,
  int32Array: 24,
  int64Array: 25,
  uint8Array: 26,
  uint16Array: 27,
  uint32Array: 28,
  uint64Array: 29,
  floatArray: 30,
  doubleArray: 31,
  booleanArray: 32,
  stringArray: 33,
  dateTimeArray: 34,
} as const;

const MAX_SAFE_HIGH = 0x1f_ffff;

/**
 * An integer as it was sent, in the width of its type: publishers send negatives of 8 and 16 bits both in their own
 * width and sign-extended, and UInt32 in either field. Exact where a double can hold it; `digitsOf` tells of the
 * others.
 */
export function integerOf(type: number, low: number, high: number): number {
  switch (type) {
    case TYPE.int8: {
      return (low << 24) >> 24;
    }
    case TYPE.int16: {
      return (low << 16) >> 16;
    }
    case TYPE.int32: {
      return low | 0;
    }
    case TYPE.uint8: {
      return low & 0xff;
    }
    case TYPE.uint16: {
      return low & 0xffff;
    }
    case TYPE.uint32: {
      return low;
    }
    case TYPE.int64: {
      return (high | 0) * TWO_POW_32 + low;
    }
    default: {
      return high * TWO_POW_32 + low;
    }
  }
}

/** The digits of an integer of 64 bits that no double equals; null where `integerOf` says it exactly. */
export function digitsOf(type: number, low: number, high: number): string | null {
  const isSigned = type === TYPE.int64;
  if (type < TYPE.int64 && type !== TYPE.unknown) return null;
  if (type >= TYPE.uint8 && type <= TYPE.uint32) return null;
  const magnitudeHigh = isSigned && high >= 0x8000_0000 ? ~high >>> 0 : high;
  if (magnitudeHigh <= MAX_SAFE_HIGH) return null;
  const unsigned = (BigInt(high) << 32n) | BigInt(low);
  const exact = isSigned ? BigInt.asIntN(64, unsigned) : unsigned;
  return BigInt(Number(exact)) === exact ? null : String(exact);
}

/** The type of the elements of an array. */
export const ELEMENT_TYPE: ReadonlyMap<number, { readonly type: number; readonly bytes: 1 | 2 | 4 | 8 }> = new Map([
  [TYPE.int8Array, { type: TYPE.int8, bytes: 1 }],
  [TYPE.int16Array, { type: TYPE.int16, bytes: 2 }],
  [TYPE.int32Array, { type: TYPE.int32, bytes: 4 }],
  [TYPE.int64Array, { type: TYPE.int64, bytes: 8 }],
  [TYPE.uint8Array, { type: TYPE.uint8, bytes: 1 }],
  [TYPE.uint16Array, { type: TYPE.uint16, bytes: 2 }],
  [TYPE.uint32Array, { type: TYPE.uint32, bytes: 4 }],
  [TYPE.uint64Array, { type: TYPE.uint64, bytes: 8 }],
  [TYPE.floatArray, { type: TYPE.float, bytes: 4 }],
  [TYPE.doubleArray, { type: TYPE.double, bytes: 8 }],
  [TYPE.dateTimeArray, { type: TYPE.dateTime, bytes: 8 }],
]);
