import type { Delivery } from '../../../src/core/message.ts';
import { AckProofs, type AckMark } from '../../../src/mqtt/acks/ack-proofs.ts';
import { RedeliveryCheck } from '../../../src/mqtt/redelivery/redelivery.ts';
import type { BrokerManners } from '../../simulation/manners.ts';

export interface ModelManners extends BrokerManners {
  /**
   * What was in flight at a break waits for a timer, under its id, and is forgotten when a new message gets that id
   * before (Moquette, findings/moquette-overwrites.sh).
   */
  readonly overwrites: boolean;
}

export interface ModelOptions {
  readonly manners: ModelManners;
  readonly maxPacketId: number;
  readonly maxInFlight: number;
  readonly window: number;
  readonly maxPayloadBytes: number;
}

export type ModelStep =
  | { readonly do: 'publish'; readonly payload: string }
  | { readonly do: 'send' | 'receive' | 'commit' | 'carry answers'; readonly count: number }
  | { readonly do: 'ping' | 'repeat' | 'checkpoint' | 'reconnect' | 'kill' | 'lose session' };

interface InFlight {
  readonly payload: string;
  packetId: number;
  isSent: boolean;
}

interface Stored {
  readonly inFlight: InFlight;
  readonly number: number;
  readonly payload: string;
  readonly packetId: number;
  readonly connection: number;
  readonly duplicate: boolean;
  /** Of the session that the broker has now. */
  readonly session: number;
  isDurable: boolean;
}

interface Answer {
  readonly packetId: number;
  readonly ordinal: number;
  readonly stored: Stored | undefined;
  /** No PUBACK goes out for it. */
  readonly isWithheld: boolean;
}

type Packet = { readonly inFlight: InFlight; readonly packetId: number; readonly duplicate: boolean } | 'pong';

/** The payload of a message without a time begins so. */
export const UNTIMED = 'state';

/**
 * A broker with manners, two wires and a bridge with a journal and a checkpoint, as small as they can be. Either end
 * may vanish at any step: what is on the wires is then lost, the bridge keeps what is durable, the broker what it had.
 */
export class RedeliveryModel {
  repeated = 0;
  /** How often a payload was stored with a doubt. */
  readonly doubts = new Map<string, number>();
  /** How often a payload was published to a session that was not lost with it. */
  readonly owed = new Map<string, number>();
  readonly #options: ModelOptions;
  #check: RedeliveryCheck;
  #proofs: AckProofs;
  #queue: string[] = [];
  #inFlight: InFlight[] = [];
  /** Of earlier connections, with manners that overwrite. */
  #waiting: InFlight[] = [];
  readonly #overwritten: InFlight[] = [];
  /** Whose PUBACK the broker may still forget: read since the last PINGREQ, and since the one before. */
  #fresh: InFlight[] = [];
  #settling: InFlight[] = [];
  #lastPacketId = 0;
  #toBridge: Packet[] = [];
  #toBroker: (Answer | 'ping')[] = [];
  #connection = 1;
  #session = 1;
  readonly #journal: Stored[] = [];
  #unacknowledged: Answer[] = [];
  #mark: AckMark = { ordinal: 0, messageNo: 0 };
  #acknowledgedThrough = 0;
  #checkpoint = { acknowledgedThrough: 0, idsCountOn: false, setsDuplicate: false, keepsIds: false };

  constructor(options: ModelOptions) {
    this.#options = options;
    this.#check = this.#newCheck();
    this.#proofs = this.#newProofs();
  }

