import { createServer, type AddressInfo, type Socket } from 'node:net';

import mqttPacket, { type IConnectPacket, type IPublishPacket, type Packet } from 'mqtt-packet';

import { topicMatches } from '../../src/core/topic-filter.ts';

/** What real brokers were seen to do, and the tests cannot start. */
export interface BrokerManners {
  /** `mute`: takes a CONNECT of MQTT 5 and never answers it. */
  readonly version5: 'taken' | 'mute';
  /** Packet ids: counting over connections, from 1 on each connection, or always the lowest that is free. */
  readonly ids: 'counting' | 'restarting' | 'lowest';
  /** What was not acknowledged comes again under its id, under a new one, or not at all. */
  readonly again: 'sameId' | 'newId' | 'never';
  readonly dup: boolean;
  readonly keepsSession: boolean;
  /** Messages under way to a client. */
  readonly window: number;
  /** What was under way at a break counts against Receive Maximum for ever. */
  readonly leaksWindow: boolean;
  readonly knowsShare: boolean;
  /** It grants QoS 1 and delivers at 0. */
  readonly deliversAt0: boolean;
  /** `+` stands for a level with a dot. */
  readonly plusWithDot: boolean;
}

export const GOOD_MANNERS: BrokerManners = {
  version5: 'taken',
  ids: 'counting',
  again: 'sameId',
  dup: true,
  keepsSession: true,
  window: 1000,
  leaksWindow: false,
  knowsShare: true,
  deliversAt0: false,
  plusWithDot: true,
};

interface Message {
  readonly topic: string;
  readonly payload: Buffer;
  readonly retain: boolean;
  /** It was sent on a connection that is gone. */
  readonly sentAs?: number;
}

interface Session {
  readonly filters: Map<string, 0 | 1>;
  queue: Message[];
  underWay: Map<number, Message>;
  lastId: number;
  leaked: number;
  receiveMaximum: number;
  send: ((packet: Packet) => void) | undefined;
}

/** With a DISCONNECT, with one that ends the session too, or without. */
type End = 'left' | 'over' | 'lost';

/** A small broker of QoS 1 with the manners of others, for one process and some clients. */
export interface ManneredBroker {
  readonly url: string;
  /** Client ids of sessions that are there. */
  readonly sessions: () => readonly string[];
  readonly retained: ReadonlyMap<string, Buffer>;
  /** Client ids in the order of their CONNECT. */
  readonly connects: readonly string[];
  /** Topics of all messages that were published. */
  readonly topics: readonly string[];
  stop(): Promise<void>;
}

