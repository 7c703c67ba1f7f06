/**
 * JSON with the digits of its numbers kept [RFC 8259].
 *
 * JSON.parse gives doubles, and Node 20 has no way to ask it for the text behind one. It is several times as fast,
 * though, so it reads every payload first; this parser reads those again in which a number turned out to matter that
 * no double holds. The two agree on all else: of a key that comes twice the last value counts, at the place of the
 * first; `__proto__` is a key like others.
 *
 * It also reads several documents from one text (NDJSON, RFC 7464, or one after another), which JSON.parse refuses.
 * It keeps its own stack, so that no depth of nesting can exhaust that of the process.
 */

/** A number that no double holds, as it stands in the document. */
export class LongNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** `isNotFinite`: what stands there is NaN or Infinity, which some libraries write though JSON has no such thing. */
export class ExactJsonError extends Error {
  readonly isNotFinite: boolean;

  constructor(message: string, isNotFinite = false) {
    super(message);
    this.name = 'ExactJsonError';
    this.isNotFinite = isNotFinite;
  }
}

interface Frame {
  readonly container: unknown[] | Record<string, unknown>;
  /** The key whose value is being read; unused in an array. */
  key: string;
}

const INTEGER = /^-?\d+$/;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const NOT_FINITE = /[-+]?(?:NaN|nan|Infinity|inf)(?![A-Za-z0-9])/y;
/** A backslash, or a control character, which must not stand in a string. */
const NEEDS_CARE = /\\|\p{Cc}/u;
const WORDS: readonly (readonly [string, unknown])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];
/** Of more digits than these an integer may be beyond 2^53. */
const SAFE_DIGITS = 15;
const LAST_DIGITS = 9;
const BEYOND_LAST_DIGITS = 1e9;
const MAX_BEGINNING = 20;

export interface ParseOptions {
  /** NaN and Infinity are null, as JavaScript writes them, in place of an error. */
  readonly readsNotFinite: boolean;
}

/** The documents of a text, at least one. Throws ExactJsonError. */
export function parseDocuments(text: string, options: ParseOptions = { readsNotFinite: false }): unknown[] {
  const parser = new ExactParser(text, options);
  const documents = [parser.next()];
  while (!parser.isAtEnd()) documents.push(parser.next());
  return documents;
}

/** A literal that JSON.parse would spoil: too large for a double, or an integer that no double equals. */
export function isLongNumber(literal: string): boolean {
  return isSpoilt(literal, Number(literal));
}

function isSpoilt(literal: string, nearest: number): boolean {
  if (literal.length <= SAFE_DIGITS) return !Number.isFinite(nearest);
  if (!Number.isFinite(nearest)) return true;
  return !Number.isSafeInteger(nearest) && INTEGER.test(literal) && !isExactly(literal, nearest);
}

/**
 * Whether an integer is a double. Its last digits and those before them are compared by themselves, as both are whole
 * numbers that a double holds. The remainder is exact; the quotient, below 2^50, is out by less than a quarter.
 */
function isExactly(literal: string, nearest: number): boolean {
  if (literal.length > LAST_DIGITS + SAFE_DIGITS) return BigInt(literal) === BigInt(nearest);
  const magnitude = Math.abs(nearest);
  const last = magnitude % BEYOND_LAST_DIGITS;
  const split = literal.length - LAST_DIGITS;
  if (Number(literal.slice(split)) !== last) return false;
  return Math.abs(Number(literal.slice(0, split))) === Math.round((magnitude - last) / BEYOND_LAST_DIGITS);
}

class ExactParser {
  readonly #text: string;
  readonly #readsNotFinite: boolean;
  #at = 0;
  /** The last document ended in a bracket, after which the next needs no line break. */
  #isClosed = true;
  #sawLineBreak = false;

  constructor(text: string, { readsNotFinite }: ParseOptions) {
    this.#text = text;
    this.#readsNotFinite = readsNotFinite;
  }

  isAtEnd(): boolean {
    this.#skipBetweenDocuments();
    return this.#at === this.#text.length;
  }

