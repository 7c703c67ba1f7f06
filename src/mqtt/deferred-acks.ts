import type { IPublishPacket, MqttClient } from 'mqtt';

import type { CancelTimer, Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Delivery } from '../core/message.ts';
import { HeldDelivery } from './held-delivery.ts';
import { Qos2Store } from './qos2-store.ts';

export interface DeferredAcksOptions {
  /** From 1. */
  readonly maxUnacknowledged: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Gets each delivery; must not throw. Each has to be acknowledged in the end, also when its connection is gone. */
  readonly receive: (delivery: Delivery) => void;
}

type Done = (error?: Error) => void;

/** Never shown: any error makes mqtt.js leave out the PUBACK. */
const ACK_LATER = new Error('acknowledged later');
const PUBACK = 0x4002;
const PUBACK_BYTES = 4;

/**
 * Takes the acknowledging away from mqtt.js, which handles one packet at a time and would wait for each message to be safe before it
 * looked at the next.
 *
 * - QoS 1: `handleMessage` answers with an error, which makes mqtt.js go on without a PUBACK. We write the PUBACK when the message is
 *   acknowledged: in the order of arrival [MQTT-4.6.0-2], on the connection that delivered it and on no other; a new connection brings
 *   again what was left.
 * - QoS 2: taken before PUBREC, one at a time: see Qos2Store.
 * - QoS 0: nothing to answer, but it counts.
 *
 * Never more than `maxUnacknowledged` deliveries are out, those of earlier connections that are still not acknowledged included, whatever
 * the broker sends. At the limit mqtt.js is left waiting ("held"), so that TCP holds the broker back. It then sees no PINGRESP either,
 * hence the pings of our own.
 */
export class DeferredAcks {
  /** To be the `incomingStore` of every client, as QoS 2 goes on where it was. */
  readonly qos2Store: Qos2Store;
  readonly #options: DeferredAcksOptions;
  /** Ring of the QoS 1 deliveries of this connection that wait for their PUBACK, in order of arrival. */
  readonly #ring: (HeldDelivery | undefined)[];
  #head = 0;
  #length = 0;
  #withoutPuback = 0;
  #fromEarlier = 0;
  #connection = 0;
  #client: MqttClient | undefined;
  #isHeld = false;
  /** Lets mqtt.js go on, once there is room. */
  #resume: Done | undefined;
  /** Sends PUBREC for the QoS 2 message in hand and lets mqtt.js go on. */
  #qos2Answer: Done | undefined;
  #cancelPing: CancelTimer | undefined;
  #isPaused = false;
  #isFinishing = false;
  #isScheduled = false;
  #hasWarnedOfQos2 = false;

  constructor(options: DeferredAcksOptions) {
    this.#options = options;
    this.#ring = Array.from({ length: options.maxUnacknowledged });
    this.qos2Store = new Qos2Store((packet, answer) => this.#takeQos2(packet, answer));
  }

  /** Deliveries that are not acknowledged yet, or whose PUBACK has to wait for an earlier one's. */
  get unacknowledged(): number {
    return this.#length + this.#withoutPuback + this.#fromEarlier;
  }

  /** The number that deliveries of the present connection have, or else those of the next. */
  get connection(): number {
    return this.#connection;
  }

  get #isFull(): boolean {
    return this.#isPaused || this.unacknowledged >= this.#options.maxUnacknowledged;
  }

  /** Takes over a client that has not connected yet: a broker sends what it kept for the session right behind CONNACK. */
  attach(client: MqttClient): void {
    this.#client = client;
    client.handleMessage = (packet, done): void => this.#take(packet, done);
  }

