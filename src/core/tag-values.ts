import { DEFAULT_DESTINATION } from './destination.ts';
import type { Reason } from './errors.ts';
import { comparePlaces, type Place } from './place.ts';
import type { Origin, ValueDetails } from './value-details.ts';

/** Where a value comes from. One object a tag, shared by all its values. */
export interface Tag {
  readonly plcCode: string;
  readonly address: string;
  /** The value of the tag name column. */
  readonly name: string;
}

/**
 * More values than one message may have are pushed. A few kilobytes can say millions of them, which would take all the
 * memory there is.
 */
export class TooManyValuesError extends Error {
  constructor() {
    super(`more than ${MAX_MESSAGE_VALUES} values`);
    this.name = 'TooManyValuesError';
  }
}

export const MAX_MESSAGE_VALUES = 250_000;

/** Values of a message from `start` up to the next run's, which are for one destination; undefined: the list's. */
export interface DestinationRun {
  start: number;
  readonly destination: string | undefined;
}

/** Values from `start` up to but without `end`, which are for one destination. */
interface DestinationPart {
  readonly start: number;
  readonly end: number;
  readonly destination: string;
}

/**
 * A list of tag values, one array a column, so that a hundred thousand of them cost a few megabytes and no garbage.
 *
 * Index `i` of each column belongs to value `i`. NULL is NaN in `numbers` (JSON has no NaN) and null in `texts`.
 * `timesMs` is NaN where the payload's timestamp could not be read; such a value carries a `problem`. A value's place
 * in the stream is its message's number and its own number within the message, from 0.
 */
export class TagValues {
  length = 0;
  tags: Tag[];
  numbers: Float64Array;
  texts: (string | null)[];
  timesMs: Float64Array;
  qualities: string[];
  /** Why this value must not go to the database, found while decoding. */
  problems: (Reason | undefined)[];
  messageNos: Float64Array;
  valueNos: Uint32Array;
  receivedAtMs: Float64Array;
  /** What further columns hold of the values. Undefined until there is any. */
  origins: (Origin | null)[] | undefined;
  details: (ValueDetails | null)[] | undefined;
  #described: ValueDetails | null = null;
  /** Whom the values are for that are in no run. As the runs it is set in a message's list, as the decoder makes it. */
  destination = DEFAULT_DESTINATION;
  #runs: DestinationRun[] = [];
  /**
   * How many values of the message were taken out on purpose, by destination. As the two below it is of a message's
   * list alone.
   */
  readonly #leftOut = new Map<string, number>();
  /** Indexes of values whose sender calls them history, whatever their time is. */
  readonly historical = new Set<number>();
  /** The times that the payload gives, by index, of values whose time is implausible. */
  readonly implausible = new Map<number, number>();

  constructor(capacity: number) {
    this.tags = Array.from({ length: capacity });
    this.numbers = new Float64Array(capacity);
    this.texts = Array.from({ length: capacity }, () => null);
    this.timesMs = new Float64Array(capacity);
    this.qualities = Array.from({ length: capacity }, () => '');
    this.problems = Array.from({ length: capacity });
    this.messageNos = new Float64Array(capacity);
    this.valueNos = new Uint32Array(capacity);
    this.receivedAtMs = new Float64Array(capacity);
  }

  get capacity(): number {
    return this.numbers.length;
  }

  /**
   * Adds a value; the list grows as needed. Message number, value number and time of receipt are set by `stamp`. Throws
   * TooManyValuesError.
   */
  push(tag: Tag, number: number, text: string | null, timeMs: number, quality: string, problem?: Reason): void {
    const i = this.length;
    if (i === this.numbers.length) this.#grow();
    this.tags[i] = tag;
    this.numbers[i] = number;
    this.texts[i] = text;
    this.timesMs[i] = timeMs;
    this.qualities[i] = quality;
    this.problems[i] = problem;
    if (this.details !== undefined) this.details[i] = this.#described;
    this.length = i + 1;
  }

  /** What the values that are pushed from now on have besides. */
  describe(details: ValueDetails | null): void {
    this.#described = details;
    if (details !== null) this.details ??= Array.from({ length: this.length }, () => null);
  }

  /** Numbers all values as those of one message; `origin`: where they came from, where a column asks for it. */
  stamp(messageNo: number, receivedAtMs: number, origin: Origin | null = null): void {
    if (origin !== null || this.origins !== undefined) {
      for (let i = 0; i < this.length; i += 1) this.setOrigin(i, origin);
    }
    this.messageNos.fill(messageNo, 0, this.length);
    this.receivedAtMs.fill(receivedAtMs, 0, this.length);
    for (let i = 0; i < this.length; i += 1) this.valueNos[i] = i;
  }

