/**
 * The first packets of a connection (offsets from the start of the packet).
 *
 *   CONNECT  8 version wanted, 10 lowest version, 12 options, 24 length and 26 offset of the descriptor, 32 network
 *            services flags, 58 SDU and 62 TDU (32 bit). A descriptor of more than 230 bytes follows in a DATA packet
 *            of its own.
 *   ACCEPT   8 version, 10 options, 16 byte order probe `01 00`, 18 and 20 data length and offset, 22 network services
 *            flags, 32 SDU, 36 TDU, 40 compression, from 318 on 41 flags, from 319 on 45 sixteen bytes that belong to
 *            the instance: zero here, whereupon the JDBC driver negotiates each connection anew. With others it sends
 *            what it remembers (message 1Eh), and no recording shows how a server answers that
 *   REFUSE   8 user reason, 9 system reason, 10 length, 12 text with `(ERR=…)`
 *   RESEND   no body: the client sends CONNECT again
 */
import { narrowPacket, PacketType } from './packet.ts';

const FAST_LOGIN = 0x1000_0000;
const END_OF_RESPONSE = 0x0200_0000;
/** A third flag that 23ai sets; clients do not read it. */
const UNNAMED_FLAG = 0x0800_0000;
const BODY = 8;
const VERSION_WITH_FLAGS = 318;
export const VERSION_WITH_END_OF_RESPONSE = 319;
const LOWEST_VERSION = 315;

/** What the client's network services flags are answered with. */
const SERVICES_FLAGS: Readonly<Record<number, readonly [number, number]>> = {
  0x84: [0xc5, 0x00],
  0x01: [0x41, 0x01],
  0x88: [0xc9, 0x08],
  0x81: [0xc1, 0x01],
};

export interface ConnectRequest {
  readonly version: number;
  readonly servicesFlags: number;
  readonly sdu: number;
  readonly descriptorBytes: number;
  /** Empty when it follows in a packet of its own. */
  readonly descriptor: string;
}

export function parseConnect(packet: Buffer): ConnectRequest {
  const version = packet.readUInt16BE(8);
  const offset = packet.readUInt16BE(26);
  return {
    version,
    servicesFlags: packet[32] ?? 0,
    sdu: version >= LOWEST_VERSION && packet.length >= 66 ? packet.readUInt32BE(58) : packet.readUInt16BE(14),
    descriptorBytes: packet.readUInt16BE(24),
    descriptor: packet.toString('latin1', offset),
  };
}

/** The value of a name in a connect descriptor such as `(SERVICE_NAME=FREEPDB1)`. */
export function descriptorValue(descriptor: string, name: string): string | undefined {
  return new RegExp(`\\(\\s*${name}\\s*=\\s*([^()]*?)\\s*\\)`, 'i').exec(descriptor)?.[1];
}

export interface Accepted {
  readonly version: number;
  readonly sdu: number;
  readonly servicesFlags: number;
  readonly fastLogin: boolean;
}

export function acceptPacket(accepted: Accepted): Buffer {
  const { version } = accepted;
  const length = version >= VERSION_WITH_END_OF_RESPONSE ? 61 : version >= VERSION_WITH_FLAGS ? 45 : 41;
  const packet = Buffer.alloc(length);
  packet.writeUInt16BE(length, 0);
  packet[4] = PacketType.accept;
  packet.writeUInt16BE(version, 8);
  packet.writeUInt16BE(1, 10);
  packet[16] = 1;
  packet.writeUInt16BE(length, 20);
  packet.set(SERVICES_FLAGS[accepted.servicesFlags] ?? [0xc5, 0x00], 22);
  packet.writeUInt32BE(accepted.sdu, 32);
  packet.writeUInt32BE(accepted.sdu, 36);
  if (version >= VERSION_WITH_FLAGS && accepted.fastLogin) {
    packet.writeUInt32BE(
      FAST_LOGIN | UNNAMED_FLAG | (version >= VERSION_WITH_END_OF_RESPONSE ? END_OF_RESPONSE : 0),
      41,
    );
  }
  return packet;
}

/** A listener's refusal with an ORA code such as 12514. */
export function refusePacket(code: number): Buffer {
  const text = `(DESCRIPTION=(TMP=)(VSNNUM=0)(ERR=${code})(ERROR_STACK=(ERROR=(CODE=${code})(EMFI=4))))`;
  const body = Buffer.alloc(4 + text.length);
  body[0] = 34;
  body.writeUInt16BE(text.length, 2);
  body.write(text, 12 - BODY, 'latin1');
  return narrowPacket(PacketType.refuse, body);
}

export function resendPacket(): Buffer {
  return narrowPacket(PacketType.resend, Buffer.alloc(0));
}
