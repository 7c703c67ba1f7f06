/** As much of MQTT's bytes as a bare client and a tap need [MQTT 3.1.1 section 2, MQTT 5 section 2]. */

export const PACKET = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  suback: 9,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
} as const;

export interface Packet {
  /** One of PACKET. */
  readonly type: number;
  /** The lower half of the first byte. */
  readonly flags: number;
  /** What follows the length. */
  readonly body: Buffer;
  /** All of it. */
  readonly bytes: Buffer;
}

/** Cuts a stream of bytes into packets. */
export class PacketReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The packets that the chunk completes. They share its memory. */
  take(chunk: Buffer): Packet[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const packets: Packet[] = [];
    let at = 0;
    for (;;) {
      const size = sizeAt(bytes, at);
      if (size === undefined || at + size.total > bytes.length) break;
      packets.push({
        type: bytes[at]! >> 4,
        flags: bytes[at]! & 15,
        body: bytes.subarray(at + size.header, at + size.total),
        bytes: bytes.subarray(at, at + size.total),
      });
      at += size.total;
    }
    this.#rest = bytes.subarray(at);
    return packets;
  }
}

function sizeAt(bytes: Buffer, at: number): { readonly header: number; readonly total: number } | undefined {
  let length = 0;
  for (let i = 1; i <= 4 && at + i < bytes.length; i += 1) {
    length += (bytes[at + i]! & 127) * 128 ** (i - 1);
    if (bytes[at + i]! < 128) return { header: i + 1, total: i + 1 + length };
  }
  return undefined;
}

function variableLength(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest % 128) + (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint16(bytes.length), bytes]);
}

function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255]);
}

/** A packet of its parts. */
export function encode(type: number, flags: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([(type << 4) | flags, ...variableLength(body.length)]), body]);
}

export interface ConnectFields {
  readonly protocol: 4 | 5;
  readonly clientId: string;
  readonly isClean: boolean;
  readonly keepaliveSeconds: number;
  /** MQTT 5 only. */
  readonly receiveMaximum: number;
}

const FOR_EVER = [255, 255, 255, 255];

export function connectPacket({
  protocol,
  clientId,
  isClean,
  keepaliveSeconds,
  receiveMaximum,
}: ConnectFields): Buffer {
  const flags = Buffer.from([protocol, isClean ? 2 : 0]);
  const expiry = isClean ? [0, 0, 0, 0] : FOR_EVER;
  const properties = Buffer.from([17, ...expiry, 33, ...uint16(receiveMaximum)]);
  const more = protocol === 5 ? [Buffer.from([properties.length]), properties] : [];
  return encode(PACKET.connect, 0, text('MQTT'), flags, uint16(keepaliveSeconds), ...more, text(clientId));
}

export function publishPacket(
  topic: string,
  payload: string,
  options: { readonly qos: 0 | 1 | 2; readonly packetId: number; readonly retain: boolean; readonly protocol: 4 | 5 },
): Buffer {
  const id = options.qos === 0 ? [] : [uint16(options.packetId)];
  const properties = options.protocol === 5 ? [Buffer.from([0])] : [];
  const flags = (options.qos << 1) | (options.retain ? 1 : 0);
  return encode(PACKET.publish, flags, text(topic), ...id, ...properties, Buffer.from(payload));
}

export function subscribePacket(topic: string, qos: 0 | 1 | 2, packetId: number, protocol: 4 | 5): Buffer {
  const properties = protocol === 5 ? [Buffer.from([0])] : [];
  return encode(PACKET.subscribe, 2, uint16(packetId), ...properties, text(topic), Buffer.from([qos]));
}

/** PUBACK, PUBREC, PUBREL and PUBCOMP in their short form, good in both versions. */
export function answerPacket(type: number, packetId: number): Buffer {
  return encode(type, type === PACKET.pubrel ? 2 : 0, uint16(packetId));
}

export interface Published {
  readonly topic: string;
  /** 0 at QoS 0. */
  readonly packetId: number;
  readonly qos: number;
  readonly isDuplicate: boolean;
  readonly isRetained: boolean;
  readonly payload: Buffer;
}

/** Reads a PUBLISH; the length of its properties must fit one to four bytes, as it always does. */
export function readPublish({ flags, body }: Packet, protocol: 4 | 5): Published {
  const topicEnd = 2 + body.readUInt16BE(0);
  const qos = (flags >> 1) & 3;
  let at = topicEnd + (qos === 0 ? 0 : 2);
  if (protocol === 5) {
    const properties = sizeAt(Buffer.concat([Buffer.alloc(1), body.subarray(at, at + 4)]), 0);
    at += (properties?.total ?? 2) - 1;
  }
  return {
    topic: body.toString('utf8', 2, topicEnd),
    packetId: qos === 0 ? 0 : body.readUInt16BE(topicEnd),
    qos,
    isDuplicate: (flags & 8) !== 0,
    isRetained: (flags & 1) !== 0,
    payload: body.subarray(at),
  };
}
