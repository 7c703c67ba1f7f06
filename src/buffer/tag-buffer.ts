import type { CancelTimer, Clock } from '../core/clock.ts';
import { copyValues, TagValues, type Tag } from '../core/tag-values.ts';
import { Gate } from '../core/gate.ts';

/** `wait`: what doesn't fit stays with the writer. `dropOldest`: it takes the place of the oldest values. */
export type OnFull = 'wait' | 'dropOldest';

export interface TagBufferOptions {
  readonly capacity: number;
  readonly onFull: OnFull;
  readonly clock: Clock;
}

const NO_TAG: Tag = { plcCode: '', address: '', name: '' };
const RESOLVED: Promise<void> = Promise.resolve();

/**
 * A bounded circular buffer of tag values, first in first out, for one writer and one reader.
 *
 * `#size` values lie from `#head` on, around the end. Slots outside hold no references, so that a text of a megabyte is
 * garbage once it has been taken. Once flushed, the reader no longer waits for full batches.
 */
export class TagBuffer {
  readonly capacity: number;
  readonly #onFull: OnFull;
  readonly #clock: Clock;
  readonly #ring: TagValues;
  /** When each value came, by the monotonic clock. */
  readonly #enteredMs: Float64Array;
  #head = 0;
  #size = 0;
  #evicted = 0;
  #flushed = false;

  readonly #room = new Gate();
  readonly #ready = new Gate();
  #wantedCount = 0;
  #maxWaitMs = 0;
  #cancelTimer: CancelTimer | undefined;

  /** `capacity`: values, at least 1. */
  constructor(options: TagBufferOptions) {
    if (!(options.capacity >= 1)) throw new RangeError(`a buffer can't hold ${options.capacity} values`);
    this.capacity = options.capacity;
    this.#onFull = options.onFull;
    this.#clock = options.clock;
    this.#ring = new TagValues(options.capacity);
    this.#enteredMs = new Float64Array(options.capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** How many values newer ones have taken the place of, since the start. */
  get evicted(): number {
    return this.#evicted;
  }

  /** How long the oldest value has been here; 0 when there is none. */
  get oldestAgeMs(): number {
    return this.#size === 0 ? 0 : this.#clock.monotonic() - this.#enteredMs[this.#head]!;
  }

  /**
   * Appends the values from index `from` on and returns how many of them are dealt with: with `wait` as many as there
   * was room for, with `dropOldest` all. Of a list that is longer than the whole buffer the oldest are then evicted
   * without ever having been in it.
   */
  append(values: TagValues, from: number): number {
    const offered = values.length - from;
    const count = this.#onFull === 'wait' ? Math.min(offered, this.capacity - this.#size) : offered;
    if (count <= 0) return 0;
    const skipped = Math.max(0, count - this.capacity);
    const kept = count - skipped;
    this.#evict(skipped, Math.max(0, this.#size + kept - this.capacity));
    this.#copyIn(values, from + skipped, kept);
    if (this.#ready.isAwaited) this.#checkReady();
    return count;
  }

  /** Moves up to `max` values, oldest first, to `into`, whose content is replaced. Returns how many. */
  take(into: TagValues, max: number): number {
    into.clear();
    const count = Math.min(max, this.#size);
    if (count > into.capacity) throw new RangeError(`a list of ${into.capacity} can't take ${count} values`);
    if (count === 0) return 0;
    const first = Math.min(count, this.capacity - this.#head);
    copyValues(this.#ring, this.#head, into, 0, first);
    copyValues(this.#ring, 0, into, first, count - first);
    this.#forget(this.#head, this.#head + first);
    this.#forget(0, count - first);
    into.length = count;
    this.#head = (this.#head + count) % this.capacity;
    this.#size -= count;
    this.#room.open();
    return count;
  }

  /** Resolves when there is room for at least one value, or on abort. For the one writer. */
  whenRoom(signal: AbortSignal): Promise<void> {
    return this.#size < this.capacity ? RESOLVED : this.#room.wait(signal);
  }

  /**
   * Resolves when `count` values are there (or the buffer is full), or the oldest has been here for `maxWaitMs`; when
   * flushed, as soon as one is there; on abort, at once. For the one reader.
   */
  whenReady(count: number, maxWaitMs: number, signal: AbortSignal): Promise<void> {
    this.#wantedCount = Math.min(count, this.capacity);
    this.#maxWaitMs = maxWaitMs;
    if (this.#isReady()) return RESOLVED;
    return this.#waitUntilReady(signal);
  }

  /** From now on the reader gets what there is, without waiting for more. */
  flush(): void {
    this.#flushed = true;
    this.#checkReady();
  }

  #evict(skipped: number, evicted: number): void {
    this.#head = (this.#head + evicted) % this.capacity;
    this.#size -= evicted;
    this.#evicted += skipped + evicted;
  }

  #copyIn(values: TagValues, from: number, count: number): void {
    const tail = (this.#head + this.#size) % this.capacity;
    const first = Math.min(count, this.capacity - tail);
    const now = this.#clock.monotonic();
    copyValues(values, from, this.#ring, tail, first);
    this.#enteredMs.fill(now, tail, tail + first);
    if (count > first) {
      copyValues(values, from + first, this.#ring, 0, count - first);
      this.#enteredMs.fill(now, 0, count - first);
    }
    this.#size += count;
  }

  #forget(start: number, end: number): void {
    const { tags, texts, qualities, problems, origins, details } = this.#ring;
    for (let i = start; i < end; i += 1) {
      tags[i] = NO_TAG;
      texts[i] = null;
      qualities[i] = '';
      problems[i] = undefined;
    }
    origins?.fill(null, start, end);
    details?.fill(null, start, end);
  }

  #isReady(): boolean {
    if (this.#size >= this.#wantedCount) return true;
    return this.#size > 0 && (this.#flushed || this.oldestAgeMs >= this.#maxWaitMs);
  }

  async #waitUntilReady(signal: AbortSignal): Promise<void> {
    const passed = this.#ready.wait(signal);
    this.#checkReady();
    try {
      await passed;
    } finally {
      this.#cancelTimer?.();
      this.#cancelTimer = undefined;
    }
  }

  /** Lets the reader through when it is time, or sees to it that the oldest value's time is noticed. */
  #checkReady(): void {
    if (!this.#ready.isAwaited) return;
    if (this.#isReady()) {
      this.#ready.open();
    } else if (this.#size > 0 && this.#cancelTimer === undefined) {
      // A timer may come a little early: then it is set anew.
      this.#cancelTimer = this.#clock.setTimer(this.#maxWaitMs - this.oldestAgeMs, () => {
        this.#cancelTimer = undefined;
        this.#checkReady();
      });
    }
  }
}
