import { join } from 'node:path';

import { writeNewFile } from '../core/durable-file.ts';
import { systemErrorCode } from '../core/errors.ts';
import type { FileSystem } from '../core/filesystem.ts';
import type { Logger } from '../core/logger.ts';
import { REWRITE_SUFFIX, rewriteFile } from '../core/rewrite-file.ts';
import { claimedFrameBytes, decodeFrame, frameConnection, frameIndex, frameIsQos2, frameIsRelease } from './frame.ts';
import { HeldPacketIds } from './held-packet-ids.ts';
import { readCheckpoint, removeTemporary, type CheckpointContent } from './checkpoint-file.ts';
import { scanSegment, type SegmentScan } from './segment-scan.ts';
import {
  decodeHeader,
  HEADER_BYTES,
  parseSegmentName,
  saltOf,
  segmentName,
  segmentNoOf,
  type ByteRange,
  type Segment,
  type SegmentHeader,
} from './segment.ts';

/** What was found in the directory, ready to be read and to be gone on with. */
export interface Recovered {
  /** Undefined: nothing tells it, a new one has to be made. */
  readonly journalId: string | undefined;
  readonly checkpoint: CheckpointContent | undefined;
  /** Of this journal, in order. */
  readonly segments: Segment[];
  /** Above every segment ever begun that anything tells of. */
  readonly nextSegmentNo: number;
  /** Intact messages that are not settled. */
  readonly messages: number;
  /** Intact messages that came after the checkpoint was made. */
  readonly uncounted: number;
  /** The greatest connection number in the journal, -1: none. */
  readonly maxConnection: number;
  /** Packet ids of QoS 2 that the broker has not released. */
  readonly held: HeldPacketIds;
}

/** What the segments are read with. */
interface Reading {
  readonly journalId: string;
  readonly settledNo: number;
  readonly sessionFrom: number;
  /** Messages behind this one are not in the checkpoint's counters. */
  readonly countedThrough: number;
  /** Messages behind this one change what is held. */
  readonly heldThrough: number;
  readonly held: HeldPacketIds;
  /** Numbers of messages that must be in the journal, and were not found yet. */
  readonly lacking: Set<number>;
}

interface Place {
  readonly directory: string;
  readonly fileSystem: FileSystem;
  readonly log: Logger;
}

interface Found {
  readonly firstNumber: number;
  readonly path: string;
  readonly header: SegmentHeader | undefined;
}

/**
 * Reads the whole journal, cuts the torn tail of the newest segment and sets damaged bytes aside. What is lost is
 * logged; nothing but a disk that can't be read, or segments of a later version of the format, makes it throw.
 */
