import { createHash } from 'node:crypto';

import type { Delivery, Marking } from '../core/message.ts';

/** A packet id, and of its message a digest of topic and payload, and its number; files of old have no number. */
export type HeldPacketId = readonly [packetId: number, digest: string, messageNo?: number];

interface HeldMessage {
  readonly digest: string;
  /** Undefined: it waits for the journal. */
  durable: Durable | undefined;
  /** The id that it is held by, or was until another message took it; undefined: another one was moved there. */
  packetId: number | undefined;
}

interface Durable {
  /** Undefined: a file of old has not said it. */
  readonly messageNo: number | undefined;
}

type Digestible = Pick<Delivery, 'topic' | 'payload' | 'digest'>;

const DIGEST_BYTES = 12;

export interface HeldVerdict {
  readonly verdict: 'new' | 'repeated' | 'maybe repeated';
  /** The packet id under which the message that it is, or may be, was held; undefined for a new one. */
  readonly heldAs?: number;
}

/** As many as there are packet ids. */
const MAX_DISPLACED = 65_535;

/**
 * The packet ids of QoS 2 whose message is in the journal and which the broker has not released: until its PUBREL
 * another PUBLISH under such an id is the same message [MQTT 5.0 section 4.3.3]. Moquette begins anew at 1 on each
 * connection, and so gives such an id to a new message, which may be equal: without a mark an id says nothing of a
 * message that has no time.
 *
 * What is durable is a fold over the journal: a message adds its id, a release takes it away. The checkpoint keeps the
 * ids, as segments are removed. An id that comes with another message was forgotten by the broker: that message is a
 * new one.
 *
 * Artemis sends again under another id. So an id that was held when a connection began, and of which that connection
 * brings neither message nor release, may stand for an equal message under a new id.
 */
export class HeldPacketIds {
  readonly #durable = new Map<number, HeldMessage>();
  /** Those that are not durable yet: each stands before the durable one of its id. */
  readonly #pending = new Map<number, HeldMessage>();
  /** What became of a message that was given to the journal. */
  #waiting = new WeakMap<Digestible, HeldMessage>();
  /** Of the durable ones those whose release may have been lost with the machine, although it was answered. */
  readonly #unsure = new Set<number>();
  /**
   * How many of each digest gave their id up to another message: they may come again under a third one. One that is
   * forgotten is stored all the same, and is not counted as one that may be a repetition.
   */
  readonly #displaced = new Map<string, number>();
  #connection = Number.NEGATIVE_INFINITY;
  /** Held when the connection began, and not heard of since. */
  #missing = new Map<number, HeldMessage>();

  /** Whether this id is held, by whatever message. */
  has(packetId: number): boolean {
    return this.#durable.has(packetId) || this.#pending.has(packetId);
  }

