import { removeIfThere } from '../core/durable-file.ts';
import type { FileSystem } from '../core/filesystem.ts';
import type { Segment } from './segment.ts';

/**
 * So many of the newest messages are kept for recognising redelivered ones: a broker has at most one a packet id on its
 * way.
 */
export const RECENT_MESSAGES = 65_535;
const KEPT_SEGMENTS = 2;

export interface SegmentListOptions {
  readonly dir: string;
  readonly fileSystem: FileSystem;
  /** The segments that were found, in order. */
  readonly segments: readonly Segment[];
  readonly segmentBytes: number;
  readonly maxBytes: number;
  /** So many of the newest messages at QoS 1 the broker may send again; what may be a copy is not one more. */
  readonly redeliverable: number;
}

/**
 * The journal's segments, in order, with what is durable in each: the newest grows, and the oldest go once nothing
 * needs them.
 */
export class SegmentList {
  readonly #options: SegmentListOptions;
  readonly #segments: Segment[];

  constructor(options: SegmentListOptions) {
    this.#options = options;
    this.#segments = [...options.segments];
  }

  /** The list itself, not a copy: it changes. */
  get all(): readonly Segment[] {
    return this.#segments;
  }

  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  /** The newest segment with messages. */
  get newest(): Segment | undefined {
    return this.#segments.findLast(({ messages }) => messages > 0);
  }

  /** Messages of this segment became durable: it is the newest from now on. */
  note(segment: Segment): void {
    if (this.#segments.at(-1) !== segment) this.#segments.push(segment);
  }

  /**
   * Segments that nothing needs any more: all their messages are settled, and behind them are two segments with
   * messages, the messages that the broker may send again as far as they fit into half of `maxBytes`, and the newest
   * 65,535 messages or `segmentBytes` of them. The segment `active`, which is being written, stays.
   *
   * The broker may send again `redeliverable` messages, and whatever it is not proven to have the acknowledgement of:
   * those behind `acknowledgedThrough`. They are more where its window is larger, or it has none (MQTT 3.1.1).
   */
  removable(settledNo: number, acknowledgedThrough: number, active: Segment | undefined): readonly Segment[] {
    const { maxBytes, redeliverable, segmentBytes } = this.#options;
    const removable: Segment[] = [];
    let kept = 0;
    let messages = 0;
    let atQos1 = 0;
    let bytes = 0;
    for (const segment of this.#segments.toReversed()) {
      const mayComeAgain = atQos1 < redeliverable || segment.lastNumber > acknowledgedThrough;
      const mostBytes = segment.redeliverable > 0 && mayComeAgain ? maxBytes / 2 : segmentBytes;
      const isNeeded = kept < KEPT_SEGMENTS || (messages < RECENT_MESSAGES && bytes + segment.bytes <= mostBytes);
      if (segment === active) continue;
      if (segment.messages === 0 || (!isNeeded && segment.lastNumber <= settledNo)) removable.push(segment);
      if (segment.messages === 0) continue;
      kept += 1;
      messages += segment.messages;
      atQos1 += segment.redeliverable - segment.copies;
      bytes += segment.bytes;
    }
    return removable.reverse();
  }

  /**
   * Removes the segments' files, durably, and each from the list at once. Throws the system error of the disk; some may
   * be gone then.
   */
  async remove(segments: readonly Segment[]): Promise<void> {
    const { dir, fileSystem } = this.#options;
    for (const segment of segments) {
      if (!this.#segments.includes(segment)) continue;
      await removeIfThere(fileSystem, segment.path);
      this.#segments.splice(this.#segments.indexOf(segment), 1);
    }
    if (segments.length > 0) await fileSystem.syncDirectory(dir);
  }
}
