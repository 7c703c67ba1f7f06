import type { TagValues } from '../core/tag-values.ts';
import { shortText } from './short-text.ts';

/** The value with which it began. */
export interface FirstImplausible {
  readonly topic: string;
  readonly tagName: string;
  /** ISO 8601: what the payload says, and when it came. */
  readonly timestamp: string;
  readonly receivedAt: string;
}

/** Times of values that are too far from those of receipt to be right. */
export interface ImplausibleFigures {
  /** Tags whose last value has such a time. */
  readonly tags: number;
  /** Values with such a time since the start. */
  readonly values: number;
  readonly first?: FirstImplausible;
}

const MAX_NAME_LENGTH = 200;
const MAX_TIME_MS = 8.64e15;

/** Counts values with times that can't be right, and keeps the first since there was none. */
export class ImplausibleTimes {
  readonly #tagsNow: () => number;
  #values = 0;
  #first: FirstImplausible | undefined;

  /** `tagsNow`: how many tags have a last value with such a time. */
  constructor(tagsNow: () => number) {
    this.#tagsNow = tagsNow;
  }

  /** Takes note of a message, before `tagsNow` counts its values. */
  note({ implausible, tags }: TagValues, { receivedAtMs, topic }: { receivedAtMs: number; topic: string }): void {
    if (implausible.size === 0) return;
    this.#values += implausible.size;
    if (this.#first !== undefined && this.#tagsNow() > 0) return;
    for (const [i, timeMs] of implausible) {
      this.#first = {
        topic: shortText(topic, MAX_NAME_LENGTH),
        tagName: shortText(tags[i]!.name, MAX_NAME_LENGTH),
        timestamp: isoTime(timeMs),
        receivedAt: isoTime(receivedAtMs),
      };
      return;
    }
  }

  get figures(): ImplausibleFigures {
    const tags = this.#tagsNow();
    const first = tags > 0 ? this.#first : undefined;
    return { tags, values: this.#values, ...(first !== undefined && { first }) };
  }
}

/** What no calendar has is given as milliseconds. */
function isoTime(timeMs: number): string {
  return Math.abs(timeMs) <= MAX_TIME_MS ? new Date(timeMs).toISOString() : `${timeMs} ms`;
}
