import type { EarlierMessages } from './format-memory.ts';

/** What was noted of earlier messages, for as long as the object lives: for trials, and where nothing is journalled. */
export class PassingMemory implements EarlierMessages {
  readonly #contents = new Map<string, unknown>();

  get(key: string): unknown {
    return this.#contents.get(key);
  }

  keys(): Iterable<string> {
    return [...this.#contents.keys()];
  }

  note(key: string, _messageNo: number, content: unknown): void {
    if (content === undefined) this.#contents.delete(key);
    else this.#contents.set(key, content);
  }
}
