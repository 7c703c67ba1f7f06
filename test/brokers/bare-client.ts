import { connect, type Socket } from 'node:net';

import {
  answerPacket,
  connectPacket,
  encode,
  PACKET,
  PacketReader,
  publishPacket,
  readPublish,
  subscribePacket,
  type Packet,
  type Published,
} from './packets.ts';

export interface BareClientOptions {
  readonly port: number;
  readonly protocol: 4 | 5;
  readonly clientId: string;
  /** Default true: nothing of it outlives the connection. */
  readonly isClean?: boolean;
  readonly receiveMaximum?: number;
  /** Gets each message. What it gives back says whether it is acknowledged, which happens at once. Default: all are. */
  readonly onMessage?: (message: Published) => boolean;
}

const CONNECT_TIMEOUT_MS = 10_000;
const KEEPALIVE_SECONDS = 60;
const PACKET_IDS = 65_535;
const REFUSED_FROM = 128;

interface Waiting {
  readonly resolve: (code: number) => void;
  readonly reject: (error: Error) => void;
}

/**
 * An MQTT client with nothing to it: no library, no disk, no second try. It acknowledges at once, in one write for all
 * that a chunk brought, which is as fast as a client can be; and it is who says what the broker owes.
 */
export class BareClient {
  readonly closed: Promise<void>;
  /** Whether the broker knew the session. */
  isSessionPresent = false;
  readonly #socket: Socket;
  readonly #options: BareClientOptions;
  readonly #reader = new PacketReader();
  /** By packet id: publishes and subscriptions without an answer. */
  readonly #waiting = new Map<number, Waiting>();
  readonly #pings: NodeJS.Timeout;
  #onConnack: ((code: number) => void) | undefined;
  #lastId = 0;

  private constructor(socket: Socket, options: BareClientOptions) {
    this.#socket = socket;
    this.#options = options;
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        clearInterval(this.#pings);
        for (const { reject } of this.#waiting.values()) reject(new Error('the connection is closed'));
        this.#waiting.clear();
        resolve();
      });
    });
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#pings = setInterval(() => socket.write(encode(PACKET.pingreq, 0)), (KEEPALIVE_SECONDS * 1000) / 2);
  }

  /** Throws when the broker refuses, closes or does not answer within ten seconds. */
  static async connect(options: BareClientOptions): Promise<BareClient> {
    const socket = connect(options.port, '127.0.0.1');
    socket.setNoDelay(true);
    const client = new BareClient(socket, options);
    const answer = new Promise<number>((resolve) => (client.#onConnack = resolve));
    const { protocol, clientId, isClean = true, receiveMaximum = 65_535 } = options;
    socket.write(connectPacket({ protocol, clientId, isClean, receiveMaximum, keepaliveSeconds: KEEPALIVE_SECONDS }));
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<string>(
      (resolve) => (timer = setTimeout(() => resolve('no answer'), CONNECT_TIMEOUT_MS)),
    );
    const outcome = await Promise.race([answer, client.closed.then(() => 'connection closed'), silence]);
    clearTimeout(timer);
    if (outcome === 0) return client;
    await client.reset();
    throw new Error(`CONNECT of ${clientId} (version ${protocol}): ${outcome}`);
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  /** Publishes that the broker has not answered. */
  get unanswered(): number {
    return this.#waiting.size;
  }

  /** The QoS that the broker grants, or a code from 128 on. */
  subscribe(topic: string, qos: 0 | 1 | 2): Promise<number> {
    const packetId = this.#nextId();
    this.#socket.write(subscribePacket(topic, qos, packetId, this.#options.protocol));
    return this.#answerTo(packetId);
  }

  /** Resolves with the broker's PUBACK or, at QoS 2, PUBCOMP; rejects when the connection ends before. */
  async publish(
    topic: string,
    payload: string,
    options: { readonly qos?: 1 | 2; readonly retain?: boolean } = {},
  ): Promise<void> {
    const packetId = this.#nextId();
    const { qos = 1, retain = false } = options;
    this.#socket.write(publishPacket(topic, payload, { qos, packetId, retain, protocol: this.#options.protocol }));
    const code = await this.#answerTo(packetId);
    if (code >= REFUSED_FROM) throw new Error(`PUBLISH refused with code ${code}`);
  }

  async disconnect(): Promise<void> {
    this.#socket.end(encode(PACKET.disconnect, 0));
    await this.closed;
  }

  /** Ends the connection with a RST. */
  async reset(): Promise<void> {
    if (!this.#socket.destroyed) this.#socket.resetAndDestroy();
    await this.closed;
  }

  #nextId(): number {
    do this.#lastId = (this.#lastId % PACKET_IDS) + 1;
    while (this.#waiting.has(this.#lastId));
    return this.#lastId;
  }

  #answerTo(packetId: number): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.isOpen) this.#waiting.set(packetId, { resolve, reject });
      else reject(new Error('the connection is closed'));
    });
  }

  #read(chunk: Buffer): void {
    const answers: Buffer[] = [];
    for (const packet of this.#reader.take(chunk)) this.#handle(packet, answers);
    if (answers.length > 0 && this.#socket.writable) this.#socket.write(Buffer.concat(answers));
  }

  #handle(packet: Packet, answers: Buffer[]): void {
    const { type, body } = packet;
    if (type === PACKET.connack) {
      this.isSessionPresent = (body[0]! & 1) === 1;
      this.#onConnack?.(body[1]!);
    } else if (type === PACKET.publish) {
      const message = readPublish(packet, this.#options.protocol);
      const isAccepted = this.#options.onMessage?.(message) ?? true;
      if (!isAccepted || message.qos === 0) return;
      answers.push(answerPacket(message.qos === 1 ? PACKET.puback : PACKET.pubrec, message.packetId));
    } else if (type === PACKET.pubrel) {
      answers.push(answerPacket(PACKET.pubcomp, body.readUInt16BE(0)));
    } else if (type === PACKET.pubrec) {
      answers.push(answerPacket(PACKET.pubrel, body.readUInt16BE(0)));
    } else if (type === PACKET.puback || type === PACKET.pubcomp || type === PACKET.suback) {
      const packetId = body.readUInt16BE(0);
      const code = type === PACKET.suback ? body.at(-1)! : (body[2] ?? 0);
      this.#waiting.get(packetId)?.resolve(code);
      this.#waiting.delete(packetId);
    }
  }
}
