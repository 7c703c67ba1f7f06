import type { CancelTimer, Clock } from '../core/clock.ts';
import { DatabaseError } from '../core/errors.ts';
import { FairShare } from './fair-share.ts';
import type { ConnectionLender, Lease } from './lease.ts';

export interface SharedConnectionsOptions {
  readonly connections: ConnectionLender;
  /** Connections that may be open at once. */
  readonly max: number;
  /** How long a destination waits for its share. */
  readonly queueTimeoutMs: number;
  readonly destinations: readonly string[];
  readonly clock: Clock;
}

/** Lends the connections of one pool to the destinations, to each its fair share (fair-share.ts). */
export class SharedConnections {
  readonly #options: SharedConnectionsOptions;
  readonly #share: FairShare;
  /** First come, first asked. */
  #waiting: (() => void)[] = [];

  constructor(options: SharedConnectionsOptions) {
    this.#options = options;
    this.#share = new FairShare(options.max, options.destinations);
  }

  for(destination: string): ConnectionLender {
    return { use: (what, work) => this.#use(destination, what, work) };
  }

  async #use<T>(destination: string, what: string, work: (lease: Lease) => Promise<T>): Promise<T> {
    await this.#take(destination);
    let failed = false;
    try {
      return await this.#options.connections.use(what, work);
    } catch (error) {
      failed = error instanceof DatabaseError && (error.kind === 'connection' || error.kind === 'passing');
      throw error;
    } finally {
      this.#share.giveBack(destination, failed);
      for (const wake of this.#waiting.splice(0)) wake();
    }
  }

  /** Asks and takes in one step: several may be woken, or ask, in the same moment. */
  async #take(destination: string): Promise<void> {
    const { clock, queueTimeoutMs } = this.#options;
    const giveUpAtMs = clock.monotonic() + queueTimeoutMs;
    while (!this.#share.mayTake(destination)) {
      if (await this.#woken(giveUpAtMs - clock.monotonic())) continue;
      const text = `no free connection for ${destination} within ${queueTimeoutMs} ms`;
      throw new DatabaseError('passing', 'POOL_BUSY', text);
    }
    this.#share.take(destination);
  }

  /** False when the time is up. */
  #woken(waitMs: number): Promise<boolean> {
    if (waitMs <= 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      let cancel: CancelTimer = () => {};
      const wake = (): void => {
        cancel();
        resolve(true);
      };
      cancel = this.#options.clock.setTimer(waitMs, () => {
        this.#waiting = this.#waiting.filter((other) => other !== wake);
        resolve(false);
      });
      this.#waiting.push(wake);
    });
  }
}
