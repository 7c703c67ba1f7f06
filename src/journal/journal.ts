import type { Clock } from '../core/clock.ts';
import type { FileSystem } from '../core/filesystem.ts';
import type { Logger } from '../core/logger.ts';
import type { Delivery, Message, Release } from '../core/message.ts';
import type { Place } from '../core/place.ts';
import type { Reserve } from '../core/reserve.ts';
import type { OnStep } from '../core/steps.ts';
import { checkpointOf, type Checkpoint, type CheckpointContent, type SessionKnowledge } from './checkpoint-file.ts';
import { CheckpointWriter, type CheckpointCompanion, type CheckpointFacts } from './checkpoint-writer.ts';
import { Committer, type FullBy, type JournalState, type SyncMode } from './committer.ts';
import { releaseFrame, type JournalEntry, type JournalRecord } from './frame.ts';
import type { HeldPacketIds } from './held-packet-ids.ts';
import { JournalReader } from './journal-reader.ts';
import type { JournalLock } from './process-lock.ts';
import { readRecentRecords } from './recent-records.ts';
import { recover, type Recovered } from './recovery.ts';
import { SegmentList } from './segment-list.ts';
import { SegmentWriter } from './segment-writer.ts';
import { HEADER_BYTES, JOURNAL_ID_LENGTH, segmentNoOf, type Segment } from './segment.ts';
import { Settling } from './settling.ts';

export type { SessionKnowledge, JournalLock, JournalRecord };

export interface JournalOptions {
  readonly dir: string;
  /** The most that the segments may take together. */
  readonly maxBytes: number;
  /** A segment that is about to grow beyond it is closed; at most a quarter of `maxBytes`. */
  readonly segmentBytes: number;
  /**
   * The most messages that the broker is to have on their way at once: so many are kept, settled or not, to recognise
   * them when they come again, beside those that it is not proven to have the acknowledgements of.
   */
  readonly redeliverable: number;
  readonly sync: SyncMode;
  readonly reserve: Reserve;
  /** Absent: nothing but the checkpoint has to be durable. */
  readonly companions?: readonly CheckpointCompanion[];
  readonly fileSystem: FileSystem;
  readonly lock: JournalLock;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onStep: OnStep;
}

export interface JournalStatus {
  readonly bytes: number;
  /** Messages that are durable and not settled. */
  readonly messages: number;
  /** Messages that were taken in and are not durable yet. */
  readonly held: number;
  readonly state: JournalState;
  /** Absent unless it is full. */
  readonly fullBy?: FullBy;
}

const ID_CHARACTERS = 'abcdefghijkmnpqrstuvwxyz23456789';
/** Two settled segments stay for the redelivery check, one is written, and one must fit beside them. */
const SEGMENTS_WITHIN_MAX = 4;

/**
 * The messages that were acknowledged and are not settled, on disk.
 *
 * 1. Messages lie in **segments** (segment.ts), files that only grow. A segment's name and header are durable before
 *    any of its messages counts, and each segment ever begun has greater message numbers: no number is given twice,
 *    whatever the power takes.
 * 2. Each message is a **frame** (frame.ts) with a CRC that fits this segment alone.
 * 3. `append` takes a delivery in. The **committer** writes and syncs what has gathered (segment-writer.ts), and only
 *    then acknowledges each delivery and hands the messages to the reader. What the disk refuses stays unacknowledged,
 *    is cut off and written again under other numbers.
 * 4. `take` gives durable messages, in order, each once (journal-reader.ts), from memory or, when the reader is behind,
 *    from disk. After a start it is the same reading from an earlier place: there is no second path for recovery.
 * 5. `done` tells how many values a message has, and `settledThrough` up to where values are in Oracle or in a CSV
 *    file. A message is **settled** once all of its values are (settling.ts).
 * 6. The **checkpoint** (checkpoint-file.ts; when: checkpoints.ts; how: checkpoint-writer.ts) is one small file that
 *    says up to where all is settled, with the counters of just that place, where the ledger was, and what is known of
 *    the broker's session.
 * 7. Segments behind a durable checkpoint are **removed**, but for the newest, which the next start needs to recognise
 *    what the broker delivers again (segment-list.ts).
 * 8. `Journal.open` **recovers** (recovery.ts): it cuts a torn tail off, sets damaged bytes aside, reports what is
 *    missing, and goes on behind the checkpoint.
 *
 * `sync` tells what may be lost of what was acknowledged:
 * - `always`: nothing, whatever happens to the process or the machine, as long as the disk keeps what it reports as
 *   written;
 * - `interval`: nothing when the process dies; with the machine (power, kernel) what came in during the last 200 ms;
 * - `never`: nothing when the process dies; with the machine whatever the kernel had not written yet, commonly of up
 *   to half a minute.
 */
