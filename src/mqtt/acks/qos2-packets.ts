import mqtt, { type IPublishPacket, type MqttClient, type Packet } from 'mqtt';

type Callback = (error?: Error, packet?: Packet) => void;

/**
 * Takes QoS 2 away from mqtt.js (5.16), which would handle one message at a time, as it waits for its store before it
 * sends PUBREC, and hand it on only at PUBREL, when the broker has forgotten it. The bridge stores it at PUBLISH [MQTT
 * 5.0 section 4.3.3, method B].
 *
 * - PUBLISH: `packetreceive` comes before the packet is handled; there it is made one of QoS 1, so that it comes to
 *   `handleMessage` as those do.
 * - PUBREL: mqtt.js asks its store for the message and hands that to `handleMessage`; what this one gives it is a mark,
 *   of QoS 2.
 *
 * Both are answered by `handleMessage` with an error, which makes mqtt.js go on without an answer of its own.
 */
export class Qos2Packets {
  /** To be the `incomingStore` of each client. */
  readonly store = new PubrelStore();
  #latest: IPublishPacket | undefined;

  /** To be called before the client connects. */
  attach(client: MqttClient): void {
    client.on('packetreceive', (packet) => {
      if (packet.cmd !== 'publish' || packet.qos !== 2) return;
      this.#latest = packet;
      packet.qos = 1;
    });
  }

  /** Whether a packet that comes to `handleMessage` came at QoS 2. */
  isQos2(packet: IPublishPacket): boolean {
    return packet === this.#latest;
  }

  /** Whether what comes to `handleMessage` stands for a PUBREL. */
  isPubrel(packet: IPublishPacket): boolean {
    return packet.qos === 2;
  }
}

class PubrelStore extends mqtt.Store {
  override get(packet: Pick<Packet, 'messageId'>, callback: Callback): this {
    const { messageId = 0 } = packet;
    callback(undefined, { cmd: 'publish', topic: '', payload: '', qos: 2, dup: false, retain: false, messageId });
    return this;
  }
}
