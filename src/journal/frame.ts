import { crc32 } from 'node:zlib';

import type { Delivery, Message, Release } from '../core/message.ts';

/*
 * A frame holds one message. All numbers are little-endian.
 *
 *   offset  bytes
 *        0      4  length of the body: all from offset 8 on
 *        4      4  CRC-32 of the body, begun from the segment's salt (segment.ts), so that a frame of another segment
 *                  does not verify
 *        8      4  index of the message in its segment, from 0; message number = first number of the segment + index
 *       12      8  time of receipt, epoch milliseconds, a double
 *       20      4  connection that delivered it; grows over restarts
 *       24      2  packet id, 0 when there is none
 *       26      2  length of the topic in bytes
 *       28      1  bits 0–1 QoS, bit 2 DUP, bit 3 retain, bit 4 there is a packet id, bit 5 it is a release, bit 6 it
 *                  may have come before
 *       29      …  topic in UTF-8, then the payload up to the end of the body
 *
 * A release says that the broker has released a packet id of QoS 2; it has neither topic nor payload, and a number as
 * messages have.
 *
 * Within a segment the indexes follow each other without a gap; where bytes are damaged, an intact frame is looked for
 * behind them.
 */

/** What is read in order: a message, or a release, which has no topic. */
export interface JournalEntry extends Message {
  readonly retained: boolean;
  readonly isRelease: boolean;
}

/** What a frame is made of. */
export interface FrameSource extends Omit<Delivery, 'ordinal' | 'withhold'> {
  /** Absent: it is a message. */
  readonly isRelease?: true;
}

/** A message as the journal keeps it. */
export interface JournalRecord extends JournalEntry {
  /** Undefined at QoS 0. */
  readonly packetId: number | undefined;
  readonly qos: number;
  readonly duplicate: boolean;
  /** Which connection to the broker delivered it: grows over restarts. */
  readonly connection: number;
}

const PREFIX_BYTES = 8;
const FIXED_BODY_BYTES = 21;
/** What a frame takes beside topic and payload: the least that a frame is long. */
export const FRAME_OVERHEAD_BYTES = PREFIX_BYTES + FIXED_BODY_BYTES;

const QOS_BITS = 3;
const DUPLICATE_BIT = 4;
const RETAIN_BIT = 8;
const PACKET_ID_BIT = 16;
const RELEASE_BIT = 32;
const MAYBE_REPEATED_BIT = 64;

const NO_PAYLOAD = Buffer.alloc(0);

/** What the release of a packet id makes a frame of. */
export function releaseFrame(release: Release): FrameSource {
  return {
    topic: '',
    payload: NO_PAYLOAD,
    qos: 2,
    retain: false,
    duplicate: false,
    packetId: release.packetId,
    receivedAtMs: 0,
    connection: release.connection,
    isRelease: true,
    acknowledge: () => release.acknowledge(),
  };
}

/** How many bytes the message takes in a segment. */
export function frameBytes(delivery: FrameSource): number {
  return FRAME_OVERHEAD_BYTES + Buffer.byteLength(delivery.topic) + delivery.payload.length;
}

export interface FrameContext {
  /** Index of the first of the messages in its segment. */
  readonly firstIndex: number;
  readonly salt: number;
  /** Added to the number of each delivery's connection. */
  readonly connectionOffset: number;
}

/** One buffer with a frame for each delivery; `totalBytes` is the sum of their `frameBytes`. */
export function encodeFrames(deliveries: readonly FrameSource[], totalBytes: number, context: FrameContext): Buffer {
  const buffer = Buffer.allocUnsafe(totalBytes);
  let at = 0;
  let index = context.firstIndex;
  for (const delivery of deliveries) {
    at = encodeFrame(buffer, at, delivery, index, context);
    index += 1;
  }
  return buffer;
}