export async function startManneredBroker(manners: Partial<BrokerManners>): Promise<ManneredBroker> {
  const broker = new Broker({ ...GOOD_MANNERS, ...manners });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    broker.serve(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sessions: () => [...broker.sessions.keys()],
    retained: broker.retained,
    connects: broker.connects,
    topics: broker.topics,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

class Broker {
  readonly sessions = new Map<string, Session>();
  readonly retained = new Map<string, Buffer>();
  readonly connects: string[] = [];
  readonly topics: string[] = [];
  readonly #manners: BrokerManners;
  #turn = 0;

  constructor(manners: BrokerManners) {
    this.#manners = manners;
  }

  serve(socket: Socket): void {
    let end = (_how: End): void => {};
    let session: Session | undefined;
    let protocolVersion = 4;
    const parser = mqttPacket.parser();
    const send = (packet: Packet): void => {
      if (socket.writable) socket.write(mqttPacket.generate(packet, { protocolVersion }));
    };
    parser.on('packet', (packet: Packet) => {
      if (packet.cmd === 'connect') {
        protocolVersion = packet.protocolVersion ?? 4;
        this.connects.push(packet.clientId);
        if (protocolVersion === 5 && this.#manners.version5 === 'mute') return;
        ({ end, session } = this.#connect(packet, send));
        this.#deliver(session);
      } else if (packet.cmd === 'disconnect') {
        end(packet.properties?.sessionExpiryInterval === 0 ? 'over' : 'left');
        socket.end();
      } else if (session !== undefined) {
        this.#take(packet, session, send);
      }
    });
    parser.on('error', () => socket.destroy());
    socket.on('data', (bytes: Buffer) => void parser.parse(bytes)).on('close', () => end('lost'));
  }

  #connect(packet: IConnectPacket, send: (packet: Packet) => void): { end: (how: End) => void; session: Session } {
    const { clientId, clean = false, properties } = packet;
    const isKept = packet.protocolVersion === 5 ? (properties?.sessionExpiryInterval ?? 0) > 0 : !clean;
    const known = clean ? undefined : this.sessions.get(clientId);
    const session: Session = known ?? {
      filters: new Map(),
      queue: [],
      underWay: new Map(),
      lastId: 0,
      leaked: 0,
      receiveMaximum: 65_535,
      send: undefined,
    };
    session.send = send;
    session.receiveMaximum = properties?.receiveMaximum ?? 65_535;
    if (this.#manners.ids === 'restarting') session.lastId = 0;
    this.sessions.set(clientId, session);
    send({ cmd: 'connack', returnCode: 0, reasonCode: 0, sessionPresent: known !== undefined });
    let hasLeft = false;
    const end = (how: End): void => {
      const { will } = packet;
      if (how === 'lost' && !hasLeft && will !== undefined) {
        this.#publish({ topic: will.topic, payload: Buffer.from(will.payload), retain: will.retain === true });
      }
      hasLeft = true;
      if (session.send !== send) return;
      session.send = undefined;
      if (how === 'over' || !isKept || !this.#manners.keepsSession) this.sessions.delete(clientId);
      this.#putBack(session);
    };
    return { end, session };
  }

  /** The connection is gone: what was under way is to come again, before all else. */
  #putBack(session: Session): void {
    const pending: Message[] = [];
    for (const [sentAs, { payload, retain, topic }] of session.underWay)
      pending.push({ topic, payload, retain, sentAs });
    session.underWay.clear();
    if (this.#manners.leaksWindow) session.leaked += pending.length;
    if (this.#manners.again !== 'never') session.queue.unshift(...pending);
  }

  #take(packet: Packet, session: Session, send: (packet: Packet) => void): void {
    if (packet.cmd === 'publish') {
      if (packet.qos === 1) send({ cmd: 'puback', messageId: packet.messageId ?? 0, reasonCode: 0 });
      this.#publish(packet);
    } else if (packet.cmd === 'puback') {
      session.underWay.delete(packet.messageId ?? 0);
      this.#deliver(session);
    } else if (packet.cmd === 'subscribe') {
      const granted = packet.subscriptions.map(({ qos, topic }) => {
        session.filters.set(topic, qos === 0 ? 0 : 1);
        return qos === 0 ? 0 : 1;
      });
      send({ cmd: 'suback', messageId: packet.messageId ?? 0, granted });
      for (const { topic: filter } of packet.subscriptions) {
        for (const [topic, payload] of this.retained) {
          if (topicMatches(filter, topic)) session.queue.push({ topic, payload, retain: true });
        }
      }
      this.#deliver(session);
    } else if (packet.cmd === 'unsubscribe') {
      for (const topic of packet.unsubscriptions) session.filters.delete(topic);
      send({ cmd: 'unsuback', messageId: packet.messageId ?? 0, granted: packet.unsubscriptions.map(() => 0) });
    } else if (packet.cmd === 'pingreq') {
      send({ cmd: 'pingresp' });
    }
  }

  #publish({ payload, retain, topic }: Pick<IPublishPacket, 'payload' | 'retain' | 'topic'>): void {
    this.topics.push(topic);
    const bytes = Buffer.from(payload);
    if (retain && bytes.length === 0) this.retained.delete(topic);
    else if (retain) this.retained.set(topic, bytes);
    const matching = [...this.sessions.values()].filter((session) => this.#wants(session, topic, false));
    const members = [...this.sessions.values()].filter((session) => this.#wants(session, topic, true));
    const member = members[(this.#turn += 1) % Math.max(1, members.length)];
    for (const session of new Set([...matching, ...(member === undefined ? [] : [member])])) {
      session.queue.push({ topic, payload: bytes, retain: false });
      this.#deliver(session);
    }
  }

  #wants({ filters }: Session, topic: string, isShared: boolean): boolean {
    return [...filters.keys()].some((filter) => {
      if (filter.startsWith('$share/') !== isShared) return false;
      if (isShared && !this.#manners.knowsShare) return false;
      if (!this.#manners.plusWithDot && filter.includes('+') && topic.includes('.')) return false;
      return topicMatches(filter, topic);
    });
  }

  #deliver(session: Session): void {
    const room = Math.min(this.#manners.window, session.receiveMaximum - session.leaked);
    while (session.send !== undefined && session.queue.length > 0 && session.underWay.size < room) {
      const { payload, retain, sentAs, topic } = session.queue.shift()!;
      if (this.#manners.deliversAt0) {
        session.send({ cmd: 'publish', topic, payload, qos: 0, retain, dup: false });
        continue;
      }
      const messageId = sentAs !== undefined && this.#manners.again === 'sameId' ? sentAs : this.#nextId(session);
      session.underWay.set(messageId, { topic, payload, retain });
      const dup = sentAs !== undefined && this.#manners.dup;
      session.send({ cmd: 'publish', topic, payload, qos: 1, retain, dup, messageId });
    }
  }

  #nextId(session: Session): number {
    if (this.#manners.ids !== 'lowest') return (session.lastId += 1);
    let id = 1;
    while (session.underWay.has(id)) id += 1;
    return id;
  }
}
