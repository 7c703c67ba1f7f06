import type { Tag, TagValues } from '../core/tag-values.ts';
import { shortText } from './short-text.ts';
import { firstSlots, hasTime, isGood, type TagOrder } from './tag-order.ts';

/** A tag as `/api/tags` lists it. */
export interface SeenTag {
  readonly tagName: string;
  readonly plcCode: string;
  /** The text of the value where it has one, as that has all digits; a long text is cut. */
  readonly value: number | string | null;
  readonly quality: string;
  /** The time of the value in ISO 8601; null when the payload's time could not be read. */
  readonly timestamp: string | null;
  /** It is a text, and was a number before. */
  readonly wasNumber?: true;
  /** The time that the payload gave in ISO 8601, too far from that of receipt to be right. */
  readonly implausibleTime?: string;
}

/** Tags that are texts now and were numbers before. */
export interface TurnedTags {
  readonly count: number;
  /** How often a tag turned so since the start. */
  readonly turns: number;
  /** The names of some of them. */
  readonly examples: readonly string[];
}

/** Which of the tags are listed, and in what order; without all of it: all, by name. */
export interface TagView {
  readonly order?: TagOrder;
  /** `bad`: those whose quality is not GOOD. */
  readonly quality?: 'all' | 'bad';
  /** Those whose last value has a time before this, or none. */
  readonly beforeMs?: number;
}

/** The answer of `/api/tags`. */
export interface SeenTags {
  readonly total: number;
  readonly matching: number;
  readonly tags: readonly SeenTag[];
}

/** As many tags as the decoder keeps. */
const MAX_TAGS = 100_000;
/** Tags with longer names fit no column and are not listed. */
const MAX_NAME_LENGTH = 500;
const MAX_TEXT_LENGTH = 200;
const MAX_EXAMPLES = 3;

/** What the values of a tag are; a value without content, or with a problem, says nothing of that. */
const UNKNOWN = 0;
const NUMBER = 1;
const TEXT = 2;
const TEXT_AFTER_NUMBER = 3;

/**
 * The last value of each tag name, one array a column: about 100 bytes a tag beside its name.
 *
 * Tags mostly come in the order in which they came before, so the slot that followed last time is tried first, which
 * costs a comparison; only when another tag is there is its name looked up. When there are too many tags, the one that
 * has been listed longest makes room.
 */
export class TagsSeen {
  readonly #maxTags: number;
  readonly #slots = new Map<string, number>();
  readonly #tags: Tag[] = [];
  readonly #numbers: number[] = [];
  readonly #texts: (string | null)[] = [];
  readonly #timesMs: number[] = [];
  readonly #qualities: string[] = [];
  readonly #kinds: number[] = [];
  /** Times that can't be right, by slot; a slot with a good time is not there. */
  readonly #implausible = new Map<number, number>();
  #turned = 0;
  #turns = 0;
  /** The slot of the tag that came after this one. */
  readonly #next: number[] = [0];
  #last = 0;
  #oldest = 0;
  /** Slots by name; undefined when a tag was added since. */
  #sorted: readonly number[] | undefined;

  constructor(maxTags = MAX_TAGS) {
    this.#maxTags = maxTags;
  }

