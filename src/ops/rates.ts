import type { Clock } from '../core/clock.ts';
import type { Counters } from '../core/counters.ts';

/** How much flows in a second. */
export interface RateFigures {
  readonly valuesInPerSecond: number;
  /** Values that reach Oracle, from the buffer or from backups. */
  readonly valuesOutPerSecond: number;
  readonly messagesPerSecond: number;
}

interface Reading {
  readonly atMs: number;
  readonly valuesIn: number;
  readonly valuesOut: number;
  readonly messages: number;
}

/** The rates of messages and values, from the counters at the last readings and the time between those. */
export class Rates {
  readonly #counters: Counters;
  readonly #clock: Clock;
  readonly #kept: number;
  #readings: Reading[] = [];

  /** `readings`: over how many intervals between two readings the rates are taken. */
  constructor(counters: Counters, clock: Clock, readings: number) {
    this.#counters = counters;
    this.#clock = clock;
    this.#kept = readings + 1;
  }

  /** Reads the counters. Call at regular intervals. */
  read(): void {
    const { messagesReceived, valuesAlreadyThere, valuesReceived, valuesReplayed, valuesWritten } = this.#counters;
    const reading = {
      atMs: this.#clock.monotonic(),
      valuesIn: valuesReceived,
      valuesOut: valuesWritten + valuesAlreadyThere + valuesReplayed,
      messages: messagesReceived,
    };
    this.#readings = [...this.#readings.slice(1 - this.#kept), reading];
  }

  /** The rates over the last readings; all 0 before the second reading. */
  get figures(): RateFigures {
    const first = this.#readings[0];
    const last = this.#readings.at(-1);
    const seconds = first === undefined || last === undefined ? 0 : (last.atMs - first.atMs) / 1000;
    const rate = (count: (reading: Reading) => number): number => {
      if (first === undefined || last === undefined || seconds === 0) return 0;
      // Values that the journal gives again after a crash are taken out of the count once that is seen.
      return Math.max(0, Math.round(((count(last) - count(first)) / seconds) * 10) / 10);
    };
    return {
      valuesInPerSecond: rate((reading) => reading.valuesIn),
      valuesOutPerSecond: rate((reading) => reading.valuesOut),
      messagesPerSecond: rate((reading) => reading.messages),
    };
  }
}
