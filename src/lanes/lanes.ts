import { BufferSums } from '../buffer/buffer-sums.ts';
import type { LaneInlet } from '../buffer/lane-inlet.ts';
import { sumOf, type ValueCounters } from '../core/counters.ts';
import { InternalError } from '../core/errors.ts';
import { MAX_VALUE_NO } from '../core/limits.ts';
import { earlierPlace, laterPlace, ORIGIN, type Place } from '../core/place.ts';
import type { LaneRecord, LaneRecords } from '../journal/checkpoint-file.ts';
import type { LanesProgress } from '../journal/checkpoints.ts';
import { Lane, type LaneOptions, type LaneTakenUp, type LaneWriterParts } from './lane.ts';
import type { BatchWriterOptions, WriterTuning } from '../writer/neighbours.ts';

export interface LanesOptions extends Omit<LaneOptions, 'destination'> {
  /** Those of the configuration. */
  readonly destinations: readonly string[];
  /** What an earlier run left of a destination that nobody looked for at the start. */
  readonly takeUpNothing: (record: LaneRecord | undefined) => LaneTakenUp;
  readonly writerOptions: (destination: string) => Omit<BatchWriterOptions, 'resumeAfter'>;
  readonly writerParts: (destination: string) => LaneWriterParts;
}

/** The writers at work. */
interface Running {
  readonly signal: AbortSignal;
  /** One for each writer: a signal with as many listeners as there are lanes passes for a leak. */
  readonly stops: AbortController[];
  readonly writers: Promise<void>[];
  readonly fail: (error: unknown) => void;
}

/**
 * The lanes side by side, and what is said of them together.
 *
 * There is one for each destination of the configuration, from the construction on, and one for each other that the
 * journal or a file still names: what comes for that one goes to the backup (GoneDestination). Of a destination that
 * nothing names any more the counters are kept.
 */
export class Lanes implements LanesProgress {
  readonly buffer = new BufferSums(() => this.all.map(({ buffer }) => buffer));
  readonly #options: LanesOptions;
  readonly #byName = new Map<string, Lane>();
  #records: LaneRecords = {};
  /** Of destinations without a lane. */
  #retired: readonly ValueCounters[] = [];
  /** All messages up to here are in the buffers, or done otherwise. */
  #expandedThrough: Place = ORIGIN;
  #running: Running | undefined;

  constructor(options: LanesOptions) {
    this.#options = options;
    for (const destination of options.destinations) this.#add(destination);
  }

