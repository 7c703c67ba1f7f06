import type { Clock } from '../core/clock.ts';
import { DatabaseError } from '../core/errors.ts';
import { FairShare } from './fair-share.ts';
import type { ConnectionLender, Lease } from './lease.ts';
import { WaitLine } from './wait-line.ts';

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
  readonly #line: WaitLine;

  constructor(options: SharedConnectionsOptions) {
    this.#options = options;
    this.#share = new FairShare(options.max, options.destinations);
    this.#line = new WaitLine(options.clock);
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
      this.#line.wake();
    }
  }

  /** Asks and takes in one step: several may be woken, or ask, in the same moment. */
  async #take(destination: string): Promise<void> {
    const { clock, queueTimeoutMs } = this.#options;
    const giveUpAtMs = clock.monotonic() + queueTimeoutMs;
    while (!this.#share.mayTake(destination)) {
      if (await this.#line.wait(giveUpAtMs - clock.monotonic())) continue;
      const text = `no free connection for ${destination} within ${queueTimeoutMs} ms`;
      throw new DatabaseError('passing', 'POOL_BUSY', text);
    }
    this.#share.take(destination);
  }
}