  /** The document that begins here. */
  next(): unknown {
    this.#skipBetweenDocuments();
    if (!this.#isClosed && !this.#sawLineBreak) this.#fail();
    const document = this.#value();
    this.#sawLineBreak = false;
    this.#isClosed = '}]'.includes(this.#text.charAt(this.#at - 1));
    return document;
  }

  #value(): unknown {
    const open: Frame[] = [];
    for (;;) {
      let value = this.#begin(open);
      // A container was opened that has members: its first value comes next.
      if (value === open) continue;
      for (;;) {
        const frame = open.at(-1);
        if (frame === undefined) return value;
        put(frame, value);
        if (this.#isFollowedBy(',')) {
          if (!Array.isArray(frame.container)) frame.key = this.#key();
          break;
        }
        if (!this.#isFollowedBy(Array.isArray(frame.container) ? ']' : '}')) this.#fail();
        open.pop();
        value = frame.container;
      }
    }
  }

  /** A scalar, an empty container, or `open` itself when it has a new frame. */
  #begin(open: Frame[]): unknown {
    this.#skipSpace();
    switch (this.#text.charAt(this.#at)) {
      case '{': {
        this.#at += 1;
        if (this.#isFollowedBy('}')) return {};
        open.push({ container: {}, key: this.#key() });
        return open;
      }
      case '[': {
        this.#at += 1;
        if (this.#isFollowedBy(']')) return [];
        open.push({ container: [], key: '' });
        return open;
      }
      case '"':
        return this.#string();
      default:
        return this.#numberOrWord();
    }
  }

  #key(): string {
    this.#skipSpace();
    if (this.#text.charAt(this.#at) !== '"') this.#fail();
    const key = this.#string();
    if (!this.#isFollowedBy(':')) this.#fail();
    return key;
  }

  #string(): string {
    const start = this.#at;
    const end = this.#endOfString(start);
    const inside = this.#text.slice(start + 1, end - 1);
    this.#at = end;
    if (!NEEDS_CARE.test(inside)) return inside;
    try {
      return JSON.parse(this.#text.slice(start, end)) as string;
    } catch {
      this.#at = start;
      return this.#fail();
    }
  }

  /** The place after the closing quote: the first one with an even number of backslashes before it. */
  #endOfString(start: number): number {
    for (let quote = this.#text.indexOf('"', start + 1); quote !== -1; quote = this.#text.indexOf('"', quote + 1)) {
      let backslashes = 0;
      while (this.#text.charAt(quote - 1 - backslashes) === '\\') backslashes += 1;
      if (backslashes % 2 === 0) return quote + 1;
    }
    return this.#fail();
  }

  #numberOrWord(): unknown {
    if (this.#readsNotFinite) {
      NOT_FINITE.lastIndex = this.#at;
      const notFinite = NOT_FINITE.exec(this.#text)?.[0];
      if (notFinite !== undefined) {
        this.#at += notFinite.length;
        return null;
      }
    }
    NUMBER.lastIndex = this.#at;
    const literal = NUMBER.exec(this.#text)?.[0];
    if (literal !== undefined) {
      this.#at += literal.length;
      const nearest = Number(literal);
      return isSpoilt(literal, nearest) ? new LongNumber(literal) : nearest;
    }
    const word = WORDS.find(([each]) => this.#text.startsWith(each, this.#at));
    if (word === undefined) return this.#fail();
    this.#at += word[0].length;
    return word[1];
  }

  #isFollowedBy(character: string): boolean {
    this.#skipSpace();
    if (this.#text.charAt(this.#at) !== character) return false;
    this.#at += 1;
    return true;
  }

  #skipSpace(): void {
    for (; this.#at < this.#text.length; this.#at += 1) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    }
  }

  /** White space and the record separators of RFC 7464. */
  #skipBetweenDocuments(): void {
    const from = this.#at;
    this.#skipSpace();
    while (this.#text.charCodeAt(this.#at) === 0x1e) {
      this.#at += 1;
      this.#skipSpace();
    }
    for (let i = from; i < this.#at; i += 1) if ('\n\r\u001E'.includes(this.#text.charAt(i))) this.#sawLineBreak = true;
  }

  #fail(): never {
    NOT_FINITE.lastIndex = this.#at;
    const notFinite = NOT_FINITE.exec(this.#text)?.[0];
    if (notFinite !== undefined) throw new ExactJsonError(`${notFinite} at position ${this.#at}`, true);
    const found = this.#at < this.#text.length ? this.#text.slice(this.#at, this.#at + MAX_BEGINNING) : 'the end';
    throw new ExactJsonError(`unexpected ${JSON.stringify(found)} at position ${this.#at}`);
  }
}

function put(frame: Frame, value: unknown): void {
  const { container, key } = frame;
  if (Array.isArray(container)) container.push(value);
  else if (key === '__proto__') {
    Object.defineProperty(container, key, { value, writable: true, enumerable: true, configurable: true });
  } else container[key] = value;
}
