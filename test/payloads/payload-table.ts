/*
 * The table of payloads: a file each, with the subscription that reads it and what must become of it, exactly. A
 * folder a format; the test of the format goes through it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { TimeWriter } from '../../src/backup/csv/time-text.ts';
import type { Subscription } from '../../src/config/config.ts';
import { fillSubscription, subscriptionProblems } from '../../src/config/kinds/subscription-fields.ts';
import { SKIPPED } from '../../src/core/message.ts';
import { TagValues } from '../../src/core/tag-values.ts';
import { createDecoder } from '../../src/payload/decoder.ts';

const ROOT = fileURLToPath(new URL('.', import.meta.url));
const RECEIVED_AT_MS = Date.UTC(2025, 10, 2, 15);

/** What is left out is as usual: no number, no text, the time of receipt (null: none), GOOD, no problem. */
export interface ExpectedRow {
  readonly name: string;
  readonly value?: number;
  readonly text?: string;
  readonly time?: string | null;
  readonly quality?: string;
  readonly problem?: string;
}

/** What must become of a payload. Of a reason the message need not be named. */
export interface Expected {
  readonly rows?: readonly ExpectedRow[];
  readonly reason?: { readonly code: string; readonly message?: string };
  readonly skipped?: true;
}

/** A message. Its payload is sent as JSON; or a text as it stands; or bytes. */
interface SentMessage {
  readonly topic: string;
  readonly payload?: unknown;
  readonly payloadText?: string;
  readonly payloadBase64?: string;
  readonly retained?: boolean;
}

/** One payload of the table as its file has it. */
export interface PayloadCase extends Expected, SentMessage {
  readonly about: string;
  readonly subscription: Pick<Subscription, 'topic'>;
  /** Default `{plc}.{tag}`. */
  readonly tagName?: string;
  /** Messages that were read before it, by the same subscription. */
  readonly before?: readonly SentMessage[];
}

/** All payloads of a folder, by the names of their files. */
export function readCases(folder: string): (readonly [string, PayloadCase])[] {
  const files = readdirSync(join(ROOT, folder)).filter((file) => file.endsWith('.json'));
  return files.map(
    (file) => [file, JSON.parse(readFileSync(join(ROOT, folder, file), 'utf8')) as PayloadCase] as const,
  );
}

/** What became of a payload, in the form in which its file has what must. Throws where the subscription is not good. */
export function becomes(each: PayloadCase): Expected {
  const problems = subscriptionProblems(each.subscription);
  if (problems.length > 0) throw new Error(problems.map(({ at, must }) => `${at} ${must}`).join('\n'));
  const decoder = createDecoder([fillSubscription(each.subscription)], each.tagName ?? '{plc}.{tag}');
  const values = new TagValues(4);
  let number = 6;
  const read = (sent: SentMessage): ReturnType<typeof decoder.decode> => {
    values.clear();
    number += 1;
    const { retained = false, topic } = sent;
    const message = { number, topic, payload: payloadOf(sent), receivedAtMs: RECEIVED_AT_MS, retained };
    return decoder.decode(message, values);
  };
  for (const earlier of each.before ?? []) read(earlier);
  const outcome = read(each);
  if (outcome === SKIPPED) return { skipped: true };
  if (outcome === undefined) return { rows: Array.from({ length: values.length }, (_, i) => rowOf(values, i)) };
  const { code, message: words } = outcome;
  return { reason: each.reason?.message === undefined ? { code } : { code, message: words } };
}

export function expectedOf({ rows, reason, skipped }: PayloadCase): Expected {
  return { ...(rows && { rows }), ...(reason && { reason }), ...(skipped && { skipped }) };
}

function rowOf(values: TagValues, i: number): ExpectedRow {
  const number = values.numbers[i]!;
  const text = values.texts[i]!;
  const timeMs = values.timesMs[i]!;
  const quality = values.qualities[i]!;
  const problem = values.problems[i]?.code;
  return {
    name: values.tags[i]!.name,
    ...(Number.isNaN(number) ? {} : { value: number }),
    ...(text === null ? {} : { text }),
    ...(timeMs === RECEIVED_AT_MS ? {} : { time: Number.isNaN(timeMs) ? null : new TimeWriter().text(timeMs) }),
    ...(quality === 'GOOD' ? {} : { quality }),
    ...(problem === undefined ? {} : { problem }),
  };
}

/** The bytes that are sent. */
export function payloadOf({ payload, payloadText, payloadBase64 }: SentMessage): Buffer {
  if (payloadBase64 !== undefined) return Buffer.from(payloadBase64, 'base64');
  return Buffer.from(payloadText ?? JSON.stringify(payload));
}