export async function recover(directory: string, fileSystem: FileSystem, log: Logger): Promise<Recovered> {
  const place = { directory, fileSystem, log };
  const checkpoint = await readCheckpoint(directory, fileSystem);
  if (checkpoint === 'damaged') log.error('journal checkpoint is damaged, all that is in the journal counts as open');
  await removeTemporary(directory, fileSystem);
  const found = await findSegments(place);
  const read = typeof checkpoint === 'object' ? checkpoint : undefined;
  const journalId = found.findLast(({ header }) => header !== undefined)?.header?.journalId ?? read?.journalId;
  const ours = found.filter((each) => isOurs(each, journalId, log));
  const matching = read?.journalId === journalId ? read : undefined;
  if (read !== undefined && matching === undefined) {
    log.error('journal checkpoint belongs to another journal and is ignored', {
      checkpointOf: read.journalId,
      journalId,
    });
  }
  const settledNo = matching === undefined ? -1 : matching.place.messageNo - (matching.isWhole ? 0 : 1);
  const { held: known = { through: -1, ids: [] }, sessionFrom = 0 } = matching ?? {};
  // A checkpoint of old does not say which messages it counts, but for those that are settled.
  const countedThrough = Math.max(known.through, settledNo);
  const held = new HeldPacketIds();
  held.restore(known.ids);
  // What the checkpoint knows to be held, and not to be settled.
  const lacking = new Set(known.ids.flatMap(([, , no]) => (no === undefined || no <= settledNo ? [] : [no])));
  const common = { journalId: journalId ?? '', settledNo, sessionFrom };
  const reading = { ...common, countedThrough, heldThrough: known.through, held, lacking };
  const segments: Segment[] = [];
  let messages = 0;
  let uncounted = 0;
  let maxConnection = matching?.connection ?? -1;
  for (const each of ours) {
    const isNewest = each === ours.at(-1);
    const result = await readSegment(place, each, reading, isNewest);
    segments.push(result.segment);
    messages += result.messagesAfter;
    uncounted += result.uncounted;
    maxConnection = Math.max(maxConnection, result.maxConnection);
  }
  held.lost(lacking);
  reportMissing(ours, segments, settledNo, log);
  const segmentNos = found.map(({ firstNumber }) => segmentNoOf(firstNumber));
  const lastNo = Math.max(0, matching?.segmentNo ?? 0, segmentNoOf(matching?.place.messageNo ?? 0), ...segmentNos);
  reportNewestMissing(matching, segments, log);
  const nextSegmentNo = lastNo + 1;
  return { journalId, checkpoint: matching, segments, nextSegmentNo, messages, uncounted, maxConnection, held };
}

/** All files with the name of a segment, in order. Throws for one of a later version, before anything is changed. */
async function findSegments({ directory, fileSystem }: Place): Promise<Found[]> {
  const found: Found[] = [];
  for (const name of await fileSystem.list(directory)) {
    if (name.endsWith(REWRITE_SUFFIX)) await fileSystem.remove(join(directory, name));
    const firstNumber = parseSegmentName(name);
    if (firstNumber === undefined) continue;
    const path = join(directory, name);
    const header = decodeHeader(await fileSystem.readRange(path, 0, HEADER_BYTES));
    if (header === 'later') {
      throw new Error(
        `${path} was written by a later version of the bridge: start that version, or move the file away`,
      );
    }
    found.push({ firstNumber, path, header });
  }
  return found.sort((a, b) => a.firstNumber - b.firstNumber);
}

/** A copy from elsewhere is left where it is and never read. */
function isOurs({ firstNumber, path, header }: Found, journalId: string | undefined, log: Logger): boolean {
  if (header === undefined || (header.journalId === journalId && header.firstNumber === firstNumber)) return true;
  log.error('file in the journal directory belongs to another journal or has another name and is ignored', { path });
  return false;
}

interface SegmentRead extends Pick<SegmentScan, 'messagesAfter' | 'maxConnection'> {
  readonly segment: Segment;
  /** Messages that came after the checkpoint was made. */
  readonly uncounted: number;
}

async function readSegment(
  place: Place,
  { firstNumber, path, header }: Found,
  reading: Reading,
  isNewest: boolean,
): Promise<SegmentRead> {
  const { fileSystem, log } = place;
  const salt = saltOf(reading.journalId, firstNumber);
  const buffer = await fileSystem.read(path);
  const scan = scanSegment(buffer, salt, reading.settledNo - firstNumber);
  const uncounted = noteHeld(buffer, scan.runs, firstNumber, reading);
  const damaged: ByteRange[] = [...scan.holes];
  // A newest segment without header and messages is one that was being begun.
  const hasLostHeader = header === undefined && buffer.length > HEADER_BYTES && (scan.messages > 0 || !isNewest);
  if (hasLostHeader) damaged.unshift({ start: 0, end: HEADER_BYTES });
  let bytes = buffer.length;
  if (isNewest) {
    bytes = scan.intactEnd;
    if (bytes < buffer.length) log.warn('torn tail of the journal cut off', { path, bytes: buffer.length - bytes });
    // An earlier process may have died between its write and its sync, or have seen that fail.
    await rewriteFile(fileSystem, path, bytes);
  } else if (scan.intactEnd < buffer.length) {
    damaged.push({ start: scan.intactEnd, end: buffer.length });
  }
  for (const range of damaged) await setAside(place, firstNumber, buffer, range);
  const lastNumber = firstNumber + scan.lastIndex;
  const { copies, messages, redeliverable, runs } = scan;
  const segment = { firstNumber, path, salt, runs, bytes, messages, redeliverable, copies, lastNumber };
  log.debug('journal segment read', { path, messages, bytes });
  return { segment, messagesAfter: scan.messagesAfter, uncounted, maxConnection: scan.maxConnection };
}

