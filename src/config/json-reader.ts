/**
 * JSON [RFC 8259] with comments, to the end of the line or between slash-star and star-slash.
 *
 * Read by hand, because JSON.parse names no line, quotes the text around an error (which may be a password) and takes
 * the last of two values with one name without a word. Objects have no prototype: a key `__proto__` is a key like any
 * other.
 */
export class JsonSyntaxError extends Error {
  /** From 1. */
  readonly line: number;
  readonly column: number;

  constructor(message: string, text: string, at: number) {
    super(message);
    this.name = 'JsonSyntaxError';
    const before = text.slice(0, at).split(/\r\n|\r|\n/);
    this.line = before.length;
    this.column = (before.at(-1)?.length ?? 0) + 1;
  }
}

/** Throws JsonSyntaxError, whose message never quotes a value. */
export function parseJson(text: string): unknown {
  return new JsonReader(text).document();
}

const MAX_DEPTH = 32;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[A-Za-z]+/y;
const WORDS: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): unknown {
    if (this.#text.startsWith('\uFEFF')) this.#at = 1;
    const value = this.#value(0);
    this.#skip();
    if (this.#at < this.#text.length) this.#fail('nothing may follow the end of the document');
    return value;
  }

  #value(depth: number): unknown {
    if (depth > MAX_DEPTH) this.#fail(`nested deeper than ${MAX_DEPTH} levels`);
    this.#skip();
    const first = this.#text[this.#at];
    if (first === undefined) this.#fail('the text ends before the document does');
    if (first === '{') return this.#object(depth);
    if (first === '[') return this.#array(depth);
    if (first === '"') return this.#string();
    const number = this.#match(NUMBER);
    if (number !== undefined) return Number(number);
    const start = this.#at;
    const word = this.#match(WORD);
    if (word !== undefined && WORDS.has(word)) return WORDS.get(word);
    this.#at = start;
    return this.#fail('expected a value: text in double quotes, a number, true, false, null, { or [');
  }

  #object(depth: number): Record<string, unknown> {
    const object = Object.create(null) as Record<string, unknown>;
    this.#at += 1;
    if (this.#take('}')) return object;
    for (;;) {
      this.#skip();
      const start = this.#at;
      if (this.#text[this.#at] !== '"') this.#fail('expected a key in double quotes');
      const key = this.#string();
      if (key in object) this.#fail(`the key ${JSON.stringify(key)} stands here a second time`, start);
      if (!this.#take(':')) this.#fail('expected : after the key');
      object[key] = this.#value(depth + 1);
      if (this.#take('}')) return object;
      if (!this.#take(',')) this.#fail('expected , or }');
    }
  }

  #array(depth: number): unknown[] {
    const array: unknown[] = [];
    this.#at += 1;
    if (this.#take(']')) return array;
    for (;;) {
      array.push(this.#value(depth + 1));
      if (this.#take(']')) return array;
      if (!this.#take(',')) this.#fail('expected , or ]');
    }
  }

  #string(): string {
    const start = this.#at;
    this.#at += 1;
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (Number.isNaN(code) || code < 0x20) this.#fail('the text in quotes is not closed on its line', start);
      this.#at += code === 0x5c ? 2 : 1;
      if (code === 0x22) break;
    }
    try {
      return JSON.parse(this.#text.slice(start, this.#at)) as string;
    } catch {
      return this.#fail('the text in quotes has a \\ that begins no escape: write \\\\ for one \\', start);
    }
  }

  /** Passes white space and comments. */
  #skip(): void {
    for (;;) {
      const start = this.#at;
      this.#match(/[ \t\r\n]+/y);
      this.#match(/\/\/[^\r\n]*/y);
      if (this.#text.startsWith('/*', this.#at)) {
        const end = this.#text.indexOf('*/', this.#at + 2);
        if (end === -1) this.#fail('the comment is not closed');
        this.#at = end + 2;
      }
      if (this.#at === start) return;
    }
  }

  #take(character: string): boolean {
    this.#skip();
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #fail(message: string, at = this.#at): never {
    throw new JsonSyntaxError(message, this.#text, at);
  }
}
