/**
 * Oracle Net packets: an 8-byte header, then the body.
 *
 *   0-1  length with the header, 16 bit, and 2-3 zero, until a version of 315 or later is accepted
 *   0-3  length, 32 bit, afterwards (the ACCEPT packet itself still has 16 bit)
 *   4    type      5  flags      6-7  header checksum, 0
 *
 * DATA has two bytes of data flags at 8 and the payload from 10. A packet is never longer than the negotiated SDU, and
 * values are cut anywhere at its end. MARKER carries `1, 0, kind`.
 */

export const PacketType = { connect: 1, accept: 2, refuse: 4, data: 6, resend: 11, marker: 12 } as const;
export const MarkerKind = { break: 1, reset: 2, interrupt: 3 } as const;
export const DATA_OFFSET = 10;

const HEADER = 8;
const END_OF_FILE = 0x0040;
const END_OF_RESPONSE = 0x2000;
/** On every recorded marker; no client reads it. */
const MARKER_FLAG = 0x20;

export type PacketHandler = (type: number, packet: Buffer, start: number, end: number) => void;

/** Cuts a TCP stream into packets. */
export class PacketSplitter {
  /** True once lengths have 32 bits. */
  wide = false;
  #rest: Buffer = Buffer.alloc(0);

  /** Calls `handle` for each whole packet; `start` and `end` delimit it in the buffer, which is not copied. */
  push(chunk: Buffer, handle: PacketHandler): void {
    const buffer = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let start = 0;
    while (buffer.length - start >= HEADER) {
      const length = this.wide ? buffer.readUInt32BE(start) : buffer.readUInt16BE(start);
      if (length < HEADER) throw new Error(`packet of ${length} bytes`);
      if (start + length > buffer.length) break;
      handle(buffer[start + 4]!, buffer, start, start + length);
      start += length;
    }
    this.#rest = buffer.subarray(start);
  }
}

export function isEndOfFile(packet: Buffer, start: number): boolean {
  return (packet.readUInt16BE(start + HEADER) & END_OF_FILE) !== 0;
}

/** One packet with a 16-bit length, as before and in ACCEPT. */
export function narrowPacket(type: number, body: Uint8Array): Buffer {
  const packet = Buffer.alloc(HEADER + body.length);
  packet.writeUInt16BE(packet.length, 0);
  packet[4] = type;
  packet.set(body, HEADER);
  return packet;
}

export function markerPacket(kind: number): Buffer {
  const packet = Buffer.alloc(11);
  packet.writeUInt32BE(packet.length, 0);
  packet[4] = PacketType.marker;
  packet[5] = MARKER_FLAG;
  packet[HEADER] = 1;
  packet[HEADER + 2] = kind;
  return packet;
}

/** `payload` in DATA packets of at most `sdu` bytes; `endOfResponse` flags the last one. */
export function dataPackets(payload: Buffer, sdu: number, endOfResponse: boolean): Buffer {
  const room = sdu - DATA_OFFSET;
  const count = Math.max(1, Math.ceil(payload.length / room));
  const packets = Buffer.allocUnsafe(payload.length + count * DATA_OFFSET);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const from = i * room;
    const size = Math.min(room, payload.length - from);
    packets.writeUInt32BE(size + DATA_OFFSET, at);
    packets.writeUInt32BE(PacketType.data * 0x1000000, at + 4);
    packets.writeUInt16BE(endOfResponse && i === count - 1 ? END_OF_RESPONSE : 0, at + HEADER);
    payload.copy(packets, at + DATA_OFFSET, from, from + size);
    at += size + DATA_OFFSET;
  }
  return packets;
}
