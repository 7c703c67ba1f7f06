import { settledOf, type ValueCounters } from '../core/counters.ts';
import { MAX_VALUE_NO } from '../core/limits.ts';
import { comparePlaces, laterPlace, placeBefore, type Place } from '../core/place.ts';
import type { LaneRecord } from './checkpoint-file.ts';
import { OpenFiltered } from './open-filtered.ts';

export interface LaneProgressOptions {
  /** The live counters of the lane. */
  readonly counters: ValueCounters;
  /** No value of the lane is between receipt and its end. */
  readonly isIdle: () => boolean;
  /** Where the lane's row of the ledger is known to be. */
  readonly ledgerPlace: () => Place;
}

/**
 * How far one lane is: a place up to which all of its values are settled, with the counters of just that place, as what
 * lies behind it is counted again after a crash. While nothing is on its way in the lane it is as far as the expander.
 */
export class LaneProgress {
  readonly #options: LaneProgressOptions;
  #place: Place;
  #counters: ValueCounters;
  /** Up to here files that were found at the start say that values are settled; no checkpoint may say so yet. */
  readonly #foundSettled: Place;
  /** Messages up to this one are in the counters, wholly. */
  readonly #countedNo: number;
  /** Values that were left out never come to the writer: they are counted by messages. */
  readonly #openFiltered = new OpenFiltered();

  /** The counters are those of `counted`, up to where an earlier run has counted; files say that more is settled. */
  constructor(counted: Place, foundSettled: Place, options: LaneProgressOptions) {
    this.#options = options;
    this.#place = counted;
    this.#foundSettled = foundSettled;
    this.#countedNo = wholeNo(counted);
    this.#counters = { ...options.counters };
  }

  /** The first value after a while without any is about to be received. */
  begins(first: Place): void {
    if (!this.#options.isIdle()) return;
    this.settled(placeBefore(first));
  }

  /** Every value up to the place is settled. To be called where the counters fit the place: between two batches. */
  settled(place: Place): void {
    this.#place = laterPlace(this.#place, place);
    this.#counters = { ...this.#options.counters };
  }

  /** So many values of the message are left out; false: they are in the counters already. */
  leftOut(messageNo: number, values: number): boolean {
    if (messageNo <= this.#countedNo) return false;
    this.#openFiltered.note(messageNo, values);
    return true;
  }

  /** Every value of the lane up to here is settled, if `expanded` is how far messages have been expanded. */
  settledThrough(expanded: Place): Place {
    return this.#options.isIdle() ? laterPlace(this.#place, expanded) : this.#place;
  }

  /** A file that was just made may say so of values up to the place, which the journal could give again. */
  isOpen(through: Place, expanded: Place): boolean {
    return comparePlaces(this.settledThrough(expanded), laterPlace(through, this.#foundSettled)) < 0;
  }

  /**
   * For the checkpoint. `settledNo`: messages up to this one are not read again, also where the place is that of their
   * last value in the lane.
   */
  record(expanded: Place, settledNo: number): LaneRecord {
    if (this.#options.isIdle()) this.settled(expanded);
    const { valuesFiltered } = this.#options.counters;
    const counters = {
      ...this.#counters,
      valuesFiltered: valuesFiltered - this.#openFiltered.behind(Math.max(wholeNo(this.#place), settledNo)),
    };
    counters.valuesReceived = settledOf(counters);
    return { place: this.#place, counters, ledger: this.#options.ledgerPlace() };
  }
}

/** The last message that is wholly at or before the place. */
function wholeNo({ messageNo, valueNo }: Place): number {
  return valueNo === MAX_VALUE_NO ? messageNo : messageNo - 1;
}
