import type { Segment } from './segment.ts';

/** So many of the newest messages are kept for recognising redelivered ones: a broker has at most one a packet id on its way. */
export const RECENT_MESSAGES = 65_535;
const KEPT_SEGMENTS = 2;

export interface Retention {
  readonly segmentBytes: number;
  readonly maxBytes: number;
  /** So many of the newest messages at QoS 1 the broker may send again. */
  readonly redeliverable: number;
}

/**
 * Segments that nothing needs any more: all their messages are settled, and behind them are two segments with messages, the messages that
 * the broker may send again as far as they fit into half of `maxBytes`, and the newest 65,535 messages or `segmentBytes` of them.
 */
export function removableSegments(
  segments: readonly Segment[],
  settledNo: number,
  { segmentBytes, maxBytes, redeliverable }: Retention,
  active: Segment | undefined,
): Segment[] {
  const removable: Segment[] = [];
  let kept = 0;
  let messages = 0;
  let atQos1 = 0;
  let bytes = 0;
  for (const segment of segments.toReversed()) {
    const mostBytes = segment.redeliverable > 0 && atQos1 < redeliverable ? maxBytes / 2 : segmentBytes;
    const isNeeded = kept < KEPT_SEGMENTS || (messages < RECENT_MESSAGES && bytes + segment.bytes <= mostBytes);
    if (segment === active) continue;
    if (segment.messages === 0 || (!isNeeded && segment.lastNumber <= settledNo)) removable.push(segment);
    if (segment.messages === 0) continue;
    kept += 1;
    messages += segment.messages;
    atQos1 += segment.redeliverable;
    bytes += segment.bytes;
  }
  return removable.reverse();
}
