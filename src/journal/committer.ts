import type { CancelTimer, Clock } from '../core/clock.ts';
import { lacksRoom } from '../core/errors.ts';
import { Gate } from '../core/gate.ts';
import { RepeatedError, type Logger } from '../core/logger.ts';
import type { Reserve } from '../core/reserve.ts';
import type { OnStep } from '../core/steps.ts';
import { CommitQueue, type CommitGroup } from './commit-queue.ts';
import { encodeFrames, type FrameSource, type JournalEntry } from './frame.ts';
import type { HeldPacketIds } from './held-packet-ids.ts';
import type { SegmentWriter } from './segment-writer.ts';
import { HEADER_BYTES, MESSAGES_PER_SEGMENT, type Segment } from './segment.ts';

export type SyncMode = 'always' | 'interval' | 'never';
/**
 * `full`: no room (`maxBytes`, or the disk's). `failing`: the disk refuses for another reason. Nothing is acknowledged
 * in either.
 */
export type JournalState = 'ok' | 'full' | 'failing';
/** What there is no room within. */
export type FullBy = 'maxBytes' | 'disk';

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
  /** The packet ids of QoS 2 that are held in the broker's present session. */
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

/** What the committer is at: the first table of its head. */
type Work = 'idle' | 'committing' | 'waiting' | 'ending' | 'ended';

/** What of the written messages is not synced yet: the second table of the head. */
type Unsynced = 'nothing' | 'some' | 'due';

/**
 * Group commit: what comes in while one commit runs goes with the next. One write and one sync a commit, then all of
 * its deliveries are acknowledged in the order they came in. What the disk refuses is held, unacknowledged, and tried
 * again each second.
 *
 * | at         | until                                                   | then       |
 * | ---------- | ------------------------------------------------------- | ---------- |
 * | idle       | a delivery is appended, or a sync is due                | committing |
 * | idle       | `stop`                                                  | ended      |
 * | committing | all that was appended is durable, and no sync is due    | idle       |
 * | committing | the disk refuses, or the journal is full                | waiting    |
 * | committing | `stop`                                                  | ending     |
 * | waiting    | a second is over, there may be room, or a sync is due   | committing |
 * | waiting    | `stop`                                                  | ending     |
 * | ending     | all that was appended is durable, or the disk refuses   | ended      |
 *
 * With `sync: interval` messages are acknowledged when they are written, and synced within 200 ms:
 *
 * | not synced | until                                                   | then       |
 * | ---------- | ------------------------------------------------------- | ---------- |
 * | nothing    | a group is written                                      | some       |
 * | some       | 200 ms are over                                         | due        |
 * | some, due  | a sync begins: when due, at the next segment, at `stop` | nothing    |
 *
 * A broker with few messages under way (10 on RabbitMQ and Moquette, 50 on HiveMQ) sends as many as were acknowledged,
 * one behind the other. A commit that began with the first of them would have the others wait for a second sync: so it
 * waits, for a millisecond at most, until as many have come as the last one acknowledged.
 */
export class Committer {
  readonly #options: CommitterOptions;
  readonly #failed: RepeatedError;
  readonly #acknowledgeFailed: RepeatedError;
  readonly #queue = new CommitQueue();
  readonly #maxGroupBytes: number;
  #work: Work = 'idle';
  /** Resolves when the committer has left `committing`, `waiting` and `ending`. */
  #run = Promise.resolve();
  #state: JournalState = 'ok';
  #fullBy: FullBy = 'maxBytes';
  /** Whoever is `waiting` waits here. */
  readonly #nextTry = new Gate();
  #maxConnection: number;
  /** What the last commit acknowledged, and when. */
  #lastGroup = { size: 0, atMs: 0 };
  #unsynced: Unsynced = 'nothing';
  #cancelSyncTimer: CancelTimer = () => {};

