import type { Random } from './random.ts';

/** In which a power cut loses what was not synced; much smaller than a disk's, so that small files are torn as well. */
const BLOCK_BYTES = 32;

/**
 * One file's bytes: what a process reads (the page cache), and what would be left after a power cut.
 *
 * Below `#firstUnsynced` the two are the same. After a failed sync the system may count pages as clean that it never
 * wrote ("forgotten"): the next sync then succeeds without them.
 */
export class SimFile {
  #bytes: Buffer = Buffer.allocUnsafe(256);
  #length = 0;
  #durable: Buffer = Buffer.alloc(0);
  #firstUnsynced = 0;
  /** Starts of blocks. */
  readonly #forgotten = new Set<number>();

  get length(): number {
    return this.#length;
  }

  append(bytes: Uint8Array): void {
    const end = this.#length + bytes.length;
    if (end > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(end, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    // A page that is written to again is dirty again.
    for (const start of this.#forgotten) if (start + BLOCK_BYTES > this.#length) this.#forgotten.delete(start);
    this.#length = end;
  }

  truncate(size: number): void {
    if (size > this.#length) this.append(Buffer.alloc(size - this.#length));
    this.#length = size;
    this.#firstUnsynced = Math.min(this.#firstUnsynced, size);
    for (const start of this.#forgotten) if (start >= size) this.#forgotten.delete(start);
  }

  read(start = 0, end: number = this.#length): Buffer {
    return Buffer.from(this.#bytes.subarray(Math.min(start, this.#length), Math.min(end, this.#length)));
  }

  sync(): void {
    if (this.#forgotten.size > 0) {
      this.#durable = this.#mixed(this.#length, (start) => (this.#forgotten.has(start) ? 'old' : 'new'));
    } else if (this.#firstUnsynced < this.#length || this.#durable.length !== this.#length) {
      this.#durable = this.read();
      this.#firstUnsynced = this.#length;
    }
  }

  failSync(random: Random): void {
    for (let start = blockOf(this.#firstUnsynced); start < this.#length; start += BLOCK_BYTES) {
      if (random.chance(0.5)) this.#forgotten.add(start);
    }
  }

  /** The process is gone, the system is not: only pages that it had given up may be read from the disk again. */
  killed(): void {
    if (this.#forgotten.size === 0) return;
    this.#become(this.#mixed(this.#length, (start) => (this.#forgotten.has(start) ? 'old' : 'new')));
    this.#forgotten.clear();
  }

  /** Of each block that was not synced the old or the new content is left, or zeros, in a file of any size between. */
  cutPower(random: Random): void {
    const { length } = this.#durable;
    if (this.#firstUnsynced < this.#length || length !== this.#length) {
      const [least, most] = [Math.min(length, this.#length), Math.max(length, this.#length)];
      const size = random.pick([length, this.#length, random.int(least, most)]);
      const fresh = random.pick([0, 0.5, 0.9, 1]);
      const pick = (): Source => (random.chance(fresh) ? 'new' : random.pick(['old', 'zero']));
      this.#durable = this.#mixed(size, (start) => (this.#forgotten.has(start) ? 'old' : pick()));
    }
    this.#forgotten.clear();
    this.#become(this.#durable);
    this.#firstUnsynced = this.#length;
  }

  #become(bytes: Buffer): void {
    this.#bytes = Buffer.from(bytes);
    this.#length = bytes.length;
  }

  #mixed(size: number, choose: (start: number) => Source): Buffer {
    const result = Buffer.alloc(size);
    const synced = Math.min(size, this.#firstUnsynced);
    this.#durable.copy(result, 0, 0, synced);
    for (let at = synced; at < size;) {
      const end = Math.min(size, blockOf(at) + BLOCK_BYTES);
      const source = choose(blockOf(at));
      if (source === 'old' && at < this.#durable.length) this.#durable.copy(result, at, at, end);
      if (source === 'new' && at < this.#length) this.#bytes.copy(result, at, at, Math.min(end, this.#length));
      at = end;
    }
    return result;
  }
}

type Source = 'old' | 'new' | 'zero';

function blockOf(at: number): number {
  return at - (at % BLOCK_BYTES);
}
