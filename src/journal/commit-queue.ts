import { frameBytes, type FrameSource } from './frame.ts';
import { MESSAGES_PER_SEGMENT } from './segment.ts';

/** Deliveries that are written together. */
export interface CommitGroup {
  readonly deliveries: readonly FrameSource[];
  /** Length of their frames. */
  readonly bytes: number;
}

interface IdleWaiter {
  readonly target: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** What was appended to the journal and is not durable yet, in the order it came in; taken out group by group. */
export class CommitQueue {
  /** Not in a group yet. */
  #waiting: FrameSource[] = [];
  /** The first of what is not durable: being written, or to be written again. */
  #group: CommitGroup | undefined;
  #appended = 0;
  #durable = 0;
  readonly #idleWaiters: IdleWaiter[] = [];

  /** Deliveries that are not durable yet. */
  get held(): number {
    return this.#appended - this.#durable;
  }

  /** Deliveries that are in no group yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  append(delivery: FrameSource): void {
    this.#appended += 1;
    this.#waiting.push(delivery);
  }

  /**
   * The next group, the same one until it is `done`: one delivery at least, and at most `maxBytes` of several.
   * Undefined: none waits.
   */
  next(maxBytes: number): CommitGroup | undefined {
    this.#group ??= this.#takeGroup(maxBytes);
    return this.#group;
  }

  /** The group is durable. */
  done(): void {
    this.#durable += this.#group?.deliveries.length ?? 0;
    this.#group = undefined;
    while (this.#idleWaiters.length > 0 && this.#idleWaiters[0]!.target <= this.#durable) {
      this.#idleWaiters.shift()!.resolve();
    }
  }

  /** Resolves when all that was appended so far is durable; throws when the queue is closed before. */
  whenIdle(): Promise<void> {
    if (this.held === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#idleWaiters.push({ target: this.#appended, resolve, reject });
    });
  }

  /** Nothing becomes durable any more. */
  close(): void {
    for (const { reject } of this.#idleWaiters.splice(0)) reject(new Error('the journal was closed before'));
  }

  #takeGroup(maxBytes: number): CommitGroup | undefined {
    const waiting = this.#waiting;
    let bytes = 0;
    let count = 0;
    for (const delivery of waiting) {
      const more = frameBytes(delivery);
      if (count > 0 && (bytes + more > maxBytes || count === MESSAGES_PER_SEGMENT)) break;
      bytes += more;
      count += 1;
    }
    if (count === 0) return undefined;
    this.#waiting = waiting.slice(count);
    return { deliveries: count === waiting.length ? waiting : waiting.slice(0, count), bytes };
  }
}
