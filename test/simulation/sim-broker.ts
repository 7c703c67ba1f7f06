import type { BrokerManners } from './manners.ts';
import type { Random } from './random.ts';
import type { Life, SimTime } from './sim-clock.ts';
import { SimWire, type WireIntake } from './sim-wire.ts';
import type { Trace } from './trace.ts';

export interface SimMessage {
  /** From 1, in the order of publishing. */
  readonly id: number;
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  /**
   * `queued`: with the broker; `acknowledged`: it has the bridge's PUBACK or PUBREC, or the bridge has stored it at QoS
   * 0; `lost`: gone with its session, or never stored at QoS 0.
   */
  state: 'queued' | 'acknowledged' | 'lost';
  /** When the bridge last got or acknowledged it. */
  atBridgeMs: number;
  /**
   * How often the power went while the journal had not synced it: each time it may be gone, or come again though it has
   * been written.
   */
  excuses: number;
}

interface InFlight {
  readonly message: SimMessage;
  packetId: number;
  wasSent: boolean;
  /** At QoS 2, once PUBREC has come: what is sent again is the PUBREL. */
  isReleased: boolean;
  sentAtMs: number;
}

interface Acknowledged {
  readonly inFlight: InFlight;
  readonly atMs: number;
}

export interface BrokerOptions {
  readonly manners: BrokerManners;
  readonly window: number;
  /** How often the bridge asks for a proof. */
  readonly proofIntervalMs: number;
}

const MAX_PACKET_ID = 65_535;
/** Of the interval between two proofs: the bridge assumes of every broker that it is durable within one. */
const MOST_FORGOTTEN = 0.5;
/**
 * How soon what is not acknowledged is sent again on the same connection: at first, and at most, as each time without
 * an acknowledgement doubles it. A bridge whose disk is full hears it thousands of times else, and nothing new.
 */
const REPEAT_MS = { first: 30, most: 2_000 };
const STARVED_MS = 1_000;

/**
 * The broker: QoS 1 and 2 in a session that outlives connections. What is not acknowledged is sent again on the next
 * one, as its manners are. When the connection ends, what is on the wire is lost, in both directions.
 */
export class SimBroker {
  readonly messages: SimMessage[] = [];
  readonly #manners: BrokerManners;
  readonly #proofIntervalMs: number;
  #window: number;
  readonly #time: SimTime;
  readonly #random: Random;
  readonly #trace: Trace;
  /**
   * A session began, and the connection ended before the bridge had written that down: equal bytes of then and now look
   * alike.
   */
  hasUnnotedSession = false;
  /** How many connections there were. */
  connections = 0;
  #hasSession = false;
  /** What is published before waits: the obligation begins with the subscription. */
  #isSubscribed = false;
  #queue: SimMessage[] = [];
  #inFlight: InFlight[] = [];
  /** In flight when connections ended, and never forgiven. */
  #leaked = 0;
  #forgettable: Acknowledged[] = [];
  #lastPacketId = 0;
  #wire: SimWire | undefined;

  constructor(options: BrokerOptions, time: SimTime, random: Random, trace: Trace) {
    this.#manners = options.manners;
    this.#window = options.window;
    this.#proofIntervalMs = options.proofIntervalMs;
    this.#time = time;
    this.#random = random;
    this.#trace = trace;
  }

  /** Nothing waits for the bridge any more. */
  get isIdle(): boolean {
    return this.#queue.length === 0 && this.#inFlight.length === 0;
  }

  publish(topic: string, payload: Buffer, qos: 0 | 1 | 2): SimMessage {
    const id = this.messages.length + 1;
    const state = qos === 0 ? 'lost' : 'queued';
    const message: SimMessage = { id, topic, payload, qos, state, atBridgeMs: -Infinity, excuses: 0 };
    this.messages.push(message);
    if (qos > 0) {
      this.#queue.push(message);
      this.#send();
    } else if (this.#isSubscribed) {
      this.#trace(() => `broker: sends message ${id} at QoS 0`);
      this.#wire?.deliver(message, undefined, false);
    }
    return message;
  }

