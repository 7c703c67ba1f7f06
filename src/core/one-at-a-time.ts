/**
 * Runs pieces of work one after the other, in the order in which they came; one that fails keeps none of the others
 * from running.
 */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `work` when all that came before it has ended. Resolves and throws as `work` does. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }

  /** Resolves when all that has come so far has ended. Never throws. */
  async whenIdle(): Promise<void> {
    await this.#last;
  }
}
