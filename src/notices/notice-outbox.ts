/**
 * Topics whose retained message must be made right. What is published is asked for when its turn comes, so that a topic
 * that changed many times is sent once; few are under way at a time, and never two of one topic, so that the last word
 * is the last to arrive.
 *
 * What fails is kept for `retryFailed`. Without a connection nothing is tried and nothing kept: a new connection asks
 * for all again.
 */

const MAX_IN_FLIGHT = 8;

export interface OutboxOptions {
  readonly isConnected: () => boolean;
  /** Makes the topic's message right; may throw. */
  readonly send: (topic: string) => Promise<void>;
  readonly onError: (topic: string, error: unknown) => void;
}

export class NoticeOutbox {
  readonly #options: OutboxOptions;
  readonly #queue = new Set<string>();
  readonly #inFlight = new Set<string>();
  readonly #failed = new Set<string>();
  #idleListeners: (() => void)[] = [];

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  put(topic: string): void {
    this.#queue.add(topic);
    this.#pump();
  }

  retryFailed(): void {
    for (const topic of this.#failed) this.#queue.add(topic);
    this.#failed.clear();
    this.#pump();
  }

  /** Resolves when nothing waits and nothing is under way. */
  whenIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idleListeners.push(resolve);
      this.#pump();
    });
  }

  #pump(): void {
    if (!this.#options.isConnected()) {
      this.#queue.clear();
      this.#failed.clear();
    }
    for (const topic of this.#queue) {
      if (this.#inFlight.size >= MAX_IN_FLIGHT) return;
      if (this.#inFlight.has(topic)) continue;
      this.#queue.delete(topic);
      this.#inFlight.add(topic);
      void this.#send(topic);
    }
    if (this.#queue.size > 0 || this.#inFlight.size > 0) return;
    const listeners = this.#idleListeners;
    this.#idleListeners = [];
    for (const listener of listeners) listener();
  }

  async #send(topic: string): Promise<void> {
    try {
      await this.#options.send(topic);
    } catch (error) {
      if (this.#options.isConnected()) {
        this.#failed.add(topic);
        this.#options.onError(topic, error);
      }
    }
    this.#inFlight.delete(topic);
    this.#pump();
  }
}
