/*
 * The wire format of Protocol Buffers, as far as Sparkplug B needs it. An integer is given as two halves of 32 bits, so
 * that 64 bits are exact and cost no BigInt; nothing is made of a field before someone asks for it.
 */

export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

/** What the upper half of an integer counts in. */
export const TWO_POW_32 = 4_294_967_296;

/** The bytes are no message of Protocol Buffers, or not a whole one. */
export class MalformedError extends Error {
  constructor(what: string, at: number) {
    super(`${what} at byte ${at}`);
    this.name = 'MalformedError';
  }
}

/**
 * Reads a part of some bytes, field by field: `next` reads a key, then one of the others reads the value or passes over
 * it. One object for all payloads: `open` begins a new one. Throws MalformedError where the bytes are no such message.
 */
export class ProtoReader {
  bytes: Buffer = Buffer.alloc(0);
  /** Of the same bytes: it reads a double at once, where a Buffer puts it together byte by byte. */
  view: DataView = new DataView(new ArrayBuffer(0));
  at = 0;
  end = 0;
  /** The last integer, its lower and its upper half, unsigned. */
  low = 0;
  high = 0;
  /** Of the last key. */
  field = 0;
  wireType = 0;
  /** Where the last value of bytes begins and ends. */
  start = 0;
  stop = 0;

  open(bytes: Buffer, start = 0, end = bytes.length): void {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    this.at = start;
    this.end = end;
  }

  /** False at the end. */
  next(): boolean {
    if (this.at >= this.end) return false;
    const first = this.bytes[this.at]!;
    let key = first;
    if (first < 0x80) {
      this.at += 1;
    } else {
      this.readVarint();
      if (this.high !== 0) throw new MalformedError('a field number that is too large', this.at);
      key = this.low;
    }
    this.field = key >>> 3;
    this.wireType = key & 7;
    if (this.field === 0) throw new MalformedError('field number 0', this.at);
    return true;
  }

  /**
   * Reads an integer into `low` and `high`. By far the most that the reader does: that the bytes do not end in it is
   * looked at once, behind it.
   */
  readVarint(): void {
    const { bytes } = this;
    let at = this.at;
    let byte = bytes[at]!;
    at += 1;
    let low = byte & 0x7f;
    let high = 0;
    for (let shift = 7; byte >= 0x80 && shift < 28; shift += 7) {
      byte = bytes[at]!;
      at += 1;
      low |= (byte & 0x7f) << shift;
    }
    if (byte >= 0x80) {
      byte = bytes[at]!;
      at += 1;
      // Seven bits, of which the lower half has room for four.
      low |= (byte & 0x7f) << 28;
      high = (byte & 0x7f) >>> 4;
      for (let shift = 3; byte >= 0x80 && shift < 32; shift += 7) {
        byte = bytes[at]!;
        at += 1;
        high |= (byte & 0x7f) << shift;
      }
    }
    if (at > this.end) throw new MalformedError('the payload ends in the middle of an integer', this.end);
    if (byte >= 0x80) throw new MalformedError('an integer of more than 64 bits', at);
    this.at = at;
    this.low = low >>> 0;
    this.high = high >>> 0;
  }

  /** The value of an integer field; throws for any other. */
  integer(): void {
    this.expect(VARINT);
    this.readVarint();
  }

  /** The last integer as a double: exact up to 2^53. */
  get unsigned(): number {
    return this.high * TWO_POW_32 + this.low;
  }

  float(): number {
    this.expect(FIXED32);
    this.#need(4);
    const value = this.view.getFloat32(this.at, true);
    this.at += 4;
    return value;
  }

  double(): number {
    this.expect(FIXED64);
    this.#need(8);
    const value = this.view.getFloat64(this.at, true);
    this.at += 8;
    return value;
  }

  /** Sets `start` and `stop` to where the value lies, and passes over it. */
  range(): void {
    this.expect(BYTES);
    this.readVarint();
    const length = this.unsigned;
    this.#need(length);
    this.start = this.at;
    this.at += length;
    this.stop = this.at;
  }

  text(): string {
    this.range();
    return this.bytes.toString('utf8', this.start, this.stop);
  }

  skip(): void {
    if (this.wireType === VARINT) this.readVarint();
    else if (this.wireType === BYTES) this.range();
    else if (this.wireType === FIXED32) this.#pass(4);
    else if (this.wireType === FIXED64) this.#pass(8);
    else throw new MalformedError(`wire type ${this.wireType}`, this.at);
  }

  expect(wireType: number): void {
    if (this.wireType === wireType) return;
    throw new MalformedError(`field ${this.field} has wire type ${this.wireType}, not ${wireType},`, this.at);
  }

  #need(length: number): void {
    if (this.at + length > this.end) throw new MalformedError('the payload ends in the middle of a value', this.at);
  }

  #pass(length: number): void {
    this.#need(length);
    this.at += length;
  }
}
