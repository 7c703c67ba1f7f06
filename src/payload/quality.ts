/**
 * What payloads say of a value's quality, as the text that is written. Compiled once.
 *
 * Without a scale a text of at most 64 bytes is the quality as it stands. What can't be read (by the scale; no text; a
 * longer text) is written as text all the same, cut to the 16 bytes that the column of the proposed DDL holds: a value
 * is not to be lost for what stands beside it.
 */
import type { ValueDetails } from '../core/value-details.ts';
import { escapeBrokenText, isBrokenText } from './text.ts';

export const DEFAULT_QUALITY = 'GOOD';
const MAX_QUALITY_BYTES = 64;
/** What the column of the proposed DDL holds. */
const MAX_UNREAD_BYTES = 16;

/** Gives a text that is never empty and has at most 64 bytes. */
export type QualityReader = (given: unknown) => string;

/** A map has what a number, text or boolean means, and `*` for all others. */
export type QualityScale = QualityScaleName | Readonly<Record<string, string>>;

type ByNumber = (code: number) => string | undefined;

const BITS = ['GOOD', 'UNCERTAIN', 'BAD', 'BAD'] as const;

function topTwoBits(code: number): string | undefined {
  return Number.isInteger(code) && code >= -(2 ** 31) && code < 2 ** 32 ? BITS[(code >>> 30) & 3] : undefined;
}

/** What each scale makes of a number. */
const SCALES = {
  /** OPC DA: the low byte; its top two bits are 11 good, 01 uncertain, 00 bad. 10 is not used, and surely not good. */
  opcDa: (code) => {
    if (!Number.isInteger(code) || code < 0 || code > 65_535) return undefined;
    const bits = (code & 0xc0) >> 6;
    return bits === 3 ? 'GOOD' : bits === 0 ? 'BAD' : 'UNCERTAIN';
  },
  /** OPC UA status codes: severity in the top two bits. */
  opcUa: topTwoBits,
  /** Siemens Industrial Edge `qc`. */
  siemens: (code) => ['BAD', 'UNCERTAIN', 'GOOD', 'GOOD'][code],
  /**
   * Ignition and Sparkplug: 192 and what is below 256 but for 0 by OPC DA; 500 stale; large ones by their top two
   * bits.
   */
  ignition: (code) => {
    if (code === 500 || code === -2_147_483_132 || code === 2_147_484_164) return 'STALE';
    if (code === 0) return 'GOOD';
    if (code > 0 && code < 256) return code >= 192 || code === 2 ? 'GOOD' : code >= 64 ? 'UNCERTAIN' : 'BAD';
    return Math.abs(code) >= 2 ** 30 ? topTwoBits(code) : undefined;
  },
  boolean: (code) => (code === 1 ? 'GOOD' : code === 0 ? 'BAD' : undefined),
} satisfies Record<string, ByNumber>;

export type QualityScaleName = keyof typeof SCALES;

export const QUALITY_SCALE_NAMES = Object.keys(SCALES) as QualityScaleName[];

/** What people write, and OPC UA symbols (GoodClamped, BadNoCommunication), by their beginning. */
const WORD = /^(?:good|ok|uncertain|bad)(?![a-z])/i;
const SYMBOL = /^(?:Good|Uncertain|Bad)(?=[A-Z])/;
const NUMBER = /^[+-]?\d{1,10}$/;
const MAX_KEPT = 1_000;

/** `scale` undefined: the quality is text, as it stands. `textOf` gives the text of whatever may stand there. */
export function compileQuality(scale: QualityScale | undefined, textOf: (given: unknown) => string): QualityReader {
  const read = scale === undefined ? undefined : typeof scale === 'string' ? byScale(SCALES[scale]) : byMap(scale);
  const compute = (given: unknown): string => {
    if (read === undefined && isPlainQuality(given)) return given;
    return read?.(given) ?? cut(escapeBrokenText(textOf(given)));
  };
  const kept = new Map<unknown, string>();
  let last: unknown;
  let lastText = '';
  return (given) => {
    if (given === last && lastText !== '') return lastText;
    if (typeof given === 'object') return compute(given);
    let text = kept.get(given);
    if (text === undefined) {
      text = compute(given);
      if (kept.size >= MAX_KEPT) kept.clear();
      // A long text that each message has another of is not worth keeping.
      if (typeof given !== 'string' || given.length <= MAX_QUALITY_BYTES) kept.set(given, text);
    }
    last = given;
    lastText = text;
    return text;
  };
}

function byScale(scale: ByNumber): (given: unknown) => string | undefined {
  return (given) => {
    const plain = unwrap(given);
    if (typeof plain === 'number') return scale(plain);
    if (typeof plain === 'boolean') return plain ? 'GOOD' : 'BAD';
    if (typeof plain !== 'string') return undefined;
    if (NUMBER.test(plain.trim())) return scale(Number(plain));
    if (/^(?:true|false)$/i.test(plain)) return /^t/i.test(plain) ? 'GOOD' : 'BAD';
    const word = (WORD.exec(plain) ?? SYMBOL.exec(plain))?.[0].toUpperCase();
    return word === 'OK' ? 'GOOD' : word;
  };
}

/** OPC UA's `{ Code, Symbol }`. */
function unwrap(given: unknown): unknown {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return given;
  const { Code: code, Symbol: symbol } = given as { readonly Code?: unknown; readonly Symbol?: unknown };
  // A code of 0 is Good, and encoders leave it out.
  return code ?? symbol ?? 0;
}

/** The quality as a number, for a column of its own; NaN where it is none. */
export function qualityCodeOf(given: unknown): number {
  if (typeof given === 'number') return Number.isFinite(given) ? given + 0 : Number.NaN;
  if (typeof given === 'string') return NUMBER.test(given.trim()) ? Number(given) : Number.NaN;
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return Number.NaN;
  const code = unwrap(given);
  return typeof code === 'object' ? Number.NaN : qualityCodeOf(code);
}

/** What values have besides, where it is only their quality as a number: one object for all in a row with the same. */
export class QualityDetails {
  #last: ValueDetails | null = null;

  /** `qualityCode` NaN: there is none. */
  of(qualityCode: number): ValueDetails | null {
    if (Number.isNaN(qualityCode)) return null;
    if (this.#last?.qualityCode !== qualityCode) this.#last = { qualityCode, fields: undefined };
    return this.#last;
  }
}

function byMap(map: Readonly<Record<string, string>>): (given: unknown) => string | undefined {
  const meanings = new Map(Object.entries(map));
  const other = meanings.get('*');
  return (given) => {
    const isScalar = typeof given === 'string' || typeof given === 'number' || typeof given === 'boolean';
    return (isScalar ? meanings.get(String(given)) : undefined) ?? other;
  };
}

function isPlainQuality(given: unknown): given is string {
  return (
    typeof given === 'string' && given !== '' && Buffer.byteLength(given) <= MAX_QUALITY_BYTES && !isBrokenText(given)
  );
}

function cut(text: string): string {
  if (text === '') return DEFAULT_QUALITY;
  if (Buffer.byteLength(text) <= MAX_UNREAD_BYTES) return text;
  // Cut between characters: a half one is no UTF-8.
  return Buffer.from(text)
    .subarray(0, MAX_UNREAD_BYTES)
    .toString('utf8')
    .replace(/\uFFFD+$/, '');
}
