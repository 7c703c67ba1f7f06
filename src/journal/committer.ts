import { sleep, type CancelTimer, type Clock } from '../core/clock.ts';
import { lacksRoom } from '../core/errors.ts';
import { RepeatedError, type Logger } from '../core/logger.ts';
import type { OnStep } from '../core/steps.ts';
import type { Reserve } from '../core/reserve.ts';
import { encodeFrames, frameBytes, type FrameSource, type JournalEntry } from './frame.ts';
import type { HeldPacketIds } from './held-packet-ids.ts';
import type { SegmentWriter } from './segment-writer.ts';
import { HEADER_BYTES, MESSAGES_PER_SEGMENT, type Segment } from './segment.ts';

export type SyncMode = 'always' | 'interval' | 'never';
/**
 * `full`: no room (`maxBytes`, or the disk's). `failing`: the disk refuses for another reason. Nothing is acknowledged
 * in either.
 */
export type JournalState = 'ok' | 'full' | 'failing';

export interface CommitterOptions {
  readonly writer: SegmentWriter;
  readonly reserve: Reserve;
  readonly sync: SyncMode;
  readonly segmentBytes: number;
  /** Added to the number of each delivery's connection. */
  readonly connectionOffset: number;
  /** Whether the journal may grow by so many bytes. */
  readonly hasRoom: (bytes: number) => boolean;
  /** The newest segment with messages. */
  readonly newestSegment: () => Segment | undefined;
  /** Of the present session. */
  readonly held: HeldPacketIds;
  /** Whether a delivery is of the broker's present session. */
  readonly isOfSession: (delivery: FrameSource) => boolean;
  /** The messages are durable (as far as `sync` goes): `bytes` of frames from `offset` of the segment on. */
  readonly onDurable: (messages: readonly JournalEntry[], bytes: number, segment: Segment, offset: number) => void;
  readonly onStep: OnStep;
  readonly clock: Clock;
  readonly log: Logger;
}

const MAX_COMMIT_BYTES = 4_194_304;
const RETRY_MS = 1000;
const SYNC_INTERVAL_MS = 200;
/** How long a commit may wait for what the last one's acknowledgements bring. */
const MAX_GATHER_MS = 1;
/** For a clock that stands still. */
const MAX_GATHER_TURNS = 500;
/** Silence, after which an acknowledgement has brought what it will. */
const ANSWER_MS = 20;

interface Group {
  readonly deliveries: readonly FrameSource[];
  readonly bytes: number;
}

interface IdleWaiter {
  readonly target: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Group commit: what comes in while one commit runs goes with the next. One write and one sync a commit, then all of
 * its deliveries are acknowledged in the order they came in. What the disk refuses is held, unacknowledged, and tried
 * again each second.
 *
 * A broker with few messages under way (10 on RabbitMQ and Moquette, 50 on HiveMQ) sends as many as were acknowledged,
 * one behind the other. A commit that began with the first of them would have the others wait for a second sync: so it
 * waits, for a millisecond at most, until as many have come as the last one acknowledged.
 */
export class Committer {
  readonly #options: CommitterOptions;
  readonly #failed: RepeatedError;
  readonly #acknowledgeFailed: RepeatedError;
  #pending: FrameSource[] = [];
  /** The first of what waits: being written, or to be written again. */
  #group: Group | undefined;
  #isRunning = false;
  #run = Promise.resolve();
  #state: JournalState = 'ok';
  #stopping = false;
  #retryNow = new AbortController();
  #maxConnection: number;
  #appended = 0;
  #acknowledged = 0;
  /** What the last commit acknowledged, and when. */
  #lastGroup = { size: 0, atMs: 0 };
  readonly #idleWaiters: IdleWaiter[] = [];
  /** Written and not synced, in the mode `interval`. */
  #isDirty = false;
  #isSyncDue = false;
  #cancelSyncTimer: CancelTimer = () => {};

