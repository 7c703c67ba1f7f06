import { fillSubscription } from '../../src/config/kinds/subscription-fields.ts';
import { TagValues } from '../../src/core/tag-values.ts';
import { createDecoder, type Decoder } from '../../src/payload/decoder.ts';
import { BENCH_MESSAGES, type BenchMessage } from './messages.ts';

const ROUND_MESSAGES = 200;
const ROUND_VALUES = 300_000;
const WARM_UP_ROUNDS = 5;
const ROUNDS = 31;
const RECEIVED_AT_MS = 1_800_000_000_000;

interface Decoding {
  readonly name: string;
  readonly decoder: Decoder;
  readonly messages: readonly { readonly topic: string; readonly payload: Buffer }[];
  /** Microseconds of CPU a value, one a round. */
  readonly micros: number[];
}

/** What a format's decoder takes. */
export interface DecodeFigures {
  readonly name: string;
  /** Microseconds of CPU a value, the median over the rounds. */
  readonly micros: number;
  /** Values per second beside those of the first format, the median over the rounds. */
  readonly ratio: number;
}

/**
 * What the decoders alone take, in this process: the formats take turns, a short round each, and a ratio is of one
 * round, so that what else the machine does falls on both.
 */
export function measureDecoders(names: readonly string[], tags: number): DecodeFigures[] {
  const all = names.map((name) => prepare(name, tags));
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
    for (const each of all) {
      const micros = roundOf(each, tags);
      if (round >= 0) each.micros.push(micros);
    }
  }
  return all.map(({ micros, name }) => {
    const ratio = median(micros.map((each, round) => all[0]!.micros[round]! / each));
    return { name, micros: median(micros), ratio };
  });
}

function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[figures.length >> 1]!;
}

function prepare(name: string, tags: number): Decoding {
  const { first, message, subscription } = BENCH_MESSAGES[name]!;
  const decoder = createDecoder([fillSubscription(subscription as { readonly topic: string })], '{plc}.{tag}');
  if (first !== undefined) decode(decoder, encoded(first(tags)), new TagValues(tags));
  const messages = Array.from({ length: ROUND_MESSAGES }, (_, i) => encoded(message(i, tags)));
  return { name, decoder, messages, micros: [] };
}

function encoded({ topic, payload }: BenchMessage): Decoding['messages'][number] {
  return { topic, payload: Buffer.from(payload as string) };
}

function roundOf({ decoder, messages }: Decoding, tags: number): number {
  const values = new TagValues(tags);
  const repeats = Math.ceil(ROUND_VALUES / (messages.length * tags));
  const from = process.cpuUsage();
  let count = 0;
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    for (const message of messages) count += decode(decoder, message, values);
  }
  const { system, user } = process.cpuUsage(from);
  return (system + user) / count;
}

let messageNo = 0;

function decode(decoder: Decoder, { payload, topic }: Decoding['messages'][number], into: TagValues): number {
  messageNo += 1;
  const outcome = decoder.decode({ number: messageNo, topic, payload, receivedAtMs: RECEIVED_AT_MS }, into);
  if (outcome !== undefined) throw new Error(`not decoded: ${JSON.stringify(outcome)}`);
  return into.length;
}
