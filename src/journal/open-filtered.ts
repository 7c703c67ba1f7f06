const COMPACT_FROM = 1024;

/**
 * How many values were left out of messages that are not settled: the journal may give these again, and they are
 * counted again then. Two numbers are kept for such a message.
 */
export class OpenFiltered {
  #messageNos: number[] = [];
  #counts: number[] = [];
  #head = 0;
  #total = 0;

  /** So many values of the message were left out. The numbers of messages never go down. */
  note(messageNo: number, count: number): void {
    this.#messageNos.push(messageNo);
    this.#counts.push(count);
    this.#total += count;
  }

  /** Of the messages behind `settledNo`, which are all that it is asked about from now on. */
  behind(settledNo: number): number {
    while (this.#head < this.#messageNos.length && this.#messageNos[this.#head]! <= settledNo) {
      this.#total -= this.#counts[this.#head]!;
      this.#head += 1;
    }
    if (this.#head >= COMPACT_FROM && this.#head * 2 >= this.#messageNos.length) {
      this.#messageNos = this.#messageNos.slice(this.#head);
      this.#counts = this.#counts.slice(this.#head);
      this.#head = 0;
    }
    return this.#total;
  }
}
