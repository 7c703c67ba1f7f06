import { interruption } from './ending.ts';
import type { ConnectionLender, Lease } from './lease.ts';

/** Lends connections to work that somebody else can end at any time, all of it at once. */
export class InterruptibleConnections implements ConnectionLender {
  readonly #connections: ConnectionLender;
  /** Ways to end the work under way. */
  readonly #interrupts = new Set<() => void>();

  constructor(connections: ConnectionLender) {
    this.#connections = connections;
  }

  /** While it waits for a connection interrupted work fails as well, and has sent nothing. */
  async use<T>(what: string, work: (lease: Lease) => Promise<T>): Promise<T> {
    const { ended, end } = interruption(what, false);
    let interrupt = end;
    const call = (): void => interrupt();
    this.#interrupts.add(call);
    let isOver = false;
    const lent = this.#connections.use<T | undefined>(what, (lease) => {
      // Nobody hears it, and a connection that nothing was sent on is as good as before.
      if (isOver) return Promise.resolve(undefined);
      interrupt = lease.cut;
      return work(lease);
    });
    try {
      return (await Promise.race([lent, ended])) as T;
    } finally {
      isOver = true;
      this.#interrupts.delete(call);
    }
  }

  /** Ends the work that is under way, with the code INTERRUPTED, and cuts its connections. */
  interrupt(): void {
    for (const interrupt of this.#interrupts) interrupt();
  }
}
