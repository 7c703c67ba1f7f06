/** Samples of each half: with those a growth is told from the rise and fall of what comes and goes. */
const LEAST_HALF = 6;

/**
 * How fast something grows that also falls: a journal's segments are removed whole, a replayed file goes at once. What
 * counts is by how much its lowest points rise, from the older half of the samples to the newer one.
 */
export class Growth {
  readonly #intervalMs: number;
  readonly #kept: number;
  readonly #samples: number[] = [];

  /** One sample each `intervalMs`; the latest `kept` of them are looked at. */
  constructor(intervalMs: number, kept: number) {
    this.#intervalMs = intervalMs;
    this.#kept = kept;
  }

  add(sample: number): void {
    this.#samples.push(sample);
    if (this.#samples.length > this.#kept) this.#samples.shift();
  }

  /** 0 while it does not grow, and in the first minutes. */
  get perSecond(): number {
    const half = this.#samples.length >> 1;
    if (half < LEAST_HALF) return 0;
    const older = Math.min(...this.#samples.slice(0, half));
    const newer = Math.min(...this.#samples.slice(-half));
    return Math.max(0, (newer - older) / ((half * this.#intervalMs) / 1000));
  }
}