  /** What the delivery is. `hasOwnTime` tells of its values, and is only asked where that matters. */
  judge(delivery: Delivery, marking: Marking, hasOwnTime: () => boolean): HeldVerdict {
    const { connection, packetId = 0 } = delivery;
    if (connection !== this.#connection) {
      this.#connection = connection;
      this.#missing = new Map([...this.#durable, ...this.#pending]);
    }
    const digest = digestOf(delivery);
    if (this.#digestOf(packetId) === digest) {
      this.#missing.delete(packetId);
      const isHeld = marking === 'marked' && !this.#unsure.has(packetId);
      return { verdict: isHeld || hasOwnTime() ? 'repeated' : 'maybe repeated', heldAs: packetId };
    }
    if (marking === 'unmarked') return { verdict: 'new' };
    const equal = [...this.#missing].find(([, each]) => each.digest === digest);
    if (equal === undefined)
      return { verdict: this.#takeDisplaced(digest) && !hasOwnTime() ? 'maybe repeated' : 'new' };
    const [heldAs, held] = equal;
    this.#missing.delete(heldAs);
    if (!hasOwnTime()) return { verdict: 'maybe repeated', heldAs };
    this.#move(held, packetId);
    return { verdict: 'repeated', heldAs };
  }

  /** The message is held as `to` from now on, where it may stand before others that are still to be heard of. */
  #move(held: HeldMessage, to: number): void {
    const from = held.packetId;
    // The id may stand for another message by now, where the broker gives all of them other ones.
    if (from !== undefined && this.#durable.get(from) === held) this.#durable.delete(from);
    if (from !== undefined && this.#pending.get(from) === held) this.#pending.delete(from);
    const waits = this.#pending.get(to);
    if (waits !== undefined) waits.packetId = undefined;
    this.#pending.delete(to);
    held.packetId = to;
    this.#putIn(held);
  }

  #putIn(held: HeldMessage): void {
    const { durable, packetId } = held;
    if (packetId !== undefined) (durable === undefined ? this.#pending : this.#durable).set(packetId, held);
  }

  /** The message was given to the journal. */
  begin(delivery: Delivery): void {
    const { packetId = 0 } = delivery;
    const digest = digestOf(delivery);
    const before = this.#digestOf(packetId);
    if (before !== undefined && before !== digest) {
      this.#displaced.set(before, (this.#displaced.get(before) ?? 0) + 1);
      const [oldest = ''] = this.#displaced.keys();
      if (this.#displaced.size > MAX_DISPLACED) this.#displaced.delete(oldest);
    }
    this.#unsure.delete(packetId);
    const held: HeldMessage = { digest, durable: undefined, packetId };
    this.#waiting.set(delivery, held);
    this.#putIn(held);
  }

  /** It is durable, under this number: one that was given to the journal under this id, or is read from there. */
  stored(packetId: number, message: Digestible, messageNo: number): void {
    const held = this.#waiting.get(message) ?? { digest: digestOf(message), durable: undefined, packetId };
    this.#waiting.delete(message);
    if (held.packetId !== undefined && this.#pending.get(held.packetId) === held) this.#pending.delete(held.packetId);
    held.durable = { messageNo };
    this.#putIn(held);
  }

  /** The broker has released it, which is not durable yet. */
  heardOf(packetId: number): void {
    this.#missing.delete(packetId);
  }

  /** That the broker has released it is durable. */
  released(packetId: number): void {
    this.#unsure.delete(packetId);
    this.#durable.delete(packetId);
  }

  /**
   * Messages with these numbers went with the power, as they had not been synced, while the checkpoint has their ids:
   * what comes under them, or is equal, is stored.
   */
  lost(messageNos: ReadonlySet<number>): void {
    for (const [packetId, { durable }] of this.#durable) {
      const messageNo = durable?.messageNo;
      if (messageNo !== undefined && messageNos.has(messageNo)) this.#durable.delete(packetId);
    }
  }

  /** The broker has another session: ids mean nothing any more. */
  clear(): void {
    this.#durable.clear();
    this.#pending.clear();
    this.#unsure.clear();
    this.#displaced.clear();
    this.#missing.clear();
    this.#waiting = new WeakMap();
  }

  restore(held: readonly HeldPacketId[]): void {
    for (const [packetId, digest, messageNo] of held) this.#putIn({ digest, durable: { messageNo }, packetId });
  }

  /**
   * Releases that an earlier process answered may be missing, as the journal was not synced before: the broker may use
   * any of these ids for a new message.
   */
  doubtAll(): void {
    for (const packetId of this.#durable.keys()) this.#unsure.add(packetId);
  }

  #takeDisplaced(digest: string): boolean {
    const count = this.#displaced.get(digest) ?? 0;
    if (count > 1) this.#displaced.set(digest, count - 1);
    else this.#displaced.delete(digest);
    return count > 0;
  }

  #digestOf(packetId: number): string | undefined {
    return (this.#pending.get(packetId) ?? this.#durable.get(packetId))?.digest;
  }

  /** Those that are durable. */
  get durable(): readonly HeldPacketId[] {
    return Array.from(this.#durable, ([packetId, { digest, durable }]) =>
      durable?.messageNo === undefined ? [packetId, digest] : [packetId, digest, durable.messageNo],
    );
  }
}

/** The digest of topic and payload, which the message keeps: it is judged, begun and stored by the same one. */
function digestOf(message: Digestible): string {
  message.digest ??= createHash('sha256')
    .update(message.topic)
    .update('\0')
    .update(message.payload)
    .digest()
    .toString('base64', 0, DIGEST_BYTES);
  return message.digest;
}
