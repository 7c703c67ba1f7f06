import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * What is known of the broker's having the acknowledgement of a delivery.
 *
 * - `live`: it came with the present connection, whose watermarks tell.
 * - `open`: its connection ended before its PUBACK was written: the broker still has the message, for certain.
 * - `doubtful`: its PUBACK was written, and nothing proves that it arrived.
 * - `acknowledged`: proven.
 * - `replaced`: another delivery of the same message stands in its place, an earlier or a later one.
 */
export const STATES = { replaced: 0, acknowledged: 1, doubtful: 2, open: 3, live: 4 } as const;
export type DeliveryState = (typeof STATES)[keyof typeof STATES];

export interface RecentDeliveriesOptions {
  /** How many are remembered. */
  readonly window: number;
  /** Payloads beyond this many bytes, from the oldest on, are kept as their SHA-256. */
  readonly maxPayloadBytes: number;
}

/** Deliveries of earlier connections with the same topic and bytes. */
export interface Twins {
  readonly topic: string;
  readonly content: Buffer;
  /** Positions that were in that state when the connection began, oldest first. */
  readonly open: PositionQueue;
  readonly doubtful: PositionQueue;
  readonly acknowledged: PositionQueue;
  /** Undefined: not asked yet. */
  hasOwnTime: boolean | undefined;
}

interface PositionQueue {
  readonly positions: number[];
  /** What stands before it is no longer in the queue's state. */
  next: number;
}

const PACKET_IDS = 65_536;

/**
 * The latest deliveries at QoS 1, in the order of arrival. Positions are counted from 1.
 *
 * Columns in a ring of the window's size: a few array writes a delivery. What looks for equal bytes is made when it is
 * first asked for on a connection, as a delivery that comes while nothing is in doubt asks for nothing.
 */
export class RecentDeliveries {
  readonly #window: number;
  readonly #maxPayloadBytes: number;
  #last = 0;
  readonly #positions = new Float64Array(PACKET_IDS);
  readonly #states: Uint8Array;
  readonly #topics: string[] = [];
  /** The payload, or its digest for positions before `#reduceFrom`. */
  readonly #contents: Buffer[] = [];
  #payloadBytes = 0;
  #reduceFrom = 1;
  #doubts = 0;
  #twins: Map<number, Twins[]> | undefined;

  constructor({ window, maxPayloadBytes }: RecentDeliveriesOptions) {
    this.#window = window;
    this.#maxPayloadBytes = maxPayloadBytes;
    this.#states = new Uint8Array(window);
  }

  /** Position of the latest. */
  get last(): number {
    return this.#last;
  }

  /** How many are `open` or `doubtful`. */
  get doubts(): number {
    return this.#doubts;
  }

