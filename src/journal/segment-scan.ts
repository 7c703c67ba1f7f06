import {
  FRAME_OVERHEAD_BYTES,
  frameConnection,
  frameIndex,
  frameIsMaybeRepeated,
  frameIsQos1,
  intactFrameBytes,
} from './frame.ts';
import { HEADER_BYTES, MESSAGES_PER_SEGMENT, type ByteRange } from './segment.ts';

/** What is in a segment file. */
export interface SegmentScan {
  /** Where intact frames are, in order. */
  readonly runs: ByteRange[];
  /** Damaged bytes that intact frames stand behind. */
  readonly holes: readonly ByteRange[];
  /** Behind the last intact frame, or behind the header; what follows is no frame. */
  readonly intactEnd: number;
  readonly messages: number;
  /** Those of them at QoS 1. */
  readonly redeliverable: number;
  /** Those of these that may have come before. */
  readonly copies: number;
  /** Those of them with an index above `afterIndex`. */
  readonly messagesAfter: number;
  /** -1: no frame. */
  readonly lastIndex: number;
  /** -1: no frame. */
  readonly maxConnection: number;
}

/** Finds the intact frames of a segment file, also those behind damaged bytes. */
export function scanSegment(buffer: Buffer, salt: number, afterIndex: number): SegmentScan {
  const runs: ByteRange[] = [];
  const holes: ByteRange[] = [];
  let at = Math.min(HEADER_BYTES, buffer.length);
  let run: ByteRange | undefined;
  let intactEnd = at;
  let messages = 0;
  let redeliverable = 0;
  let copies = 0;
  let messagesAfter = 0;
  let lastIndex = -1;
  let maxConnection = -1;
  while (at < buffer.length) {
    let length = intactFrameBytes(buffer, at, salt);
    if (length === 0 || frameIndex(buffer, at) !== lastIndex + 1) {
      const found = findFrame(buffer, at, salt, lastIndex);
      if (found === undefined) break;
      holes.push({ start: at, end: found });
      run = undefined;
      at = found;
      length = intactFrameBytes(buffer, at, salt);
    }
    run ??= startRun(runs, at);
    lastIndex = frameIndex(buffer, at);
    maxConnection = Math.max(maxConnection, frameConnection(buffer, at));
    messages += 1;
    if (frameIsQos1(buffer, at)) {
      redeliverable += 1;
      if (frameIsMaybeRepeated(buffer, at)) copies += 1;
    }
    if (lastIndex > afterIndex) messagesAfter += 1;
    at += length;
    run.end = at;
    intactEnd = at;
  }
  return { runs, holes, intactEnd, messages, redeliverable, copies, messagesAfter, lastIndex, maxConnection };
}

function startRun(runs: ByteRange[], start: number): ByteRange {
  const run = { start, end: start };
  runs.push(run);
  return run;
}

/**
 * The next intact frame at or behind `from`, one that can follow `lastIndex`: not more messages are skipped than the
 * damaged bytes can have held.
 */
function findFrame(buffer: Buffer, from: number, salt: number, lastIndex: number): number | undefined {
  for (let at = from; at + FRAME_OVERHEAD_BYTES <= buffer.length; at += 1) {
    const index = frameIndex(buffer, at);
    const most = lastIndex + 1 + Math.floor((at - from) / FRAME_OVERHEAD_BYTES);
    if (index <= lastIndex || index > most || index >= MESSAGES_PER_SEGMENT) continue;
    if (intactFrameBytes(buffer, at, salt) > 0) return at;
  }
  return undefined;
}
