/**
 * Numbers as controllers keep them: one number, nothing around it.
 *
 * A type is named by its kind, its bits and the order of its bytes: `int16be`, `float32le`. Big-endian has the most
 * significant byte first. With `wordSwap` the 16-bit words stand in the opposite order while the bytes in each stay:
 *
 * | bytes on the wire, A the most significant | is                                    |
 * | ----------------------------------------- | ------------------------------------- |
 * | A B C D                                   | `float32be`                           |
 * | D C B A                                   | `float32le`                           |
 * | C D A B                                   | `float32be` with `wordSwap`           |
 * | B A D C                                   | `float32le` with `wordSwap`           |
 */

interface BinaryType {
  readonly bytes: number;
  /** The literal of the number that stands at the beginning, with all of its digits. */
  readonly read: (payload: Buffer) => string | number;
}

const TYPES = {
  int8: { bytes: 1, read: (payload) => payload.readInt8() },
  uint8: { bytes: 1, read: (payload) => payload.readUInt8() },
  int16be: { bytes: 2, read: (payload) => payload.readInt16BE() },
  int16le: { bytes: 2, read: (payload) => payload.readInt16LE() },
  uint16be: { bytes: 2, read: (payload) => payload.readUInt16BE() },
  uint16le: { bytes: 2, read: (payload) => payload.readUInt16LE() },
  int32be: { bytes: 4, read: (payload) => payload.readInt32BE() },
  int32le: { bytes: 4, read: (payload) => payload.readInt32LE() },
  uint32be: { bytes: 4, read: (payload) => payload.readUInt32BE() },
  uint32le: { bytes: 4, read: (payload) => payload.readUInt32LE() },
  int64be: { bytes: 8, read: (payload) => String(payload.readBigInt64BE()) },
  int64le: { bytes: 8, read: (payload) => String(payload.readBigInt64LE()) },
  uint64be: { bytes: 8, read: (payload) => String(payload.readBigUInt64BE()) },
  uint64le: { bytes: 8, read: (payload) => String(payload.readBigUInt64LE()) },
  float32be: { bytes: 4, read: (payload) => payload.readFloatBE() },
  float32le: { bytes: 4, read: (payload) => payload.readFloatLE() },
  float64be: { bytes: 8, read: (payload) => payload.readDoubleBE() },
  float64le: { bytes: 8, read: (payload) => payload.readDoubleLE() },
} satisfies Record<string, BinaryType>;

export type BinaryTypeName = keyof typeof TYPES;

export const BINARY_TYPE_NAMES = Object.keys(TYPES) as BinaryTypeName[];

/** How many bytes a number of the type has. */
export function binaryTypeBytes(name: BinaryTypeName): number {
  return TYPES[name].bytes;
}

/**
 * A function that gives the number, or its digits where a double may not hold it; undefined for a payload of another
 * length. Of a type of one word `wordSwap` changes nothing.
 */
export function compileBinaryNumber(
  name: BinaryTypeName,
  wordSwap: boolean,
): (payload: Buffer) => string | number | undefined {
  const { bytes, read } = TYPES[name];
  if (!wordSwap || bytes <= 2) return (payload) => (payload.length === bytes ? read(payload) : undefined);
  return (payload) => (payload.length === bytes ? read(withSwappedWords(payload)) : undefined);
}

/** The words from the last to the first: all bytes from the last to the first, and then those of each word. */
function withSwappedWords(payload: Buffer): Buffer {
  return Buffer.from(payload).reverse().swap16();
}