function encodeFrame(buffer: Buffer, at: number, delivery: FrameSource, index: number, context: FrameContext): number {
  const { topic, payload, packetId } = delivery;
  const topicBytes = buffer.write(topic, at + FRAME_OVERHEAD_BYTES);
  buffer.set(payload, at + FRAME_OVERHEAD_BYTES + topicBytes);
  const end = at + FRAME_OVERHEAD_BYTES + topicBytes + payload.length;
  buffer.writeUInt32LE(index, at + 8);
  buffer.writeDoubleLE(delivery.receivedAtMs, at + 12);
  buffer.writeUInt32LE((context.connectionOffset + delivery.connection) >>> 0, at + 20);
  buffer.writeUInt16LE(packetId ?? 0, at + 24);
  buffer.writeUInt16LE(topicBytes, at + 26);
  buffer[at + 28] =
    delivery.qos |
    (delivery.duplicate ? DUPLICATE_BIT : 0) |
    (delivery.retain ? RETAIN_BIT : 0) |
    (packetId === undefined ? 0 : PACKET_ID_BIT) |
    (delivery.isRelease === true ? RELEASE_BIT : 0) |
    (delivery.isMaybeRepeated === true ? MAYBE_REPEATED_BIT : 0);
  buffer.writeUInt32LE(end - at - PREFIX_BYTES, at);
  buffer.writeUInt32LE(crc32(buffer.subarray(at + PREFIX_BYTES, end), context.salt), at + 4);
  return end;
}

/** Length in bytes that the frame at `at` says it has, or 0 when it can't be one; it may reach beyond the buffer. */
export function claimedFrameBytes(buffer: Buffer, at: number): number {
  if (at + FRAME_OVERHEAD_BYTES > buffer.length) return 0;
  const bodyBytes = buffer.readUInt32LE(at);
  if (bodyBytes < FIXED_BODY_BYTES || buffer.readUInt16LE(at + 26) > bodyBytes - FIXED_BODY_BYTES) return 0;
  return PREFIX_BYTES + bodyBytes;
}

/** Length in bytes of the intact frame at `at`, or 0 when there is none. */
export function intactFrameBytes(buffer: Buffer, at: number, salt: number): number {
  const length = claimedFrameBytes(buffer, at);
  if (length === 0 || at + length > buffer.length) return 0;
  return crc32(buffer.subarray(at + PREFIX_BYTES, at + length), salt) === buffer.readUInt32LE(at + 4) ? length : 0;
}

/** Index of the message in its segment. */
export function frameIndex(buffer: Buffer, at: number): number {
  return buffer.readUInt32LE(at + 8);
}

/** Only what came at QoS 1 may come again under any id: at QoS 0 nothing does, at QoS 2 the id tells. */
export function frameIsQos1(buffer: Buffer, at: number): boolean {
  return (buffer[at + 28]! & QOS_BITS) === 1;
}

/** It is the release of a packet id. */
export function frameIsRelease(buffer: Buffer, at: number): boolean {
  return (buffer[at + 28]! & RELEASE_BIT) !== 0;
}

/** Another record of its message may stand before it. */
export function frameIsMaybeRepeated(buffer: Buffer, at: number): boolean {
  return (buffer[at + 28]! & MAYBE_REPEATED_BIT) !== 0;
}

/** Its message came at QoS 2, or it is the release of one. */
export function frameIsQos2(buffer: Buffer, at: number): boolean {
  return (buffer[at + 28]! & QOS_BITS) === 2;
}

export function frameConnection(buffer: Buffer, at: number): number {
  return buffer.readUInt32LE(at + 20);
}

/** The message of an intact frame; its payload is a view of `buffer`. */
export function decodeFrame(buffer: Buffer, at: number, firstNumber: number): JournalRecord {
  const topicEnd = at + FRAME_OVERHEAD_BYTES + buffer.readUInt16LE(at + 26);
  const flags = buffer[at + 28]!;
  return {
    number: firstNumber + frameIndex(buffer, at),
    topic: buffer.toString('utf8', at + FRAME_OVERHEAD_BYTES, topicEnd),
    payload: buffer.subarray(topicEnd, at + PREFIX_BYTES + buffer.readUInt32LE(at)),
    receivedAtMs: buffer.readDoubleLE(at + 12),
    retained: (flags & RETAIN_BIT) !== 0,
    packetId: (flags & PACKET_ID_BIT) === 0 ? undefined : buffer.readUInt16LE(at + 24),
    qos: flags & QOS_BITS,
    duplicate: (flags & DUPLICATE_BIT) !== 0,
    isRelease: (flags & RELEASE_BIT) !== 0,
    connection: frameConnection(buffer, at),
  };
}
