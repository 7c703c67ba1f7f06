import type { IPublishPacket, MqttClient } from 'mqtt';

import type { CancelTimer, Clock } from '../../core/clock.ts';
import type { Delivery, Release } from '../../core/message.ts';
import { AckProofs, type AckMark } from './ack-proofs.ts';
import { HeldDelivery, HeldRelease, type Answerable } from './held-delivery.ts';
import { Qos2Packets } from './qos2-packets.ts';

export interface DeferredAcksOptions {
  /** From 1. */
  readonly maxUnacknowledged: number;
  readonly clock: Clock;
  readonly intake: Intake;
}

/** Who takes what the broker sends. Nothing of it may throw. */
export interface Intake {
  /** Gets each delivery. Each has to be acknowledged in the end, also when its connection is gone. */
  receive(delivery: Delivery): void;
  /** Gets each PUBREL; the same holds for it. */
  release(release: Release): void;
  /** PUBACKs up to that of the delivery with this ordinal are on the wire, or were given up with their connection. */
  written(ordinal: number): void;
  /** The broker has them. */
  proven(mark: AckMark): void;
}

type Done = (error?: Error) => void;

/** What becomes of the next packet; only ever forwards. */
type Phase = 'taking' | 'paused' | 'discarding';

/** Never shown: any error makes mqtt.js leave out the PUBACK. */
const ACK_LATER = new Error('acknowledged later');
const ANSWER_BYTES = 4;

/**
 * Takes the acknowledging away from mqtt.js, which handles one packet at a time and would wait for each message to be
 * safe before it looked at the next.
 *
 * - QoS 1: `handleMessage` answers with an error, which makes mqtt.js go on without a PUBACK. We write the PUBACK when
 *   the message is acknowledged: in the order of arrival [MQTT-4.6.0-2], on the connection that delivered it and on no
 *   other; a new connection brings again what was left.
 * - QoS 2: the same with PUBREC, and with PUBCOMP for a PUBREL, in the one order of arrival (qos2-packets.ts).
 * - QoS 0: nothing to answer, but it counts.
 *
 * Never more than `maxUnacknowledged` deliveries are out, those of earlier connections that are still not acknowledged
 * included, whatever the broker sends. At the limit mqtt.js is left waiting ("held"), so that TCP holds the broker
 * back. It then sees no PINGRESP either, hence the pings of our own.
 *
 * The phase, and whether mqtt.js is held, make the state. While it is held no packet comes; "room again" and `finish`
 * let it go on.
 *
 * | state        | a packet comes                    | room again | connection lost | `pause`      | `finish`   |
 * | ------------ | --------------------------------- | ---------- | --------------- | ------------ | ---------- |
 * | taking       | taken; at the limit: taking, held |            |                 | paused       | discarding |
 * | taking, held |                                   | taking     | taking          | paused, held | discarding |
 * | paused       | not taken: paused, held           |            |                 |              | discarding |
 * | paused, held |                                   |            | paused          |              | discarding |
 * | discarding   | thrown away, without an answer    |            |                 |              |            |
 *
 * What was held when the connection was lost or `finish` came, and not taken yet, is thrown away too: the broker sends
 * it again. Acks go out in every state, as long as there is the connection that delivered.
 */
export class DeferredAcks {
  readonly #options: DeferredAcksOptions;
  readonly #qos2 = new Qos2Packets();
  readonly #proofs: AckProofs;
  /** Ring of what came on this connection and waits for its answer, in order of arrival. */
  readonly #ring: (Answerable | undefined)[];
  #head = 0;
  #length = 0;
  #withoutAnswer = 0;
  #fromEarlier = 0;
  #connection = 0;
  #client: MqttClient | undefined;
  #phase: Phase = 'taking';
  /** Lets mqtt.js go on; undefined: it is not held. */
  #held: Done | undefined;
  #cancelPing: CancelTimer | undefined;
  /** Acks are to go out in the next microtask. */
  #isScheduled = false;

