import { deepJsonText } from './deep-json.ts';

/**
 * Numbers that JSON.parse would spoil.
 *
 * JSON.parse gives doubles: 9007199254740993 becomes …992 and 1e999 becomes Infinity, and what stood there is gone. So
 * the text of such a document is parsed a second time with these numbers turned into strings: a marker, then the
 * literal. The marker is a run of U+0000 that is longer than any run in the document. JSON can spell U+0000 only as
 * `\u0000`, so counting these escapes is enough to know that no string of the document begins with the marker, whoever
 * wrote it.
 */
export interface ExactJson {
  readonly text: string;
  /** What a string that was a number begins with. */
  readonly marker: string;
}

const NUL_ESCAPE = '\\u0000';
const INTEGER = /^-?\d+$/;
const NUMBER_CHARACTERS = /[-+.0-9eE]+/y;
const MAX_STRINGIFIED_LEVELS = 100;
const QUOTE = 0x22;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * Up to so many characters the marks of a document may have in any case, and beyond that so many times the document's
 * own.
 */
const MARKS_ALWAYS_ALLOWED = 65_536;
const MARKS_PER_CHARACTER = 4;

/**
 * `json` must have been accepted by JSON.parse. Undefined when the marks would make many times as much of it: long runs
 * of U+0000 beside many such numbers are no accident, and would cost gigabytes.
 */
export function markInexactNumbers(json: string): ExactJson | undefined {
  const nuls = longestRun(json, NUL_ESCAPE) + 1;
  const opening = `"${NUL_ESCAPE.repeat(nuls)}`;
  let allowed = MARKS_ALWAYS_ALLOWED + MARKS_PER_CHARACTER * json.length;
  const parts: string[] = [];
  let copiedTo = 0;
  let at = 0;
  while (at < json.length) {
    const character = json.charCodeAt(at);
    if (character === QUOTE) {
      at = endOfString(json, at);
    } else if (character === MINUS || (character >= ZERO && character <= NINE)) {
      NUMBER_CHARACTERS.lastIndex = at;
      const literal = NUMBER_CHARACTERS.exec(json)![0];
      if (isInexact(literal)) {
        allowed -= opening.length;
        if (allowed < 0) return undefined;
        parts.push(json.slice(copiedTo, at), opening, literal, '"');
        copiedTo = at + literal.length;
      }
      at += literal.length;
    } else {
      at += 1;
    }
  }
  parts.push(json.slice(copiedTo));
  return { text: parts.join(''), marker: '\0'.repeat(nuls) };
}

/** JSON.stringify of what JSON.parse gave, however deep, with the marked numbers as they stood in the document. */
export function stringifyExactly(value: unknown, marker: string): string {
  const json = stringify(value);
  if (marker === '') return json;
  const [first = '', ...rest] = json.split(`"${NUL_ESCAPE.repeat(marker.length)}`);
  return first + rest.map((part) => part.replace('"', '')).join('');
}

/**
 * JSON.parse takes any depth. JSON.stringify takes only what the stack has room for, and at each level looks at all
 * those around it: twice as deep is four times as long.
 */
function stringify(value: unknown): string {
  return isDeeperThan(value, MAX_STRINGIFIED_LEVELS) ? deepJsonText(value) : JSON.stringify(value);
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeperThan(member, levels - 1));
}

/** True for an integer, written in digits, that no double equals. */
export function isInexactInteger(literal: string, nearest: number): boolean {
  return !Number.isSafeInteger(nearest) && INTEGER.test(literal) && BigInt(literal) !== BigInt(nearest);
}

function isInexact(literal: string): boolean {
  const nearest = Number(literal);
  return !Number.isFinite(nearest) || isInexactInteger(literal, nearest);
}

/** The place after the closing quote: the first one with an even number of backslashes before it. */
function endOfString(json: string, start: number): number {
  for (let quote = json.indexOf('"', start + 1); ; quote = json.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (json[quote - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
  }
}

function longestRun(text: string, piece: string): number {
  let longest = 0;
  let run = 0;
  let next = -1;
  for (let at = text.indexOf(piece); at !== -1; at = text.indexOf(piece, next)) {
    run = at === next ? run + 1 : 1;
    next = at + piece.length;
    longest = Math.max(longest, run);
  }
  return longest;
}