  constructor(options: CommitterOptions) {
    this.#options = options;
    this.#maxConnection = options.connectionOffset - 1;
    this.#failed = new RepeatedError(
      options.log,
      options.clock,
      'journal can not be written, messages are not acknowledged',
    );
    this.#acknowledgeFailed = new RepeatedError(options.log, options.clock, 'message could not be acknowledged');
  }

  get state(): JournalState {
    return this.#state;
  }

  /** The greatest connection number in the journal. */
  get maxConnection(): number {
    return this.#maxConnection;
  }

  /** Deliveries that are not durable yet. */
  get held(): number {
    return this.#appended - this.#acknowledged;
  }

  append(delivery: FrameSource): void {
    this.#appended += 1;
    this.#pending.push(delivery);
    this.#kick();
  }

  /** There may be room now. */
  retry(): void {
    if (this.#state === 'full') this.#retryNow.abort();
  }

  /** Resolves when all that was appended so far is acknowledged; throws when it is stopped before. */
  whenIdle(): Promise<void> {
    if (this.#acknowledged === this.#appended) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#idleWaiters.push({ target: this.#appended, resolve, reject });
    });
  }

  /** Commits what is there if the disk takes it now, else leaves it unacknowledged. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#retryNow.abort();
    await this.#run;
    this.#cancelSyncTimer();
    if (this.#isDirty) await this.#syncNow().catch((error: unknown) => this.#failed.report({ error }));
    await this.#options.writer.leave();
    for (const { reject } of this.#idleWaiters.splice(0)) reject(new Error('the journal was closed before'));
  }

  #kick(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#run = this.#commitAll();
  }

  async #commitAll(): Promise<void> {
    await Promise.resolve(); // what comes in with the same packet goes with the first
    await this.#gather();
    while (this.#group !== undefined || this.#pending.length > 0 || this.#isSyncDue) {
      try {
        await this.#options.writer.repair();
        if (this.#isSyncDue) await this.#syncNow();
        this.#group ??= this.#nextGroup();
        if (this.#group !== undefined) await this.#commit(this.#group);
        this.#setState('ok');
        if (this.#pending.length > 0) await this.#gather();
      } catch (error) {
        this.#noteFailure(error);
        if (this.#stopping) break;
        this.#retryNow = new AbortController();
        await sleep(this.#options.clock, RETRY_MS, this.#retryNow.signal);
      }
    }
    this.#isRunning = false;
  }

  async #gather(): Promise<void> {
    const { clock } = this.#options;
    const { size, atMs } = this.#lastGroup;
    const startedAtMs = clock.monotonic();
    if (startedAtMs - atMs > ANSWER_MS) return;
    for (let turns = 0; turns < MAX_GATHER_TURNS && this.#pending.length < size && !this.#stopping; turns += 1) {
      if (clock.monotonic() - startedAtMs >= MAX_GATHER_MS) return;
      await clock.turn();
    }
  }

  async #commit(group: Group): Promise<void> {
    const { writer, reserve, sync, onStep } = this.#options;
    if (!this.#options.hasRoom(group.bytes)) throw new JournalFullError();
    if (!reserve.isKept) await reserve.keep();
    const segment = await this.#segmentFor(group);
    const offset = segment.bytes;
    await writer.append(
      encodeFrames(group.deliveries, group.bytes, {
        firstIndex: segment.messages,
        salt: segment.salt,
        connectionOffset: this.#options.connectionOffset,
      }),
    );
    onStep('appended');
    if (sync === 'always') {
      await writer.sync(false);
      onStep('synced');
    } else if (sync === 'interval') {
      this.#noteDirty();
    }
    this.#publish(group, segment, offset);
    onStep('acknowledged');
  }

  /** Takes a prefix of what waits, one message at least; undefined: nothing waits. */
  #nextGroup(): Group | undefined {
    const maxBytes = Math.min(MAX_COMMIT_BYTES, this.#options.segmentBytes - HEADER_BYTES);
    const waiting = this.#pending;
    let bytes = 0;
    let count = 0;
    for (const delivery of waiting) {
      const more = frameBytes(delivery);
      if (count > 0 && (bytes + more > maxBytes || count === MESSAGES_PER_SEGMENT)) break;
      bytes += more;
      count += 1;
    }
    if (count === 0) return undefined;
    this.#pending = waiting.slice(count);
    return { deliveries: count === waiting.length ? waiting : waiting.slice(0, count), bytes };
  }

