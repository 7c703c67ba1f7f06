import type { Clock } from '../core/clock.ts';
import { removeIfThere } from '../core/durable-file.ts';
import { lacksRoom } from '../core/errors.ts';
import type { FileSystem } from '../core/filesystem.ts';
import type { Logger } from '../core/logger.ts';
import type { Delivery, Message, Release } from '../core/message.ts';
import { ORIGIN, type Place } from '../core/place.ts';
import { Reserve } from '../core/reserve.ts';
import type { OnStep } from '../core/steps.ts';
import { encodeCheckpoint, writeCheckpoint, type SessionKnowledge } from './checkpoint-file.ts';
import { Committer, type JournalState, type SyncMode } from './committer.ts';
import { releaseFrame, type JournalEntry, type JournalRecord } from './frame.ts';
import type { HeldPacketIds } from './held-packet-ids.ts';
import { JoinedSaves } from './joined-saves.ts';
import { JournalReader } from './journal-reader.ts';
import type { JournalLock } from './process-lock.ts';
import { readRecentRecords } from './recent-records.ts';
import { recover, type Recovered } from './recovery.ts';
import { removableSegments } from './retention.ts';
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
  /** The most messages that the broker has on their way at once: so many are kept, settled or not, to recognise when they come again. */
  readonly redeliverable: number;
  readonly sync: SyncMode;
  /** Absent: none. */
  readonly reserve?: Reserve;
  readonly fileSystem: FileSystem;
  readonly lock: JournalLock;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onStep: OnStep;
}

export interface Checkpoint {
  readonly place: Place;
  readonly counters: Readonly<Record<string, number>>;
  /** Where the ledger was known to be. */
  readonly ledger: Place;
  readonly broker: SessionKnowledge;
}

export interface JournalStatus {
  readonly bytes: number;
  /** Durable and not settled. */
  readonly messages: number;
  /** Taken in and not durable yet. */
  readonly held: number;
  readonly state: JournalState;
}

interface Opened {
  readonly id: string;
  readonly segments: Segment[];
  readonly found: readonly Segment[];
  readonly checkpoint: Checkpoint | undefined;
  readonly connectionOffset: number;
  readonly settling: Settling;
  readonly writer: SegmentWriter;
  readonly committer: Committer;
  readonly reader: JournalReader;
  readonly held: HeldPacketIds;
}

const ID_CHARACTERS = 'abcdefghijkmnpqrstuvwxyz23456789';
/** Two settled segments stay for the redelivery check, one is written, and one must fit beside them. */
const SEGMENTS_WITHIN_MAX = 4;
const NOTHING_KNOWN: SessionKnowledge = {
  acknowledgedThrough: 0,
  idsCountOn: false,
  setsDuplicate: false,
  keepsIds: false,
};

