import type { Clock } from './clock.ts';

export interface BackoffOptions {
  readonly initialDelayMs: number;
  readonly factor: number;
  readonly maxDelayMs: number;
  /** Share of each delay that chance takes off or adds: 0.2 means ± 20 %. */
  readonly jitter: number;
}

/** Growing delays between attempts, spread by chance so that many gateways do not come back at the same instant. */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #clock: Clock;
  #attempt = 0;

  constructor(options: BackoffOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** The delay before the next attempt, in milliseconds. */
  next(): number {
    const { initialDelayMs, factor, maxDelayMs, jitter } = this.#options;
    const growth = Math.min(factor ** this.#attempt, Number.MAX_VALUE); // 0 × Infinity would be NaN
    const delayMs = Math.min(maxDelayMs, initialDelayMs * growth);
    this.#attempt += 1;
    return Math.round(delayMs * (1 + jitter * (2 * this.#clock.random() - 1)));
  }

  reset(): void {
    this.#attempt = 0;
  }
}