  async #segmentFor({ deliveries, bytes }: Group): Promise<Segment> {
    const { writer, segmentBytes, sync } = this.#options;
    const { segment } = writer;
    if (segment !== undefined) {
      const fits =
        segment.bytes + bytes <= segmentBytes && segment.messages + deliveries.length <= MESSAGES_PER_SEGMENT;
      if (writer.mayGoOn && (fits || segment.messages === 0)) return segment;
      if (sync === 'interval') await this.#syncNow();
      await writer.leave();
    }
    return writer.begin(this.#options.newestSegment());
  }

  #publish({ deliveries, bytes }: Group, segment: Segment, offset: number): void {
    const firstNumber = segment.lastNumber + 1;
    const messages = deliveries.map(({ topic, payload, receivedAtMs, isRelease = false }, i) => ({
      number: firstNumber + i,
      topic,
      payload,
      receivedAtMs,
      isRelease,
    }));
    const redeliverable = deliveries.filter(({ qos }) => qos === 1).length;
    this.#options.writer.confirm(bytes, deliveries.length, redeliverable);
    this.#group = undefined;
    this.#options.onDurable(messages, bytes, segment, offset);
    const newest = this.#options.connectionOffset + deliveries.at(-1)!.connection;
    this.#maxConnection = Math.max(this.#maxConnection, newest);
    for (const [i, delivery] of deliveries.entries()) {
      if (delivery.qos === 2) this.#noteHeld(delivery);
      this.#acknowledge(delivery, firstNumber + i);
    }
    this.#acknowledged += deliveries.length;
    this.#lastGroup = { size: deliveries.length, atMs: this.#options.clock.monotonic() };
    this.#wakeIdle();
  }

  #noteHeld(delivery: FrameSource): void {
    const { held, isOfSession } = this.#options;
    const { isRelease, packetId = 0, payload, topic } = delivery;
    if (!isOfSession(delivery)) return;
    if (isRelease === true) held.released(packetId);
    else held.stored(packetId, topic, payload);
  }

  #acknowledge(delivery: FrameSource, messageNo: number): void {
    try {
      delivery.acknowledge(messageNo);
    } catch (error) {
      this.#acknowledgeFailed.report({ topic: delivery.topic, error });
    }
  }

  #wakeIdle(): void {
    while (this.#idleWaiters.length > 0 && this.#idleWaiters[0]!.target <= this.#acknowledged) {
      this.#idleWaiters.shift()!.resolve();
    }
  }

  #noteDirty(): void {
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.#cancelSyncTimer = this.#options.clock.setTimer(SYNC_INTERVAL_MS, () => {
      this.#isSyncDue = true;
      this.#retryNow.abort(); // what waits for room must not hold up the sync of what is written
      this.#kick();
    });
  }

  async #syncNow(): Promise<void> {
    this.#cancelSyncTimer();
    this.#isSyncDue = false;
    this.#isDirty = false;
    await this.#options.writer.sync(true);
  }

  #noteFailure(error: unknown): void {
    const isFull = error instanceof JournalFullError || lacksRoom(error);
    this.#setState(isFull ? 'full' : 'failing');
    this.#failed.report({ state: this.#state, waiting: this.held, error });
  }

  #setState(state: JournalState): void {
    if (state === this.#state) return;
    this.#state = state;
    if (state !== 'ok') return;
    this.#failed.over();
    this.#options.log.info('journal takes messages again');
  }
}

/** The journal has reached `maxBytes`. */
class JournalFullError extends Error {
  constructor() {
    super('the journal has reached maxBytes');
    this.name = 'JournalFullError';
  }
}
