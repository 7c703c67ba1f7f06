import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

import mqttPacket, { type IConnectPacket } from 'mqtt-packet';

/** A packet that a client sent to the broker. */
export interface SentPacket {
  readonly type: string;
  /** The first two bytes after the header: the packet identifier, for the types that begin with it. */
  readonly packetId: number;
}

export interface MqttTap {
  readonly url: string;
  readonly sent: readonly SentPacket[];
  /** The CONNECT packets among them, read. */
  readonly connects: readonly IConnectPacket[];
  count(type: string): number;
  /** From the first packet of this type on that a client sends, it gets nothing from the broker until `release`. */
  holdFrom(type: string): void;
  /** What was held comes at once. */
  release(): void;
  /** Cuts all connections, without DISCONNECT. */
  cut(): void;
  stop(): Promise<void>;
}

const TYPES =
  ' connect connack publish puback pubrec pubrel pubcomp subscribe suback unsubscribe unsuback pingreq pingresp disconnect auth'.split(
    ' ',
  );

/** Stands between clients and a broker, keeps what the clients send and cuts their connections on demand. */
export async function startMqttTap(brokerUrl: string): Promise<MqttTap> {
  const { hostname, port } = new URL(brokerUrl);
  const sent: SentPacket[] = [];
  const connects: IConnectPacket[] = [];
  const sockets = new Set<Socket>();
  const brokers = new Set<Socket>();
  let holdsFrom: string | undefined;
  const join = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.pipe(to);
    from.on('error', () => {});
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const server = createServer((client) => {
    const broker = connect(Number(port), hostname);
    const record = packetRecorder(sent);
    brokers.add(broker);
    broker.once('close', () => void brokers.delete(broker));
    client.on('data', record);
    client.on('data', () => {
      if (sent.some(({ type }) => type === holdsFrom)) for (const each of brokers) each.pause();
    });
    readConnect(client, (packet) => void connects.push(packet));
    join(client, broker);
    join(broker, client);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent,
    connects,
    count: (type) => sent.filter((packet) => packet.type === type).length,
    holdFrom: (type) => void (holdsFrom = type),
    release: () => {
      holdsFrom = undefined;
      for (const broker of brokers) broker.resume();
    },
    cut,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      cut();
      await closed;
    },
  };
}

/** The first packet. What comes after it may be of MQTT 5, of which this parser was not told. */
function readConnect(client: Socket, found: (packet: IConnectPacket) => void): void {
  const parser = mqttPacket.parser();
  const read = (chunk: Buffer): void => void parser.parse(chunk);
  parser.on('error', () => {});
  parser.once('packet', (packet) => {
    client.off('data', read);
    if (packet.cmd === 'connect') found(packet);
  });
  client.on('data', read);
}

/** Cuts a stream of bytes into packets [MQTT 3.1.1 section 2.2]. */
function packetRecorder(sent: SentPacket[]): (chunk: Buffer) => void {
  let bytes: Buffer = Buffer.alloc(0);
  return (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    for (;;) {
      const size = packetSize(bytes);
      if (size === undefined || bytes.length < size.total) return;
      const body = bytes.subarray(size.header, size.total);
      sent.push({ type: TYPES[bytes[0]! >> 4]!, packetId: body.length >= 2 ? body.readUInt16BE(0) : 0 });
      bytes = bytes.subarray(size.total);
    }
  };
}

function packetSize(bytes: Buffer): { header: number; total: number } | undefined {
  let length = 0;
  for (let i = 1; i < Math.min(5, bytes.length); i += 1) {
    length += (bytes[i]! & 0x7f) * 128 ** (i - 1);
    if ((bytes[i]! & 0x80) === 0) return { header: i + 1, total: i + 1 + length };
  }
  return undefined;
}