  /** Takes note of all values of the list, later ones over earlier ones. */
  note(values: TagValues): void {
    const { length, tags, numbers, problems, texts, timesMs, qualities } = values;
    let last = this.#last;
    const { implausible } = values;
    for (let i = 0; i < length; i += 1) {
      const tag = tags[i]!;
      let slot = this.#next[last]!;
      if (this.#tags[slot] !== tag) {
        if (tag.name.length + tag.address.length + tag.plcCode.length > MAX_NAME_LENGTH) continue;
        slot = this.#slotOf(tag);
        this.#next[last] = slot;
      }
      last = slot;
      const text = texts[i]!;
      const number = numbers[i]!;
      const isNumber = !Number.isNaN(number);
      // Nearly all tags stay what they are.
      if (
        this.#kinds[slot] !== (isNumber ? NUMBER : TEXT) &&
        (isNumber || text !== null) &&
        problems[i] === undefined
      ) {
        this.#turnInto(isNumber, slot);
      }
      this.#numbers[slot] = number;
      this.#texts[slot] = text === null ? null : shortText(text, MAX_TEXT_LENGTH);
      this.#timesMs[slot] = timesMs[i]!;
      this.#qualities[slot] = shortText(qualities[i]!, MAX_TEXT_LENGTH);
      if (implausible.size > 0 || this.#implausible.size > 0) this.#noteTime(slot, implausible.get(i));
    }
    this.#last = last;
  }

  /** The first `limit` of the tags of the view whose name contains `search`, in whatever case. */
  find(search: string, limit: number, { beforeMs, order = 'name', quality = 'all' }: TagView = {}): SeenTags {
    const wanted = search.toLowerCase();
    this.#sorted ??= [...this.#slots].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, slot]) => slot);
    const tests: ((slot: number) => boolean)[] = [];
    if (quality === 'bad') tests.push((slot) => !isGood(this.#qualities[slot]));
    if (beforeMs !== undefined) {
      tests.push((slot) => !hasTime(this.#timesMs[slot]) || this.#timesMs[slot] < beforeMs);
    }
    if (wanted !== '') tests.push((slot) => this.#tags[slot]!.name.toLowerCase().includes(wanted));
    const matching = tests.reduce((slots, test) => slots.filter((slot) => test(slot)), this.#sorted);
    const columns = { timesMs: this.#timesMs, qualities: this.#qualities };
    const tags = firstSlots(matching, limit, order, columns).map((slot) => this.#seenTag(slot));
    return { total: this.#slots.size, matching: matching.length, tags };
  }

  /** The names of all, those that have been listed longest first. */
  names(): Iterable<string> {
    return this.#slots.keys();
  }

  /** The time of the last value, NaN where it has none, and its number, NaN where it is none; undefined: not listed. */
  lastOf(name: string): { readonly timeMs: number; readonly number: number } | undefined {
    const slot = this.#slots.get(name);
    return slot === undefined ? undefined : { timeMs: this.#timesMs[slot]!, number: this.#numbers[slot]! };
  }

  /** The tags that are texts now and were numbers before. */
  get turnedIntoText(): TurnedTags {
    const examples: string[] = [];
    for (let slot = 0; this.#turned > examples.length && slot < this.#tags.length; slot += 1) {
      if (this.#kinds[slot] === TEXT_AFTER_NUMBER) examples.push(this.#tags[slot]!.name);
      if (examples.length === MAX_EXAMPLES) break;
    }
    return { count: this.#turned, turns: this.#turns, examples };
  }

  /** How many tags have a last value whose time can't be right. */
  get implausibleCount(): number {
    return this.#implausible.size;
  }

  #noteTime(slot: number, implausibleMs: number | undefined): void {
    if (implausibleMs === undefined) this.#implausible.delete(slot);
    else this.#implausible.set(slot, implausibleMs);
  }

  #turnInto(isNumber: boolean, slot: number): void {
    const kind = this.#kinds[slot];
    if (isNumber) {
      if (kind === TEXT_AFTER_NUMBER) this.#turned -= 1;
      this.#kinds[slot] = NUMBER;
    } else if (kind === NUMBER) {
      this.#kinds[slot] = TEXT_AFTER_NUMBER;
      this.#turned += 1;
      this.#turns += 1;
    } else if (kind === UNKNOWN) {
      this.#kinds[slot] = TEXT;
    }
  }

  #slotOf(tag: Tag): number {
    const known = this.#slots.get(tag.name);
    if (known !== undefined) {
      this.#tags[known] = tag;
      return known;
    }
    this.#sorted = undefined;
    const slot = this.#slots.size < this.#maxTags ? this.#slots.size : this.#makeRoom();
    this.#slots.set(tag.name, slot);
    this.#tags[slot] = tag;
    if (this.#kinds[slot] === TEXT_AFTER_NUMBER) this.#turned -= 1;
    this.#kinds[slot] = UNKNOWN;
    this.#implausible.delete(slot);
    this.#next[slot] = 0;
    return slot;
  }

  #makeRoom(): number {
    const slot = this.#oldest;
    this.#oldest = (slot + 1) % this.#maxTags;
    this.#slots.delete(this.#tags[slot]!.name);
    return slot;
  }

  #seenTag(slot: number): SeenTag {
    const { name, plcCode } = this.#tags[slot]!;
    const number = this.#numbers[slot]!;
    const timeMs = this.#timesMs[slot]!;
    const implausibleTime = isoTime(this.#implausible.get(slot));
    return {
      tagName: name,
      plcCode,
      value: this.#texts[slot] ?? (Number.isNaN(number) ? null : number),
      quality: this.#qualities[slot]!,
      timestamp: isoTime(timeMs) ?? null,
      ...(this.#kinds[slot] === TEXT_AFTER_NUMBER && { wasNumber: true }),
      ...(implausibleTime !== undefined && { implausibleTime }),
    };
  }
}

/** Undefined for what no calendar has. */
function isoTime(timeMs: number | undefined): string | undefined {
  return hasTime(timeMs) ? new Date(timeMs).toISOString() : undefined;
}
