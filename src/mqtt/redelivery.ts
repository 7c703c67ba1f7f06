import { createHash } from 'node:crypto';

import type { Delivery } from '../core/message.ts';

/** A message that was given to the journal, as far as a redelivery shows it again. */
export interface RememberedMessage {
  /** The journal's number of it. */
  readonly number: number;
  /** Undefined at QoS 0, which is never delivered again. */
  readonly packetId: number | undefined;
  readonly topic: string;
  /** Kept, not copied: must not change any more. */
  readonly payload: Buffer;
  /** Which connection delivered it: grows with each, over restarts too. */
  readonly connection: number;
}

export interface RedeliveryOptions {
  /** How many of the latest messages are remembered. */
  readonly window?: number;
  /** Payloads beyond this many bytes, from the oldest on, are kept as their SHA-256. */
  readonly maxPayloadBytes?: number;
}

const PACKET_IDS = 65_536;
const DEFAULT_WINDOW = 32_767;
const DEFAULT_MAX_PAYLOAD_BYTES = 32 * 1024 * 1024;

/**
 * Tells a message that the broker delivers again from a new one.
 *
 * DUP alone says nothing: the broker also sets it on what it sent into a connection that broke before the bridge had read it. So a
 * redelivery is a delivery with DUP whose packet id was last used by a message of an earlier connection, with the same topic and the same
 * bytes, and for which the broker can't have had the acknowledgement. All but the last of it can be seen; the last is reasoned from the
 * order of acknowledgements [MQTT-4.6.0-2], as a lost one is followed by none that arrives:
 *
 * - within one connection redeliveries come in the order of the first deliveries [MQTT-4.6.0-1], which is that of the journal but where it
 *   was damaged (`noteGap`);
 * - when a packet id is used again, its former message was acknowledged, and so was all that came before that one (`#floor`);
 * - brokers that count their packet ids up come to the same one after 65,535 messages. With at most F messages in flight a redelivery
 *   is one of the last F, and the former message of that packet id is further back than 65,535 - F. The window lies between the two.
 *
 * What remains are brokers that use the lowest free packet id: when the acknowledgement did arrive, and the next message under the same
 * packet id has the same bytes and was lost on its way, then the two look alike to anyone. Payloads with a time in them never do.
 *
 * Cost: a few array writes a message. Columns are a ring of the window's size; `#positions` says where the latest message of a packet id is.
 */
export class RedeliveryCheck {
  readonly #window: number;
  readonly #maxPayloadBytes: number;
  /** Of the latest message: they are counted from 1. */
  #position = 0;
  readonly #positions = new Float64Array(PACKET_IDS);
  readonly #numbers: number[] = [];
  readonly #connections: number[] = [];
  readonly #topics: string[] = [];
  /** The payload, or its digest for positions before `#reduceFrom`. */
  readonly #contents: Buffer[] = [];
  #payloadBytes = 0;
  #reduceFrom = 1;
  /** Messages at positions up to here can't come again. */
  #floor = 0;
  /** Up to here positions may not be in the order of the first deliveries. */
  #unorderedThrough = 0;
  #matchConnection = -1;
  #matchPosition = 0;

  /** `window` must be at least the most messages that are in flight, and at most 65,535 less that. */
  constructor(options: RedeliveryOptions = {}) {
    this.#window = options.window ?? DEFAULT_WINDOW;
    this.#maxPayloadBytes = options.maxPayloadBytes ?? DEFAULT_MAX_PAYLOAD_BYTES;
  }

  /** Bytes of payloads that are kept from being freed. */
  get payloadBytes(): number {
    return this.#payloadBytes;
  }

  /** A message was given to the journal. After a restart: the journal's latest ones, in their order, before the first delivery. */
  remember(message: RememberedMessage): void {
    const { packetId } = message;
    if (packetId === undefined) return;
    this.#position += 1;
    const expired = this.#position - this.#window;
    if (expired >= this.#reduceFrom) this.#release(expired);
    this.#floor = Math.max(this.#floor, expired, this.#positions[packetId]!);
    this.#positions[packetId] = this.#position;
    const slot = this.#slotOf(this.#position);
    this.#numbers[slot] = message.number;
    this.#connections[slot] = message.connection;
    this.#topics[slot] = message.topic;
    this.#contents[slot] = message.payload;
    this.#payloadBytes += message.payload.length;
    while (this.#payloadBytes > this.#maxPayloadBytes) this.#reduce();
  }

  /**
   * The number of the message that this delivery repeats, or undefined for a new one. To be asked once for each delivery, in the order
   * of arrival. That message may not be durable yet: the delivery is to be acknowledged when it is.
   */
  match(delivery: Delivery): number | undefined {
    const { connection, duplicate, packetId } = delivery;
    if (!duplicate || packetId === undefined) return undefined;
    const position = this.#positions[packetId]!;
    if (position <= this.#floor) return undefined;
    const isOrdered = position > this.#unorderedThrough;
    if (isOrdered && connection === this.#matchConnection && position <= this.#matchPosition) return undefined;
    const slot = this.#slotOf(position);
    if (this.#connections[slot]! >= connection || this.#topics[slot] !== delivery.topic) return undefined;
    const isReduced = position < this.#reduceFrom;
    if (!this.#contents[slot]!.equals(isReduced ? digestOf(delivery.payload) : delivery.payload)) return undefined;
    if (isOrdered) {
      this.#matchConnection = connection;
      this.#matchPosition = position;
    }
    return this.#numbers[slot]!;
  }

  /** The broker has a new session for us: what it delivers from now on was never delivered before. */
  forget(): void {
    this.#floor = this.#position;
  }

  /** Between what was remembered so far messages were lost: when they came again they were stored behind those that had followed them. */
  noteGap(): void {
    this.#unorderedThrough = this.#position;
  }

  #slotOf(position: number): number {
    return (position - 1) % this.#window;
  }

  /** The oldest payload that is whole gives way to its digest. */
  #reduce(): void {
    const slot = this.#slotOf(this.#reduceFrom);
    const digest = digestOf(this.#contents[slot]!);
    this.#release(this.#reduceFrom);
    this.#contents[slot] = digest;
  }

  #release(position: number): void {
    this.#payloadBytes -= this.#contents[this.#slotOf(position)]!.length;
    this.#reduceFrom = position + 1;
  }
}

function digestOf(payload: Buffer): Buffer {
  return createHash('sha256').update(payload).digest();
}
