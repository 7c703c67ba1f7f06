import type { Clock } from '../core/clock.ts';
import type { FileSystem } from '../core/filesystem.ts';
import { Gate } from '../core/gate.ts';
import { RepeatedError, type Logger } from '../core/logger.ts';
import {
  claimedFrameBytes,
  decodeFrame,
  frameIndex,
  FRAME_OVERHEAD_BYTES,
  intactFrameBytes,
  type JournalEntry,
} from './frame.ts';
import { scanSegment } from './segment-scan.ts';
import type { Segment } from './segment.ts';

export interface JournalReaderOptions {
  readonly fileSystem: FileSystem;
  /**
   * The journal's, in order, with what is durable in each: the writer adds to the list, the checkpoint removes from it.
   */
  readonly segments: readonly Segment[];
  /** Messages up to this number are not given. */
  readonly afterNumber: number;
  /** How many messages are behind it. */
  readonly waiting: number;
  readonly clock: Clock;
  readonly log: Logger;
}

const MAX_TAKEN_MESSAGES = 1000;
const MAX_TAKEN_BYTES = 1_048_576;
const MAX_MEMORY_BYTES = 16_777_216;
const READ_BYTES = 262_144;
const RETRY_MS = 1000;

interface Cursor {
  segment: Segment | undefined;
  offset: number;
}

/**
 * Gives durable messages in order, each once, to one reader.
 *
 * Either all that waits is in memory (`#disk` undefined), or the oldest part is in memory and what comes behind it is
 * read from disk, from `#disk` on, until that has caught up with what is durable. Memory is bounded by
 * `MAX_MEMORY_BYTES`.
 */
export class JournalReader {
  readonly #fileSystem: FileSystem;
  readonly #segments: readonly Segment[];
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #readFailed: RepeatedError;
  #memory: JournalEntry[] = [];
  #head = 0;
  #memoryBytes = 0;
  #disk: Cursor | undefined;
  #lastGiven: number;
  #waiting: number;
  /** The reader waits here for messages that become durable, for the time to read again, and for the end. */
  readonly #news = new Gate();
  #isClosed = false;

  constructor(options: JournalReaderOptions) {
    this.#fileSystem = options.fileSystem;
    this.#segments = options.segments;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#readFailed = new RepeatedError(options.log, options.clock, 'journal can not be read');
    this.#lastGiven = options.afterNumber;
    this.#waiting = options.waiting;
    this.#disk = { segment: undefined, offset: 0 };
  }

  /** Durable messages that were not given out. */
  get waiting(): number {
    return this.#waiting;
  }

