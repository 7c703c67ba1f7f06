import type { Tag, TagValues } from '../../core/tag-values.ts';
import type { BandRule, RuleOf } from './band-rules.ts';
import type { TimeWindow } from './plausible-time.ts';

/** Tags that are remembered apart from those of other scopes. */
export interface TagScope {
  readonly ruleOf: RuleOf;
  readonly slots: Map<Tag, number>;
}

/** Values of a list from `start` up to but without `end`, which are of one scope. */
export interface MarkedPart {
  readonly scope: TagScope;
  readonly start: number;
  readonly end: number;
  /** Values with other times are let through, and not remembered. */
  readonly window: TimeWindow;
  /** A 1 is put for each value of the list that need not be written. */
  readonly marks: Uint8Array;
}

const MAX_TAGS = 100_000;
const INITIAL_SLOTS = 1_024;
/** A tag with longer names, or a longer text or quality, is not remembered: each of its values is let through. */
const MAX_LENGTH = 200;
/** Of tags whose values are always let through, as too much would have to be remembered of them. */
const NO_SLOT = 0;
const NO_TAG: Tag = { plcCode: '', address: '', name: '' };
const NO_SCOPE: TagScope = { ruleOf: () => undefined, slots: new Map() };

/**
 * The last value of each tag that was let through, one array a column; what it takes is in docs/limits.md.
 *
 * A value is let through, and is the last one then, where the last one is not known or `maxSilenceMs` older, by the
 * times of the values; where quality, text or there being a value at all differ; where the numbers differ by more than
 * the band; and where they differ at all and the tag has had no other numbers than 0 and 1: it is a boolean, as far as
 * anybody can tell. A value that is older than another of its tag that came before, or that its sender calls history,
 * is let through and is not the last one: nothing is known of what was written around it. So is one with a problem, and
 * one whose time can't be right.
 *
 * Tags mostly come in the order in which they came before, so the slot that followed last time is tried first. When
 * there are too many tags, the one that has been remembered longest is forgotten.
 */
export class LastValues {
  readonly #maxTags: number;
  readonly #tags: Tag[] = [NO_TAG];
  readonly #scopes: TagScope[] = [NO_SCOPE];
  readonly #rules: (BandRule | undefined)[] = [undefined];
  readonly #texts: (string | null)[] = [null];
  readonly #qualities: string[] = [''];
  #numbers = new Float64Array(INITIAL_SLOTS);
  /** The time of the last value; NaN: it is not known. */
  #lastMs = new Float64Array(INITIAL_SLOTS);
  /** The latest time of any value, of those that were not let through too. */
  #seenMs = new Float64Array(INITIAL_SLOTS);
  /** 1 as long as there was no number but 0 and 1. */
  #isBinary = new Uint8Array(INITIAL_SLOTS);
  /** The slot of the tag that came after this one. */
  #next = new Uint32Array(INITIAL_SLOTS);
  #previous = NO_SLOT;
  #oldest = 1;

  constructor(maxTags = MAX_TAGS) {
    this.#maxTags = maxTags;
  }

