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
  /** After all garbage was collected. */
  heapBytes(): number;
}

export interface FuzzOptions {
  readonly formats: Readonly<Record<string, FuzzedFormat>>;
  /** The n-th input, from 0, has the seed `seed + n`. */
  readonly seed: number;
  /** How much is done after so many inputs, 1 at the end. */
  readonly progress: (inputs: number) => number;
  readonly createDecoder: (target: FuzzTarget) => Decoder;
  readonly meter: Meter;
  /** Whether the hostile payloads come before the others. */
  readonly withHostile: boolean;
  readonly maxFailures: number;
  /** Hears of each failure at once. */
  readonly onFailure?: (failure: FuzzFailure) => void;
}

export interface FuzzFailure {
  readonly fault: string;
  /** Undefined where no single input is to blame. */
  readonly input: FuzzInput | undefined;
  /** A decoder that reads nothing else fails, too. */
  readonly isAlone: boolean;
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
/** For a hostile one, of some megabytes. */
export const MAX_HOSTILE_MS = 2_000;
export const MAX_GROWN_BYTES = 8 * 1024 * 1024;

const RECEIVED_AT_MS = Date.UTC(2025, 10, 2, 15);
const TRIES_ALONE = 3;
/** After so many inputs the decoders are made anew: each keeps the tags that it saw, and here they are made up. */
const ROUND_INPUTS = 2_000;
const REPLAYED_INPUTS = 500;
const REPLAYS = 8;
const INITIAL_CAPACITY = 64;

/**
 * Decodes inputs until `progress` says that it is enough, and holds what becomes of them against what must be. Nothing
 * may grow: not what the decoders share, between the half and the end; nor a decoder that reads what it has read before.
 */
export class Fuzzer {
  readonly #options: FuzzOptions;
  readonly #inputs: FuzzInputs;
  readonly #decoders = new Map<FuzzTarget, Decoder>();
  readonly #failures: FuzzFailure[] = [];
  #rows = 0;
  #slowestMs = 0;

  constructor(options: FuzzOptions) {
    this.#options = options;
    this.#inputs = new FuzzInputs(options.formats);
  }

  run(): FuzzVerdict {
    const { progress, meter, seed, withHostile } = this.#options;
    if (withHostile) for (const { what, ...input } of this.#inputs.hostile()) this.#try(input, MAX_HOSTILE_MS, what);
    this.#decoders.clear();
    let inputs = 0;
    let bytesAtHalf: number | undefined;
    const lately: FuzzInput[] = [];
    while (progress(inputs) < 1 && !this.#isEnough()) {
      const input = this.#inputs.next(seed + inputs);
      this.#try(input, MAX_DECODE_MS);
      lately[inputs % REPLAYED_INPUTS] = input;
      inputs += 1;
      if (inputs % ROUND_INPUTS === 0) this.#decoders.clear();
      if (bytesAtHalf === undefined && progress(inputs) >= 0.5) bytesAtHalf = this.#bytesWithoutDecoders();
    }
    const grownBytes = this.#bytesWithoutDecoders() - (bytesAtHalf ?? Number.POSITIVE_INFINITY);
    this.#refuseGrowth(grownBytes, 'between the half and the end');
    this.#refuseGrowth(this.#growthOfReplays(lately, meter), 'as decoders read the same messages again');
    return { inputs, rows: this.#rows, failures: this.#failures, grownBytes, slowestMs: this.#slowestMs };
  }

  #report(failure: FuzzFailure): void {
    this.#failures.push(failure);
    this.#options.onFailure?.(failure);
  }

  #isEnough(): boolean {
    return this.#failures.length >= this.#options.maxFailures;
  }

  #bytesWithoutDecoders(): number {
    this.#decoders.clear();
    return this.#options.meter.heapBytes();
  }

  #growthOfReplays(inputs: readonly FuzzInput[], meter: Meter): number {
    if (this.#failures.length > 0) return 0;
    const replay = (): void => {
      for (const input of inputs) this.#decoderOf(input.target).decode(messageOf(input), new TagValues(0));
    };
    replay();
    replay();
    const bytes = meter.heapBytes();
    for (let i = 0; i < REPLAYS; i += 1) replay();
    return meter.heapBytes() - bytes;
  }