  /** These became durable, `bytes` of frames from `offset` of the segment on. */
  push(messages: readonly JournalEntry[], bytes: number, segment: Segment, offset: number): void {
    this.#waiting += messages.length;
    if (this.#disk === undefined) {
      if (this.#memoryBytes === 0 || this.#memoryBytes + bytes <= MAX_MEMORY_BYTES) {
        this.#memory = this.#head === this.#memory.length ? [...messages] : this.#memory.concat(messages);
        if (this.#memory.length === messages.length) this.#head = 0;
        this.#memoryBytes += bytes;
      } else {
        this.#disk = { segment, offset };
      }
    }
    // While the disk is read, what has just come waits behind it.
    if (this.#disk === undefined) this.#news.open();
  }

  /**
   * The next messages, in order; waits for at least one; gives at most 1,000, and at most 1 MB if there are several.
   * Gives none when the reader is closed or `signal` is aborted. What the disk refuses is logged and read again after a
   * second.
   */
  async take(signal: AbortSignal): Promise<readonly JournalEntry[]> {
    while (!signal.aborted && !this.#isClosed) {
      const messages = this.#head < this.#memory.length ? this.#takeFromMemory() : await this.#takeFromDisk(signal);
      if (messages.length > 0) {
        this.#waiting -= messages.length;
        this.#lastGiven = messages.at(-1)!.number;
        return messages;
      }
      if (this.#disk === undefined && this.#head === this.#memory.length) await this.#untilNews(signal);
    }
    return [];
  }

  /** Ends `take`, now and later. */
  close(): void {
    this.#isClosed = true;
    this.#news.open();
  }

  async #untilNews(signal: AbortSignal): Promise<void> {
    if (!this.#isClosed) await this.#news.wait(signal);
  }

  #takeFromMemory(): readonly JournalEntry[] {
    let end = this.#head;
    let bytes = 0;
    while (end < this.#memory.length && end - this.#head < MAX_TAKEN_MESSAGES) {
      const message = this.#memory[end]!;
      bytes += message.payload.length;
      if (bytes > MAX_TAKEN_BYTES && end > this.#head) break;
      end += 1;
    }
    const taken = this.#memory.slice(this.#head, end);
    this.#head = end;
    if (end === this.#memory.length) {
      this.#memory = [];
      this.#head = 0;
      this.#memoryBytes = 0;
    }
    return taken;
  }

  /**
   * Gives nothing when the reading has caught up, at the end of a run of bytes, and when the disk could not be read.
   */
  async #takeFromDisk(signal: AbortSignal): Promise<readonly JournalEntry[]> {
    const cursor = this.#disk;
    if (cursor === undefined) return [];
    const run = cursor.segment?.runs.find(({ end }) => end > cursor.offset);
    if (cursor.segment === undefined || run === undefined) {
      this.#nextSegment(cursor);
      return [];
    }
    const { segment } = cursor;
    cursor.offset = Math.max(cursor.offset, run.start);
    try {
      const messages = await this.#read(segment, cursor, run.end);
      this.#readFailed.over();
      return messages;
    } catch (error) {
      this.#readFailed.report({ path: segment.path, error });
      const cancel = this.#clock.setTimer(RETRY_MS, () => this.#news.open());
      await this.#untilNews(signal);
      cancel();
      return [];
    }
  }

  #nextSegment(cursor: Cursor): void {
    const after = cursor.segment?.firstNumber ?? 0;
    const next = this.#segments.find((each) => each.firstNumber > after && each.lastNumber > this.#lastGiven);
    if (next === undefined) {
      this.#disk = undefined;
      this.#waiting = 0;
      return;
    }
    cursor.segment = next;
    cursor.offset = 0;
  }

  /** Messages from the cursor on; moves the cursor behind them. */
  async #read(segment: Segment, cursor: Cursor, runEnd: number): Promise<readonly JournalEntry[]> {
    const start = cursor.offset;
    let buffer = await this.#fileSystem.readRange(segment.path, start, Math.min(READ_BYTES, runEnd - start));
    const claimed = claimedFrameBytes(buffer, 0);
    if (claimed > buffer.length && start + claimed <= runEnd) {
      buffer = await this.#fileSystem.readRange(segment.path, start, claimed);
    }
    const messages: JournalEntry[] = [];
    let at = 0;
    while (messages.length < MAX_TAKEN_MESSAGES && at + FRAME_OVERHEAD_BYTES <= buffer.length) {
      const length = intactFrameBytes(buffer, at, segment.salt);
      if (length === 0) break;
      const number = segment.firstNumber + frameIndex(buffer, at);
      if (number > this.#lastGiven) messages.push(decodeFrame(buffer, at, segment.firstNumber));
      at += length;
    }
    if (at === 0) await this.#rescan(segment, runEnd);
    else cursor.offset = start + at;
    return messages;
  }

  /** Bytes that were intact at the start are not any more: finds out which still are. */
  async #rescan(segment: Segment, end: number): Promise<void> {
    const buffer = await this.#fileSystem.readRange(segment.path, 0, end);
    const { runs } = scanSegment(buffer, segment.salt, 0);
    this.#log.error('bytes of the journal were damaged after they were written', { path: segment.path });
    // What was appended meanwhile stands behind `end`.
    for (const run of segment.runs) if (run.end > end) runs.push({ start: Math.max(run.start, end), end: run.end });
    segment.runs = runs;
  }
}