  /** The connection is gone: what was not acknowledged comes again on the next one. */
  detach(): void {
    this.#connection += 1;
    this.#client = undefined;
    this.#isHeld = false;
    this.#resume = undefined;
    this.#qos2Answer = undefined;
    this.#cancelPing?.();
    this.#cancelPing = undefined;
    this.#fromEarlier += this.#withoutPuback;
    this.#withoutPuback = 0;
    while (this.#length > 0) {
      if (!this.#shift().isAcknowledged) this.#fromEarlier += 1;
    }
  }

  /** Takes nothing more; acks still go out. For good: the connection is to end soon. */
  pause(): void {
    this.#isPaused = true;
  }

  /** Before DISCONNECT: sends the acks that may go, then lets what still comes be read and thrown away, for the broker to send again. */
  finish(): void {
    this.#sendAcks();
    this.#isFinishing = true;
    this.#goOn();
  }

  /** Called by each delivery, once. */
  settle(delivery: HeldDelivery): void {
    if (delivery.connection !== this.#connection) this.#fromEarlier -= 1;
    else if (delivery.qos !== 1) this.#withoutPuback -= 1;
    else if (this.#ring[this.#head] !== delivery) return;
    this.#schedule();
  }

  #take(packet: IPublishPacket, done: Done): void {
    if (packet.qos === 2) {
      done(); // at PUBREL: it was taken at PUBLISH
    } else if (this.#isFinishing) {
      done(ACK_LATER);
    } else if (this.#isFull) {
      this.#hold(() => this.#take(packet, done));
    } else {
      const delivery = new HeldDelivery(this, this.#connection, packet, this.#options.clock.now());
      if (packet.qos === 1) {
        this.#ring[(this.#head + this.#length) % this.#ring.length] = delivery;
        this.#length += 1;
      } else {
        this.#withoutPuback += 1;
      }
      this.#options.receive(delivery);
      if (this.#isFull) this.#hold(done);
      else done(ACK_LATER);
    }
  }

  #takeQos2(packet: IPublishPacket, answer: Done): void {
    if (!this.#hasWarnedOfQos2) {
      this.#hasWarnedOfQos2 = true;
      this.#options.log.warn('the broker delivers at qos 2: one message at a time, which is slow', {
        topic: packet.topic,
      });
    }
    if (this.#isFull || this.#isFinishing) {
      this.#hold(() => this.#takeQos2(packet, answer));
      return;
    }
    this.#hold(undefined);
    this.#withoutPuback += 1;
    const delivery = new HeldDelivery(this, this.#connection, packet, this.#options.clock.now());
    this.#qos2Answer = (): void => {
      if (!delivery.isAcknowledged) return;
      this.#qos2Answer = undefined;
      this.#isHeld = false;
      answer();
    };
    this.#options.receive(delivery);
  }

  /** Leaves mqtt.js waiting until there is room; without `resume`, until something else lets it go on. */
  #hold(resume: Done | undefined): void {
    this.#isHeld = true;
    this.#resume = resume;
    this.#client?.reschedulePing(true); // its PINGRESP may be the next packet, which it does not see now
    if (this.#cancelPing === undefined) this.#pingLater();
  }

  /** Goes on for one period after the hold, which is cheaper than a timer made and cancelled at each. */
  #pingLater(): void {
    const client = this.#client;
    if (client === undefined || client.keepalive <= 0) return;
    this.#cancelPing = this.#options.clock.setTimer(client.keepalive * 500, () => {
      this.#cancelPing = undefined;
      if (!this.#isHeld) return;
      client.sendPing();
      client.reschedulePing(true);
      this.#pingLater();
    });
  }

  /** In a microtask, so that `receive` is never called from within `acknowledge`, and many acks go in one write. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#sendAcks();
      if (!this.#isFull) this.#goOn();
    });
  }

  #goOn(): void {
    const resume = this.#resume;
    if (resume === undefined) return;
    this.#resume = undefined;
    this.#isHeld = false;
    resume(ACK_LATER);
  }

  #sendAcks(): void {
    this.#qos2Answer?.();
    const { length } = this.#ring;
    let count = 0;
    while (count < this.#length && this.#ring[(this.#head + count) % length]!.isAcknowledged) count += 1;
    if (count === 0) return;
    const bytes = Buffer.allocUnsafe(count * PUBACK_BYTES);
    for (let i = 0; i < count; i += 1) {
      bytes.writeUInt16BE(PUBACK, i * PUBACK_BYTES);
      bytes.writeUInt16BE(this.#shift().packetId!, i * PUBACK_BYTES + 2);
    }
    const stream = this.#client?.stream;
    if (stream?.writable === true) stream.write(bytes);
  }

  #shift(): HeldDelivery {
    const delivery = this.#ring[this.#head]!;
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.#ring.length;
    this.#length -= 1;
    return delivery;
  }
}
