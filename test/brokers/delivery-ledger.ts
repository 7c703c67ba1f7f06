import { PACKET, type Packet } from './packets.ts';

/** Stands in the payload of each value that has a time. */
const VALUE_NAME = /"V(\d+)"/;

type MessageState = 'delivered' | 'acknowledged' | 'acknowledged, delivered';

/** Notes one connection. */
export interface ConnectionNotes {
  /** A packet of the broker. */
  delivered(packet: Packet): void;
  /** A packet of the bridge. */
  sent(packet: Packet): void;
}

/**
 * What the broker has delivered to the bridge and what the bridge has acknowledged, over all connections. It is what
 * tells a loss of the bridge's from one of the broker's: a broker has to deliver a message again until it has the
 * PUBACK (or PUBREC), so what was never acknowledged and did not come was the broker's to bring.
 */
export class DeliveryLedger {
  readonly #topics: string;
  readonly #acknowledged = new Set<number>();
  #acknowledgements = 0;
  #deliveries = 0;
  #overwritten = 0;
  #acknowledgedAgain = 0;

  /** `topics`: how those of the values begin. What the bridge sends itself for its own ends is not counted. */
  constructor(topics: string) {
    this.#topics = topics;
  }

  /** PUBACKs and PUBRECs that the bridge has sent, whether they came through or not. */
  get acknowledgements(): number {
    return this.#acknowledgements;
  }

  /** PUBLISH packets that the broker has sent, repetitions included. */
  get deliveries(): number {
    return this.#deliveries;
  }

  /**
   * Deliveries without DUP under a packet id whose message the bridge had not acknowledged: a broker that forgets the
   * older one then has lost it.
   */
  get overwritten(): number {
    return this.#overwritten;
  }

  /** Of the acknowledgements, those of deliveries with DUP under a packet id that had been acknowledged before. */
  get acknowledgedAgain(): number {
    return this.#acknowledgedAgain;
  }

  /** For values with a time: whether the bridge has ever acknowledged this one. */
  wasAcknowledged(value: number): boolean {
    return this.#acknowledged.has(value);
  }

  /** One bridge, over its connections to a session that the broker keeps. */
  session(): { connection(): ConnectionNotes } {
    const kept = new Map<number, MessageState>();
    return { connection: () => this.#connection(kept) };
  }

  /** `kept`: of the message that a packet id stood for last. */
  #connection(kept: Map<number, MessageState>): ConnectionNotes {
    const valueOf = new Map<number, number>();
    let stateOf = kept;
    return {
      delivered: ({ type, flags, body }) => {
        if (type !== PACKET.publish || (flags & 6) === 0) return;
        const topicEnd = 2 + body.readUInt16BE(0);
        const packetId = body.readUInt16BE(topicEnd);
        if (!body.toString('latin1', 2, topicEnd).startsWith(this.#topics)) {
          stateOf.delete(packetId);
          return;
        }
        this.#deliveries += 1;
        const isRepeated = (flags & 8) !== 0;
        const before = stateOf.get(packetId);
        if (!isRepeated && before === 'delivered') this.#overwritten += 1;
        stateOf.set(
          packetId,
          isRepeated && before?.startsWith('acknowledged') ? 'acknowledged, delivered' : 'delivered',
        );
        const name = VALUE_NAME.exec(body.toString('latin1'));
        if (name !== null) valueOf.set(packetId, Number(name[1]));
      },
      sent: ({ type, body }) => {
        if (type === PACKET.connect && isClean(body)) stateOf = new Map();
        if (type !== PACKET.puback && type !== PACKET.pubrec) return;
        const packetId = body.readUInt16BE(0);
        const before = stateOf.get(packetId);
        if (before === undefined) return;
        this.#acknowledgements += 1;
        if (before === 'acknowledged, delivered') this.#acknowledgedAgain += 1;
        stateOf.set(packetId, 'acknowledged');
        const value = valueOf.get(packetId);
        if (value !== undefined) this.#acknowledged.add(value);
      },
    };
  }
}

/** Of the CONNECT packet: it begins a session anew. The flags stand behind the protocol's name and level. */
export function isClean(body: Buffer): boolean {
  return (body[2 + body.readUInt16BE(0) + 1]! & 2) !== 0;
}
