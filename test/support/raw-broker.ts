import { createServer, type AddressInfo, type Socket } from 'node:net';

import mqttPacket, { type IConnectPacket, type IPublishPacket, type Packet } from 'mqtt-packet';

import { topicMatches } from '../../src/core/topic-filter.ts';

export interface SeenConnect {
  readonly version: number;
  /** Undefined in MQTT 3.1.1, or where it was not asked for. */
  readonly receiveMaximum: number | undefined;
}

/** The manners of a broker, which a test may change while it runs. */
export interface Manners {
  /** What becomes of a CONNECT. */
  connect: (packet: IConnectPacket) => 'accept' | 'silence' | 'close';
  /** Reason code of SUBACK, by topic. */
  grant: (topic: string) => 0 | 1 | 2 | 0x80;
  /** What becomes of a message that a client publishes; what is dropped is acknowledged too. */
  published: (topic: string) => 'deliver' | 'drop' | 'disconnect';
  /**
   * As ActiveMQ Artemis 2.40.0 has it: what was under way when a connection broke is sent again under new packet
   * identifiers and without DUP, and counts against the Receive Maximum of MQTT 5 for ever. 3.1.1 has no limit.
   */
  leaks: boolean;
  /** Whether a connection with this version and Receive Maximum gets nothing at all. */
  starves: (version: number, receiveMaximum: number) => boolean;
}

interface Session {
  readonly subscriptions: Map<string, 0 | 1 | 2>;
  queue: IPublishPacket[];
  inFlight: Map<number, IPublishPacket>;
  leaked: number;
}

interface Connection {
  readonly socket: Socket;
  readonly version: number;
  readonly receiveMaximum: number;
  readonly session: Session;
}

export interface RawBroker {
  readonly url: string;
  readonly manners: Manners;
  readonly connects: readonly SeenConnect[];
  /** What clients published, in order. */
  readonly published: readonly IPublishPacket[];
  readonly subscribed: readonly string[];
  /** As another client does, at QoS 1. */
  publish(topic: string, payload: string): void;
  /** Sends what waits, after a change of the manners. */
  deliver(): void;
  /** Resets all connections. */
  cut(): void;
  /** Forgets all sessions. */
  forget(): void;
  stop(): Promise<void>;
}

/** A broker of few lines over TCP, for manners that no broker of the tests can be brought to. */
export async function startRawBroker(manners: Partial<Manners> = {}): Promise<RawBroker> {
  const broker = new Broker(manners);
  await broker.start();
  return broker;
}

class Broker implements RawBroker {
  readonly manners: Manners;
  readonly connects: SeenConnect[] = [];
  readonly published: IPublishPacket[] = [];
  readonly subscribed: string[] = [];
  readonly #sessions = new Map<string, Session>();
  readonly #connections = new Map<Session, Connection>();
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((socket) => this.#serve(socket));
  #lastId = 0;

  constructor(manners: Partial<Manners>) {
    this.manners = {
      connect: () => 'accept',
      grant: () => 1,
      published: () => 'deliver',
      leaks: false,
      starves: () => false,
      ...manners,
    };
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
  }

  get url(): string {
    return `mqtt://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  publish(topic: string, payload: string): void {
    const message: IPublishPacket = {
      cmd: 'publish',
      topic,
      payload: Buffer.from(payload),
      qos: 1,
      dup: false,
      retain: false,
    };
    for (const session of this.#sessions.values()) {
      if (![...session.subscriptions.keys()].some((filter) => topicMatches(filter, topic))) continue;
      session.queue.push(message);
      this.#deliver(session);
    }
  }

  deliver(): void {
    for (const session of this.#sessions.values()) this.#deliver(session);
  }

  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  forget(): void {
    this.#sessions.clear();
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(socket: Socket): void {
    let connection: Connection | undefined;
    const parser = mqttPacket.parser();
    this.#sockets.add(socket);
    parser.on('packet', (packet: Packet) => {
      if (packet.cmd === 'connect') connection = this.#connect(socket, packet);
      else if (connection !== undefined) this.#handle(connection, packet);
    });
    socket.on('data', (bytes) => void parser.parse(bytes));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#sockets.delete(socket);
      if (connection !== undefined) this.#closed(connection);
    });
  }

  #connect(socket: Socket, packet: IConnectPacket): Connection | undefined {
    const version = packet.protocolVersion ?? 4;
    const receiveMaximum = packet.properties?.receiveMaximum;
    this.connects.push({ version, receiveMaximum });
    const answer = this.manners.connect(packet);
    if (answer === 'close') socket.destroy();
    if (answer !== 'accept') return undefined;
    const known = this.#sessions.get(packet.clientId);
    const session = known ?? { subscriptions: new Map(), queue: [], inFlight: new Map(), leaked: 0 };
    this.#sessions.set(packet.clientId, session);
    const connection = { socket, version, receiveMaximum: receiveMaximum ?? 65_535, session };
    this.#connections.set(session, connection);
    const sessionPresent = known !== undefined;
    this.#send(connection, { cmd: 'connack', sessionPresent, returnCode: 0, reasonCode: 0 });
    this.#deliver(session);
    return connection;
  }

  #closed(connection: Connection): void {
    const { session } = connection;
    if (this.#connections.get(session) !== connection) return;
    this.#connections.delete(session);
    if (this.manners.leaks && connection.version === 5) session.leaked += session.inFlight.size;
    session.queue = [...session.inFlight.values(), ...session.queue];
    session.inFlight.clear();
  }

  #handle(connection: Connection, packet: Packet): void {
    const { session } = connection;
    if (packet.cmd === 'puback') {
      session.inFlight.delete(packet.messageId!);
      this.#deliver(session);
    } else if (packet.cmd === 'subscribe') {
      const granted = packet.subscriptions.map(({ topic }) => {
        const code = this.manners.grant(topic);
        this.subscribed.push(topic);
        if (code < 0x80) session.subscriptions.set(topic, code as 0 | 1 | 2);
        return code;
      });
      this.#send(connection, { cmd: 'suback', messageId: packet.messageId!, granted });
    } else if (packet.cmd === 'publish') {
      this.#published(connection, packet);
    } else if (packet.cmd === 'pingreq') {
      this.#send(connection, { cmd: 'pingresp' });
    } else if (packet.cmd === 'disconnect') {
      connection.socket.end();
    }
  }

  #published(connection: Connection, packet: IPublishPacket): void {
    this.published.push(packet);
    const fate = this.manners.published(packet.topic);
    if (fate === 'disconnect') {
      connection.socket.destroy();
      return;
    }
    this.#send(connection, { cmd: 'puback', messageId: packet.messageId!, reasonCode: 0 });
    if (fate === 'deliver') this.publish(packet.topic, packet.payload.toString());
  }

  #deliver(session: Session): void {
    const connection = this.#connections.get(session);
    if (connection === undefined) return;
    const { receiveMaximum, version } = connection;
    if (this.manners.starves(version, receiveMaximum)) return;
    const window = version === 4 ? Infinity : receiveMaximum - session.leaked;
    while (session.inFlight.size < window) {
      const message = session.queue.shift();
      if (message === undefined) return;
      this.#lastId += 1;
      session.inFlight.set(this.#lastId, message);
      this.#send(connection, { ...message, messageId: this.#lastId });
    }
  }

  #send({ socket, version }: Connection, packet: Packet): void {
    if (socket.writable) socket.write(mqttPacket.generate(packet, { protocolVersion: version }));
  }
}
