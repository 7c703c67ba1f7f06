import type { CancelTimer, Clock } from '../../src/core/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/**
 * Virtual time: stands still until `advance` moves it, timers run in the order of their times. `random` is always the
 * middle.
 */
export class FakeClock implements Clock {
  #nowMs: number;
  #order = 0;
  readonly #timers = new Set<Timer>();

  constructor(startMs = Date.UTC(2025, 10, 2, 14, 30)) {
    this.#nowMs = startMs;
  }

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  random(): number {
    return 0.5;
  }

  /** Takes no virtual time. */
  turn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  setTimer(delayMs: number, run: () => void): CancelTimer {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order, run };
    this.#order += 1;
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** From now to each timer, the next one first. */
  get delaysMs(): number[] {
    return [...this.#timers].map(({ atMs }) => atMs - this.#nowMs).sort((a, b) => a - b);
  }

  /** Moves time on; lets promises settle before, between and after the timers that fall due. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settle();
    for (let timer = this.#nextBefore(endMs); timer !== undefined; timer = this.#nextBefore(endMs)) {
      this.#nowMs = timer.atMs;
      this.#timers.delete(timer);
      timer.run();
      await settle();
    }
    this.#nowMs = endMs;
    await settle();
  }

  #nextBefore(endMs: number): Timer | undefined {
    return [...this.#timers]
      .filter((timer) => timer.atMs <= endMs)
      .sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
  }
}

/** Lets what is ready run: a few rounds of the event loop. */
async function settle(): Promise<void> {
  for (let round = 0; round < 3; round += 1) await new Promise((resolve) => setImmediate(resolve));
}
