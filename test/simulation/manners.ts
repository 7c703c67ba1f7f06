import type { Random } from './random.ts';

/** What brokers do differently, as `docs/brokers.md` names them. */
export interface BrokerManners {
  /** mosquitto; HiveMQ; Moquette, whose new messages begin anew beside those that come again. */
  readonly ids: 'count up' | 'lowest free' | 'from 1 each connection';
  /** `always`: on a new connection also for what was never sent before (mochi). `never`: aedes, Artemis. */
  readonly duplicates: 'right' | 'never' | 'always';
  /** What comes again on a new connection has another id (Artemis, RabbitMQ). */
  readonly renumbers: boolean;
  /** At QoS 2 too, where it is all that a message is known by (Artemis). */
  readonly renumbersExact: boolean;
  /** What comes again on a new connection comes in any order (mochi). */
  readonly shuffles: boolean;
  /**
   * What is not acknowledged for a while is sent again on the same connection, under its id and with DUP (Moquette).
   */
  readonly repeats: boolean;
  /** What was in flight when a connection ended counts against the client's limit for ever (Artemis). */
  readonly leaks: boolean;
  /** A crash of the broker may take the last PUBACKs with it, those that it answered a PINGREQ after among them. */
  readonly forgets: boolean;
}

/** mosquitto, as the specification wants it. */
export const EXEMPLARY: BrokerManners = {
  ids: 'count up',
  duplicates: 'right',
  renumbers: false,
  renumbersExact: false,
  shuffles: false,
  repeats: false,
  leaks: false,
  forgets: false,
};

export function drawManners(random: Random): BrokerManners {
  if (random.chance(0.3)) return EXEMPLARY;
  const ids = random.pick(['count up', 'lowest free', 'from 1 each connection'] as const);
  const duplicates = random.pick(['right', 'right', 'never', 'always'] as const);
  return {
    ids,
    duplicates,
    renumbers: random.chance(0.25),
    renumbersExact: random.chance(0.1),
    shuffles: random.chance(0.25),
    // No broker is known that repeats without DUP.
    repeats: duplicates !== 'never' && random.chance(0.25),
    leaks: random.chance(0.15),
    // With ids that are used again at once, what was forgotten would meet the next message of its id.
    forgets: ids === 'count up' && random.chance(0.15),
  };
}