export class Journal {
  /** 12 characters, made by chance once a journal: kept as long as one of its files is. */
  readonly id: string;
  /** The checkpoint that was found at open; undefined: none was, the journal is new or lost it. */
  readonly checkpoint: Checkpoint | undefined;
  readonly #options: JournalOptions;
  readonly #segments: SegmentList;
  /** The segments that were there at open. */
  readonly #found: readonly Segment[];
  /** Connection n of this process is number `#connectionOffset + n` in the journal. */
  readonly #connectionOffset: number;
  /** Messages that were found at open and that had come after the checkpoint was made: its counters lack them. */
  readonly uncounted: number;
  /** The broker's present session began with this connection. */
  #sessionFrom: number;
  /** The broker is proven to have the acknowledgements up to here; infinite: nobody has said. */
  #acknowledgedThrough: number;
  readonly #held: HeldPacketIds;
  readonly #settling: Settling;
  readonly #writer: SegmentWriter;
  readonly #reader: JournalReader;
  readonly #committer: Committer;
  readonly #checkpoints: CheckpointWriter;
  #isClosed = false;

  /**
   * Makes the directory, locks it and recovers what is there; then `take` stands behind the checkpoint. Throws when the
   * directory can't be used, another process holds it (the message names it), or a later version of the bridge wrote
   * it.
   */
  static async open(options: JournalOptions): Promise<Journal> {
    const { dir, fileSystem, lock, log } = options;
    await fileSystem.makeDirectory(dir);
    await lock.acquire(dir);
    try {
      const recovered = await recover(dir, fileSystem, log);
      // What an earlier process created or removed may not be durable yet.
      await fileSystem.syncDirectory(dir);
      const journal = new Journal(options, recovered);
      const { segments, messages } = recovered;
      log.info('journal opened', { journal: journal.id, segments: segments.length, messages });
      return journal;
    } catch (error) {
      await lock.release().catch(() => {});
      throw error;
    }
  }

