/**
 * Short byte strings that come again and again (tag names, qualities) become a JavaScript string once. A direct-mapped
 * table: a slot is chosen by the length and the last bytes, and is right only when all bytes match.
 */
const SLOTS = 16_384;
const MAX_BYTES = 64;

export class StringCache {
  readonly #bytes = new Uint8Array(SLOTS * MAX_BYTES);
  readonly #lengths = new Uint8Array(SLOTS);
  readonly #strings: string[] = Array.from({ length: SLOTS }, () => '');

  /** The UTF-8 text in `source[start..start + length)`. */
  get(source: Buffer, start: number, length: number): string {
    if (length > MAX_BYTES) return source.toString('utf8', start, start + length);
    const end = start + length;
    let hash = length;
    for (let i = end > start + 8 ? end - 8 : start; i < end; i++) hash = (Math.imul(hash, 31) + source[i]!) | 0;
    const slot = (hash ^ (hash >>> 14)) & (SLOTS - 1);
    const kept = slot * MAX_BYTES;
    if (this.#lengths[slot] === length) {
      let i = 0;
      while (i < length && this.#bytes[kept + i] === source[start + i]) i++;
      if (i === length) return this.#strings[slot]!;
    }
    const text = source.toString('utf8', start, end);
    this.#bytes.set(source.subarray(start, end), kept);
    this.#lengths[slot] = length;
    this.#strings[slot] = text;
    return text;
  }
}
