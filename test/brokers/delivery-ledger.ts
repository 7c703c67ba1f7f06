import { PACKET, type Packet } from './packets.ts';

/** Stands in the payload of each value that has a time. */
const VALUE_NAME = /"V(\d+)"/;

/**
 * What the broker has delivered to the bridge and what the bridge has acknowledged, over all connections. It is what
 * tells a loss of the bridge's from one of the broker's: a broker has to deliver a message again until it has the
 * PUBACK (or PUBREC), so what was never acknowledged and did not come was the broker's to bring.
 */
export class DeliveryLedger {
  readonly #acknowledged = new Set<number>();
  #acknowledgements = 0;
  #deliveries = 0;

  /** PUBACKs and PUBRECs that the bridge has sent, whether they came through or not. */
  get acknowledgements(): number {
    return this.#acknowledgements;
  }

  /** PUBLISH packets that the broker has sent, repetitions included. */
  get deliveries(): number {
    return this.#deliveries;
  }

  /** For values with a time: whether the bridge has ever acknowledged this one. */
  wasAcknowledged(value: number): boolean {
    return this.#acknowledged.has(value);
  }

  /** For one connection: packet ids mean nothing on another. */
  connection(): { delivered(packet: Packet): void; sent(packet: Packet): void } {
    const valueOf = new Map<number, number>();
    return {
      delivered: ({ type, flags, body }) => {
        if (type !== PACKET.publish || (flags & 6) === 0) return;
        this.#deliveries += 1;
        const packetId = body.readUInt16BE(2 + body.readUInt16BE(0));
        const name = VALUE_NAME.exec(body.toString('latin1'));
        if (name !== null) valueOf.set(packetId, Number(name[1]));
      },
      sent: ({ type, body }) => {
        if (type !== PACKET.puback && type !== PACKET.pubrec) return;
        this.#acknowledgements += 1;
        const value = valueOf.get(body.readUInt16BE(0));
        if (value !== undefined) this.#acknowledged.add(value);
      },
    };
  }
}
