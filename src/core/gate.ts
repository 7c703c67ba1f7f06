/**
 * One party waits, another lets it through; an abort lets it through as well, and whoever waited looks at the signal.
 *
 * Not `AbortSignal.any` of a long-lived signal and one for each wait: every call would leave a listener on the
 * long-lived one.
 */
export class Gate {
  #release: (() => void) | undefined;

  get isAwaited(): boolean {
    return this.#release !== undefined;
  }

  /** Resolves with the next `open`, or when `signal` is or becomes aborted. Throws when someone waits here already. */
  wait(signal?: AbortSignal): Promise<void> {
    if (this.#release !== undefined) throw new Error('two are waiting where only one may');
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const release = (): void => {
        this.#release = undefined;
        signal?.removeEventListener('abort', release);
        resolve();
      };
      this.#release = release;
      signal?.addEventListener('abort', release, { once: true });
    });
  }

  /** Lets through who is waiting now, not who comes later. */
  open(): void {
    this.#release?.();
  }
}
