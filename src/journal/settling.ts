import { comparePlaces, laterPlace, ORIGIN, type Place } from '../core/place.ts';

const COUNT_UNKNOWN = -1;
const COMPACT_FROM = 1024;

/**
 * Up to where all is settled, of messages that were given out and not yet settled.
 *
 * A message is settled when it is done, which tells how many values it has, and each of them is settled; one without
 * values when it is done. Values are settled in the order of their places, so one watermark tells all of them. Messages
 * without values may be done late and in any order: until then they hold the place back, not the watermark. Two numbers
 * are kept for an open message.
 */
export class Settling {
  #numbers: number[] = [];
  #counts: number[] = [];
  #head = 0;
  #watermark: Place = ORIGIN;
  #place: Place;
  #isWhole: boolean;
  /** The greatest number that was added, or that stands before all that will be. */
  #lastAdded: number;

  /** `isWhole`: no value of the place's message is open. */
  constructor(place: Place = ORIGIN, isWhole = true) {
    this.#place = place;
    this.#isWhole = isWhole;
    this.#lastAdded = this.messageNo;
  }

  /** The largest place such that all up to it is settled. */
  get place(): Place {
    return this.#place;
  }

  /** True when all of the place's message is settled, not only a part of its values. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Every message up to this number is settled. */
  get messageNo(): number {
    return this.#isWhole ? this.#place.messageNo : this.#place.messageNo - 1;
  }

  /** Open messages. */
  get size(): number {
    return this.#numbers.length - this.#head;
  }

  /**
   * A message was given out. Throws an internal error when its number is not above those of all before: `done` would
   * not find the message, and the settled place could pass it over.
   */
  add(messageNo: number): void {
    if (messageNo <= this.#lastAdded) {
      throw new Error(
        `message ${messageNo} was given out after message ${this.#lastAdded}: the journal is out of order`,
      );
    }
    this.#lastAdded = messageNo;
    this.#numbers.push(messageNo);
    this.#counts.push(COUNT_UNKNOWN);
  }

  /** `values`: how many the message has; 0 settles it at once. Unknown numbers are ignored. */
  done(messageNo: number, values: number): void {
    const i = this.#find(messageNo);
    if (i === undefined) return;
    this.#counts[i] = values;
    this.#advance();
  }

  /** Every value up to and including the place is settled. */
  settledThrough(place: Place): void {
    this.#watermark = laterPlace(this.#watermark, place);
    this.#advance();
  }

  #advance(): void {
    while (this.#head < this.#numbers.length) {
      const messageNo = this.#numbers[this.#head]!;
      const values = this.#counts[this.#head]!;
      const last = { messageNo, valueNo: Math.max(0, values - 1) };
      if (values === COUNT_UNKNOWN || (values > 0 && comparePlaces(this.#watermark, last) < 0)) {
        this.#settlePart(messageNo);
        break;
      }
      this.#place = laterPlace(this.#place, last);
      this.#isWhole = true;
      this.#head += 1;
    }
    if (this.#head >= COMPACT_FROM && this.#head * 2 >= this.#numbers.length) this.#compact();
  }

  #settlePart(messageNo: number): void {
    if (this.#watermark.messageNo !== messageNo || comparePlaces(this.#place, this.#watermark) >= 0) return;
    this.#place = this.#watermark;
    this.#isWhole = false;
  }

  #compact(): void {
    this.#numbers = this.#numbers.slice(this.#head);
    this.#counts = this.#counts.slice(this.#head);
    this.#head = 0;
  }

  #find(messageNo: number): number | undefined {
    let low = this.#head;
    let high = this.#numbers.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const number = this.#numbers[middle]!;
      if (number === messageNo) return middle;
      if (number < messageNo) low = middle + 1;
      else high = middle - 1;
    }
    return undefined;
  }
}