  /** A connection of the bridge; `number` is the client's count within its process. */
  connect(life: Life, number: number, intake: WireIntake): void {
    this.disconnect();
    this.connections += 1;
    this.#trace(() => `broker: connection ${number}, session ${this.#hasSession ? 'present' : 'new'}`);
    const wire = new SimWire(this, life, { number, proofIntervalMs: this.#proofIntervalMs }, intake, this.#random);
    this.#wire = wire;
    const wasPresent = this.#hasSession;
    this.#hasSession = true;
    if (wasPresent && !this.#isSubscribed) this.hasUnnotedSession = true;
    wire.toBridge(() => {
      intake.connected(wasPresent).then(
        () => this.#subscribed(wire),
        () => {}, // the bridge was stopped before
      );
    });
    this.#sendAgain();
    this.#send();
    if (this.#manners.repeats) this.#repeatLater(wire);
    if (this.#manners.leaks) this.#watchStarving(wire);
  }

  disconnect(): void {
    if (this.#wire === undefined) return;
    this.#trace(() => 'broker: connection lost');
    const wire = this.#wire;
    this.#wire = undefined;
    wire.end();
    if (this.#manners.leaks) this.#leaked += this.#inFlight.length;
    if (this.#manners.forgets && this.#random.chance(0.5)) this.#forget();
    this.#forgettable = [];
  }

  /** A broker without persistence restarts, or the session expires. */
  loseSession(): void {
    this.disconnect();
    this.#trace(() => `broker: session lost with ${this.#inFlight.length + this.#queue.length} messages`);
    for (const message of this.#queue) message.state = 'lost';
    for (const { message } of this.#inFlight) if (message.state === 'queued') message.state = 'lost';
    this.#queue = [];
    this.#inFlight = [];
    this.#lastPacketId = 0;
    this.#leaked = 0;
    this.#hasSession = false;
    this.#isSubscribed = false;
  }

  /** PUBACK, PUBREC or PUBCOMP: a PUBREC that comes twice says nothing new. */
  answered(packetId: number, isPubcomp: boolean): void {
    const inFlight = this.#inFlight.find((each) => each.packetId === packetId);
    if (inFlight === undefined || inFlight.isReleased !== isPubcomp) return;
    const { message } = inFlight;
    this.#trace(() => `broker: answer for message ${message.id}`);
    message.state = 'acknowledged';
    if (message.qos === 2 && !inFlight.isReleased) {
      inFlight.isReleased = true;
      this.#wire?.release(packetId);
      return;
    }
    this.#inFlight.splice(this.#inFlight.indexOf(inFlight), 1);
    if (message.qos === 1) this.#forgettable.push({ inFlight, atMs: this.#time.nowMs });
    this.#send();
  }

  get nowMs(): number {
    return this.#time.nowMs;
  }

  schedule(delayMs: number, run: () => void): void {
    this.#time.setTimer(delayMs, run);
  }

  #subscribed(wire: SimWire): void {
    if (this.#wire !== wire || this.#isSubscribed) return;
    this.#isSubscribed = true;
    this.#send();
  }

  #sendAgain(): void {
    const { ids, renumbers, renumbersExact, shuffles } = this.#manners;
    if (ids === 'from 1 each connection') this.#lastPacketId = 0;
    for (const each of this.#inFlight) {
      const isExact = each.message.qos === 2;
      if (isExact ? renumbersExact && !each.isReleased : renumbers) each.packetId = 0;
    }
    const again = shuffles ? shuffled(this.#inFlight, this.#random) : this.#inFlight;
    for (const inFlight of again) {
      if (inFlight.packetId === 0) inFlight.packetId = this.#freePacketId();
      this.#sendOne(inFlight, true);
    }
  }

  #send(): void {
    const isOnConnecting = this.#wire?.hasDelivered === false;
    while (this.#inFlight.length + this.#leaked < this.#window) {
      // Without a connection a message keeps its place in the queue, and has no packet id yet.
      const isOpen = this.#wire !== undefined && this.#isSubscribed;
      const message = isOpen ? this.#queue.shift() : undefined;
      if (message === undefined) return;
      const inFlight = { message, packetId: this.#freePacketId(), wasSent: false, isReleased: false, sentAtMs: 0 };
      this.#inFlight.push(inFlight);
      this.#sendOne(inFlight, isOnConnecting);
    }
  }

  #sendOne(inFlight: InFlight, isOnConnecting: boolean): void {
    const { duplicates } = this.#manners;
    const { isReleased, message, packetId, wasSent } = inFlight;
    const duplicate = duplicates === 'always' ? isOnConnecting || wasSent : duplicates === 'right' && wasSent;
    inFlight.wasSent = true;
    inFlight.sentAtMs = this.#time.nowMs;
    const what = isReleased ? 'releases' : `sends${duplicate ? ' with DUP' : ''}`;
    this.#trace(() => `broker: ${what} message ${message.id} as ${packetId}`);
    if (isReleased) this.#wire?.release(packetId);
    else this.#wire?.deliver(message, packetId, duplicate);
  }

  #repeatLater(wire: SimWire, afterMs = REPEAT_MS.first, before?: InFlight): void {
    this.schedule(afterMs, () => {
      if (this.#wire !== wire) return;
      const [oldest] = this.#inFlight;
      for (const each of this.#inFlight) {
        if (!each.isReleased && this.#time.nowMs - each.sentAtMs >= afterMs) this.#sendOne(each, false);
      }
      const isAcknowledging = oldest === undefined || oldest !== before;
      this.#repeatLater(wire, isAcknowledging ? REPEAT_MS.first : Math.min(REPEAT_MS.most, 2 * afterMs), oldest);
    });
  }

  /** The bridge's part in it: it notices that nothing comes, and connects anew with a larger limit. */
  #watchStarving(wire: SimWire): void {
    this.schedule(STARVED_MS, () => {
      if (this.#wire !== wire) return;
      if (this.#leaked < this.#window || this.isIdle) return this.#watchStarving(wire);
      this.#trace(() => 'bridge: the session is starved');
      this.#window += this.#leaked;
      this.disconnect();
    });
  }

  /** As many as the window has room for beside what it leaks: more than that a broker has not under way. */
  #forget(): void {
    const sinceMs = this.#time.nowMs - this.#random.between(0, MOST_FORGOTTEN * this.#proofIntervalMs);
    const forgotten = this.#forgettable.filter(({ atMs }) => atMs >= sinceMs).map(({ inFlight }) => inFlight);
    const room = Math.max(0, this.#window - this.#leaked - this.#inFlight.length);
    if (room === 0 || forgotten.length === 0) return;
    this.#trace(() => `broker: crashes, and has forgotten up to ${room} of ${forgotten.length} answers`);
    this.#inFlight.unshift(...forgotten.slice(-room));
  }

  #freePacketId(): number {
    const used = new Set(this.#inFlight.map(({ packetId }) => packetId));
    if (this.#manners.ids === 'lowest free') this.#lastPacketId = 0;
    do {
      this.#lastPacketId = (this.#lastPacketId % MAX_PACKET_ID) + 1;
    } while (used.has(this.#lastPacketId));
    return this.#lastPacketId;
  }
}

function shuffled<T>(list: readonly T[], random: Random): T[] {
  return list
    .map((item) => ({ item, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