  constructor(options: CommitterOptions) {
    this.#options = options;
    this.#maxGroupBytes = Math.min(MAX_COMMIT_BYTES, options.segmentBytes - HEADER_BYTES);
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

  /** Undefined unless it is full. */
  get fullBy(): FullBy | undefined {
    return this.#state === 'full' ? this.#fullBy : undefined;
  }

  /** The greatest connection number in the journal. */
  get maxConnection(): number {
    return this.#maxConnection;
  }

  /** Deliveries that are not durable yet. */
  get held(): number {
    return this.#queue.held;
  }

  append(delivery: FrameSource): void {
    this.#queue.append(delivery);
    this.#begin();
  }

  /** There may be room now. */
  retry(): void {
    if (this.#state === 'full') this.#nextTry.open();
  }

  /** Resolves when all that was appended so far is acknowledged; throws when the committer is stopped before. */
  whenIdle(): Promise<void> {
    return this.#queue.whenIdle();
  }

  /** Commits what is there if the disk takes it now, else leaves it unacknowledged. */
  async stop(): Promise<void> {
    this.#work = this.#work === 'idle' ? 'ended' : 'ending';
    this.#nextTry.open();
    await this.#run;
    this.#cancelSyncTimer();
    if (this.#unsynced !== 'nothing') await this.#syncNow().catch((error: unknown) => this.#failed.report({ error }));
    await this.#options.writer.leave();
    this.#queue.close();
  }

  /** Something is to be written or synced. */
  #begin(): void {
    if (this.#work !== 'idle') return;
    this.#work = 'committing';
    this.#run = this.#commitAll();
  }

  get #isEnding(): boolean {
    return this.#work === 'ending';
  }

  async #commitAll(): Promise<void> {
    await Promise.resolve(); // what comes in with the same packet goes with the first
    await this.#gather();
    while (this.#queue.held > 0 || this.#unsynced === 'due') {
      try {
        await this.#options.writer.repair();
        if (this.#unsynced === 'due') await this.#syncNow();
        const group = this.#queue.next(this.#maxGroupBytes);
        if (group !== undefined) await this.#commit(group);
        this.#setState('ok');
        if (this.#queue.waiting > 0) await this.#gather();
      } catch (error) {
        this.#noteFailure(error);
        if (this.#isEnding) break;
        await this.#untilNextTry();
      }
    }
    this.#work = this.#isEnding ? 'ended' : 'idle';
  }

  async #untilNextTry(): Promise<void> {
    this.#work = 'waiting';
    const cancel = this.#options.clock.setTimer(RETRY_MS, () => this.#nextTry.open());
    await this.#nextTry.wait();
    cancel();
    if (!this.#isEnding) this.#work = 'committing';
  }

  async #gather(): Promise<void> {
    const { clock } = this.#options;
    const { size, atMs } = this.#lastGroup;
    const startedAtMs = clock.monotonic();
    if (startedAtMs - atMs > ANSWER_MS) return;
    for (let turns = 0; turns < MAX_GATHER_TURNS && this.#queue.waiting < size && !this.#isEnding; turns += 1) {
      if (clock.monotonic() - startedAtMs >= MAX_GATHER_MS) return;
      await clock.turn();
    }
  }

  async #commit(group: CommitGroup): Promise<void> {
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
      this.#syncLater();
    }
    this.#publish(group, segment, offset);
    onStep('acknowledged');
  }

  async #segmentFor({ deliveries, bytes }: CommitGroup): Promise<Segment> {
    const { writer, segmentBytes, sync } = this.#options;
    const { segment } = writer;
    if (segment !== undefined) {
      const fits =
        segment.bytes + bytes <= segmentBytes && segment.messages + deliveries.length <= MESSAGES_PER_SEGMENT;
      if (writer.isCurrent && (fits || segment.messages === 0)) return segment;
      if (sync === 'interval') await this.#syncNow();
      await writer.leave();
    }
    return writer.begin(this.#options.newestSegment());
  }

  #publish({ deliveries, bytes }: CommitGroup, segment: Segment, offset: number): void {
    const firstNumber = segment.lastNumber + 1;
    const messages = deliveries.map(({ topic, payload, receivedAtMs, retain, isRelease = false }, i) => ({
      number: firstNumber + i,
      topic,
      payload,
      receivedAtMs,
      retained: retain,
      isRelease,
    }));
    const redeliverable = deliveries.filter(({ qos }) => qos === 1);
    const copies = redeliverable.filter(({ isMaybeRepeated }) => isMaybeRepeated === true);
    this.#options.writer.confirm(bytes, {
      messages: deliveries.length,
      redeliverable: redeliverable.length,
      copies: copies.length,
    });
    this.#queue.done();
    this.#options.onDurable(messages, bytes, segment, offset);
    const newest = this.#options.connectionOffset + deliveries.at(-1)!.connection;
    this.#maxConnection = Math.max(this.#maxConnection, newest);
    for (const [i, delivery] of deliveries.entries()) {
      if (delivery.qos === 2) this.#noteHeld(delivery, firstNumber + i);
      this.#acknowledge(delivery, firstNumber + i);
    }
    this.#lastGroup = { size: deliveries.length, atMs: this.#options.clock.monotonic() };
  }

  #noteHeld(delivery: FrameSource, messageNo: number): void {
    const { held, isOfSession } = this.#options;
    const { isRelease, packetId = 0 } = delivery;
    if (!isOfSession(delivery)) return;
    if (isRelease === true) held.released(packetId);
    else held.stored(packetId, delivery, messageNo);
  }

  #acknowledge(delivery: FrameSource, messageNo: number): void {
    try {
      delivery.acknowledge(messageNo);
    } catch (error) {
      this.#acknowledgeFailed.report({ topic: delivery.topic, error });
    }
  }

  #syncLater(): void {
    if (this.#unsynced !== 'nothing') return;
    this.#unsynced = 'some';
    this.#cancelSyncTimer = this.#options.clock.setTimer(SYNC_INTERVAL_MS, () => {
      this.#unsynced = 'due';
      this.#nextTry.open(); // what waits for room must not hold up the sync of what is written
      this.#begin();
    });
  }

  async #syncNow(): Promise<void> {
    this.#cancelSyncTimer();
    this.#unsynced = 'nothing';
    await this.#options.writer.sync(true);
  }

  #noteFailure(error: unknown): void {
    const isOwnLimit = error instanceof JournalFullError;
    this.#fullBy = isOwnLimit ? 'maxBytes' : 'disk';
    this.#setState(isOwnLimit || lacksRoom(error) ? 'full' : 'failing');
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
