import type { Clock } from '../core/clock.ts';
import type { Reason } from '../core/errors.ts';
import type { Message } from '../core/message.ts';
import type { RefusedRow } from '../core/refused-row.ts';
import type { TagValues } from '../core/tag-values.ts';
import { shortText } from './short-text.ts';

/** A value that Oracle, or a check before it, did not take. */
export interface RejectedValue {
  /** ISO 8601: when it was refused. */
  readonly at: string;
  readonly tagName: string;
  readonly value: number | string | null;
  readonly code: string;
  readonly message: string;
}

/** A message that no format could read. */
export interface UndecodableMessage {
  /** The journal's of the message; `POST /api/try` takes it. */
  readonly number: number;
  /** It is kept whole, and can be tried. */
  readonly isWhole: boolean;
  readonly at: string;
  readonly topic: string;
  readonly reason: string;
  /** Its first 200 bytes, as text. */
  readonly payload: string;
}

/** A message as it came. */
export interface WholeMessage {
  readonly topic: string;
  readonly payload: Buffer;
}

/** The answer of `/api/refusals`: newest first. */
export interface RefusalsAnswer {
  readonly rejected: readonly RejectedValue[];
  readonly undecodable: readonly UndecodableMessage[];
}

const KEPT = 50;
const PAYLOAD_BYTES = 200;
/** A longer payload is in its CSV alone. */
const WHOLE_BYTES = 16_384;
const TEXT_LENGTH = 200;
const LONG_TEXT_LENGTH = 1000;

/**
 * The last 50 values and the last 50 messages that were refused, in at most some 1.5 MB; all of them are in CSV files.
 */
export class Refusals {
  readonly #clock: Clock;
  #rejected: readonly RejectedValue[] = [];
  #undecodable: readonly UndecodableMessage[] = [];
  /** By number, of those that are whole. */
  readonly #whole = new Map<number, WholeMessage>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes note of the chosen values, once a batch. */
  noteRejected(values: TagValues, rows: readonly RefusedRow[]): void {
    const at = this.#now();
    const noted = rows.slice(-KEPT).map(({ index, reason: { code, message } }): RejectedValue => {
      const number = values.numbers[index]!;
      const text = values.texts[index]!;
      const value = text === null ? (Number.isNaN(number) ? null : number) : shortText(text, TEXT_LENGTH);
      const tagName = shortText(values.tags[index]!.name, LONG_TEXT_LENGTH);
      return { at, tagName, value, code, message: shortText(message, LONG_TEXT_LENGTH) };
    });
    this.#rejected = [...noted.reverse(), ...this.#rejected].slice(0, KEPT);
  }

  noteUndecodable(message: Message, reason: Reason): void {
    const isWhole = message.payload.length <= WHOLE_BYTES;
    // A payload is a part of a larger buffer, which it must not keep in memory.
    if (isWhole) this.#whole.set(message.number, { topic: message.topic, payload: Buffer.from(message.payload) });
    const noted = {
      number: message.number,
      isWhole,
      at: this.#now(),
      topic: shortText(message.topic, LONG_TEXT_LENGTH),
      reason: shortText(reason.message, LONG_TEXT_LENGTH),
      payload: beginning(message.payload),
    };
    for (const { number } of this.#undecodable.slice(KEPT - 1)) this.#whole.delete(number);
    this.#undecodable = [noted, ...this.#undecodable.slice(0, KEPT - 1)];
  }

  /** A message of the list, as it came; undefined where it is not kept whole, or not any more. */
  undecodable(number: number): WholeMessage | undefined {
    return this.#whole.get(number);
  }

  answer(): RefusalsAnswer {
    return { rejected: this.#rejected, undecodable: this.#undecodable };
  }

  #now(): string {
    return new Date(this.#clock.now()).toISOString();
  }
}

/** Without the half of a character at its end. */
function beginning(payload: Buffer): string {
  const isCut = payload.length > PAYLOAD_BYTES;
  return new TextDecoder().decode(payload.subarray(0, PAYLOAD_BYTES), { stream: isCut });
}