  run(step: ModelStep): void {
    if (step.do === 'publish') this.#publish(step.payload);
    else if (step.do === 'send') this.#send(step.count);
    else if (step.do === 'receive') for (const packet of this.#toBridge.splice(0, step.count)) this.#receive(packet);
    else if (step.do === 'commit') this.#commit(step.count);
    else if (step.do === 'carry answers') for (const each of this.#toBroker.splice(0, step.count)) this.#answered(each);
    else if (step.do === 'ping') this.#ping();
    else if (step.do === 'repeat') this.#repeat();
    else if (step.do === 'checkpoint') this.#save();
    else this.#interrupt(step.do);
  }

  /** Lets everything come to its end; gives how often each payload is stored. */
  finish(): ReadonlyMap<string, number> {
    const all = this.#queue.length + this.#inFlight.length + this.#waiting.length + this.#toBridge.length + 1;
    for (let i = 0; i < 4 * all; i += 1) {
      this.#repeatWaiting();
      for (const step of ['send', 'receive', 'commit', 'carry answers'] as const) this.run({ do: step, count: 1_000 });
    }
    for (const inFlight of this.#overwritten) {
      if (!this.#journal.some((stored) => stored.inFlight === inFlight)) this.#owe(inFlight.payload, -1);
    }
    const stored = new Map<string, number>();
    for (const { payload } of this.#journal) stored.set(payload, (stored.get(payload) ?? 0) + 1);
    return stored;
  }

  #publish(payload: string): void {
    this.#queue.push(payload);
    this.#owe(payload, 1);
  }

  #owe(payload: string, times: number): void {
    this.owed.set(payload, (this.owed.get(payload) ?? 0) + times);
  }

  #send(count: number): void {
    for (let i = 0; i < count && this.#inFlight.length < this.#options.maxInFlight; i += 1) {
      const payload = this.#queue.shift();
      if (payload === undefined) return;
      const inFlight = { payload, packetId: this.#freePacketId(), isSent: false };
      this.#overwrite(inFlight.packetId);
      this.#inFlight.push(inFlight);
      this.#sendOne(inFlight, false);
    }
  }

  #overwrite(packetId: number): void {
    const overwritten = this.#waiting.find((each) => each.packetId === packetId);
    if (overwritten === undefined) return;
    this.#waiting.splice(this.#waiting.indexOf(overwritten), 1);
    this.#overwritten.push(overwritten);
  }

  #sendOne(inFlight: InFlight, isOnConnecting: boolean): void {
    const { duplicates } = this.#options.manners;
    const duplicate = duplicates !== 'never' && (inFlight.isSent || (duplicates === 'always' && isOnConnecting));
    inFlight.isSent = true;
    this.#toBridge.push({ inFlight, packetId: inFlight.packetId, duplicate });
  }

  #repeat(): void {
    if (this.#options.manners.repeats) for (const inFlight of this.#inFlight) this.#sendOne(inFlight, false);
    this.#repeatWaiting();
  }

