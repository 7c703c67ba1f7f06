import { crc32 } from 'node:zlib';

import type { Delivery } from '../core/message.ts';

/** A packet id, and the CRC-32 of topic and payload of its message. */
export type HeldPacketId = readonly [packetId: number, digest: number];

/**
 * The packet ids of QoS 2 whose message is in the journal and which the broker has not released: until its PUBREL another PUBLISH under
 * such an id is the same message [MQTT 5.0 section 4.3.3].
 *
 * What is durable is a fold over the journal: a message adds its id, a release takes it away. The checkpoint keeps the ids, as segments are removed.
 * An id that comes with another message was forgotten by the broker: that message is a new one.
 */
export class HeldPacketIds {
  readonly #durable = new Map<number, number>();
  /** Of messages that are not durable yet. */
  readonly #pending = new Map<number, number>();

  /** Whether this id is held, by whatever message. */
  has(packetId: number): boolean {
    return this.#durable.has(packetId) || this.#pending.has(packetId);
  }

  /** Whether the delivery is of a message that came before. */
  holds({ packetId = 0, topic, payload }: Delivery): boolean {
    const known = this.#pending.get(packetId) ?? this.#durable.get(packetId);
    return known !== undefined && known === digestOf(topic, payload);
  }

  /** The message was given to the journal. */
  begin({ packetId = 0, topic, payload }: Delivery): void {
    this.#pending.set(packetId, digestOf(topic, payload));
  }

  /** It is durable. */
  stored(packetId: number, topic: string, payload: Buffer): void {
    const digest = digestOf(topic, payload);
    if (this.#pending.get(packetId) === digest) this.#pending.delete(packetId);
    this.#durable.set(packetId, digest);
  }

  /** That the broker has released it is durable. */
  released(packetId: number): void {
    this.#durable.delete(packetId);
  }

  /** The broker has another session: ids mean nothing any more. */
  clear(): void {
    this.#durable.clear();
    this.#pending.clear();
  }

  restore(held: readonly HeldPacketId[]): void {
    for (const [packetId, digest] of held) this.#durable.set(packetId, digest);
  }

  /** Those that are durable. */
  get durable(): readonly HeldPacketId[] {
    return [...this.#durable];
  }
}

function digestOf(topic: string, payload: Buffer): number {
  return crc32(payload, crc32(topic));
}
