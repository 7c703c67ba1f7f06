/**
 * A transaction: the changes since the last commit, newest last, each of which can be undone or made permanent. It is
 * also what others wait for: a row that it changed or locked is free again when it ends.
 */

/** Something that a transaction did. Changes are undone newest first and committed oldest first. */
export interface Change {
  undo(): void;
  commit(): void;
}

export class Transaction {
  /** The transaction whose end this one's session waits for. */
  waitsFor: Transaction | undefined;
  #changes: Change[] = [];
  readonly #onEnd = new Set<() => void>();

  get isActive(): boolean {
    return this.#changes.length > 0;
  }

  /** A place to go back to with `rollbackTo`. */
  get mark(): number {
    return this.#changes.length;
  }

  record(change: Change): void {
    this.#changes.push(change);
  }

  rollbackTo(mark: number): void {
    while (this.#changes.length > mark) this.#changes.pop()!.undo();
  }

  commit(): void {
    for (const change of this.#changes) change.commit();
    this.#changes = [];
    this.#end();
  }

  rollback(): void {
    this.rollbackTo(0);
    this.#end();
  }

  /** Answers a function that takes the listener away again. */
  onEnd(listener: () => void): () => void {
    this.#onEnd.add(listener);
    return () => this.#onEnd.delete(listener);
  }

  #end(): void {
    const listeners = [...this.#onEnd];
    this.#onEnd.clear();
    for (const listener of listeners) listener();
  }
}