  #repeatWaiting(): void {
    const waiting = this.#waiting.splice(0);
    this.#inFlight.push(...waiting);
    for (const inFlight of waiting) this.#sendOne(inFlight, true);
  }

  #freePacketId(): number {
    const used = new Set(this.#inFlight.map(({ packetId }) => packetId));
    if (this.#options.manners.ids === 'lowest free') this.#lastPacketId = 0;
    do {
      this.#lastPacketId = (this.#lastPacketId % this.#options.maxPacketId) + 1;
    } while (used.has(this.#lastPacketId));
    return this.#lastPacketId;
  }

  #receive(packet: Packet): void {
    if (packet === 'pong') {
      this.#proofs.answered();
      return;
    }
    const { duplicate, inFlight, packetId } = packet;
    const { payload } = inFlight;
    const connection = this.#connection;
    let isWithheld = false;
    const withhold = (): void => void (isWithheld = true);
    const delivery = deliveryOf({ packetId, payload: Buffer.from(payload), duplicate, connection, withhold });
    const verdict = this.#check.take(delivery);
    if (verdict === 'repeated') this.repeated += 1;
    if (verdict === 'maybe repeated') this.doubts.set(payload, (this.doubts.get(payload) ?? 0) + 1);
    const stored = verdict === 'repeated' ? undefined : this.#store(inFlight, packetId, duplicate);
    this.#unacknowledged.push({ packetId, ordinal: delivery.ordinal, stored, isWithheld });
    this.#acknowledge();
  }

  #store(inFlight: InFlight, packetId: number, duplicate: boolean): Stored {
    const { payload } = inFlight;
    const number = (this.#journal.at(-1)?.number ?? 0) + 1;
    const connection = this.#connection;
    const session = this.#session;
    const stored = { inFlight, number, payload, packetId, connection, duplicate, session, isDurable: false };
    this.#journal.push(stored);
    return stored;
  }

  #commit(count: number): void {
    for (const stored of this.#journal.filter(({ isDurable }) => !isDurable).slice(0, count)) stored.isDurable = true;
    this.#acknowledge();
  }

  /** In the order of arrival; what is repeated waits until all before it is durable, as in the bridge. */
  #acknowledge(): void {
    for (;;) {
      const next = this.#unacknowledged[0];
      const isSafe = next?.stored?.isDurable ?? this.#journal.every(({ isDurable }) => isDurable);
      if (next === undefined || !isSafe) return;
      this.#unacknowledged.shift();
      if (!next.isWithheld) this.#toBroker.push(next);
      this.#check.written(next.ordinal);
      this.#proofs.wrote(next.ordinal, next.stored?.number ?? 0);
    }
  }

  #answered(what: Answer | 'ping'): void {
    if (what === 'ping') {
      this.#toBridge.push('pong');
      this.#settling = this.#fresh;
      this.#fresh = [];
      return;
    }
    const inFlight = this.#inFlight.find(({ packetId }) => packetId === what.packetId);
    if (inFlight === undefined) return;
    this.#inFlight.splice(this.#inFlight.indexOf(inFlight), 1);
    this.#fresh.push(inFlight);
  }

  #ping(): void {
    this.#proofs.pinged();
    this.#toBroker.push('ping');
  }

  /** As the pipeline does. */
  #proven(mark: AckMark): void {
    this.#check.confirmed(mark.ordinal);
    if (mark.messageNo > this.#mark.messageNo) this.#mark = mark;
    if (!this.#check.isInDoubt) this.#acknowledgedThrough = Math.max(this.#acknowledgedThrough, mark.messageNo);
  }

  #save(): void {
    this.#checkpoint = { acknowledgedThrough: this.#acknowledgedThrough, ...this.#check.manners };
  }

  #interrupt(how: 'reconnect' | 'kill' | 'lose session'): void {
    this.#connection += 1;
    this.#toBridge = [];
    this.#toBroker = [];
    this.#unacknowledged = [];
    this.#proofs.closed();
    if (how === 'kill') this.#restart();
    if (how === 'lose session') this.#loseSession();
    else this.#resume();
  }

  #restart(): void {
    this.#journal.splice(0, this.#journal.length, ...this.#journal.filter(({ isDurable }) => isDurable));
    this.#check = this.#newCheck();
    this.#proofs = this.#newProofs();
    this.#check.resume(this.#checkpoint);
    this.#acknowledgedThrough = this.#checkpoint.acknowledgedThrough;
    for (const { inFlight, session, number, ...stored } of this.#journal) {
      if (session !== this.#session) continue;
      const message = { ...stored, topic: 't', payload: Buffer.from(inFlight.payload) };
      this.#check.recall(message, number <= this.#acknowledgedThrough);
    }
  }

  #loseSession(): void {
    const inFlight = [...this.#inFlight, ...this.#waiting].map((each) => each.payload);
    for (const payload of [...this.#queue, ...inFlight]) this.#owe(payload, -1);
    this.#queue = [];
    this.#inFlight = [];
    this.#waiting = [];
    this.#forgetAnswers();
    this.#lastPacketId = 0;
    this.#session += 1;
    this.#check.forget();
    this.#save();
  }

  #resume(): void {
    const { forgets, ids, overwrites, renumbers, shuffles } = this.#options.manners;
    if (forgets) {
      const room = Math.max(0, this.#options.maxInFlight - this.#inFlight.length);
      if (room > 0) this.#inFlight.unshift(...[...this.#settling, ...this.#fresh].slice(-room));
    }
    this.#forgetAnswers();
    if (ids === 'from 1 each connection') this.#lastPacketId = 0;
    if (overwrites) this.#waiting.push(...this.#inFlight.splice(0));
    if (renumbers) for (const inFlight of this.#inFlight) inFlight.packetId = 0;
    for (const inFlight of shuffles ? this.#inFlight.toReversed() : this.#inFlight) {
      if (inFlight.packetId === 0) inFlight.packetId = this.#freePacketId();
      this.#sendOne(inFlight, true);
    }
  }

  #forgetAnswers(): void {
    this.#fresh = [];
    this.#settling = [];
  }

  #newCheck(): RedeliveryCheck {
    return new RedeliveryCheck({
      ...this.#options,
      hasOwnTime: (_topic, payload) => !payload.toString().startsWith(UNTIMED),
    });
  }

  /** Pings are steps of the model. */
  #newProofs(): AckProofs {
    const clock = {
      now: () => 0,
      monotonic: () => 0,
      random: () => 0,
      setTimer: () => () => {},
      turn: () => Promise.resolve(),
    };
    return new AckProofs({ clock, ping: () => {}, onProven: (mark) => this.#proven(mark) });
  }
}

export function deliveryOf(
  fields: Pick<Delivery, 'packetId' | 'payload' | 'duplicate' | 'connection'> & Partial<Delivery>,
): Delivery {
  const calls = { withhold: () => {}, acknowledge: () => {} };
  return { topic: 't', qos: 1, retain: false, receivedAtMs: 0, ordinal: 0, ...calls, ...fields };
}
