import type { Clock } from './clock.ts';

interface Slot {
  index: number;
  count: number;
  sum: number;
}

/**
 * Count and average of a figure over the last `windowMs`, kept in a ring of slots: constant memory, whatever the rate.
 */
export class RollingWindow {
  readonly windowMs: number;
  readonly #slotMs: number;
  readonly #slots: Slot[];
  readonly #clock: Clock;

  constructor(windowMs: number, clock: Clock, slots = 60) {
    this.windowMs = windowMs;
    this.#slotMs = windowMs / slots;
    this.#slots = Array.from({ length: slots }, () => ({ index: -1, count: 0, sum: 0 }));
    this.#clock = clock;
  }

  add(figure: number): void {
    const index = this.#slotIndex();
    const slot = this.#slots[index % this.#slots.length]!;
    if (slot.index !== index) {
      slot.index = index;
      slot.count = 0;
      slot.sum = 0;
    }
    slot.count += 1;
    slot.sum += figure;
  }

  /** How many figures the window holds. */
  get count(): number {
    return this.#live().reduce((total, slot) => total + slot.count, 0);
  }

  /** The average of the figures in the window; 0 when the window is empty. */
  get average(): number {
    const live = this.#live();
    const count = live.reduce((total, slot) => total + slot.count, 0);
    return count === 0 ? 0 : live.reduce((total, slot) => total + slot.sum, 0) / count;
  }

  #live(): Slot[] {
    const oldest = this.#slotIndex() - this.#slots.length + 1;
    return this.#slots.filter((slot) => slot.index >= oldest);
  }

  #slotIndex(): number {
    return Math.floor(this.#clock.monotonic() / this.#slotMs);
  }
}