  private constructor(options: JournalOptions, recovered: Recovered) {
    const { clock, dir, fileSystem, log } = options;
    const { checkpoint, held, segments } = recovered;
    this.#options = { ...options, segmentBytes: segmentBytesWithin(options) };
    this.id = recovered.journalId ?? newId(clock);
    this.checkpoint = checkpoint && checkpointOf(checkpoint);
    this.#segments = new SegmentList({ ...this.#options, segments });
    this.#found = segments;
    this.uncounted = recovered.uncounted;
    this.#connectionOffset = recovered.maxConnection + 1;
    this.#sessionFrom = checkpoint?.sessionFrom ?? 0;
    this.#acknowledgedThrough = checkpoint?.broker?.acknowledgedThrough ?? Number.POSITIVE_INFINITY;
    this.#held = held;
    if (options.sync !== 'always') held.doubtAll();
    this.#settling = new Settling(checkpoint?.place, checkpoint?.isWhole);
    this.#writer = new SegmentWriter(dir, fileSystem, this.id, recovered.nextSegmentNo);
    this.#reader = new JournalReader({
      fileSystem,
      clock,
      log,
      segments: this.#segments.all,
      afterNumber: this.#settling.messageNo,
      waiting: recovered.messages,
    });
    this.#committer = this.#createCommitter();
    this.#checkpoints = this.#createCheckpointWriter();
  }

  /**
   * The newest durable messages that were found at open, settled ones among them, oldest first: up to 65,535, up to 64
   * MB of them.
   */
  recentRecords(): Promise<readonly JournalRecord[]> {
    return readRecentRecords(this.#found, this.#options.fileSystem);
  }

  /**
   * Whether the record was delivered in the broker's present session, as far as is known: only then may it come again.
   */
  isOfSession(record: JournalRecord): boolean {
    return record.connection >= this.#sessionFrom;
  }

  /** The broker has begun a new session with this connection of the process. Durable with the next checkpoint. */
  beginSession(connection: number): void {
    this.#sessionFrom = this.#connectionOffset + connection;
    this.#held.clear();
  }

  /**
   * What a delivery at QoS 2 is: of a message that is in the journal or on its way there, and was not released since,
   * or a new one.
   */
  judgeQos2(...asked: Parameters<HeldPacketIds['judge']>): ReturnType<HeldPacketIds['judge']> {
    return this.#held.judge(...asked);
  }

  /** Takes a message in, and acknowledges it once it is durable. Held, unacknowledged, while the disk takes nothing. */
  append(delivery: Delivery): void {
    if (this.#isClosed) return; // the broker delivers it again
    if (delivery.qos === 2) this.#held.begin(delivery);
    this.#committer.append(delivery);
  }

  /**
   * Forgets a packet id of QoS 2, and acknowledges that once it is durable: an id that was released after all would
   * hide a new message.
   */
  release(release: Release): void {
    this.#held.heardOf(release.packetId);
    if (!this.#held.has(release.packetId)) release.acknowledge();
    else if (!this.#isClosed) this.#committer.append(releaseFrame(release));
  }

  /**
   * The next durable messages, in order; waits for at least one; at most 1,000, and 1 MB if there are several. Those
   * behind the checkpoint come first, a partly settled one among them. None: closed, or `signal` is aborted. For one
   * reader.
   */
  async take(signal: AbortSignal): Promise<readonly Message[]> {
    for (;;) {
      const entries = await this.#reader.take(signal);
      for (const { number } of entries) this.#settling.add(number);
      const messages = entries.every(({ isRelease }) => !isRelease) ? entries : this.#withoutReleases(entries);
      if (messages.length > 0 || entries.length === 0) return messages;
    }
  }

  /**
   * All of the message's values are in the buffers, the last of them as number `values` - 1; 0: it has none, none was
   * let through, or it is durably kept as undecodable.
   */
  done(message: Message, values: number): void {
    this.#settling.done(message.number, values);
    this.#noteSettled();
  }

  /** Every value up to and including the place is settled. */
  settledThrough(place: Place): void {
    this.#settling.settledThrough(place);
    this.#noteSettled();
  }

  /** The last message that is durable; 0: there was none. */
  get lastNo(): number {
    const newest = this.#segments.all.findLast(({ messages }) => messages > 0);
    return Math.max(newest?.lastNumber ?? 0, this.#settling.place.messageNo);
  }

  /** The largest place such that every value up to it is settled. */
  get settledPlace(): Place {
    return this.#settling.place;
  }

  /** Messages up to this number are settled, and not given any more. */
  get settledNo(): number {
    return this.#settling.messageNo;
  }

  get status(): JournalStatus {
    const { fullBy, held, state } = this.#committer;
    const messages = this.#reader.waiting + this.#settling.size;
    return { bytes: this.#segments.bytes, messages, held, state, ...(fullBy === undefined ? {} : { fullBy }) };
  }

  /**
   * Messages from now on get numbers above this one. For a journal that lost files: someone else (the ledger) knows
   * greater numbers than any of its files does.
   */
  raiseNumbers(messageNo: number): void {
    this.#writer.raiseSegmentNo(segmentNoOf(messageNo) + 1);
  }

  /** Everything appended so far is durable and acknowledged. Throws when the journal is closed before. */
  whenIdle(): Promise<void> {
    return this.#committer.whenIdle();
  }

  /**
   * Makes the settled place, and what `facts` says as the save begins, durable, then removes segments that are not
   * needed any more. Calls that come while one is at work are served together by the next. Throws what the disk throws.
   */
  saveCheckpoint(facts: () => CheckpointFacts = () => ({ counters: {} })): Promise<void> {
    if (this.#isClosed) return Promise.reject(new Error('the journal is closed'));
    return this.#checkpoints.save(facts);
  }

  /**
   * Ends `take`. What was appended is committed and acknowledged if the disk takes it now. Save a checkpoint before.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#reader.close();
    await this.#committer.stop();
    await this.#checkpoints.settled();
    await this.#options.lock.release();
  }

  #createCommitter(): Committer {
    return new Committer({
      ...this.#options,
      writer: this.#writer,
      connectionOffset: this.#connectionOffset,
      hasRoom: (bytes) => this.#hasRoom(bytes),
      newestSegment: () => this.#segments.newest,
      held: this.#held,
      isOfSession: ({ connection }) => this.#connectionOffset + connection >= this.#sessionFrom,
      onDurable: (messages, bytes, segment, offset) => {
        this.#segments.note(segment);
        this.#reader.push(messages, bytes, segment, offset);
      },
    });
  }

  #createCheckpointWriter(): CheckpointWriter {
    return new CheckpointWriter({
      ...this.#options,
      companions: this.#options.companions ?? [],
      segments: this.#segments,
      content: (facts) => this.#checkpointContent(facts),
      removable: () => this.#removable(),
      onRemoved: () => this.#committer.retry(),
    });
  }

  /** Releases are of no interest to whoever takes messages. */
  #withoutReleases(entries: readonly JournalEntry[]): readonly Message[] {
    for (const { isRelease, number } of entries) if (isRelease) this.#settling.done(number, 0);
    this.#noteSettled();
    return entries.filter(({ isRelease }) => !isRelease);
  }

  /** A journal with nothing left to settle or to remove takes a group in any case, or it would stay full for ever. */
  #hasRoom(bytes: number): boolean {
    if (this.#segments.bytes + bytes <= this.#options.maxBytes) return true;
    return this.status.messages === 0 && this.#removable().length === 0;
  }

  #removable(): readonly Segment[] {
    return this.#segments.removable(this.#settling.messageNo, this.#acknowledgedThrough, this.#writer.segment);
  }

  #noteSettled(): void {
    if (this.#settling.size === 0) this.#committer.retry();
  }

  #checkpointContent(facts: CheckpointFacts): CheckpointContent {
    this.#acknowledgedThrough = facts.broker?.acknowledgedThrough ?? this.#acknowledgedThrough;
    return {
      version: 1,
      journalId: this.id,
      place: this.#settling.place,
      isWhole: this.#settling.isWhole,
      segmentNo: this.#writer.lastSegmentNo,
      connection: Math.max(this.#committer.maxConnection, this.#sessionFrom),
      sessionFrom: this.#sessionFrom,
      ...facts,
      held: { through: this.#segments.all.at(-1)?.lastNumber ?? 0, ids: this.#held.durable },
    };
  }
}

function segmentBytesWithin({ maxBytes, segmentBytes }: JournalOptions): number {
  return Math.max(HEADER_BYTES + 1, Math.min(segmentBytes, Math.floor(maxBytes / SEGMENTS_WITHIN_MAX)));
}

function newId(clock: Clock): string {
  const pick = (): string => ID_CHARACTERS[Math.floor(clock.random() * ID_CHARACTERS.length)]!;
  return Array.from({ length: JOURNAL_ID_LENGTH }, pick).join('');
}