  /** Marks values that need not be written, and returns how many; remembers the others. */
  mark(values: TagValues, { end, marks, scope, start, window: { earliestMs, latestMs } }: MarkedPart): number {
    const { historical, numbers, problems, qualities, tags, texts, timesMs } = values;
    const hasHistory = historical.size > 0;
    let out = 0;
    for (let i = start; i < end; i += 1) {
      const slot = this.#slotOf(tags[i]!, scope);
      const rule = this.#rules[slot];
      if (rule === undefined || problems[i] !== undefined) continue;
      const timeMs = timesMs[i]!;
      if (!(timeMs >= earliestMs && timeMs <= latestMs) || timeMs < this.#seenMs[slot]!) continue;
      if (hasHistory && historical.has(i)) continue;
      this.#seenMs[slot] = timeMs;
      const number = numbers[i]!;
      // NaN is NULL, and says nothing of the tag.
      if (number !== 0 && number !== 1 && !Number.isNaN(number)) this.#isBinary[slot] = 0;
      if (this.#isAnother(slot, rule, number, texts[i]!, timeMs, qualities[i]!)) {
        this.#remember(slot, number, texts[i]!, timeMs, qualities[i]!);
      } else {
        marks[i] = 1;
        out += 1;
      }
    }
    return out;
  }

  #isAnother(
    slot: number,
    { absolute, maxSilenceMs, part }: BandRule,
    number: number,
    text: string | null,
    timeMs: number,
    quality: string,
  ): boolean {
    const last = this.#numbers[slot]!;
    // Not known is NaN, which is less than nothing.
    if (!(timeMs - this.#lastMs[slot]! < maxSilenceMs)) return true;
    if (quality !== this.#qualities[slot] || text !== this.#texts[slot]) return true;
    if (Number.isNaN(number) || Number.isNaN(last)) return Number.isNaN(number) !== Number.isNaN(last);
    if (number === last) return false;
    return this.#isBinary[slot] === 1 || !(Math.abs(number - last) <= Math.max(absolute, part * Math.abs(last)));
  }

  #remember(slot: number, number: number, text: string | null, timeMs: number, quality: string): void {
    const isShort = quality.length <= MAX_LENGTH && (text === null || text.length <= MAX_LENGTH);
    this.#numbers[slot] = number;
    this.#lastMs[slot] = isShort ? timeMs : Number.NaN;
    if (text !== this.#texts[slot]) this.#texts[slot] = isShort && text !== null ? ownCopy(text) : null;
    if (quality !== this.#qualities[slot]) this.#qualities[slot] = isShort ? ownCopy(quality) : '';
  }

  #slotOf(tag: Tag, scope: TagScope): number {
    let slot = this.#next[this.#previous]!;
    if (this.#tags[slot] !== tag || this.#scopes[slot] !== scope) {
      slot = scope.slots.get(tag) ?? this.#add(tag, scope);
      this.#next[this.#previous] = slot;
    }
    this.#previous = slot;
    return slot;
  }

  #add(tag: Tag, scope: TagScope): number {
    if (tag.name.length + tag.address.length + tag.plcCode.length > MAX_LENGTH * 3) return NO_SLOT;
    const slot = this.#tags.length <= this.#maxTags ? this.#tags.length : this.#makeRoom();
    if (slot === this.#numbers.length) this.#grow();
    scope.slots.set(tag, slot);
    this.#tags[slot] = tag;
    this.#scopes[slot] = scope;
    this.#rules[slot] = scope.ruleOf(tag);
    this.#texts[slot] = null;
    this.#qualities[slot] = '';
    this.#numbers[slot] = Number.NaN;
    this.#lastMs[slot] = Number.NaN;
    this.#seenMs[slot] = Number.NEGATIVE_INFINITY;
    this.#isBinary[slot] = 1;
    this.#next[slot] = NO_SLOT;
    return slot;
  }

  #makeRoom(): number {
    const slot = this.#oldest;
    this.#oldest = slot === this.#maxTags ? 1 : slot + 1;
    this.#scopes[slot]!.slots.delete(this.#tags[slot]!);
    return slot;
  }

  #grow(): void {
    const slots = Math.min(this.#maxTags + 1, this.#numbers.length * 2);
    this.#numbers = grown(this.#numbers, new Float64Array(slots));
    this.#lastMs = grown(this.#lastMs, new Float64Array(slots));
    this.#seenMs = grown(this.#seenMs, new Float64Array(slots));
    this.#isBinary = grown(this.#isBinary, new Uint8Array(slots));
    this.#next = grown(this.#next, new Uint32Array(slots));
  }
}

function grown<T extends Float64Array | Uint8Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** A text may be a part of a payload, all of which it would keep in memory. */
function ownCopy(text: string): string {
  return Buffer.from(text).toString();
}
