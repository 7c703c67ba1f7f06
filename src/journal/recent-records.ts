import { systemErrorCode } from '../core/errors.ts';
import type { FileSystem } from '../core/filesystem.ts';
import { decodeFrame, intactFrameBytes, type JournalRecord } from './frame.ts';
import { RECENT_MESSAGES } from './segment-list.ts';
import type { Segment } from './segment.ts';

const MAX_BYTES = 67_108_864;

/**
 * The newest messages of the segments, oldest first: up to 65,535 of them, up to 64 MB. A segment that is gone is
 * passed over.
 */
export async function readRecentRecords(
  segments: readonly Segment[],
  fileSystem: FileSystem,
): Promise<readonly JournalRecord[]> {
  const newestFirst: JournalRecord[][] = [];
  let messages = 0;
  let bytes = 0;
  for (const segment of segments.toReversed()) {
    if (messages >= RECENT_MESSAGES || bytes >= MAX_BYTES) break;
    newestFirst.push(await recordsOf(segment, fileSystem));
    messages += segment.messages;
    bytes += segment.bytes;
  }
  return newestFirst.reverse().flat().slice(-RECENT_MESSAGES);
}

async function recordsOf(segment: Segment, fileSystem: FileSystem): Promise<JournalRecord[]> {
  const records: JournalRecord[] = [];
  for (const { start, end } of segment.runs) {
    const buffer = await readOrNothing(fileSystem, segment.path, start, end - start);
    for (let at = 0; at < buffer.length;) {
      const length = intactFrameBytes(buffer, at, segment.salt);
      if (length === 0) break;
      records.push(decodeFrame(buffer, at, segment.firstNumber));
      at += length;
    }
  }
  return records;
}

async function readOrNothing(fileSystem: FileSystem, path: string, start: number, length: number): Promise<Buffer> {
  try {
    return await fileSystem.readRange(path, start, length);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}
