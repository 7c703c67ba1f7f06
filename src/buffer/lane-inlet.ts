import type { Clock } from '../core/clock.ts';
import type { ValueCounters } from '../core/counters.ts';
import { RepeatedError, type Logger } from '../core/logger.ts';
import type { Place } from '../core/place.ts';
import { placeOf, type TagValues } from '../core/tag-values.ts';
import type { TagBuffer } from './tag-buffer.ts';

export interface LaneInletOptions {
  readonly buffer: TagBuffer;
  readonly counters: Pick<ValueCounters, 'valuesReceived' | 'valuesDropped' | 'valuesFiltered'>;
  /** Values are about to be taken in, the first of them at this place. */
  readonly onBegin: (first: Place) => void;
  /** So many values of a message are left out. False: an earlier run has counted them. */
  readonly onLeftOut: (messageNo: number, values: number) => boolean;
  /** The expander has been waiting for room so long; asked again and again as long as it waits. */
  readonly onWaiting: (waitedMs: number) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How often a lane hears that it is waited for. */
const ASK_EVERY_MS = 100;

/**
 * The entrance of a lane: puts the values of one message after the other into its buffer.
 *
 * At every instant: valuesReceived = values appended to the buffer + values dropped without ever having been in the
 * buffer + values left out of their message + `pending`. Counts that belong together change without an await between
 * them.
 */
export class LaneInlet {
  readonly #options: LaneInletOptions;
  readonly #dropped: RepeatedError;
  #values: TagValues | undefined;
  #pending = 0;
  #isDropping = false;

  constructor(options: LaneInletOptions) {
    this.#options = options;
    this.#dropped = new RepeatedError(options.log, options.clock, 'buffer full, oldest values dropped', 'warn');
  }

  /** Values that are counted as received and not yet in the buffer. */
  get pending(): number {
    return this.#pending;
  }

  /**
   * Counts the values (at least one) as received, and appends as many as there is room for. All of a message before
   * must be in. The list must stay as it is until `append` or `appendRest` says that all are in.
   */
  begin(values: TagValues): boolean {
    const { counters, onBegin } = this.#options;
    onBegin(placeOf(values, 0));
    this.#values = values;
    counters.valuesReceived += values.length;
    this.#pending = values.length;
    return this.#append(values);
  }

  /** Counts values of a message that are left out on purpose: their end is here. */
  leaveOut(messageNo: number, values: number): void {
    const { counters, onLeftOut } = this.#options;
    if (!onLeftOut(messageNo, values)) return;
    counters.valuesReceived += values;
    counters.valuesFiltered += values;
  }

  /** Appends the rest as there is room; false when aborted before all was in. */
  async appendRest(signal: AbortSignal): Promise<boolean> {
    const values = this.#values;
    if (values === undefined) return true;
    for (;;) {
      await this.#room(signal);
      if (signal.aborted) return false;
      if (this.#append(values)) return true;
    }
  }

  /** True when all are in the buffer. */
  #append(values: TagValues): boolean {
    const { buffer } = this.#options;
    const evictedBefore = buffer.evicted;
    this.#pending -= buffer.append(values, values.length - this.#pending);
    this.#countDropped(buffer.evicted - evictedBefore);
    if (this.#pending > 0) return false;
    this.#values = undefined;
    return true;
  }

  async #room(signal: AbortSignal): Promise<void> {
    const { buffer, clock, onWaiting } = this.#options;
    const sinceMs = clock.monotonic();
    let cancel = (): void => {};
    const askAgain = (): void => {
      cancel = clock.setTimer(ASK_EVERY_MS, () => {
        onWaiting(clock.monotonic() - sinceMs);
        askAgain();
      });
    };
    askAgain();
    await buffer.whenRoom(signal);
    cancel();
  }

  #countDropped(count: number): void {
    const { buffer, counters } = this.#options;
    if (count > 0) {
      counters.valuesDropped += count;
      this.#isDropping = true;
      this.#dropped.report({ values: count, capacity: buffer.capacity });
    } else if (this.#isDropping && buffer.size <= buffer.capacity / 2) {
      this.#isDropping = false;
      this.#dropped.over();
    }
  }
}