/**
 * The messages that were acknowledged and are not settled, on disk (segment.ts, frame.ts, checkpoint-file.ts).
 *
 * A delivery is acknowledged when its frame is durable, and only what is durable is given to the reader. Its number is given with the write
 * that made it durable and is never given to another message: what failed is written again under another number.
 *
 * `sync` tells what may be lost of what was acknowledged:
 * - `always`: nothing, whatever happens to the process or the machine, as long as the disk keeps what it reports as written;
 * - `interval`: nothing when the process dies; with the machine (power, kernel) what came in during the last 200 ms;
 * - `never`: nothing when the process dies; with the machine whatever the kernel had not written yet, commonly up to 30 s.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #segmentBytes: number;
  readonly #reserve: Reserve;
  #opened: Opened | undefined;
  #isClosed = false;
  #lastCheckpoint = '';
  #sessionFrom = 0;
  #wanted: Omit<Checkpoint, 'place'> = { counters: {}, ledger: ORIGIN, broker: NOTHING_KNOWN };
  readonly #checkpointSaves = new JoinedSaves(() => this.#saveCheckpointNow());

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#reserve = options.reserve ?? new Reserve(options.dir, 0, options.fileSystem);
    const most = Math.floor(options.maxBytes / SEGMENTS_WITHIN_MAX);
    this.#segmentBytes = Math.max(HEADER_BYTES + 1, Math.min(options.segmentBytes, most));
  }

  /**
   * Makes the directory, locks it and recovers what is there; then `take` stands behind the checkpoint. Throws when the directory can't be
   * used, another process holds it (the message names it), or a later version of the bridge wrote it.
   */
  async open(): Promise<void> {
    const { dir, fileSystem, lock, log } = this.#options;
    await fileSystem.makeDirectory(dir);
    await lock.acquire(dir);
    try {
      const recovered = await recover(dir, fileSystem, log);
      // What an earlier process created or removed may not be durable yet.
      await fileSystem.syncDirectory(dir);
      this.#opened = this.#start(recovered);
    } catch (error) {
      await lock.release().catch(() => {});
      throw error;
    }
    const { id, segments, reader } = this.#opened;
    log.info('journal opened', { journal: id, segments: segments.length, messages: reader.waiting });
  }

  /** 12 characters, made by chance once a journal: kept as long as one of its files is. */
  get id(): string {
    return this.#ready.id;
  }

  /** As found at open; undefined: none, the journal is new or lost it. */
  get checkpoint(): Checkpoint | undefined {
    return this.#ready.checkpoint;
  }

  /** The newest durable messages that were found at open, settled ones among them, oldest first: up to 65,535, up to 64 MB of them. */
  recentRecords(): Promise<readonly JournalRecord[]> {
    return readRecentRecords(this.#ready.found, this.#options.fileSystem);
  }

  /** Whether the record was delivered in the broker's present session, as far as is known: only then may it come again. */
  isOfSession(record: JournalRecord): boolean {
    return record.connection >= this.#sessionFrom;
  }

  /** The broker has begun a new session with this connection of the process. Durable with the next checkpoint. */
  beginSession(connection: number): void {
    const { connectionOffset, held } = this.#ready;
    this.#sessionFrom = connectionOffset + connection;
    held.clear();
  }

  /** What a delivery at QoS 2 is: of a message that is in the journal or on its way there, and was not released since, or a new one. */
  judgeQos2(...asked: Parameters<HeldPacketIds['judge']>): ReturnType<HeldPacketIds['judge']> {
    return this.#ready.held.judge(...asked);
  }

  /** Takes a message in, and acknowledges it once it is durable. Held, unacknowledged, while the disk takes nothing. */
  append(delivery: Delivery): void {
    if (this.#isClosed) return; // the broker delivers it again
    const { committer, held } = this.#ready;
    if (delivery.qos === 2) held.begin(delivery);
    committer.append(delivery);
  }

  /** Forgets a packet id of QoS 2, and acknowledges that once it is durable: an id that was released after all would hide a new message. */
  release(release: Release): void {
    const { committer, held } = this.#ready;
    held.heardOf(release.packetId);
    if (!held.has(release.packetId)) release.acknowledge();
    else if (!this.#isClosed) committer.append(releaseFrame(release));
  }

  /**
   * The next durable messages, in order; waits for at least one; at most 1,000, and 1 MB if there are several. Those behind the checkpoint
   * come first, a partly settled one among them. None: closed, or `signal` is aborted. For one reader.
   */
  async take(signal: AbortSignal): Promise<readonly Message[]> {
    const { reader, settling } = this.#ready;
    for (;;) {
      const entries = await reader.take(signal);
      for (const { number } of entries) settling.add(number);
      const messages = entries.every(({ isRelease }) => !isRelease) ? entries : this.#withoutReleases(entries);
      if (messages.length > 0 || entries.length === 0) return messages;
    }
  }

  /** All of the message's `values` values are in the buffer; 0: it has none, or it is durably kept as undecodable. */
  done(message: Message, values: number): void {
    this.#ready.settling.done(message.number, values);
    this.#noteSettled();
  }

  /** Every value up to and including the place is settled. */
  settledThrough(place: Place): void {
    this.#ready.settling.settledThrough(place);
    this.#noteSettled();
  }

  /** The largest place such that every value up to it is settled. */
  get settledPlace(): Place {
    return this.#ready.settling.place;
  }

  get status(): JournalStatus {
    const { reader, settling, committer } = this.#ready;
    const messages = reader.waiting + settling.size;
    return { bytes: this.#bytes, messages, held: committer.held, state: committer.state };
  }

  /**
   * Messages from now on get numbers above this one. For a journal that lost files: someone else (the ledger) knows greater numbers than
   * any of its files does.
   */
  raiseNumbers(messageNo: number): void {
    this.#ready.writer.raiseSegmentNo(segmentNoOf(messageNo) + 1);
  }

  /** Everything appended so far is durable and acknowledged. Throws when the journal is closed before. */
  whenIdle(): Promise<void> {
    return this.#ready.committer.whenIdle();
  }

  /**
   * Makes the settled place, and what it is given, durable, then removes segments that are not needed any more. Calls that come while one is
   * at work are served together by the next. Throws what the disk throws.
   */
  saveCheckpoint(
    counters: Readonly<Record<string, number>>,
    ledger = ORIGIN,
    broker: SessionKnowledge = NOTHING_KNOWN,
  ): Promise<void> {
    if (this.#isClosed) return Promise.reject(new Error('the journal is closed'));
    this.#wanted = { counters: { ...counters }, ledger, broker };
    return this.#checkpointSaves.save();
  }

  /** Ends `take`. What was appended is committed and acknowledged if the disk takes it now. Save a checkpoint before. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#opened === undefined) return;
    const { reader, committer } = this.#opened;
    reader.close();
    await committer.stop();
    await this.#checkpointSaves.settled();
    await this.#options.lock.release();
  }

  get #ready(): Opened {
    if (this.#opened === undefined) throw new Error('the journal is not open');
    return this.#opened;
  }

  get #bytes(): number {
    return this.#ready.segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  #start(recovered: Recovered): Opened {
    const { dir, fileSystem, clock, log, sync, onStep } = this.#options;
    const { held, segments } = recovered;
    const id = recovered.journalId ?? this.#newId();
    const place = recovered.checkpoint?.place ?? ORIGIN;
    const connectionOffset = recovered.maxConnection + 1;
    this.#sessionFrom = recovered.checkpoint?.sessionFrom ?? 0;
    const settling = new Settling(place, recovered.checkpoint?.isWhole ?? true);
    const writer = new SegmentWriter(dir, fileSystem, id, recovered.nextSegmentNo);
    const common = { fileSystem, clock, log };
    const afterNumber = settling.messageNo;
    const reader = new JournalReader({ ...common, segments, afterNumber, waiting: recovered.messages });
    const committer = new Committer({
      writer,
      reserve: this.#reserve,
      sync,
      segmentBytes: this.#segmentBytes,
      connectionOffset,
      hasRoom: (bytes) => this.#hasRoom(bytes),
      newestSegment: () => segments.findLast(({ messages }) => messages > 0),
      held,
      isOfSession: ({ connection }) => connectionOffset + connection >= this.#sessionFrom,
      onDurable: (messages, bytes, segment, offset) => {
        if (segments.at(-1) !== segment) segments.push(segment);
        reader.push(messages, bytes, segment, offset);
      },
      onStep,
      clock,
      log,
    });
    const { checkpoint } = recovered;
    const found = checkpoint && {
      place,
      counters: checkpoint.counters,
      ledger: checkpoint.ledger ?? ORIGIN,
      broker: checkpoint.broker ?? NOTHING_KNOWN,
    };
    const parts = { connectionOffset, settling, writer, reader, committer, held };
    return { id, segments, found: [...segments], checkpoint: found, ...parts };
  }

  /** Releases are of no interest to the reader. */
  #withoutReleases(entries: readonly JournalEntry[]): readonly Message[] {
    for (const { isRelease, number } of entries) if (isRelease) this.#ready.settling.done(number, 0);
    this.#noteSettled();
    return entries.filter(({ isRelease }) => !isRelease);
  }

  #newId(): string {
    const { clock } = this.#options;
    const pick = (): string => ID_CHARACTERS[Math.floor(clock.random() * ID_CHARACTERS.length)]!;
    return Array.from({ length: JOURNAL_ID_LENGTH }, pick).join('');
  }

  /** What is all settled and can't be made smaller must not be full for ever. */
  #hasRoom(bytes: number): boolean {
    if (this.#bytes + bytes <= this.#options.maxBytes) return true;
    return this.status.messages === 0 && this.#removable().length === 0;
  }

  #removable(): Segment[] {
    const { segments, settling, writer } = this.#ready;
    const { maxBytes, redeliverable } = this.#options;
    const retention = { segmentBytes: this.#segmentBytes, maxBytes, redeliverable };
    return removableSegments(segments, settling.messageNo, retention, writer.segment);
  }

  #noteSettled(): void {
    const { settling, committer } = this.#ready;
    if (settling.size === 0) committer.retry();
  }

  async #saveCheckpointNow(): Promise<void> {
    const { onStep } = this.#options;
    const removable = this.#removable();
    const text = this.#checkpointText();
    try {
      if (text !== this.#lastCheckpoint) await this.#write(text);
    } catch (error) {
      if (!lacksRoom(error) || removable.length === 0) throw error;
      // On a full disk room has to be made first. What is settled needs no checkpoint to stay so: it is gone.
      await this.#remove(removable);
      await this.#write(text);
    }
    this.#lastCheckpoint = text;
    onStep('checkpoint-written');
    await this.#remove(removable);
  }

  #write(text: string): Promise<void> {
    const { dir, fileSystem } = this.#options;
    return writeCheckpoint(dir, text, fileSystem, this.#reserve);
  }

  #checkpointText(): string {
    const { id, settling, writer, committer, held, segments } = this.#ready;
    return encodeCheckpoint({
      version: 1,
      journalId: id,
      place: settling.place,
      isWhole: settling.isWhole,
      segmentNo: writer.lastSegmentNo,
      connection: Math.max(committer.maxConnection, this.#sessionFrom),
      sessionFrom: this.#sessionFrom,
      ...this.#wanted,
      held: { through: segments.at(-1)?.lastNumber ?? 0, ids: held.durable },
    });
  }

  async #remove(removable: readonly Segment[]): Promise<void> {
    const { dir, fileSystem } = this.#options;
    const { segments, committer } = this.#ready;
    for (const segment of removable) {
      const i = segments.indexOf(segment);
      if (i === -1) continue;
      await removeIfThere(fileSystem, segment.path);
      segments.splice(segments.indexOf(segment), 1);
    }
    if (removable.length === 0) return;
    await fileSystem.syncDirectory(dir);
    committer.retry();
  }
}
