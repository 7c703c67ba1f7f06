import type { TagRow } from '../support/tag-table.ts';

/** Values of one message. */
const VALUES = 10;
/** As many tags as a plant has, and the same ones all the time: what the bridge keeps of tags has come to its size. */
const TAGS = 500;
/** Every so many values one that the table refuses, and every so many messages one that can't be decoded. */
const REFUSED_EVERY = 2003;
const UNDECODABLE_EVERY = 1009;
/** Longer than the column: the table refuses it, and nothing before the table does. */
const REFUSED_QUALITY = 'LONGER_THAN_THE_COLUMN';
const INITIAL_MESSAGES = 65_536;
const OFFENCES_KEPT = 20;

type Place = 'table' | 'rejected' | 'undecodable';

export interface SoakVerdict {
  /** Values and undecodable messages that the broker acknowledged. */
  readonly owed: number;
  readonly lost: number;
  readonly doubled: number;
  /** Copies of undecodable messages, which have no time of their own, so that the bridge may be left in doubt. */
  readonly maybeRepeated: number;
  /** In a place where they do not belong, or never published as they are there. */
  readonly unknown: number;
  /** The first of them, a sentence each. */
  readonly offences: readonly string[];
}

/**
 * What was published and what was found, in ten or so bytes a value, so that hours of it fit. Values are numbered, and
 * the number is the value: `message * VALUES + index`.
 */
export class SoakLedger {
  #messages = 0;
  #timesMs = new Float64Array(INITIAL_MESSAGES);
  #isOwed = new Uint8Array(INITIAL_MESSAGES);
  #copies = new Uint8Array(INITIAL_MESSAGES * VALUES);
  /** The bridge's number of each message, of its first copy. */
  #storedAs = new Float64Array(INITIAL_MESSAGES);
  /** By value, of the first ones that are there twice. */
  readonly #numbersOfCopies = new Map<number, string>();
  #found = 0;
  #unknown = 0;
  readonly #offences: string[] = [];

  static readonly valuesPerMessage = VALUES;

  /** How many messages have a number: that of the next one. */
  get messages(): number {
    return this.#messages;
  }

  get values(): number {
    return this.#messages * VALUES;
  }

  /** Copies that were found so far. */
  get found(): number {
    return this.#found;
  }

  /** The next message: its number and its payload. */
  next(timeMs: number): { readonly number: number; readonly payload: string } {
    const number = this.#messages;
    this.#messages += 1;
    this.#reserve();
    this.#timesMs[number] = timeMs;
    const payload = isUndecodable(number) ? undecodablePayload(number) : payloadOf(number, timeMs);
    return { number, payload };
  }

  /** The broker has acknowledged it. One that it has not may be there or not. */
  acknowledge(message: number): void {
    this.#isOwed[message] = 1;
  }

  /** Whether the message, which must be one that can be decoded, is in the table: its first value, or its second. */
  hasArrived(message: number): boolean {
    return this.#copies[message * VALUES]! + this.#copies[message * VALUES + 1]! > 0;
  }

  foundRow({ messageNo = 0, name, timeMs, value }: TagRow): void {
    const expected = this.#timesMs[Math.floor((value ?? -1) / VALUES)];
    if (value === null || expected !== timeMs || name !== tagName(value)) {
      this.#stray(`table: ${name} = ${value} at ${new Date(timeMs).toISOString()}`);
    } else {
      this.#note('table', value);
      this.#noteNumber(value, messageNo);
    }
  }

  foundRejected(value: number): void {
    this.#note('rejected', value);
  }

  foundUndecodable(payload: string): void {
    const message = Number(/^\{ U(\d+)$/.exec(payload)?.[1] ?? NaN);
    this.#note('undecodable', message * VALUES);
  }

  verdict(): SoakVerdict {
    const offences = [...this.#offences];
    let [owed, lost, doubled, maybeRepeated] = [0, 0, 0, 0];
    for (let message = 0; message < this.#messages; message += 1) {
      const isInDoubt = isUndecodable(message);
      const things = isInDoubt ? 1 : VALUES;
      for (let value = message * VALUES; value < message * VALUES + things; value += 1) {
        const copies = this.#copies[value]!;
        const isLost = copies === 0 && this.#isOwed[message] === 1;
        owed += this.#isOwed[message]!;
        lost += Number(isLost);
        if (isInDoubt) maybeRepeated += Math.max(0, copies - 1);
        const isDoubled = copies > 1 && !isInDoubt;
        doubled += Number(isDoubled);
        if ((isLost || isDoubled) && offences.length < OFFENCES_KEPT) {
          const time = new Date(this.#timesMs[message]!).toISOString();
          const what = isLost ? 'lost' : `${copies} copies`;
          offences.push(`${what}: ${placeOf(value)} ${value} of ${time}${this.#numbersOfCopies.get(value) ?? ''}`);
        }
      }
    }
    return { owed, lost, doubled, maybeRepeated, unknown: this.#unknown, offences };
  }

  #note(place: Place, value: number): void {
    const isPublished = Number.isInteger(value) && value >= 0 && value < this.values;
    if (!isPublished || placeOf(value) !== place) this.#stray(`${place}: ${value}`);
    else this.#copies[value]! += 1;
    this.#found += 1;
  }

  #noteNumber(value: number, messageNo: number): void {
    const message = Math.floor(value / VALUES);
    if (this.#copies[value] === 1) this.#storedAs[message] = messageNo;
    else if (this.#numbersOfCopies.size < OFFENCES_KEPT)
      this.#numbersOfCopies.set(value, `, as messages ${this.#storedAs[message]} and ${messageNo}`);
  }

  #stray(found: string): void {
    this.#unknown += 1;
    if (this.#offences.length < OFFENCES_KEPT) this.#offences.push(`unknown: ${found}`);
  }

  #reserve(): void {
    if (this.#messages < this.#timesMs.length) return;
    const messages = this.#timesMs.length * 2;
    const [timesMs, isOwed, copies, storedAs] = [this.#timesMs, this.#isOwed, this.#copies, this.#storedAs];
    this.#timesMs = new Float64Array(messages);
    this.#isOwed = new Uint8Array(messages);
    this.#copies = new Uint8Array(messages * VALUES);
    this.#timesMs.set(timesMs);
    this.#isOwed.set(isOwed);
    this.#copies.set(copies);
    this.#storedAs = new Float64Array(messages);
    this.#storedAs.set(storedAs);
  }
}

/** The messages that `hasArrived` can be asked of are all but these. */
export function isUndecodable(message: number): boolean {
  return message % UNDECODABLE_EVERY === UNDECODABLE_EVERY - 1;
}

function isRefused(value: number): boolean {
  return value % REFUSED_EVERY === REFUSED_EVERY - 1;
}

function placeOf(value: number): Place {
  if (isUndecodable(Math.floor(value / VALUES))) return 'undecodable';
  return isRefused(value) ? 'rejected' : 'table';
}

function tagName(value: number): string {
  return `P.T${value % TAGS}`;
}

function undecodablePayload(message: number): string {
  return `{ U${message}`;
}

function payloadOf(message: number, timeMs: number): string {
  const tags: Record<string, unknown> = {};
  for (let value = message * VALUES; value < (message + 1) * VALUES; value += 1) {
    tags[tagName(value).slice(2)] = isRefused(value) ? { value, quality: REFUSED_QUALITY } : value;
  }
  return JSON.stringify({ plc_code: 'P', timestamp: timeMs, tag_values: tags });
}
