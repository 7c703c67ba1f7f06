import type { CancelTimer, Clock } from '../../src/core/clock.ts';
import type { Random } from './random.ts';

class Timer {
  readonly atMs: number;
  readonly order: number;
  readonly life: Life | undefined;
  run: (() => void) | undefined;

  constructor(atMs: number, order: number, life: Life | undefined, run: () => void) {
    this.atMs = atMs;
    this.order = order;
    this.life = life;
    this.run = run;
  }
}

/** Longer than it takes, for schedules with fewer steps. */
const TURN_MS = 0.3;
const START_MS = Date.UTC(2025, 10, 2, 14, 30);

/**
 * Virtual time for all of one schedule: a queue of timers, the earliest first, those of one instant in the order in
 * which they were set.
 *
 * A step is one timer and all that follows from it without waiting for another one. That it is over is seen exactly,
 * not guessed: Node runs `process.nextTick` callbacks that were set from a microtask only when no microtask is left.
 */
export class SimTime {
  nowMs = START_MS;
  steps = 0;
  #order = 0;
  readonly #heap: Timer[] = [];

  /** Elapsed virtual time. */
  get elapsedMs(): number {
    return this.nowMs - START_MS;
  }

  setTimer(delayMs: number, run: () => void, life?: Life): CancelTimer {
    this.#order += 1;
    const timer = new Timer(this.nowMs + Math.max(0, delayMs), this.#order, life, run);
    this.#push(timer);
    return () => void (timer.run = undefined);
  }

  /** Runs the next timer to its last consequence. False when there is none. */
  async step(): Promise<boolean> {
    const timer = this.#next();
    if (timer === undefined) return false;
    this.nowMs = Math.max(this.nowMs, timer.atMs);
    this.steps += 1;
    timer.run!();
    timer.run = undefined;
    await quiescence();
    return true;
  }

  #next(): Timer | undefined {
    for (;;) {
      const timer = this.#pop();
      if (timer === undefined || (timer.run !== undefined && timer.life?.isOver !== true)) return timer;
    }
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(timer, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = timer;
  }

  #pop(): Timer | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

/** Resolves when nothing is ready to run any more. To be called from a microtask, as all code behind an `await` is. */
export function quiescence(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/**
 * The clock of one life of the bridge process. When that ends, none of its timers fires any more; as every wait of the
 * bridge ends in a timer of the simulation, none of its code runs on.
 */
export class Life implements Clock {
  isOver = false;
  readonly #time: SimTime;
  readonly #random: Random;
  /** What a crash in mid-work decides about: called once when the life ends. */
  readonly #atEnd = new Set<() => void>();

  constructor(time: SimTime, random: Random) {
    this.#time = time;
    this.#random = random;
  }

  now(): number {
    return Math.floor(this.#time.nowMs);
  }

  monotonic(): number {
    return this.#time.nowMs;
  }

  setTimer(delayMs: number, run: () => void): CancelTimer {
    return this.#time.setTimer(delayMs, run, this);
  }

  turn(): Promise<void> {
    return new Promise((resolve) => void this.setTimer(TURN_MS, resolve));
  }

  random(): number {
    return this.#random.next();
  }

  /**
   * An operation outside of the process: after `delayMs` it happens and its promise settles. When the life ends before,
   * `orphan` decides what becomes of it, and the promise never settles.
   */
  operate<T>(delayMs: number, happen: () => T, orphan: () => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.isOver) return;
      this.#atEnd.add(orphan);
      this.setTimer(delayMs, () => {
        this.#atEnd.delete(orphan);
        try {
          resolve(happen());
        } catch (thrown) {
          reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
        }
      });
    });
  }

  end(): void {
    this.isOver = true;
    for (const orphan of this.#atEnd) orphan();
    this.#atEnd.clear();
  }
}
