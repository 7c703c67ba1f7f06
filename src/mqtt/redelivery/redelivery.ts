import type { Delivery, Marking } from '../../core/message.ts';
import { PacketIdOrder } from './packet-id-order.ts';
import { RecentDeliveries, STATES, type DeliveryState, type Twins } from './recent-deliveries.ts';

/** A message of the journal, as far as a redelivery shows it again. */
export interface RecalledMessage {
  /** Undefined at QoS 0, which is never delivered again. */
  readonly packetId: number | undefined;
  readonly topic: string;
  /** Kept, not copied: must not change any more. */
  readonly payload: Buffer;
  /** Which connection delivered it. */
  readonly connection: number;
  readonly duplicate: boolean;
}

type RecalledState = typeof STATES.live | typeof STATES.replaced;

export interface RedeliveryOptions {
  /** More messages than the broker has in flight at once. */
  readonly maxInFlight: number;
  /** Every value of such a message has a time of its own, by the decoder: not one that the bridge gives it. */
  readonly hasOwnTime: (topic: string, payload: Buffer) => boolean;
  /** How many of the latest deliveries are remembered. */
  readonly window?: number;
  /** Payloads beyond this many bytes, from the oldest on, are kept as their SHA-256. */
  readonly maxPayloadBytes?: number;
}

/** What the broker is known to do in this session; false: not seen yet. */
export interface SessionManners {
  /** A packet id is not used again for tens of thousands of messages, on whatever connection. */
  readonly idsCountOn: boolean;
  /** What comes again bears DUP. */
  readonly setsDuplicate: boolean;
  /** What comes again has the packet id that it had. Not to be seen from deliveries. */
  readonly keepsIds: boolean;
}

/** `maybe repeated` is to be stored like a new one: rather twice than never. */
export type Verdict = 'new' | 'repeated' | 'maybe repeated';

const DEFAULT_WINDOW = 32_767;
const DEFAULT_MAX_PAYLOAD_BYTES = 32 * 1024 * 1024;
/** Moquette brings again what it had in flight by a timer of some 5 s; all others do at once. */
const ALL_IS_BACK_AFTER_MS = 60_000;

/**
 * Tells a message that the broker delivers again from a new one.
 *
 * Brokers agree neither on the DUP flag nor on packet ids nor on the order of what they deliver again, whatever the
 * specification says [MQTT 5.0 sections 3.3.1.1, 4.4 and 4.6], so none of these alone makes a delivery a repetition.
 * What does is an equal delivery, by topic and bytes, that the broker may still hold, and then:
 *
 * | the equal delivery                                       | the present one                | verdict               |
 * | -------------------------------------------------------- | ------------------------------ | --------------------- |
 * | same connection, same id, PUBACK not written yet         | DUP, or a payload with a time  | repeated: id not free |
 * | same connection, same id, PUBACK written, has a time     | DUP                            | repeated              |
 * | same connection, same id, PUBACK written, no time        | DUP                            | maybe repeated        |
 * | earlier connection, open or doubtful, payload has a time | any                            | repeated              |
 * | earlier connection, acknowledged, payload has a time     | DUP, or a broker without DUP   | repeated: gone back   |
 * | earlier connection, open or doubtful, no time            | DUP, same id, and ids count on | repeated              |
 * | earlier connection, open or doubtful, no time            | DUP, or a broker without DUP   | maybe repeated        |
 * | earlier connection, acknowledged, no time                | DUP                            | maybe repeated        |
 * | anything else                                            |                                | new                   |
 *
 * Each is matched once: the later delivery then stands in its place. `open`, `doubtful` and `acknowledged` are
 * explained in recent-deliveries.ts.
 *
 * What comes again on the same connection (Moquette) gets no second PUBACK: the broker may use the id for another
 * message after the first, which would then count as acknowledged before it was stored.
 *
 * A PUBACK is proven to have arrived by a PINGRESP to a later PINGREQ, and by the use of its id for another message on
 * the same connection, as PUBACKs arrive in their order.
 */
export class RedeliveryCheck {
  readonly #hasOwnTime: RedeliveryOptions['hasOwnTime'];
  readonly #recent: RecentDeliveries;
  readonly #ids: PacketIdOrder;
  #connection = Number.NEGATIVE_INFINITY;
  /** Positions up to here came with earlier connections. */
  #start = 0;
  /** Positions up to which PUBACKs were written on the present connection, and are proven to have arrived. */
  #written = 0;
  #confirmed = 0;
  #firstReceivedAtMs = 0;
  /** Positions up to here are of an earlier session. */
  #sessionStart = 0;
  #lastRepeated = 0;
  #setsDuplicate = false;
  #keepsIds = false;

