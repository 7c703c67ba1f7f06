import mqtt, { type IPublishPacket, type Packet } from 'mqtt';

type Callback = (error?: Error, packet?: Packet) => void;
type PacketId = Pick<Packet, 'messageId'>;

/**
 * What mqtt.js remembers of received QoS 2 messages between PUBLISH and PUBREL, made to wait until each is safe.
 *
 * mqtt.js puts a message in here, sends PUBREC when `put` has called back, and hands the message on only at PUBREL: after a restart in
 * between it would be gone, as the broker then sends no more than the PUBREL. So it is taken at `put`, and PUBREC follows when it was
 * acknowledged [MQTT 5.0 section 4.3.3, method B]. What stays here is the packet identifier, so that a PUBLISH that is sent again is
 * not taken twice.
 */
export class Qos2Store extends mqtt.Store {
  readonly #packets = new Map<number, Packet>();
  readonly #take: (packet: IPublishPacket, answer: () => void) => void;

  /** `take` calls `answer` when the message is safe. */
  constructor(take: (packet: IPublishPacket, answer: () => void) => void) {
    super();
    this.#take = take;
  }

  override put(packet: Packet, callback: Callback): this {
    const id = idOf(packet);
    if (packet.cmd !== 'publish' || this.#packets.has(id)) {
      callback();
    } else {
      this.#take(packet, () => {
        this.#packets.set(id, { ...packet, payload: '' });
        callback();
      });
    }
    return this;
  }

  override get(packet: PacketId, callback: Callback): this {
    const found = this.#packets.get(idOf(packet));
    if (found === undefined) callback(new Error('unknown packet identifier'));
    else callback(undefined, found);
    return this;
  }

  override del(packet: PacketId, callback: Callback): this {
    this.#packets.delete(idOf(packet));
    callback();
    return this;
  }

  /** mqtt.js closes it with each client; it outlives them. */
  override close(callback: (error?: Error) => void): void {
    callback();
  }

  /** The session is lost, and with it the meaning of its packet identifiers. */
  clear(): void {
    this.#packets.clear();
  }
}

function idOf(packet: PacketId): number {
  return packet.messageId ?? 0;
}
