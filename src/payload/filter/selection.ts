import type { Tag, TagValues } from '../../core/tag-values.ts';
import { compilePatterns } from '../patterns.ts';
import type { FilterOptions } from './filter-options.ts';

/**
 * Which tags are wanted, by `include` and `exclude`. It depends on names alone: a message that is read again loses the
 * same values. What is not wanted is left out whatever is wrong with it.
 */
export class Selection {
  readonly #isWanted: (name: string) => boolean;
  /** A tag is one object for all its values as long as the decoder keeps it, and its name is matched once then. */
  readonly #known = new WeakMap<Tag, boolean>();
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
    for (let i = 0; i < length; i += 1) {
      const isOut = !this.#wants(tags[i]!);
      this.#marks[i] = Number(isOut);
      out += Number(isOut);
      if (isOut) onLeftOut?.(tags[i]!);
    }
    if (out === 0) return;
    values.removeMarked(this.#marks.subarray(0, length));
    values.leftOut += out;
  }

  #wants(tag: Tag): boolean {
    const known = this.#known.get(tag);
    if (known !== undefined) return known;
    const isWanted = this.#isWanted(tag.name);
    this.#known.set(tag, isWanted);
    return isWanted;
  }
}
