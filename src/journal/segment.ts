import { crc32 } from 'node:zlib';

/*
 * A segment file is a header and then frames (frame.ts). Its name is `segment-<first message number, 16 digits>.log`;
 * the first number is a multiple of 2^24, and each segment ever begun has a greater one. The header and the name are
 * durable before any of the messages counts as durable: so no number that anyone saw is given a second time, whatever
 * was lost with the power.
 *
 *   offset  bytes
 *        0      8  "MQORAJNL"
 *        8      4  version of the format: 1
 *       12     12  journal id, ASCII
 *       24      8  first message number
 *       32      8  first message number of the segment before, 0: there was none
 *       40      4  messages in the segment before: what is missing there can be told
 *       44      4  CRC-32 of offsets 0 to 43
 *
 * Numbers are little-endian. The salt of the frames' CRCs is the CRC-32 of journal id and first number, so that what
 * the disk kept of another file, or a payload that looks like a frame, is not taken for one. Offsets 0 to 11 and 44 to
 * 47 stay as they are in any later version.
 */

export const HEADER_BYTES = 48;
export const MESSAGES_PER_SEGMENT = 2 ** 24;
/** First message numbers are safe integers. */
export const MAX_SEGMENT_NO = 2 ** 29 - 1;
export const JOURNAL_ID_LENGTH = 12;
const MAGIC = Buffer.from('MQORAJNL');
const VERSION = 1;
const CRC_AT = 44;
const NAME = /^segment-(?<number>\d{16})\.log$/;

/** From `start` up to `end`, which is not part of it. */
export interface ByteRange {
  readonly start: number;
  end: number;
}

/** What is known of a segment file. */
export interface Segment {
  readonly firstNumber: number;
  readonly path: string;
  readonly salt: number;
  /** Where intact frames are, in order. */
  runs: ByteRange[];
  /** Size of the file, as far as it counts. */
  bytes: number;
  messages: number;
  /** Those of them at QoS 1: the broker may send them again. */
  redeliverable: number;
  /** Those of these that may have come before: no messages more that the broker holds. */
  copies: number;
  /** Number of the last intact message, `firstNumber - 1` when there is none. */
  lastNumber: number;
}

export interface SegmentHeader {
  readonly journalId: string;
  readonly firstNumber: number;
  readonly previousFirstNumber: number;
  readonly previousMessages: number;
}

export function segmentName(firstNumber: number): string {
  return `segment-${String(firstNumber).padStart(16, '0')}.log`;
}

/** The first message number that the name tells, or undefined for another file. */
export function parseSegmentName(name: string): number | undefined {
  const text = NAME.exec(name)?.groups?.['number'];
  const number = Number(text);
  const isOurs = text !== undefined && number > 0 && number % MESSAGES_PER_SEGMENT === 0;
  return isOurs && number / MESSAGES_PER_SEGMENT <= MAX_SEGMENT_NO ? number : undefined;
}

/** Which segment a message belongs to. */
export function segmentNoOf(messageNo: number): number {
  return Math.floor(messageNo / MESSAGES_PER_SEGMENT);
}

export function saltOf(journalId: string, firstNumber: number): number {
  return crc32(`${journalId}/${firstNumber}`);
}

export function encodeHeader(header: SegmentHeader): Buffer {
  const buffer = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(buffer);
  buffer.writeUInt32LE(VERSION, 8);
  buffer.write(header.journalId, 12, JOURNAL_ID_LENGTH, 'latin1');
  buffer.writeBigUInt64LE(BigInt(header.firstNumber), 24);
  buffer.writeBigUInt64LE(BigInt(header.previousFirstNumber), 32);
  buffer.writeUInt32LE(header.previousMessages, 40);
  buffer.writeUInt32LE(crc32(buffer.subarray(0, CRC_AT)), CRC_AT);
  return buffer;
}

/** The header, undefined when it is damaged or not there, `later` when a later version of the format wrote it. */
export function decodeHeader(buffer: Buffer): SegmentHeader | 'later' | undefined {
  if (buffer.length < HEADER_BYTES || !buffer.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  if (crc32(buffer.subarray(0, CRC_AT)) !== buffer.readUInt32LE(CRC_AT)) return undefined;
  if (buffer.readUInt32LE(8) !== VERSION) return 'later';
  return {
    journalId: buffer.toString('latin1', 12, 12 + JOURNAL_ID_LENGTH),
    firstNumber: Number(buffer.readBigUInt64LE(24)),
    previousFirstNumber: Number(buffer.readBigUInt64LE(32)),
    previousMessages: buffer.readUInt32LE(40),
  };
}
