import type { Delivery } from '../../src/core/message.ts';
import type { Random } from './random.ts';
import type { Life, SimTime } from './sim-clock.ts';
import type { Trace } from './trace.ts';

export interface SimMessage {
  /** From 1, in the order of publishing. */
  readonly id: number;
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1;
  /**
   * `queued`: with the broker; `acknowledged`: it has the bridge's PUBACK, or the bridge has stored it at QoS 0; `lost`: gone with its session,
   * or never stored at QoS 0.
   */
  state: 'queued' | 'acknowledged' | 'lost';
  /** When the bridge last got or acknowledged it. */
  atBridgeMs: number;
  /** The power went while the journal had not synced it: it may be gone, or come again though it has been written. */
  isExcused: boolean;
}

interface InFlight {
  readonly message: SimMessage;
  readonly packetId: number;
  wasSent: boolean;
}

/** What the bridge does with what it gets. */
export interface Intake {
  /** Before the first delivery of each connection; subscribes when it resolves, throws when it never will. */
  connected(sessionPresent: boolean): Promise<void>;
  receive(delivery: Delivery): void;
  disconnected(): void;
}

export interface BrokerOptions {
  /** Count the packet ids up as mosquitto does, or take the lowest that is free. */
  readonly lowestFreeId: boolean;
  readonly window: number;
}

const MAX_PACKET_ID = 65_535;
const WIRE_MS = [0.05, 2] as const;

/**
 * The broker, the wire, and the part of the MQTT client that keeps PUBACKs in the order of arrival [MQTT-4.6.0-2].
 *
 * QoS 1 in a session that outlives connections: what is not acknowledged is sent again on the next one, in order, under its packet
 * id and with DUP. When the connection ends, what is on the wire is lost, in both directions.
 */
export class SimBroker {
  readonly messages: SimMessage[] = [];
  readonly #options: BrokerOptions;
  readonly #time: SimTime;
  readonly #random: Random;
  readonly #trace: Trace;
  /** A session began, and the connection ended before the bridge had written that down: equal bytes of then and now look alike. */
  hasUnnotedSession = false;
  #hasSession = false;
  /** What is published before waits: the obligation begins with the subscription. */
  #isSubscribed = false;
  #queue: SimMessage[] = [];
  #inFlight: InFlight[] = [];
  #lastPacketId = 0;
  #connection: Connection | undefined;

  constructor(options: BrokerOptions, time: SimTime, random: Random, trace: Trace) {
    this.#options = options;
    this.#time = time;
    this.#random = random;
    this.#trace = trace;
  }

  /** Nothing waits for the bridge any more. */
  get isIdle(): boolean {
    return this.#queue.length === 0 && this.#inFlight.length === 0;
  }

  publish(topic: string, payload: Buffer, qos: 0 | 1): SimMessage {
    const id = this.messages.length + 1;
    const state = qos === 0 ? 'lost' : 'queued';
    const message: SimMessage = { id, topic, payload, qos, state, atBridgeMs: -Infinity, isExcused: false };
    this.messages.push(message);
    if (qos === 1) {
      this.#queue.push(message);
      this.#send();
    } else if (this.#isSubscribed) {
      this.#trace(() => `broker: sends message ${id} at QoS 0`);
      this.#connection?.deliver(message, undefined, false);
    }
    return message;
  }

