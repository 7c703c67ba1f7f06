import type { Reason } from '../../../src/core/errors.ts';
import { SKIPPED } from '../../../src/core/message.ts';
import { TagValues } from '../../../src/core/tag-values.ts';
import { createDecoder, type Decoder, type Route } from '../../../src/payload/decoder.ts';

export const RECEIVED_AT_MS = Date.UTC(2025, 10, 2, 15);

export const ROUTES: readonly Route[] = [
  { topic: 'plc/+/tags', format: 'polling', plcCode: '', tagAddress: '' },
  { topic: 'line/+/tags', format: 'polling', plcCode: '{2}', tagAddress: '' },
  { topic: 'plant/+/+', format: 'scalar', plcCode: '{2}', tagAddress: '{3}' },
];

export interface Row {
  readonly name: string;
  readonly number: number;
  readonly text: string | null;
  readonly timeMs: number;
  readonly quality: string;
  readonly problem: string | undefined;
}

export interface Outcome {
  readonly reason: Reason | undefined;
  readonly skipped: boolean;
  readonly values: TagValues;
  readonly rows: readonly Row[];
}

/** Decodes one payload; anything but bytes and strings is sent as JSON. */
export function decodeOne(
  payload: unknown,
  topic = 'plc/1/tags',
  decoder: Decoder = createDecoder(ROUTES, '{plc}.{tag}'),
  retained = false,
): Outcome {
  const bytes = Buffer.isBuffer(payload)
    ? payload
    : Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
  const values = new TagValues(4);
  const message = { number: 7, topic, payload: bytes, receivedAtMs: RECEIVED_AT_MS, retained };
  const outcome = decoder.decode(message, values);
  const reason = outcome === SKIPPED ? undefined : outcome;
  const rows = Array.from({ length: values.length }, (_, i) => ({
    name: values.tags[i]!.name,
    number: values.numbers[i]!,
    text: values.texts[i]!,
    timeMs: values.timesMs[i]!,
    quality: values.qualities[i]!,
    problem: values.problems[i]?.code,
  }));
  return { reason, skipped: outcome === SKIPPED, values, rows };
}

/** A row as it is expected; what is not said is as in a value without peculiarities. */
export function row(name: string, part: Partial<Row>): Row {
  return {
    name,
    number: Number.NaN,
    text: null,
    timeMs: RECEIVED_AT_MS,
    quality: 'GOOD',
    problem: undefined,
    ...part,
  };
}
