/**
 * The primitives of TTC, the layer above Oracle Net packets.
 *
 *   ub1         one byte
 *   ub2..ub8    a length byte 0..8, then that many bytes, big endian; bit 7 of the length byte marks a negative number
 *   bytes (CLR) a length byte; 0 and 255 are null, 254 starts chunks (ub4 length, data)* ended by a zero length
 *   key/value   ub4 length, CLR key, ub4 length, [CLR value], ub4 flags; the two lengths only say that more follows
 */

const LONG = 254;
const NULL_LENGTH = 255;
const MAX_SHORT = 252;
const CHUNK_BYTES = 32_767;

/** Thrown by a `Reader` that has run out of bytes: the caller goes back to its mark and waits for the next packet. */
export class NeedMoreData extends Error {}
const needMoreData = new NeedMoreData('more data needed');

/** A client's payload as one byte stream: appended packet by packet, read from the front. */
export class Reader {
  buffer: Buffer;
  position = 0;
  end = 0;

  constructor(capacity = 65_536) {
    this.buffer = Buffer.allocUnsafe(capacity);
  }

  get empty(): boolean {
    return this.position === this.end;
  }

  /** Takes over `source[start..end)`; bytes that were read make room. Positions kept from before become invalid. */
  append(source: Buffer, start: number, end: number): void {
    const added = end - start;
    if (this.position === this.end) this.position = this.end = 0;
    if (this.end + added > this.buffer.length) {
      const pending = this.end - this.position;
      const target = pending + added > this.buffer.length ? Buffer.allocUnsafe((pending + added) * 2) : this.buffer;
      this.buffer.copy(target, 0, this.position, this.end);
      this.buffer = target;
      this.position = 0;
      this.end = pending;
    }
    source.copy(this.buffer, this.end, start, end);
    this.end += added;
  }

  clear(): void {
    this.position = this.end = 0;
  }

  skip(bytes: number): void {
    if (this.position + bytes > this.end) throw needMoreData;
    this.position += bytes;
  }

  peek(offset = 0): number {
    if (this.position + offset >= this.end) throw needMoreData;
    return this.buffer[this.position + offset]!;
  }

  ub1(): number {
    if (this.position >= this.end) throw needMoreData;
    return this.buffer[this.position++]!;
  }

  uint16(): number {
    return (this.ub1() << 8) | this.ub1();
  }

  uint16le(): number {
    return this.ub1() | (this.ub1() << 8);
  }

  /** ub2, ub4 and ub8 alike; above 2^53 not exact. */
  ub(): number {
    const length = this.ub1();
    let value = 0;
    for (let i = length & 0x7f; i > 0; i--) value = value * 256 + this.ub1();
    return length & 0x80 ? -value : value;
  }

  /** The next bytes, not copied: valid until the next `append`. */
  take(bytes: number): Buffer {
    this.skip(bytes);
    return this.buffer.subarray(this.position - bytes, this.position);
  }

  /** A CLR value, not copied when it is in one piece; null when it has no length. */
  bytes(): Buffer | null {
    const length = this.ub1();
    if (length === 0 || length === NULL_LENGTH) return null;
    if (length !== LONG) return this.take(length);
    const chunks: Buffer[] = [];
    for (let size = this.ub(); size > 0; size = this.ub()) chunks.push(this.take(size));
    return Buffer.concat(chunks);
  }

  text(): string {
    return this.bytes()?.toString('utf8') ?? '';
  }

  keyValue(): { key: string; value: string; flags: number } {
    const key = this.ub() === 0 ? '' : this.text();
    const value = this.ub() === 0 ? '' : this.text();
    return { key, value, flags: this.ub() };
  }
}

/** An answer's payload while it is built. */
export class Writer {
  #buffer: Buffer;
  #length = 0;

  constructor(capacity = 256) {
    this.#buffer = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written, not copied. */
  done(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  ub1(...values: number[]): this {
    this.#room(values.length);
    for (const value of values) this.#buffer[this.#length++] = value;
    return this;
  }

  uint16(value: number): this {
    return this.ub1(value >> 8, value & 0xff);
  }

  uint16le(value: number): this {
    return this.ub1(value & 0xff, value >> 8);
  }

  uint32(value: number): this {
    return this.uint16(Math.floor(value / 65_536)).uint16(value & 0xffff);
  }

  /** ub2, ub4 or ub8 in as few bytes as the value needs, as real servers send them. */
  ub(value: number): this {
    let bytes = 0;
    for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes++;
    this.#room(bytes + 1);
    this.#buffer[this.#length] = bytes;
    for (let i = bytes, rest = value; i > 0; i--, rest = Math.floor(rest / 256)) {
      this.#buffer[this.#length + i] = rest % 256;
    }
    this.#length += bytes + 1;
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.#room(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  zeros(count: number): this {
    this.#room(count);
    this.#buffer.fill(0, this.#length, this.#length + count);
    this.#length += count;
    return this;
  }

  /** CLR; no bytes are null. */
  bytes(value: Uint8Array): this {
    if (value.length <= MAX_SHORT) return this.ub1(value.length).raw(value);
    this.ub1(LONG);
    for (let at = 0; at < value.length; at += CHUNK_BYTES) {
      const chunk = value.subarray(at, at + CHUNK_BYTES);
      this.ub(chunk.length).raw(chunk);
    }
    return this.ub1(0);
  }

  text(value: string): this {
    return this.bytes(Buffer.from(value));
  }

  /** A length and then, when it is not zero, the text as CLR. */
  sized(value: string | Uint8Array): this {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    this.ub(bytes.length);
    return bytes.length > 0 ? this.bytes(bytes) : this;
  }

  keyValue(key: string, value: string, flags = 0): this {
    return this.sized(key).sized(value).ub(flags);
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
