import { SKIPPED, type Message } from '../../src/core/message.ts';
import { TagValues } from '../../src/core/tag-values.ts';
import type { Decoder } from '../../src/payload/decoder.ts';
import type { FuzzTarget, FuzzedFormat } from './fuzzed-formats.ts';
import { FuzzInputs, type FuzzInput } from './inputs.ts';
import { faultOfReason, faultOfRows } from './row-invariants.ts';
import { MAX_SPOILT_BYTES } from './spoil.ts';

/** What time and memory are measured with. */
export interface Meter {
  /** Milliseconds of some clock. What took less on it took less of the processor. */
  nowMs(): number;
  /** Milliseconds that the process had of the processors so far. */
  cpuMs(): number;
  /** Collects what garbage it can. */
  collect(): void;
  /** After all garbage was collected. */
  heapBytes(): Promise<number>;
}

/** What reads the messages of a target. */
export interface Reader {
  readonly decoder: Decoder;
  /** Resolves when a checkpoint says that all messages up to this one are settled. */
  settle(messageNo: number): Promise<void>;
  /** What reads them in the next process, when this one ends now: after `settle`. */
  next(messageNo: number): Promise<Reader>;
}

export interface FuzzOptions {
  readonly formats: Readonly<Record<string, FuzzedFormat>>;
  /** The n-th input, from 0, has the seed `seed + n`. */
  readonly seed: number;
  /** How much is done after so many inputs, 1 at the end. */
  readonly progress: (inputs: number) => number;
  readonly startReader: (target: FuzzTarget) => Promise<Reader>;
  readonly meter: Meter;
  /** Whether the hostile payloads come before the others. */
  readonly withHostile: boolean;
  readonly maxFailures: number;
  /** Hears of each failure at once. */
  readonly onFailure?: (failure: FuzzFailure) => void;
  /** Hears of each hostile payload, before it is held against what must be. */
  readonly onHostile?: (figures: HostileFigures) => void;
}

export interface FuzzFailure {
  readonly fault: string;
  /** Undefined where no single input is to blame. */
  readonly input: FuzzInput | undefined;
  /** A decoder that reads nothing else fails, too. */
  readonly isAlone: boolean;
}

/** What a hostile payload took. */
export interface HostileFigures {
  readonly what: string;
  readonly bytes: number;
  readonly rows: number;
  readonly cpuMs: number;
}

export interface FuzzVerdict {
  readonly inputs: number;
  readonly rows: number;
  readonly failures: readonly FuzzFailure[];
  /** Between the half and the end. */
  readonly grownBytes: number;
  readonly slowestMs: number;
}

/** For a payload of usual size, at most MAX_SPOILT_BYTES. */
export const MAX_DECODE_MS = 50;
/** A hostile one, of some megabytes, may have as much again for each of these. */
const HOSTILE_BYTES = 16_384;
const HOSTILE_ROWS = 2_500;
const MAX_HOSTILE_MS = 2_000;
export const MAX_GROWN_BYTES = 8 * 1024 * 1024;

const RECEIVED_AT_MS = Date.UTC(2025, 10, 2, 15);
const TRIES_ALONE = 3;
/** After so many inputs the readers are made anew: each keeps the tags that it saw, and here they are made up. */
const ROUND_INPUTS = 2_000;
/** After so many a reader that remembers has a checkpoint, and another process goes on. */
const INPUTS_OF_A_PROCESS = 40;
const RECENT_INPUTS = 4;
const REPLAYED_INPUTS = 500;
const REPLAYS = 8;
const INITIAL_CAPACITY = 64;

/** A reader, with the inputs that it had lately. */
interface Reading {
  reader: Reader;
  inputs: number;
  recent: FuzzInput[];
}

/**
 * Decodes inputs until `progress` says that it is enough, and holds what becomes of them against what must be: the same
 * whether the message is read in its turn or aside, once more, or by the next process. Nothing may grow: not what the
 * readers share, between the half and the end; nor a reader that reads what it has read before.
 */
export class Fuzzer {
  readonly #options: FuzzOptions;
  readonly #inputs: FuzzInputs;
  readonly #readings = new Map<FuzzTarget, Reading>();
  readonly #failures: FuzzFailure[] = [];
  #messageNo = 0;
  #rows = 0;
  #slowestMs = 0;

  constructor(options: FuzzOptions) {
    this.#options = options;
    this.#inputs = new FuzzInputs(options.formats);
  }

