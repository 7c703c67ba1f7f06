import type { Clock } from '../core/clock.ts';
import type { Delivery, Message } from '../core/message.ts';

interface Entry extends Message {
  readonly delivery: Delivery;
}

/**
 * Messages between receipt and expansion, in memory: the place where the journal on disk belongs.
 *
 * A message is acknowledged when its reader is done with it, so what is lost here with the process is delivered again by the broker.
 * Its length is bounded by the source, which holds back when too many deliveries are unacknowledged.
 */
export class IntakeQueue {
  #waiting: Entry[] = [];
  #unsettled = 0;
  #nextNumber: number;
  #wake: (() => void) | undefined;
  #closed = false;

  /** Numbers start at the clock's microseconds, above those of any earlier run: nothing comes in at a million messages a second. */
  constructor(clock: Clock) {
    this.#nextNumber = clock.now() * 1000;
  }

  /** Messages that are not done. */
  get size(): number {
    return this.#unsettled;
  }

  append(delivery: Delivery): void {
    const { topic, payload, receivedAtMs } = delivery;
    this.#waiting.push({ number: this.#nextNumber, topic, payload, receivedAtMs, delivery });
    this.#nextNumber += 1;
    this.#unsettled += 1;
    this.#wake?.();
  }

  /** Nothing more will be appended: `take` gives what is there, then an empty list. */
  close(): void {
    this.#closed = true;
    this.#wake?.();
  }

  /** All that came in since the last call, in order; waits for at least one message. Empty once closed, or `signal` is aborted. */
  async take(signal: AbortSignal): Promise<readonly Message[]> {
    if (this.#waiting.length === 0 && !this.#closed && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          signal.removeEventListener('abort', wake);
          this.#wake = undefined;
          resolve();
        };
        this.#wake = wake;
        signal.addEventListener('abort', wake, { once: true });
      });
    }
    const taken = this.#waiting;
    this.#waiting = [];
    return taken;
  }

  /** Acknowledges a message that `take` gave out. */
  done(message: Message): void {
    this.#unsettled -= 1;
    (message as Entry).delivery.acknowledge();
  }
}
