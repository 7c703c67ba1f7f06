import { join } from 'node:path';

import type { AppendFile, FileSystem } from '../core/filesystem.ts';
import {
  encodeHeader,
  HEADER_BYTES,
  MESSAGES_PER_SEGMENT,
  saltOf,
  segmentName,
  segmentNoOf,
  type Segment,
} from './segment.ts';

/**
 * Writes the newest segment. After a write or a sync that failed nobody knows what the disk holds behind the last
 * durable byte: `repair` cuts that off, durably, and only then may the same messages be written again, into another
 * segment.
 */
export class SegmentWriter {
  readonly #directory: string;
  readonly #fileSystem: FileSystem;
  readonly #journalId: string;
  #nextSegmentNo: number;
  #leastSegmentNo = 0;
  #file: AppendFile | undefined;
  #segment: Segment | undefined;
  #broken: Segment | undefined;

  constructor(directory: string, fileSystem: FileSystem, journalId: string, nextSegmentNo: number) {
    this.#directory = directory;
    this.#fileSystem = fileSystem;
    this.#journalId = journalId;
    this.#nextSegmentNo = nextSegmentNo;
  }

  /** The segment that takes messages; undefined: one has to be begun. */
  get segment(): Segment | undefined {
    return this.#segment;
  }

  /** The greatest number of a segment that may be on disk. */
  get lastSegmentNo(): number {
    return this.#nextSegmentNo - 1;
  }

  /** There is a segment, and nothing since has asked for greater numbers. */
  get isCurrent(): boolean {
    return this.#segment !== undefined && segmentNoOf(this.#segment.firstNumber) >= this.#leastSegmentNo;
  }

  /** Messages go only into segments with at least this number. */
  raiseSegmentNo(segmentNo: number): void {
    this.#leastSegmentNo = segmentNo;
    this.#nextSegmentNo = Math.max(this.#nextSegmentNo, segmentNo);
  }

  /** A new segment behind `previous`: its name and header are durable when it resolves. */
  async begin(previous: Segment | undefined): Promise<Segment> {
    const firstNumber = this.#nextSegmentNo * MESSAGES_PER_SEGMENT;
    this.#nextSegmentNo += 1;
    const path = join(this.#directory, segmentName(firstNumber));
    const header = {
      journalId: this.#journalId,
      firstNumber,
      previousFirstNumber: previous?.firstNumber ?? 0,
      previousMessages: previous?.messages ?? 0,
    };
    const file = await this.#fileSystem.create(path);
    try {
      await file.append(encodeHeader(header));
      await file.sync();
      await this.#fileSystem.syncDirectory(this.#directory);
    } catch (error) {
      await file.close().catch(() => {});
      await this.#fileSystem.remove(path).catch(() => {}); // else a full disk gathers one at every attempt
      throw error;
    }
    this.#file = file;
    this.#segment = {
      firstNumber,
      path,
      salt: saltOf(this.#journalId, firstNumber),
      runs: [{ start: HEADER_BYTES, end: HEADER_BYTES }],
      bytes: HEADER_BYTES,
      messages: 0,
      redeliverable: 0,
      copies: 0,
      lastNumber: firstNumber - 1,
    };
    return this.#segment;
  }

  /** Writes frames. What failed is broken until `repair`. */
  async append(frames: Buffer): Promise<void> {
    try {
      await this.#file!.append(frames);
    } catch (error) {
      this.#break();
      throw error;
    }
  }

  /**
   * Makes durable what was written. `isAcknowledged`: what a failure leaves in doubt must not be cut off, others count
   * on it.
   */
  async sync(isAcknowledged: boolean): Promise<void> {
    try {
      await this.#file?.sync();
    } catch (error) {
      if (isAcknowledged) await this.leave();
      else this.#break();
      throw error;
    }
  }

  /** The frames count from now on. */
  confirm(
    bytes: number,
    { copies, messages, redeliverable }: Pick<Segment, 'copies' | 'messages' | 'redeliverable'>,
  ): void {
    const segment = this.#segment!;
    segment.bytes += bytes;
    segment.runs.at(-1)!.end = segment.bytes;
    segment.messages += messages;
    segment.redeliverable += redeliverable;
    segment.copies += copies;
    segment.lastNumber += messages;
  }

  /**
   * Cuts off what may be behind the last byte that counts. Does nothing when nothing failed; throws when the disk still
   * fails.
   */
  async repair(): Promise<void> {
    if (this.#broken === undefined) return;
    const { path, bytes, messages } = this.#broken;
    await this.leave();
    await this.#fileSystem.truncate(path, bytes);
    const file = await this.#fileSystem.openAppend(path);
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    this.#broken = undefined;
    if (messages === 0) await this.#fileSystem.remove(path).catch(() => {});
  }

  /** Closes the segment: the next messages need another one. */
  async leave(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#segment = undefined;
    await file?.close().catch(() => {});
  }

  #break(): void {
    this.#broken = this.#segment;
    this.#segment = undefined;
  }
}