  get all(): readonly Lane[] {
    return [...this.#byName.values()];
  }

  of(destination: string): Lane | undefined {
    return this.#byName.get(destination);
  }

  /** Of a destination that has a lane. */
  countersOf(destination: string): ValueCounters {
    const lane = this.#byName.get(destination);
    if (lane === undefined) throw new InternalError('a destination has no lane', { destination });
    return lane.counters;
  }

  /** The counters of all, those without a lane included. */
  get counters(): readonly ValueCounters[] {
    return [...this.all.map(({ counters }) => counters), ...this.#retired];
  }

  /** Values received that are not settled: not in a buffer yet, and taken out of it. */
  get pending(): { readonly expander: number; readonly writer: number } {
    let [expander, writer] = [0, 0];
    for (const lane of this.#byName.values()) {
      expander += lane.inlet.pending;
      writer += lane.writer?.pending ?? 0;
    }
    return { expander, writer };
  }

  /** Takes up what an earlier run left: of all that are named in `taken`, and of those that have a lane already. */
  open(taken: ReadonlyMap<string, LaneTakenUp>, records: LaneRecords, settledThrough: Place): void {
    this.#records = records;
    this.#expandedThrough = settledThrough;
    for (const destination of taken.keys()) if (!this.#byName.has(destination)) this.#add(destination);
    for (const lane of this.all) this.#open(lane, taken.get(lane.destination));
    this.#noteRetired();
  }

  /** Sets the writers to work, until `signal` is aborted. Throws what the first of them throws, also of a late lane. */
  async run(signal: AbortSignal): Promise<void> {
    let fail: Running['fail'] = () => {};
    const failed = new Promise<never>((_resolve, reject) => {
      fail = reject;
    });
    const writers: Promise<void>[] = [];
    const stops: AbortController[] = [];
    signal.addEventListener('abort', () => stops.forEach((stop) => stop.abort()), { once: true });
    this.#running = { signal, stops, writers, fail };
    for (const lane of this.all) this.#run(lane);
    await Promise.race([failed, allOf(writers)]);
  }

  /** The entrance of the lane of this destination; one that nobody has heard of gets a lane. */
  inletOf(destination: string): LaneInlet {
    return (this.#byName.get(destination) ?? this.#late(destination)).inlet;
  }

  /** All values of the messages up to this one are in their buffers. May come late for one that has none. */
  expanded(messageNo: number): void {
    // An earlier run may have settled a part of the message.
    this.#expandedThrough = laterPlace(this.#expandedThrough, { messageNo, valueNo: MAX_VALUE_NO });
  }

  get isIdle(): boolean {
    for (const lane of this.#byName.values()) if (!lane.isIdle) return false;
    return true;
  }

  get settledThrough(): Place {
    let place = this.#expandedThrough;
    for (const { progress } of this.#byName.values()) {
      place = earlierPlace(place, progress.settledThrough(this.#expandedThrough));
    }
    return place;
  }

  records(settledNo: number): LaneRecords {
    const records = this.all.map(({ destination, progress }) => {
      return [destination, progress.record(this.#expandedThrough, settledNo)] as const;
    });
    return { ...this.#records, ...(Object.fromEntries(records) as LaneRecords) };
  }

  isOpen(destination: string, through: Place): boolean {
    return this.#byName.get(destination)?.progress.isOpen(through, this.#expandedThrough) ?? false;
  }

  /** No reader waits for full batches any more. */
  flush(): void {
    for (const { buffer } of this.all) buffer.flush();
  }

  tune(tuning: WriterTuning): void {
    for (const { writer } of this.all) writer?.tune(tuning);
  }

  #add(destination: string): Lane {
    const lane = new Lane({ ...this.#options, destination }, () => this.#byName.size === 1);
    this.#byName.set(destination, lane);
    return lane;
  }

  /** After the start: a configuration that was read again names a destination that needs a restart. */
  #late(destination: string): Lane {
    const lane = this.#add(destination);
    this.#open(lane, undefined);
    this.#noteRetired();
    this.#run(lane);
    return lane;
  }

  #open(lane: Lane, taken: LaneTakenUp | undefined): void {
    const { takeUpNothing, writerOptions, writerParts } = this.#options;
    const { destination } = lane;
    const record = this.#records[destination];
    const { places, settledByFiles } = taken ?? takeUpNothing(record);
    const options = { ...writerOptions(destination), resumeAfter: places };
    lane.open({ places, settledByFiles }, record, options, writerParts(destination));
  }

  #run({ writer }: Lane): void {
    if (this.#running === undefined || writer === undefined) return;
    const { fail, signal, stops, writers } = this.#running;
    const stop = new AbortController();
    if (signal.aborted) stop.abort();
    stops.push(stop);
    const writing = writer.run(stop.signal);
    writing.catch(fail);
    writers.push(writing);
  }

  #noteRetired(): void {
    const gone = Object.entries(this.#records).filter(([destination]) => !this.#byName.has(destination));
    this.#retired = gone.map(([, { counters }]) => sumOf([counters]));
  }
}

/** Resolves when all have ended, those too that come to the list meanwhile. */
async function allOf(writers: readonly Promise<void>[]): Promise<void> {
  for (let i = 0; i < writers.length; i += 1) await Promise.all(writers.slice(i));
}
