/** Samples of each third: with those a growth is told from the rise and fall of what comes and goes. */
const LEAST_THIRD = 4;

/**
 * How fast something grows that also falls: a journal's segments are removed whole, a replayed file goes at once. What
 * counts is by how much its lowest points rise, from each third of the samples to the next, and of the two rises the
 * smaller one: one step up, such as a file that a person has copied there, is no growth.
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
    const third = Math.floor(this.#samples.length / 3);
    if (third < LEAST_THIRD) return 0;
    const lowest = this.#thirds(third).map((part) => Math.min(...part));
    const rise = Math.min(lowest[1]! - lowest[0]!, lowest[2]! - lowest[1]!);
    return Math.max(0, rise / ((third * this.#intervalMs) / 1000));
  }

  /** Each third is above all of the one before: no noise of something that stays where it is. */
  get isSteady(): boolean {
    const third = Math.floor(this.#samples.length / 3);
    if (third < LEAST_THIRD) return false;
    const [first, second, last] = this.#thirds(third) as [number[], number[], number[]];
    return Math.min(...second) > Math.max(...first) && Math.min(...last) > Math.max(...second);
  }

  /** The latest samples, the oldest first. */
  #thirds(third: number): number[][] {
    const latest = this.#samples.slice(-3 * third);
    return [0, 1, 2].map((i) => latest.slice(i * third, (i + 1) * third));
  }
}
