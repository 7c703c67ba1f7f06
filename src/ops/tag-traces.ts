import type { CancelTimer, Clock } from '../core/clock.ts';
import type { TagsSeen } from './tags-seen.ts';

export interface TagTracesOptions {
  readonly tags: Pick<TagsSeen, 'lastOf' | 'names'>;
  readonly clock: Clock;
  /** Of so many tags at most. */
  readonly maxTags?: number;
}

/** The answer of `/api/trace`: what the bridge received of a tag in the last hour. */
export interface TraceAnswer {
  readonly tagName: string;
  readonly intervalMs: number;
  /**
   * Epoch seconds, oldest first, with the number that was the tag's last then; null where none had come since the
   * sample before, or no number.
   */
  readonly samples: readonly (readonly [atSeconds: number, value: number | null])[];
}

interface Trace {
  /** Sample n lies at n modulo the samples kept; NaN: nothing came. */
  readonly values: Float64Array;
  /** The first sample that is of this tag. */
  readonly from: number;
  /** Of the value that was sampled last. */
  timeMs: number;
  number: number;
}

const EVERY_MS = 10_000;
/** An hour. */
const SAMPLES_KEPT = 360;
const MAX_TAGS = 2000;

/**
 * The last hour of tags, a sample every 10 s: on the way of a value nothing is done for it, and it has 3 kB a tag
 * whatever comes. The first 2,000 tags have one; a further tag gets one when somebody looks at it, in the place of the
 * one that was looked at the longest ago.
 */
export class TagTraces {
  readonly #options: TagTracesOptions;
  readonly #maxTags: number;
  /** The one that was looked at the longest ago first. */
  readonly #traces = new Map<string, Trace>();
  /** When each sample was taken, by the clock that never goes back. */
  readonly #takenAtMs = new Float64Array(SAMPLES_KEPT);
  #taken = 0;
  #cancel: CancelTimer = () => {};

  constructor(options: TagTracesOptions) {
    this.#options = options;
    this.#maxTags = options.maxTags ?? MAX_TAGS;
  }

  start(): void {
    this.#cancel = this.#options.clock.setTimer(EVERY_MS, () => {
      this.sample();
      this.start();
    });
  }

  stop(): void {
    this.#cancel();
  }

  /** Takes a sample now. */
  sample(): void {
    const { clock, tags } = this.#options;
    this.#addNew();
    const at = this.#taken % SAMPLES_KEPT;
    this.#takenAtMs[at] = clock.monotonic();
    for (const [name, trace] of this.#traces) {
      const last = tags.lastOf(name);
      if (last === undefined) {
        this.#traces.delete(name);
        continue;
      }
      const isNew = last.timeMs !== trace.timeMs || !Object.is(last.number, trace.number);
      trace.values[at] = isNew ? last.number : Number.NaN;
      trace.timeMs = last.timeMs;
      trace.number = last.number;
    }
    this.#taken += 1;
  }

  /** Undefined for a tag that is not among those seen. */
  answer(name: string): TraceAnswer | undefined {
    const trace = this.#traceFor(name);
    if (trace === undefined) return undefined;
    const { clock } = this.#options;
    const sinceMs = clock.now() - clock.monotonic();
    const from = Math.max(trace.from, this.#taken - SAMPLES_KEPT);
    const samples = Array.from({ length: this.#taken - from }, (_, i) => {
      const at = (from + i) % SAMPLES_KEPT;
      const value = trace.values[at]!;
      return [Math.round((sinceMs + this.#takenAtMs[at]!) / 1000), Number.isNaN(value) ? null : value] as const;
    });
    return { tagName: name, intervalMs: EVERY_MS, samples };
  }

  /** Those that have come since the last sample, as long as there is room. */
  #addNew(): void {
    for (const name of this.#options.tags.names()) {
      if (this.#traces.size >= this.#maxTags) return;
      if (!this.#traces.has(name)) this.#traces.set(name, this.#newTrace(Number.NaN, Number.NaN));
    }
  }

  #traceFor(name: string): Trace | undefined {
    const last = this.#options.tags.lastOf(name);
    if (last === undefined) return undefined;
    if (this.#traces.size < this.#maxTags) this.#addNew();
    const known = this.#traces.get(name);
    // What it had before somebody looked may have come long ago.
    const trace = known ?? this.#newTrace(last.timeMs, last.number);
    const [longestAgo] = this.#traces.keys();
    if (known !== undefined) this.#traces.delete(name);
    else if (this.#traces.size >= this.#maxTags && longestAgo !== undefined) this.#traces.delete(longestAgo);
    this.#traces.set(name, trace);
    return trace;
  }

  #newTrace(timeMs: number, number: number): Trace {
    return { values: new Float64Array(SAMPLES_KEPT), from: this.#taken, timeMs, number };
  }
}