  /** Where value `i` came from. */
  setOrigin(i: number, origin: Origin | null): void {
    this.origins ??= Array.from({ length: this.capacity }, () => null);
    this.origins[i] = origin;
  }

  clear(): void {
    this.length = 0;
    this.#described = null;
    this.destination = DEFAULT_DESTINATION;
    if (this.#runs.length > 0) this.#runs = [];
    if (this.#leftOut.size > 0) this.#leftOut.clear();
    if (this.historical.size > 0) this.historical.clear();
    if (this.implausible.size > 0) this.implausible.clear();
  }

  /** The values that are pushed from now on are for this destination; undefined: for that of the list. */
  sendTo(destination: string | undefined): void {
    if (this.#runs.at(-1)?.start === this.length) this.#runs.pop();
    if (this.#runs.at(-1)?.destination === destination) return;
    this.#runs.push({ start: this.length, destination });
  }

  /** In order; values before the first are for the destination of the list. */
  get runs(): readonly DestinationRun[] {
    return this.#runs;
  }

  /** The values by whom they are for, in their order; no part is empty. */
  get parts(): readonly DestinationPart[] {
    const parts: DestinationPart[] = [];
    let start = 0;
    let { destination } = this;
    for (const run of this.#runs) {
      if (run.start > start) parts.push({ start, end: run.start, destination });
      ({ start } = run);
      destination = run.destination ?? this.destination;
    }
    if (this.length > start) parts.push({ start, end: this.length, destination });
    return parts;
  }

  /** Whom value `i` is for. */
  destinationOf(i: number): string {
    return this.#runs.findLast(({ start }) => start <= i)?.destination ?? this.destination;
  }

  /** Takes out the values at these indexes; the others keep their order. */
  remove(indexes: ReadonlySet<number>): void {
    if (indexes.size === 0) return;
    const marks = new Uint8Array(this.length);
    for (const i of indexes) marks[i] = 1;
    this.removeMarked(marks);
  }

  /** Takes out the values that a 1 stands for in `marks`, which has one for each value; the others keep their order. */
  removeMarked(marks: Uint8Array): void {
    let kept = marks.indexOf(1);
    if (kept < 0 || kept >= this.length) return;
    const { length } = this;
    const starts = this.#runs.map(({ start }) => start);
    this.#moveNotes(marks);
    let run = 0;
    while (run < starts.length && starts[run]! < kept) run += 1;
    for (let i = kept; i < length;) {
      let end = i;
      while (end < length && marks[end] === marks[i]) end += 1;
      const isOut = marks[i] === 1;
      for (; run < starts.length && starts[run]! < end; run += 1) {
        this.#runs[run]!.start = isOut ? kept : kept + starts[run]! - i;
      }
      if (!isOut) {
        copyValues(this, i, this, kept, end - i);
        kept += end - i;
      }
      i = end;
    }
    for (; run < starts.length; run += 1) this.#runs[run]!.start = kept;
    this.length = kept;
  }

  /** Takes out the values that a 1 stands for in `marks`, `count` of them, as left out on purpose. */
  leaveOut(marks: Uint8Array, count: number): void {
    if (count === 0) return;
    for (const { destination, end, start } of this.parts) {
      let out = 0;
      for (let i = start; i < end; i += 1) out += marks[i]!;
      if (out > 0) this.#leftOut.set(destination, (this.#leftOut.get(destination) ?? 0) + out);
    }
    this.removeMarked(marks);
  }

  /** How many values were left out, in all. */
  get leftOut(): number {
    let sum = 0;
    for (const count of this.#leftOut.values()) sum += count;
    return sum;
  }

  /** How many values were left out, by the destination that they were for. */
  get leftOutBy(): ReadonlyMap<string, number> {
    return this.#leftOut;
  }

  /** Takes out the first `count` values. */
  removeFirst(count: number): void {
    if (count > 0 && count < this.length) copyValues(this, count, this, 0, this.length - count);
    this.length -= count;
  }

  /** A new list of the values from `start` up to but without `end`. */
  slice(start: number, end: number): TagValues {
    const part = new TagValues(end - start);
    copyValues(this, start, part, 0, end - start);
    part.length = end - start;
    return part;
  }

  /** What was noted of values stays with them. */
  #moveNotes(marks: Uint8Array): void {
    if (this.historical.size === 0 && this.implausible.size === 0) return;
    const historical = new Set(this.historical);
    const implausible = new Map(this.implausible);
    this.historical.clear();
    this.implausible.clear();
    let kept = 0;
    for (let i = 0; i < this.length; i += 1) {
      if (marks[i] === 1) continue;
      const timeMs = implausible.get(i);
      if (historical.has(i)) this.historical.add(kept);
      if (timeMs !== undefined) this.implausible.set(kept, timeMs);
      kept += 1;
    }
  }

  #grow(): void {
    if (this.numbers.length >= MAX_MESSAGE_VALUES) throw new TooManyValuesError();
    const capacity = Math.min(MAX_MESSAGE_VALUES, Math.max(64, this.numbers.length * 2));
    this.numbers = grown(this.numbers, new Float64Array(capacity));
    this.timesMs = grown(this.timesMs, new Float64Array(capacity));
    this.messageNos = grown(this.messageNos, new Float64Array(capacity));
    this.receivedAtMs = grown(this.receivedAtMs, new Float64Array(capacity));
    this.valueNos = grown(this.valueNos, new Uint32Array(capacity));
  }
}

function grown<T extends Float64Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** The values of a message's list, a list for each destination; the list itself where all are for one. */
export function byDestination(values: TagValues): ReadonlyMap<string, TagValues> {
  const { parts } = values;
  const sizes = new Map<string, number>();
  for (const { destination, end, start } of parts) {
    sizes.set(destination, (sizes.get(destination) ?? 0) + end - start);
  }
  if (sizes.size === 1) return new Map([[parts[0]!.destination, values]]);
  const lists = new Map(Array.from(sizes, ([destination, size]) => [destination, new TagValues(size)]));
  for (const { destination, end, start } of parts) {
    const list = lists.get(destination)!;
    copyValues(values, start, list, list.length, end - start);
    list.length += end - start;
  }
  return lists;
}

/** Where value `i` of the list stands in the stream. */
export function placeOf(values: TagValues, i: number): Place {
  return { messageNo: values.messageNos[i]!, valueNo: values.valueNos[i]! };
}

/** The place of value `i` as a text, for sets. */
export function placeKeyOf(values: TagValues, i: number): string {
  return `${values.messageNos[i]!}/${values.valueNos[i]!}`;
}

/** The place that `placeKeyOf` made a text of. */
export function placeOfKey(key: string): Place {
  const [messageNo, valueNo] = key.split('/');
  return { messageNo: Number(messageNo), valueNo: Number(valueNo) };
}

/** How many values at the beginning of the list, which is in the order of the stream, stand at or before the place. */
export function countThrough(values: TagValues, place: Place): number {
  let count = 0;
  while (count < values.length && comparePlaces(placeOf(values, count), place) <= 0) count += 1;
  return count;
}

/** Below this many a plain loop is faster than the views that a block copy needs. */
const BLOCK_COPY_FROM = 16;

/** Copies `count` values from one list's place to another's; both must be large enough. */
export function copyValues(from: TagValues, fromIndex: number, to: TagValues, toIndex: number, count: number): void {
  const end = fromIndex + count;
  for (let i = fromIndex, o = toIndex; i < end; i += 1, o += 1) {
    to.tags[o] = from.tags[i]!;
    to.texts[o] = from.texts[i]!;
    to.qualities[o] = from.qualities[i]!;
    to.problems[o] = from.problems[i];
  }
  if (from.origins !== undefined || to.origins !== undefined) {
    to.origins = copied(from.origins, fromIndex, to.origins, toIndex, count, to.capacity);
  }
  if (from.details !== undefined || to.details !== undefined) {
    to.details = copied(from.details, fromIndex, to.details, toIndex, count, to.capacity);
  }
  if (count < BLOCK_COPY_FROM) {
    for (let i = fromIndex, o = toIndex; i < end; i += 1, o += 1) {
      to.numbers[o] = from.numbers[i]!;
      to.timesMs[o] = from.timesMs[i]!;
      to.messageNos[o] = from.messageNos[i]!;
      to.receivedAtMs[o] = from.receivedAtMs[i]!;
      to.valueNos[o] = from.valueNos[i]!;
    }
    return;
  }
  to.numbers.set(from.numbers.subarray(fromIndex, end), toIndex);
  to.timesMs.set(from.timesMs.subarray(fromIndex, end), toIndex);
  to.messageNos.set(from.messageNos.subarray(fromIndex, end), toIndex);
  to.receivedAtMs.set(from.receivedAtMs.subarray(fromIndex, end), toIndex);
  to.valueNos.set(from.valueNos.subarray(fromIndex, end), toIndex);
}

/** The same for a column that a list may not have yet, or not any more. */
function copied<T>(
  from: readonly (T | null)[] | undefined,
  fromIndex: number,
  to: (T | null)[] | undefined,
  toIndex: number,
  count: number,
  capacity: number,
): (T | null)[] {
  const column = to ?? Array.from({ length: capacity }, () => null);
  for (let i = 0; i < count; i += 1) column[toIndex + i] = from?.[fromIndex + i] ?? null;
  return column;
}
