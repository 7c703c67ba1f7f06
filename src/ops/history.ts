import type { CancelTimer, Clock } from '../core/clock.ts';
import type { Counters } from '../core/counters.ts';
import { Rates, type RateFigures } from './rates.ts';

/**
 * Epoch seconds, values in a second, values out a second, write latency in ms or null without a batch, values in the
 * buffer, bytes of the journal.
 */
export type Sample = readonly [
  atSeconds: number,
  valuesInPerSecond: number,
  valuesOutPerSecond: number,
  writeLatencyMs: number | null,
  bufferSize: number,
  journalBytes: number,
];

export interface HistoryOptions {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly buffer: { readonly size: number; readonly capacity: number };
  readonly journalMaxBytes: number;
  /** The size of the journal; asked from `start` on. */
  readonly journalBytes: () => number;
}

/** The answer of `/api/history`. */
export interface HistoryAnswer {
  readonly intervalMs: number;
  readonly capacity: { readonly buffer: number; readonly journalBytes: number };
  /** The samples of the last hour, oldest first. */
  readonly samples: readonly Sample[];
}

const READ_EVERY_MS = 1000;
const READINGS_A_SAMPLE = 5;
const SAMPLES_KEPT = 720;
const COLUMNS = 6;

/** The last hour, a sample every 5 s, in 35 kB whatever happens; and the rates of the last 5 s, each second anew. */
export class History {
  readonly #options: HistoryOptions;
  readonly #rates: Rates;
  /** Sample n lies in row n modulo the rows; no latency is NaN. */
  readonly #ring = new Float64Array(SAMPLES_KEPT * COLUMNS);
  #taken = 0;
  #readings = 0;
  #batches = 0;
  #latencySumMs = 0;
  #cancel: CancelTimer = () => {};

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#rates = new Rates(options.counters, options.clock, READINGS_A_SAMPLE);
  }

  /** Call when the counters hold what an earlier run counted, which must not count as flow of this run. */
  start(): void {
    this.#rates.read();
    this.#readLater();
  }

  stop(): void {
    this.#cancel();
  }

  /** Takes note of a committed batch. Call once for each. */
  noteBatch(latencyMs: number): void {
    this.#batches += 1;
    this.#latencySumMs += latencyMs;
  }

  get rates(): RateFigures {
    return this.#rates.figures;
  }

  /** How many samples were taken since the start. */
  get taken(): number {
    return this.#taken;
  }

  /** The newest sample; undefined before the first. */
  get newest(): Sample | undefined {
    return this.#taken === 0 ? undefined : this.#sample(this.#taken - 1);
  }

  answer(): HistoryAnswer {
    const { buffer, journalMaxBytes } = this.#options;
    const kept = Math.min(this.#taken, SAMPLES_KEPT);
    return {
      intervalMs: READ_EVERY_MS * READINGS_A_SAMPLE,
      capacity: { buffer: buffer.capacity, journalBytes: journalMaxBytes },
      samples: Array.from({ length: kept }, (_, i) => this.#sample(this.#taken - kept + i)),
    };
  }

  #readLater(): void {
    this.#cancel = this.#options.clock.setTimer(READ_EVERY_MS, () => {
      this.#rates.read();
      this.#readings += 1;
      if (this.#readings % READINGS_A_SAMPLE === 0) this.#take();
      this.#readLater();
    });
  }

  #take(): void {
    const { clock, buffer, journalBytes } = this.#options;
    const { valuesInPerSecond, valuesOutPerSecond } = this.#rates.figures;
    const latencyMs = Math.round((this.#latencySumMs / this.#batches) * 100) / 100;
    const sample = [Math.round(clock.now() / 1000), valuesInPerSecond, valuesOutPerSecond, latencyMs];
    this.#ring.set([...sample, buffer.size, journalBytes()], (this.#taken % SAMPLES_KEPT) * COLUMNS);
    this.#taken += 1;
    this.#batches = 0;
    this.#latencySumMs = 0;
  }

  #sample(number: number): Sample {
    const start = (number % SAMPLES_KEPT) * COLUMNS;
    const [atSeconds, valuesIn, valuesOut, latencyMs, size, bytes] = this.#ring.subarray(start, start + COLUMNS);
    return [atSeconds!, valuesIn!, valuesOut!, Number.isNaN(latencyMs) ? null : latencyMs!, size!, bytes!];
  }
}