  constructor(options: RedeliveryOptions) {
    const { window = DEFAULT_WINDOW, maxPayloadBytes = DEFAULT_MAX_PAYLOAD_BYTES } = options;
    this.#hasOwnTime = options.hasOwnTime;
    this.#recent = new RecentDeliveries({ window, maxPayloadBytes });
    this.#ids = new PacketIdOrder(2 * options.maxInFlight);
  }

  /** Something that first came with an earlier connection may come again. */
  get isInDoubt(): boolean {
    return this.#recent.doubts > 0 || this.#lastRepeated > this.#confirmed;
  }

  /** What deliveries have shown of the session. */
  get manners(): SessionManners {
    return { idsCountOn: this.#ids.countsOn, setsDuplicate: this.#setsDuplicate, keepsIds: this.#keepsIds };
  }

  /**
   * What they had shown to an earlier process, or what the broker is known for. To be called before the first delivery
   * of the session.
   */
  resume({ idsCountOn, keepsIds, setsDuplicate }: SessionManners): void {
    this.#ids.resume(idsCountOn);
    this.#setsDuplicate = setsDuplicate;
    this.#keepsIds = keepsIds;
  }

  /**
   * After a restart, before the first delivery: the journal's latest messages of the present session, in their order.
   * `replaced` for what is never matched by its content, as in `note`.
   */
  recall(message: RecalledMessage, isAcknowledged: boolean, state: RecalledState = STATES.live): void {
    const { connection, duplicate, packetId, payload, topic } = message;
    if (packetId === undefined) return;
    if (connection !== this.#connection) this.#beginConnection(connection, 0);
    const before = this.#recent.latestOf(packetId);
    const isRepetition = duplicate && before > 0 && this.#recent.isEqual(before, topic, payload);
    if (before > this.#start && !isRepetition) this.#acknowledgeThrough(before);
    if (!isRepetition) this.#ids.sawNew(packetId, duplicate, before > 0);
    const position = this.#recent.add(packetId, topic, payload, state);
    this.#written = position; // nobody knows
    if (isAcknowledged) this.#confirmed = position;
  }

  /**
   * Judges a delivery and remembers it; with a packet id, each once, in the order of arrival. What it repeats may not
   * be durable yet: it is to be acknowledged when that is.
   */
  take(delivery: Delivery): Verdict {
    const { connection, duplicate, payload, topic } = delivery;
    const packetId = delivery.packetId!;
    if (connection !== this.#connection) this.#beginConnection(connection, delivery.receivedAtMs);
    this.#setsDuplicate ||= duplicate;
    const before = this.#latestOfSession(packetId);
    const isSameAsBefore = before > 0 && this.#recent.isEqual(before, topic, payload);
    const [verdict, state] = this.#judge(delivery, before, isSameAsBefore);
    if (verdict === 'new') this.#noteNew(delivery, before);
    if (verdict === 'maybe repeated') this.#ids.sawPerhapsNew(packetId, duplicate);
    // A repetition of what is held takes no place in the window: it may come as long as a full disk holds the first
    // one.
    const isOfHeld = state === STATES.replaced && before > this.#written;
    delivery.ordinal = isOfHeld ? this.#recent.last : this.#recent.add(packetId, topic, payload, state);
    if (verdict === 'repeated') this.#lastRepeated = delivery.ordinal;
    this.#ids.sawInFlight(delivery.ordinal - Math.max(this.#start, this.#confirmed));
    return verdict;
  }

  /** Whether the latest delivery under this packet id had this content, as far as it is remembered. */
  remembers(packetId: number, topic: string, payload: Buffer): boolean {
    const position = this.#latestOfSession(packetId);
    return position > 0 && this.#recent.isEqual(position, topic, payload);
  }

  /**
   * Remembers the packet id of a delivery at QoS 2 that is known by that alone: no delivery is matched with it by
   * content. In the order of arrival, as `take`.
   */
  note(delivery: Delivery, isNew: boolean): void {
    const { connection, payload, topic } = delivery;
    const packetId = delivery.packetId!;
    if (connection !== this.#connection) this.#beginConnection(connection, delivery.receivedAtMs);
    if (isNew) this.#noteNew(delivery, this.#latestOfSession(packetId));
    delivery.ordinal = this.#recent.add(packetId, topic, payload, STATES.replaced);
    this.#ids.sawInFlight(delivery.ordinal - Math.max(this.#start, this.#confirmed));
  }

  /** For QoS 2, where mosquitto does not set DUP on all that comes again, but keeps the ids. */
  markingOf({ duplicate }: Delivery): Marking {
    this.#setsDuplicate ||= duplicate;
    if (duplicate || this.#keepsIds) return 'marked';
    return this.#setsDuplicate ? 'unmarked' : 'unknown';
  }

  /** PUBACKs up to that of the delivery with this ordinal are on the wire, or were given up with their connection. */
  written(ordinal: number): void {
    this.#written = Math.max(this.#written, ordinal);
  }

  /** They have arrived. */
  confirmed(ordinal: number): void {
    if (ordinal <= this.#start) return;
    this.#acknowledgeThrough(ordinal);
    this.#ids.proven();
  }

  /** The broker has a new session for us: what it delivers from now on was never delivered before. */
  forget(): void {
    this.#recent.replaceAll();
    this.#sessionStart = this.#recent.last;
    this.#start = this.#recent.last;
    this.#ids.forget();
    this.#setsDuplicate = false;
    this.#keepsIds = false;
  }

  #beginConnection(connection: number, receivedAtMs: number): void {
    this.#recent.endConnection(this.#start, this.#written, this.#confirmed);
    this.#connection = connection;
    this.#start = this.#recent.last;
    this.#firstReceivedAtMs = receivedAtMs;
    this.#ids.connected();
  }

  #latestOfSession(packetId: number): number {
    const position = this.#recent.latestOf(packetId);
    return position > this.#sessionStart ? position : 0;
  }

  #acknowledgeThrough(position: number): void {
    this.#confirmed = Math.max(this.#confirmed, position);
  }

  /** The verdict, and the state in which the delivery is remembered. */
  #judge(delivery: Delivery, before: number, isSameAsBefore: boolean): [Verdict, DeliveryState] {
    const { duplicate, payload, topic } = delivery;
    if (before > this.#start && isSameAsBefore && (duplicate || before > this.#written)) {
      const isRepeated = (duplicate && before > this.#written) || this.#hasOwnTime(topic, payload);
      // Once its PUBACK is known to have arrived, the broker shows by this delivery that it wants another.
      if ((isRepeated || duplicate) && before > this.#confirmed) delivery.withhold();
      if (isRepeated) return ['repeated', STATES.replaced];
      if (duplicate) return ['maybe repeated', STATES.live];
    }
    const isKnownAsNew = !duplicate && this.#recent.doubts === 0 && this.#setsDuplicate;
    if (isKnownAsNew || !this.#recent.hasAnyThrough(this.#start)) {
      this.#recent.forgetTwins();
      return ['new', STATES.live];
    }
    const twins = this.#recent.twinsOf(topic, payload);
    if (twins === undefined) return ['new', STATES.live];
    const [verdict, position] = this.#judgeTwins(twins, payload, duplicate, isSameAsBefore ? before : 0);
    if (position > 0) this.#recent.replace(position);
    return [verdict, STATES.live];
  }

  /**
   * The verdict, and the position of the delivery that is matched; 0: none. `before`: the equal one under the same
   * packet id; 0: none.
   */
  #judgeTwins(twins: Twins, payload: Buffer, duplicate: boolean, before: number): [Verdict, number] {
    const recent = this.#recent;
    const stateBefore = before === 0 ? STATES.replaced : recent.stateOf(before);
    const mayBeRepeated = duplicate || !this.#setsDuplicate;
    const held = recent.firstIn(twins.open, STATES.open) ?? recent.firstIn(twins.doubtful, STATES.doubtful);
    if (held === undefined && !mayBeRepeated) return ['new', 0];
    const acknowledged = held === undefined ? recent.firstIn(twins.acknowledged, STATES.acknowledged) : undefined;
    twins.hasOwnTime ??= this.#hasOwnTime(twins.topic, payload);
    if (twins.hasOwnTime) {
      const matched = held ?? acknowledged;
      return matched === undefined ? ['new', 0] : ['repeated', matched];
    }
    const isHeldBefore = stateBefore === STATES.open || stateBefore === STATES.doubtful;
    if (duplicate && isHeldBefore && this.#ids.countsOn) return ['repeated', before];
    if (before === 0 && this.#keepsIds && this.#ids.countsOn) return ['new', 0];
    const equal = held ?? (duplicate ? acknowledged : undefined);
    return equal !== undefined && mayBeRepeated ? ['maybe repeated', equal] : ['new', 0];
  }

  #noteNew({ duplicate, packetId, receivedAtMs }: Delivery, before: number): void {
    this.#ids.sawNew(packetId!, duplicate, before > 0);
    if (before > this.#start && before <= this.#written) this.#acknowledgeThrough(before);
    if (this.#recent.doubts > 0 && receivedAtMs - this.#firstReceivedAtMs >= ALL_IS_BACK_AFTER_MS) {
      this.#recent.settleThrough(this.#start);
    }
  }
}