  constructor(options: DeferredAcksOptions) {
    this.#options = options;
    this.#ring = Array.from({ length: options.maxUnacknowledged });
    this.#proofs = new AckProofs({
      clock: options.clock,
      ping: () => this.#client?.sendPing(),
      onProven: (mark) => options.intake.proven(mark),
    });
  }

  /** To be the `incomingStore` of every client. */
  get incomingStore(): Qos2Packets['store'] {
    return this.#qos2.store;
  }

  /** Deliveries that are not acknowledged yet, or whose answer has to wait for an earlier one's. */
  get unacknowledged(): number {
    return this.#length + this.#withoutAnswer + this.#fromEarlier;
  }

  /** The number that deliveries of the present connection have, or else those of the next. */
  get connection(): number {
    return this.#connection;
  }

  /** No end has been announced. */
  get isTaking(): boolean {
    return this.#phase === 'taking';
  }

  get #mustHold(): boolean {
    return this.#phase === 'paused' || (this.isTaking && this.unacknowledged >= this.#options.maxUnacknowledged);
  }

  /**
   * Takes over a client that has not connected yet: a broker sends what it kept for the session right behind CONNACK.
   */
  attach(client: MqttClient): void {
    this.#client = client;
    client.handleMessage = (packet, done): void => this.#take(packet, done);
    this.#qos2.attach(client);
    client.on('packetsend', ({ cmd }) => {
      if (cmd === 'pingreq') this.#proofs.pinged();
    });
    client.on('packetreceive', ({ cmd }) => {
      if (cmd === 'pingresp') this.#proofs.answered();
    });
  }

  /** The connection is gone: what was not acknowledged comes again on the next one. */
  detach(): void {
    this.#connection += 1;
    this.#client = undefined;
    this.#held = undefined;
    this.#proofs.closed();
    this.#cancelPing?.();
    this.#cancelPing = undefined;
    this.#fromEarlier += this.#withoutAnswer;
    this.#withoutAnswer = 0;
    while (this.#length > 0) {
      if (!this.#shift().isAcknowledged) this.#fromEarlier += 1;
    }
  }

  /** Takes nothing more; acks still go out. For good: the connection is to end soon. */
  pause(): void {
    if (this.isTaking) this.#phase = 'paused';
  }

  /**
   * Before DISCONNECT: sends the acks that may go, then lets what still comes be read and thrown away, for the broker
   * to send again.
   */
  finish(): void {
    this.#sendAcks();
    this.#phase = 'discarding';
    this.#goOn();
  }

  /** Called by each delivery and release, once. */
  settle(answerable: Answerable): void {
    if (answerable.connection !== this.#connection) this.#fromEarlier -= 1;
    else if (!answerable.isInTurn) this.#withoutAnswer -= 1;
    else if (this.#ring[this.#head] !== answerable) return;
    this.#schedule();
  }

  #take(packet: IPublishPacket, done: Done): void {
    const isQos2 = this.#qos2.isQos2(packet); // known as long as it is the latest packet
    if (this.#mustHold) this.#hold(() => this.#takeNow(packet, isQos2, done));
    else this.#takeNow(packet, isQos2, done);
  }

  #takeNow(packet: IPublishPacket, isQos2: boolean, done: Done): void {
    if (this.#phase === 'discarding') return done(ACK_LATER);
    if (this.#qos2.isPubrel(packet)) this.#takeRelease(packet);
    else this.#takeDelivery(packet, isQos2 ? 2 : packet.qos);
    if (this.#mustHold) this.#hold(done);
    else done(ACK_LATER);
  }

  #takeDelivery(packet: IPublishPacket, qos: 0 | 1 | 2): void {
    const { clock, intake } = this.#options;
    const delivery = new HeldDelivery(this, this.#connection, packet, qos, clock.now());
    if (qos === 0) this.#withoutAnswer += 1;
    else this.#push(delivery);
    intake.receive(delivery);
  }

  #takeRelease({ messageId = 0 }: IPublishPacket): void {
    const release = new HeldRelease(this, this.#connection, messageId);
    this.#push(release);
    this.#options.intake.release(release);
  }

  #push(answerable: Answerable): void {
    this.#ring[(this.#head + this.#length) % this.#ring.length] = answerable;
    this.#length += 1;
  }

  /** Leaves mqtt.js waiting until there is room. */
  #hold(resume: Done): void {
    this.#held = resume;
    this.#client?.reschedulePing(true); // its PINGRESP may be the next packet, which it does not see now
    if (this.#cancelPing === undefined) this.#pingLater();
  }

  /** Goes on for one period after the hold, which is cheaper than a timer made and cancelled at each. */
  #pingLater(): void {
    const client = this.#client;
    if (client === undefined || client.keepalive <= 0) return;
    this.#cancelPing = this.#options.clock.setTimer(client.keepalive * 500, () => {
      this.#cancelPing = undefined;
      if (this.#held === undefined) return;
      client.sendPing();
      client.reschedulePing(true);
      this.#pingLater();
    });
  }

  /**
   * Sends acks in a microtask, so that `receive` is never called from within `acknowledge`, and many acks go in one
   * write.
   */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#sendAcks();
      if (!this.#mustHold) this.#goOn();
    });
  }

  #goOn(): void {
    const resume = this.#held;
    this.#held = undefined;
    resume?.(ACK_LATER);
  }

  #sendAcks(): void {
    const { length } = this.#ring;
    let count = 0;
    while (count < this.#length && this.#ring[(this.#head + count) % length]!.isAcknowledged) count += 1;
    if (count === 0) return;
    const bytes = Buffer.allocUnsafe(count * ANSWER_BYTES);
    let at = 0;
    let ordinal = 0;
    let messageNo = 0;
    for (let i = 0; i < count; i += 1) {
      const answerable = this.#shift();
      if (answerable.answer !== 0) {
        bytes.writeUInt16BE(answerable.answer, at);
        bytes.writeUInt16BE(answerable.packetId!, at + 2);
        at += ANSWER_BYTES;
      }
      ordinal = Math.max(ordinal, answerable.ordinal);
      messageNo = Math.max(messageNo, answerable.messageNo);
    }
    const stream = this.#client?.stream;
    if (stream?.writable === true && at > 0) stream.write(bytes.subarray(0, at));
    this.#options.intake.written(ordinal);
    this.#proofs.wrote(ordinal, messageNo);
  }

  #shift(): Answerable {
    const answerable = this.#ring[this.#head]!;
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.#ring.length;
    this.#length -= 1;
    return answerable;
  }
}