  async run(): Promise<FuzzVerdict> {
    const { progress, seed, withHostile } = this.#options;
    if (withHostile) for (const { what, ...input } of this.#inputs.hostile()) await this.#try(input, what);
    this.#readings.clear();
    let inputs = 0;
    let bytesAtHalf: number | undefined;
    const lately: FuzzInput[] = [];
    while (progress(inputs) < 1 && !this.#isEnough()) {
      const input = this.#inputs.next(seed + inputs);
      await this.#try(input);
      lately[inputs % REPLAYED_INPUTS] = input;
      inputs += 1;
      if (inputs % ROUND_INPUTS === 0) this.#readings.clear();
      if (bytesAtHalf === undefined && progress(inputs) >= 0.5) bytesAtHalf = await this.#bytesWithoutReaders();
    }
    const grownBytes = (await this.#bytesWithoutReaders()) - (bytesAtHalf ?? Number.POSITIVE_INFINITY);
    this.#refuseGrowth(grownBytes, 'between the half and the end');
    this.#refuseGrowth(await this.#growthOfReplays(lately), 'as decoders read the same messages again');
    return { inputs, rows: this.#rows, failures: this.#failures, grownBytes, slowestMs: this.#slowestMs };
  }

  #report(failure: FuzzFailure): void {
    this.#failures.push(failure);
    this.#options.onFailure?.(failure);
  }

  #isEnough(): boolean {
    return this.#failures.length >= this.#options.maxFailures;
  }

  #bytesWithoutReaders(): Promise<number> {
    this.#readings.clear();
    return this.#options.meter.heapBytes();
  }

  async #growthOfReplays(inputs: readonly FuzzInput[]): Promise<number> {
    if (this.#failures.length > 0) return 0;
    const { meter } = this.#options;
    const replay = async (): Promise<void> => {
      for (const input of inputs) {
        const { reader } = await this.#readingOf(input.target);
        reader.decoder.decode(this.#messageOf(input), new TagValues(0));
      }
      for (const { reader } of this.#readings.values()) await reader.settle(this.#messageNo);
    };
    await replay();
    await replay();
    const bytes = await meter.heapBytes();
    for (let i = 0; i < REPLAYS; i += 1) await replay();
    return (await meter.heapBytes()) - bytes;
  }

  #refuseGrowth(grownBytes: number, when: string): void {
    if (!(grownBytes > MAX_GROWN_BYTES)) return;
    const fault = `the memory grew by ${Math.round(grownBytes)} bytes ${when}`;
    this.#report({ fault, input: undefined, isAlone: false });
  }

  async #readingOf(target: FuzzTarget): Promise<Reading> {
    let reading = this.#readings.get(target);
    if (reading === undefined) {
      reading = { reader: await this.#options.startReader(target), inputs: 0, recent: [] };
      this.#readings.set(target, reading);
    }
    return reading;
  }

  /** `what`: the payload is a hostile one. */
  async #try(input: FuzzInput, what = ''): Promise<void> {
    const reading = await this.#readingOf(input.target);
    const fault = this.#faultOf(reading.reader.decoder, input, what) ?? (await this.#faultOfNext(reading, input));
    if (fault === undefined) return;
    const { decoder } = await this.#options.startReader(input.target);
    const isAlone = this.#faultOf(decoder, input, what) !== undefined;
    this.#report({ fault: what === '' ? fault : `${what}: ${fault}`, input, isAlone });
    // What failed in the midst of something may have left anything behind.
    this.#readings.delete(input.target);
  }