  #refuseGrowth(grownBytes: number, when: string): void {
    if (!(grownBytes > MAX_GROWN_BYTES)) return;
    const fault = `the memory grew by ${grownBytes} bytes ${when}`;
    this.#report({ fault, input: undefined, isAlone: false });
  }

  #decoderOf(target: FuzzTarget): Decoder {
    let decoder = this.#decoders.get(target);
    if (decoder === undefined) {
      decoder = this.#options.createDecoder(target);
      this.#decoders.set(target, decoder);
    }
    return decoder;
  }

  #try(input: FuzzInput, maxMs: number, what = ''): void {
    const fault = this.#faultOf(this.#decoderOf(input.target), input, maxMs);
    if (fault === undefined) return;
    const isAlone = this.#faultOf(this.#options.createDecoder(input.target), input, maxMs) !== undefined;
    this.#report({ fault: what === '' ? fault : `${what}: ${fault}`, input, isAlone });
    // What failed in the midst of something may have left anything behind.
    this.#decoders.delete(input.target);
  }

  #faultOf(decoder: Decoder, input: FuzzInput, maxMs: number): string | undefined {
    const message = messageOf(input);
    const values = new TagValues(INITIAL_CAPACITY);
    try {
      const { meter } = this.#options;
      const [fromMs, fromCpuMs] = [meter.nowMs(), meter.cpuMs()];
      const outcome = decoder.decode(message, values);
      const tookMs = Math.min(meter.nowMs() - fromMs, meter.cpuMs() - fromCpuMs);
      this.#rows += values.length;
      const fault =
        typeof outcome === 'object'
          ? faultOfReason(message, outcome)
          : outcome !== SKIPPED && faultOfRows(message, values);
      if (fault) return fault;
      // A large one takes long enough once.
      if (message.payload.length <= MAX_SPOILT_BYTES) {
        if (!input.remembers && this.#isOtherwise(decoder, message, outcome, values)) return 'not the same again';
        decoder.hasOwnTime(message.topic, message.payload);
      }
      return tookMs > maxMs ? this.#slowness(decoder, message, maxMs) : undefined;
    } catch (thrown) {
      return `an exception: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`;
    }
  }

  /** The machine may have been busy, so the message is decoded again, alone, and the least of it counts. */
  #slowness(decoder: Decoder, message: Message, maxMs: number): string | undefined {
    const { meter } = this.#options;
    let leastMs = Number.POSITIVE_INFINITY;
    for (let i = 0; i < TRIES_ALONE && leastMs > maxMs; i += 1) {
      meter.heapBytes();
      const fromMs = meter.cpuMs();
      decoder.decode(message, new TagValues(INITIAL_CAPACITY));
      leastMs = Math.min(leastMs, meter.cpuMs() - fromMs);
    }
    this.#slowestMs = Math.max(this.#slowestMs, leastMs);
    return leastMs > maxMs ? `${Math.round(leastMs)} ms of CPU time, at most ${maxMs} are allowed` : undefined;
  }

  #isOtherwise(decoder: Decoder, message: Message, outcome: unknown, values: TagValues): boolean {
    const again = new TagValues(INITIAL_CAPACITY);
    const outcomeAgain = decoder.decode(message, again);
    if (JSON.stringify(outcomeAgain) !== JSON.stringify(outcome) || again.length !== values.length) return true;
    for (let i = 0; i < values.length; i += 1) {
      if (values.tags[i]!.name !== again.tags[i]!.name || values.texts[i] !== again.texts[i]) return true;
      if (!Object.is(values.numbers[i], again.numbers[i]) || !Object.is(values.timesMs[i], again.timesMs[i]))
        return true;
      if (values.problems[i]?.code !== again.problems[i]?.code || values.qualities[i] !== again.qualities[i])
        return true;
    }
    return false;
  }
}

function messageOf({ topic, payload }: FuzzInput): Message {
  return { number: 7, topic, payload, receivedAtMs: RECEIVED_AT_MS };
}