/**
 * What the segment's messages and releases at QoS 2 make of the packet ids that are held. Gives how many messages came
 * after the checkpoint was made.
 */
function noteHeld(
  buffer: Buffer,
  runs: readonly ByteRange[],
  firstNumber: number,
  { countedThrough, held, heldThrough, lacking, sessionFrom }: Reading,
): number {
  let uncounted = 0;
  for (const { start, end } of runs) {
    for (let at = start; at < end; at += claimedFrameBytes(buffer, at)) {
      const isOf = frameIsQos2(buffer, at) && frameConnection(buffer, at) >= sessionFrom;
      const messageNo = firstNumber + frameIndex(buffer, at);
      lacking.delete(messageNo);
      if (messageNo > countedThrough && !frameIsRelease(buffer, at)) uncounted += 1;
      if (!isOf || messageNo <= heldThrough) continue;
      const record = decodeFrame(buffer, at, firstNumber);
      const { isRelease, packetId = 0 } = record;
      if (isRelease) held.released(packetId);
      else held.stored(packetId, record, messageNo);
    }
  }
  return uncounted;
}

/** Keeps damaged bytes in a file of their own; once, however often the journal is opened. */
async function setAside(place: Place, firstNumber: number, buffer: Buffer, range: ByteRange): Promise<void> {
  const { directory, fileSystem, log } = place;
  const path = join(directory, `damaged-${firstNumber}-${range.start}.bin`);
  const fields = { segment: segmentName(firstNumber), offset: range.start, bytes: range.end - range.start, path };
  try {
    await writeNewFile(fileSystem, path, buffer.subarray(range.start, range.end));
    log.error('damaged bytes in the journal set aside', fields);
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') log.debug('damaged bytes in the journal', fields);
    else log.error('damaged bytes in the journal could not be set aside', { ...fields, error });
  }
}

/** Each header tells how many messages the segment before it had. */
function reportMissing(found: readonly Found[], segments: readonly Segment[], settledNo: number, log: Logger): void {
  const oldest = segments[0]?.firstNumber ?? 0;
  for (const { header } of found) {
    if (header === undefined || header.previousMessages === 0) continue;
    const { previousFirstNumber, previousMessages } = header;
    const isSettled = previousFirstNumber + previousMessages - 1 <= settledNo;
    const previous = segments.find(({ firstNumber }) => firstNumber === previousFirstNumber);
    // Without a checkpoint nobody knows whether a segment before the oldest was removed rightly.
    if (isSettled || (previous === undefined && settledNo < 0 && previousFirstNumber < oldest)) continue;
    const messages = previousMessages - (previous?.messages ?? 0);
    if (messages > 0) {
      log.error('messages are missing in the journal', { segment: segmentName(previousFirstNumber), messages });
    }
  }
}

function reportNewestMissing(
  checkpoint: CheckpointContent | undefined,
  segments: readonly Segment[],
  log: Logger,
): void {
  const newest = segments.findLast(({ messages }) => messages > 0)?.lastNumber ?? 0;
  if (checkpoint === undefined || checkpoint.place.messageNo <= newest) return;
  log.error('the newest part of the journal is missing: its checkpoint is ahead of it', {
    settledMessage: checkpoint.place.messageNo,
    newestMessage: newest,
  });
}