  /** A connection of the bridge; `number` is the client's count within its process. */
  connect(life: Life, number: number, intake: Intake): void {
    this.disconnect();
    this.#trace(() => `broker: connection ${number}, session ${this.#hasSession ? 'present' : 'new'}`);
    const connection = new Connection(this, life, number, intake, this.#random);
    this.#connection = connection;
    const wasPresent = this.#hasSession;
    this.#hasSession = true;
    if (wasPresent && !this.#isSubscribed) this.hasUnnotedSession = true;
    connection.toBridge(() => {
      intake.connected(wasPresent).then(
        () => this.#subscribed(connection),
        () => {}, // the bridge was stopped before
      );
    });
    for (const inFlight of this.#inFlight) this.#sendOne(inFlight);
    this.#send();
  }

  disconnect(): void {
    if (this.#connection === undefined) return;
    this.#trace(() => 'broker: connection lost');
    const connection = this.#connection;
    this.#connection = undefined;
    connection.end();
  }

  /** A broker without persistence restarts, or the session expires. */
  loseSession(): void {
    this.disconnect();
    this.#trace(() => `broker: session lost with ${this.#inFlight.length + this.#queue.length} messages`);
    for (const message of this.#queue) message.state = 'lost';
    for (const { message } of this.#inFlight) message.state = 'lost';
    this.#queue = [];
    this.#inFlight = [];
    this.#lastPacketId = 0;
    this.#hasSession = false;
    this.#isSubscribed = false;
  }

  acknowledged(packetId: number): void {
    const i = this.#inFlight.findIndex((inFlight) => inFlight.packetId === packetId);
    if (i === -1) return;
    const [{ message }] = this.#inFlight.splice(i, 1) as [InFlight];
    message.state = 'acknowledged';
    this.#trace(() => `broker: PUBACK of message ${message.id}`);
    this.#send();
  }

  wireMs(): number {
    return this.#random.between(...WIRE_MS);
  }

  schedule(delayMs: number, run: () => void): void {
    this.#time.setTimer(delayMs, run);
  }

  get nowMs(): number {
    return this.#time.nowMs;
  }

  #subscribed(connection: Connection): void {
    if (this.#connection !== connection || this.#isSubscribed) return;
    this.#isSubscribed = true;
    this.#send();
  }

  #send(): void {
    while (this.#inFlight.length < this.#options.window) {
      // Without a connection a message keeps its place in the queue, and has no packet id yet.
      const isOpen = this.#connection !== undefined && this.#isSubscribed;
      const message = isOpen ? this.#queue.shift() : undefined;
      if (message === undefined) return;
      const inFlight = { message, packetId: this.#freePacketId(), wasSent: false };
      this.#inFlight.push(inFlight);
      this.#sendOne(inFlight);
    }
  }

  #sendOne(inFlight: InFlight): void {
    const duplicate = inFlight.wasSent;
    inFlight.wasSent = true;
    this.#trace(
      () => `broker: sends message ${inFlight.message.id} as ${inFlight.packetId}${duplicate ? ' with DUP' : ''}`,
    );
    this.#connection?.deliver(inFlight.message, inFlight.packetId, duplicate);
  }

  #freePacketId(): number {
    const used = new Set(this.#inFlight.map(({ packetId }) => packetId));
    if (this.#options.lowestFreeId) this.#lastPacketId = 0;
    do {
      this.#lastPacketId = (this.#lastPacketId % MAX_PACKET_ID) + 1;
    } while (used.has(this.#lastPacketId));
    return this.#lastPacketId;
  }
}

interface Waiting {
  readonly packetId: number;
  isAcknowledged: boolean;
}

class Connection {
  #isOver = false;
  readonly #broker: SimBroker;
  readonly #life: Life;
  readonly #number: number;
  readonly #intake: Intake;
  readonly #random: Random;
  /** In order of arrival. */
  readonly #waiting: Waiting[] = [];
  #arrivesAtMs = 0;
  #answersAtMs = 0;
  /** Packet ids of PUBACKs on the wire. */
  readonly #answers: number[] = [];

  constructor(broker: SimBroker, life: Life, number: number, intake: Intake, random: Random) {
    this.#broker = broker;
    this.#life = life;
    this.#number = number;
    this.#intake = intake;
    this.#random = random;
  }

  deliver(message: SimMessage, packetId: number | undefined, duplicate: boolean): void {
    this.toBridge(() => {
      const waiting: Waiting | undefined = packetId === undefined ? undefined : { packetId, isAcknowledged: false };
      if (waiting !== undefined) this.#waiting.push(waiting);
      message.atBridgeMs = this.#broker.nowMs;
      this.#intake.receive({
        topic: message.topic,
        payload: message.payload,
        qos: message.qos,
        retain: false,
        duplicate,
        packetId,
        receivedAtMs: this.#life.now(),
        connection: this.#number,
        acknowledge: () => {
          if (this.#life.isOver) return;
          message.atBridgeMs = this.#broker.nowMs;
          if (waiting === undefined) message.state = 'acknowledged';
          else waiting.isAcknowledged = true;
          this.#sendAcks();
        },
      });
    });
  }

  /** In order, after the time that the wire takes; never once the connection is over. */
  toBridge(arrive: () => void): void {
    // Packets that were sent together mostly arrive together.
    const { nowMs } = this.#broker;
    const travelMs = this.#random.chance(0.5) ? 0 : this.#broker.wireMs();
    this.#arrivesAtMs = Math.max(this.#arrivesAtMs, nowMs) + travelMs;
    this.#broker.schedule(this.#arrivesAtMs - nowMs, () => {
      if (!this.#isOver && !this.#life.isOver) arrive();
    });
  }

  /** Of what was sent back, the beginning may still arrive. */
  end(): void {
    this.#isOver = true;
    const arriving = this.#random.int(0, this.#answers.length);
    for (const packetId of this.#answers.splice(0).slice(0, arriving)) this.#broker.acknowledged(packetId);
    this.#intake.disconnected();
  }

  #sendAcks(): void {
    if (this.#isOver) return;
    while (this.#waiting[0]?.isAcknowledged === true) {
      this.#answers.push(this.#waiting.shift()!.packetId);
      const { nowMs } = this.#broker;
      this.#answersAtMs = Math.max(this.#answersAtMs, nowMs + this.#broker.wireMs());
      this.#broker.schedule(this.#answersAtMs - nowMs, () => {
        if (!this.#isOver) this.#broker.acknowledged(this.#answers.shift()!);
      });
    }
  }
}