  #faultOf(decoder: Decoder, input: FuzzInput, what: string): string | undefined {
    const message = this.#messageOf(input);
    const values = new TagValues(INITIAL_CAPACITY);
    const aside = new TagValues(INITIAL_CAPACITY);
    // A large one takes long enough once.
    const isSmall = message.payload.length <= MAX_SPOILT_BYTES;
    try {
      const [outcomeAside, asideMs] = isSmall ? this.#timed(() => decoder.decodeAside(message, aside)) : [undefined, 0];
      const [outcome, inTurnMs] = this.#timed(() => decoder.decode(message, values));
      if (what !== '') {
        const [bytes, rows] = [message.payload.length, values.length];
        this.#options.onHostile?.({ what, bytes, rows, cpuMs: inTurnMs });
      }
      this.#rows += values.length;
      const fault =
        typeof outcome === 'object'
          ? faultOfReason(message, outcome)
          : outcome !== SKIPPED && faultOfRows(message, values);
      if (fault) return fault;
      if (isSmall) {
        const isComparable = !input.retained && !isFull(outcome);
        if (isComparable && isOtherwise(outcome, values, outcomeAside, aside)) return 'read aside, not the same';
        if (isComparable && !input.remembers && this.#isOtherwiseAgain(decoder, message, outcome, values)) {
          return 'not the same again';
        }
        decoder.hasOwnTime(message.topic, message.payload);
      }
      const maxMs = what === '' ? MAX_DECODE_MS : hostileMs(message, values);
      return Math.max(asideMs, inTurnMs) > maxMs ? this.#slowness(decoder, message, maxMs) : undefined;
    } catch (thrown) {
      return `an exception: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`;
    }
  }

  #timed<T>(decode: () => T): readonly [T, number] {
    const { meter } = this.#options;
    const [fromMs, fromCpuMs] = [meter.nowMs(), meter.cpuMs()];
    const outcome = decode();
    return [outcome, Math.min(meter.nowMs() - fromMs, meter.cpuMs() - fromCpuMs)];
  }

  /** The machine may have been busy, so the message is decoded again, alone, and the least of it counts. */
  #slowness(decoder: Decoder, message: Message, maxMs: number): string | undefined {
    const { meter } = this.#options;
    let leastMs = Number.POSITIVE_INFINITY;
    for (let i = 0; i < TRIES_ALONE && leastMs > maxMs; i += 1) {
      meter.collect();
      const fromMs = meter.cpuMs();
      decoder.decode(message, new TagValues(INITIAL_CAPACITY));
      leastMs = Math.min(leastMs, meter.cpuMs() - fromMs);
    }
    this.#slowestMs = Math.max(this.#slowestMs, leastMs);
    return leastMs > maxMs
      ? `${Math.round(leastMs)} ms of CPU time, at most ${Math.round(maxMs)} are allowed`
      : undefined;
  }

  #isOtherwiseAgain(decoder: Decoder, message: Message, outcome: unknown, values: TagValues): boolean {
    const again = new TagValues(INITIAL_CAPACITY);
    return isOtherwise(outcome, values, decoder.decode(message, again), again);
  }

  /** Now and then a process ends, and the next one reads what came lately as it did. */
  async #faultOfNext(reading: Reading, input: FuzzInput): Promise<string | undefined> {
    if (!input.remembers || input.seed === 0) return undefined;
    reading.recent = [...reading.recent, input].slice(-RECENT_INPUTS);
    reading.inputs += 1;
    if (reading.inputs % INPUTS_OF_A_PROCESS > 0) return undefined;
    const { reader, recent } = reading;
    await reader.settle(this.#messageNo);
    const next = await reader.next(this.#messageNo);
    reading.reader = next;
    for (const each of recent) {
      const message = this.#messageOf(each);
      const [before, after] = [new TagValues(INITIAL_CAPACITY), new TagValues(INITIAL_CAPACITY)];
      const outcome = reader.decoder.decodeAside(message, before);
      if (isOtherwise(outcome, before, next.decoder.decodeAside(message, after), after)) {
        return `in the next process not the same: ${each.topic}, ${each.payload.toString('base64')}`;
      }
    }
    return undefined;
  }

  #messageOf({ topic, payload, retained }: FuzzInput): Message {
    this.#messageNo += 1;
    return { number: this.#messageNo, topic, payload, receivedAtMs: RECEIVED_AT_MS, retained };
  }
}

/** In proportion to what it brings: twice as much may take twice as long. */
function hostileMs({ payload }: Message, { length }: TagValues): number {
  const parts = 1 + payload.length / HOSTILE_BYTES + length / HOSTILE_ROWS;
  return Math.min(MAX_HOSTILE_MS, parts * MAX_DECODE_MS);
}

/** What would have to be remembered finds no room, and aside nothing is. */
function isFull(outcome: ReturnType<Decoder['decode']>): boolean {
  return typeof outcome === 'object' && outcome.code === 'SPARKPLUG_BIRTHS_FULL';
}

function isOtherwise(outcome: unknown, values: TagValues, otherOutcome: unknown, other: TagValues): boolean {
  if (JSON.stringify(otherOutcome) !== JSON.stringify(outcome) || other.length !== values.length) return true;
  for (let i = 0; i < values.length; i += 1) {
    if (values.tags[i]!.name !== other.tags[i]!.name || values.texts[i] !== other.texts[i]) return true;
    if (!Object.is(values.numbers[i], other.numbers[i]) || !Object.is(values.timesMs[i], other.timesMs[i])) return true;
    if (values.problems[i]?.code !== other.problems[i]?.code || values.qualities[i] !== other.qualities[i]) return true;
  }
  return false;
}
