/** What the sequence number of a message tells. */
export type Sequence = 'next' | 'gap' | 'filled' | 'late';

const MODULUS = 256;
/** More are taken for another sequence, not for messages that may still come. */
const MAX_MISSING = 64;

/**
 * The sequence numbers of one edge node, 0 to 255 and round again, over all messages of the node and its devices.
 *
 * - `next`: nothing is missing; also for the first one, from which the others are counted.
 * - `gap`: some that were expected before it did not come, yet.
 * - `late`: one of those; `filled`: the last of them.
 */
export class SequenceWatch {
  #last: number | undefined;
  readonly #missing = new Set<number>();

  /** A birth begins anew, whatever its number. */
  begin(seq: number | undefined): void {
    this.#missing.clear();
    this.#last = seq === undefined ? undefined : seq % MODULUS;
  }

  forget(): void {
    this.begin(undefined);
  }

  note(seq: number): Sequence {
    const number = seq % MODULUS;
    const last = this.#last;
    if (last === undefined) {
      this.#last = number;
      return 'next';
    }
    if (this.#missing.delete(number)) return this.#missing.size === 0 ? 'filled' : 'late';
    this.#last = number;
    const skipped = (number - last - 1 + MODULUS) % MODULUS;
    if (skipped === 0) return 'next';
    if (skipped > MAX_MISSING) this.#missing.clear();
    else for (let i = 1; i <= skipped; i += 1) this.#missing.add((last + i) % MODULUS);
    return 'gap';
  }
}
