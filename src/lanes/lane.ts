import { LaneInlet } from '../buffer/lane-inlet.ts';
import { TagBuffer } from '../buffer/tag-buffer.ts';
import type { Clock } from '../core/clock.ts';
import { createValueCounters, restore, type ValueCounters } from '../core/counters.ts';
import type { Logger } from '../core/logger.ts';
import { ORIGIN, type Place } from '../core/place.ts';
import type { LaneRecord } from '../journal/checkpoint-file.ts';
import { LaneProgress } from '../journal/lane-progress.ts';
import { BatchWriter } from '../writer/batch-writer.ts';
import type { BatchWriterOptions, BatchWriterParts, ResumePlaces } from '../writer/neighbours.ts';

export interface LaneOptions {
  readonly destination: string;
  readonly buffer: { readonly capacity: number; readonly onFull: 'wait' | 'dropOldest' };
  readonly clock: Clock;
  readonly log: Logger;
}

/** What an earlier run left of a lane. */
export interface LaneTakenUp {
  readonly places: ResumePlaces;
  /** Up to here the checkpoint or a CSV file says that values are settled. */
  readonly settledByFiles: Place;
}

export type LaneWriterParts = Omit<BatchWriterParts, 'source' | 'counters' | 'onSettled'> & {
  /** Some of its values have come to their end. */
  readonly onSettled: () => void;
};

/** The way of the values for one destination, from their receipt to their end: buffer, writer, counters. */
export class Lane {
  readonly destination: string;
  readonly buffer: TagBuffer;
  readonly counters: ValueCounters = createValueCounters();
  readonly inlet: LaneInlet;
  /** Where there are other lanes: whether this one may keep them waiting. */
  readonly #mayHoldUp: () => boolean;
  #progress: LaneProgress;
  #writer: BatchWriter | undefined;

  constructor({ buffer, clock, destination, log }: LaneOptions, mayHoldUp: () => boolean) {
    this.destination = destination;
    this.#mayHoldUp = mayHoldUp;
    this.buffer = new TagBuffer({ ...buffer, clock });
    this.#progress = this.#progressFrom(ORIGIN, ORIGIN);
    this.inlet = new LaneInlet({
      buffer: this.buffer,
      counters: this.counters,
      onBegin: (first) => this.#progress.begins(first),
      onLeftOut: (messageNo, values) => this.#progress.leftOut(messageNo, values),
      onWaiting: () => this.#heldUp(),
      clock,
      log,
    });
  }

  /** Undefined until `open`. */
  get writer(): BatchWriter | undefined {
    return this.#writer;
  }

  /** Values received that are not settled, in all stages together. */
  get pending(): number {
    return this.inlet.pending + this.buffer.size + (this.#writer?.pending ?? 0);
  }

  get isIdle(): boolean {
    return this.pending === 0;
  }

  get progress(): LaneProgress {
    return this.#progress;
  }

  /** Goes on where an earlier run was. */
  open(taken: LaneTakenUp, record: LaneRecord | undefined, options: BatchWriterOptions, parts: LaneWriterParts): void {
    restore(this.counters, record?.counters);
    this.#progress = this.#progressFrom(taken.places.counted, taken.settledByFiles);
    this.#writer = new BatchWriter(options, {
      ...parts,
      source: this.buffer,
      counters: this.counters,
      onSettled: (place) => {
        this.#progress.settled(place);
        parts.onSettled();
      },
    });
  }

  #progressFrom(counted: Place, foundSettled: Place): LaneProgress {
    return new LaneProgress(counted, foundSettled, {
      counters: this.counters,
      isIdle: () => this.isIdle,
      ledgerPlace: () => this.#writer?.ledgerPlace ?? ORIGIN,
    });
  }

  #heldUp(): void {
    // What waits behind a batch that hangs would hold up the others.
    if (!this.#mayHoldUp() && this.#writer?.isStalled === true) this.#writer.giveUp();
  }
}
