import type { Tag, TagValues } from '../../core/tag-values.ts';
import { compilePatterns } from '../patterns.ts';
import type { FilterOptions } from './filter-options.ts';

/** A tag that was seen, and the one that came after it. */
interface Seen {
  readonly tag: Tag;
  readonly isWanted: boolean;
  next: Seen | undefined;
}

/** As many as the decoder keeps; then all are matched anew. */
const MAX_TAGS = 100_000;
/** A longer name fits no column, and its tag is not kept by the decoder either. */
const MAX_NAME_LENGTH = 1_000;
const NO_TAG: Tag = { plcCode: '', address: '', name: '' };

/**
 * Which tags are wanted, by `include` and `exclude`. It depends on names alone: a message that is read again loses the
 * same values. What is not wanted is left out whatever is wrong with it.
 *
 * A tag is one object for all its values as long as the decoder keeps it, and its name is matched once then. Tags
 * mostly come in the order in which they came before, so the one that followed last time is tried first.
 */
export class Selection {
  readonly #isWanted: (name: string) => boolean;
  readonly #seen = new Map<Tag, Seen>();
  #previous: Seen = { tag: NO_TAG, isWanted: true, next: undefined };
  #marks = new Uint8Array(0);

  /** Undefined where all tags are wanted. */
  static of({ exclude = [], include = [] }: FilterOptions): Selection | undefined {
    return include.length + exclude.length === 0 ? undefined : new Selection(include, exclude);
  }

  private constructor(include: readonly string[], exclude: readonly string[]) {
    const isIncluded = include.length === 0 ? (): boolean => true : compilePatterns(include);
    const isExcluded = compilePatterns(exclude);
    this.#isWanted = (name) => isIncluded(name) && !isExcluded(name);
  }

  /** Takes the values of other tags out of the list of a message, and counts them as left out. */
  apply(values: TagValues, onLeftOut?: (tag: Tag) => void): void {
    const { length, tags } = values;
    if (this.#marks.length < length) this.#marks = new Uint8Array(length);
    let out = 0;
    let previous = this.#previous;
    for (let i = 0; i < length; i += 1) {
      const tag = tags[i]!;
      let seen = previous.next;
      if (seen?.tag !== tag) {
        seen = this.#seenOf(tag);
        previous.next = seen;
      }
      previous = seen;
      this.#marks[i] = Number(!seen.isWanted);
      if (seen.isWanted) continue;
      out += 1;
      onLeftOut?.(tag);
    }
    this.#previous = previous;
    values.leaveOut(this.#marks.subarray(0, length), out);
  }

  #seenOf(tag: Tag): Seen {
    const known = this.#seen.get(tag);
    if (known !== undefined) return known;
    const seen = { tag, isWanted: this.#isWanted(tag.name), next: undefined };
    if (tag.name.length > MAX_NAME_LENGTH) return seen;
    if (this.#seen.size >= MAX_TAGS) this.#seen.clear();
    this.#seen.set(tag, seen);
    return seen;
  }
}
