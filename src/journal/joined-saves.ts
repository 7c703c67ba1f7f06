interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** One save at a time: calls that come while one is at work are served together by the next. */
export class JoinedSaves {
  readonly #saveNow: () => Promise<void>;
  #waiters: Waiter[] = [];
  #running: Promise<void> | undefined;

  constructor(saveNow: () => Promise<void>) {
    this.#saveNow = saveNow;
  }

  /** Resolves when a save that began after this call is done. Throws what it throws. */
  save(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#running ??= this.#saveAll();
    });
  }

  /** Resolves when nothing is being saved. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #saveAll(): Promise<void> {
    while (this.#waiters.length > 0) {
      const waiters = this.#waiters;
      this.#waiters = [];
      try {
        await this.#saveNow();
        for (const { resolve } of waiters) resolve();
      } catch (error) {
        for (const { reject } of waiters) reject(error);
      }
    }
    this.#running = undefined;
  }
}