  /** Whether one at or before the position is still remembered. */
  hasAnyThrough(position: number): boolean {
    return position > Math.max(0, this.#last - this.#window);
  }

  /** Bytes of payloads that are kept from being freed. */
  get payloadBytes(): number {
    return this.#payloadBytes;
  }

  /** `payload` is kept, not copied: it must not change any more. Gives the position. */
  add(packetId: number, topic: string, payload: Buffer, state: DeliveryState): number {
    this.#last += 1;
    const expired = this.#last - this.#window;
    if (expired >= this.#reduceFrom) this.#release(expired);
    const slot = this.#slotOf(this.#last);
    if (expired > 0 && isDoubt(this.#states[slot]!)) this.#doubts -= 1;
    if (isDoubt(state)) this.#doubts += 1;
    if (state !== STATES.replaced) this.#positions[packetId] = this.#last;
    this.#states[slot] = state;
    this.#topics[slot] = topic;
    this.#contents[slot] = payload;
    this.#payloadBytes += payload.length;
    while (this.#payloadBytes > this.#maxPayloadBytes) this.#reduce();
    return this.#last;
  }

  /** Position of the latest delivery under this packet id; 0: none in the window. */
  latestOf(packetId: number): number {
    const position = this.#positions[packetId]!;
    return this.#isKept(position) ? position : 0;
  }

  /** `replaced` also for what has left the window. */
  stateOf(position: number): DeliveryState {
    return this.#isKept(position) ? (this.#states[this.#slotOf(position)] as DeliveryState) : STATES.replaced;
  }

  isEqual(position: number, topic: string, payload: Buffer): boolean {
    const slot = this.#slotOf(position);
    if (this.#topics[slot] !== topic) return false;
    return this.#contents[slot]!.equals(position < this.#reduceFrom ? digestOf(payload) : payload);
  }

  /** Another delivery stands in its place. */
  replace(position: number): void {
    this.#setState(position, STATES.replaced);
  }

  /** No delivery that is remembered can come again. */
  replaceAll(): void {
    this.#twins = undefined;
    this.#states.fill(STATES.replaced);
    this.#doubts = 0;
  }

  /**
   * The connection that began behind `start` is over: PUBACKs up to `written` were written, and up to `confirmed` are
   * proven.
   */
  endConnection(start: number, written: number, confirmed: number): void {
    this.#twins = undefined;
    for (let position = this.#firstAfter(start); position <= this.#last; position += 1) {
      if (this.stateOf(position) !== STATES.live) continue;
      const later = position <= written ? STATES.doubtful : STATES.open;
      this.#setState(position, position <= confirmed ? STATES.acknowledged : later);
    }
  }

  /** Nothing that came up to `position` is in doubt any more. */
  settleThrough(position: number): void {
    this.#twins = undefined;
    for (let each = this.#firstAfter(0); each <= position; each += 1) {
      if (isDoubt(this.stateOf(each))) this.#setState(each, STATES.acknowledged);
    }
  }

  /** Deliveries of earlier connections with this topic and these bytes; undefined: none. */
  twinsOf(topic: string, payload: Buffer): Twins | undefined {
    this.#twins ??= this.#findTwins();
    const whole = this.#twins.get(crc32(payload))?.find((twins) => isTwin(twins, topic, payload));
    if (whole !== undefined || this.#reduceFrom === 1) return whole;
    const digest = digestOf(payload);
    return this.#twins.get(crc32(digest))?.find((twins) => isTwin(twins, topic, digest));
  }

  /** Frees what `twinsOf` needs, until it is asked again. */
  forgetTwins(): void {
    this.#twins = undefined;
  }

  /** The oldest position of the queue that is still in this state. */
  firstIn(queue: PositionQueue, state: DeliveryState): number | undefined {
    for (; queue.next < queue.positions.length; queue.next += 1) {
      const position = queue.positions[queue.next]!;
      if (this.stateOf(position) === state) return position;
    }
    return undefined;
  }

  #findTwins(): Map<number, Twins[]> {
    const found = new Map<number, Twins[]>();
    for (let position = this.#firstAfter(0); position <= this.#last; position += 1) {
      const state = this.stateOf(position);
      if (state === STATES.replaced || state === STATES.live) continue;
      const slot = this.#slotOf(position);
      const twins = twinsIn(found, this.#topics[slot]!, this.#contents[slot]!);
      if (state === STATES.open) twins.open.positions.push(position);
      else if (state === STATES.doubtful) twins.doubtful.positions.push(position);
      else twins.acknowledged.positions.push(position);
    }
    return found;
  }

  #setState(position: number, state: DeliveryState): void {
    if (!this.#isKept(position)) return;
    const slot = this.#slotOf(position);
    if (isDoubt(this.#states[slot]!)) this.#doubts -= 1;
    if (isDoubt(state)) this.#doubts += 1;
    this.#states[slot] = state;
  }

  #isKept(position: number): boolean {
    return position > 0 && position > this.#last - this.#window && position <= this.#last;
  }

  #firstAfter(position: number): number {
    return Math.max(position, this.#last - this.#window, 0) + 1;
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

function isDoubt(state: number): boolean {
  return state === STATES.doubtful || state === STATES.open;
}

function twinsIn(found: Map<number, Twins[]>, topic: string, content: Buffer): Twins {
  const key = crc32(content);
  const sameKey = found.get(key) ?? [];
  if (sameKey.length === 0) found.set(key, sameKey);
  const known = sameKey.find((twins) => isTwin(twins, topic, content));
  if (known !== undefined) return known;
  const queue = (): PositionQueue => ({ positions: [], next: 0 });
  const twins = { topic, content, open: queue(), doubtful: queue(), acknowledged: queue(), hasOwnTime: undefined };
  sameKey.push(twins);
  return twins;
}

function isTwin(twins: Twins, topic: string, content: Buffer): boolean {
  return twins.topic === topic && twins.content.equals(content);
}

function digestOf(payload: Buffer): Buffer {
  return createHash('sha256').update(payload).digest();
}
