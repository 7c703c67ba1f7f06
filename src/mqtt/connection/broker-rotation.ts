import { Backoff, type BackoffOptions } from '../../core/backoff.ts';
import type { Clock } from '../../core/clock.ts';

/** How an attempt, or the connection that came of it, ended. */
export type Ending =
  /** No connection came about, for a reason that may pass soon. */
  | 'failed'
  /** The broker does not want us, and will not before a person acts. */
  | 'refused'
  /** The same, said to a connection that stood: another broker of the cluster would say it too. */
  | 'unwanted'
  /** A connection was lost soon after it stood. */
  | 'lostSoon'
  /** A connection was lost that had stood. */
  | 'lost';

interface Broker {
  readonly url: string;
  readonly slow: Backoff;
  /** Monotonic. */
  notBeforeMs: number;
}

const SLOW_BACKOFF = { initialDelayMs: 30_000, factor: 2, maxDelayMs: 300_000, jitter: 0.2 };

/**
 * Whose turn it is, and after what delay.
 *
 * A round tries each broker once, one right after the other: the last that let us in first, then the others in the
 * order of the configuration. The delays between rounds grow, and begin anew after a connection that stood; one that
 * was lost at once counts as a failure, so that a broker that takes and drops connections neither spins nor keeps the
 * others from their turn. A broker that refuses us is left out until its own, long delay is over: trying often only
 * fills its log, or locks the account.
 */
export class BrokerRotation {
  readonly #clock: Clock;
  readonly #brokers: readonly Broker[];
  readonly #backoff: Backoff;
  #first: Broker;
  #current: Broker;
  /** Those whose turn is still to come in this round. */
  #rest: Broker[];

  /** `first` begins where it is one of `urls`, of which there is at least one. */
  constructor(urls: readonly string[], first: string | undefined, backoff: BackoffOptions, clock: Clock) {
    this.#clock = clock;
    this.#brokers = urls.map((url) => ({ url, slow: new Backoff(SLOW_BACKOFF, clock), notBeforeMs: -Infinity }));
    this.#backoff = new Backoff(backoff, clock);
    this.#first = this.#brokers.find(({ url }) => url === first) ?? this.#brokers[0]!;
    [this.#current, ...this.#rest] = this.#round() as [Broker, ...Broker[]];
  }

  /** The URL to try. */
  get url(): string {
    return this.#current.url;
  }

  /** The broker has let us in: the next round begins with it. */
  succeeded(): void {
    this.#first = this.#current;
    this.#current.slow.reset();
  }

  /** Makes `url` name the next one to try; returns the milliseconds to wait before. */
  ended(ending: Ending): number {
    const now = this.#clock.monotonic();
    const refusing = ending === 'refused' ? [this.#current] : ending === 'unwanted' ? this.#brokers : [];
    for (const broker of refusing) broker.notBeforeMs = now + broker.slow.next();
    if (ending === 'lost') this.#backoff.reset();
    else {
      const next = this.#rest.find((broker) => this.#isDue(broker));
      if (next !== undefined) {
        this.#rest = this.#rest.slice(this.#rest.indexOf(next) + 1);
        this.#current = next;
        return 0;
      }
    }
    return this.#nextRound(now);
  }

  #nextRound(now: number): number {
    const [next, ...rest] = this.#round().filter((broker) => this.#isDue(broker));
    this.#rest = rest;
    if (next !== undefined) {
      this.#current = next;
      return this.#backoff.next();
    }
    this.#current = this.#brokers.reduce((a, b) => (b.notBeforeMs < a.notBeforeMs ? b : a));
    return this.#current.notBeforeMs - now;
  }

  #round(): Broker[] {
    return [this.#first, ...this.#brokers.filter((broker) => broker !== this.#first)];
  }

  #isDue({ notBeforeMs }: Broker): boolean {
    return notBeforeMs <= this.#clock.monotonic();
  }
}
