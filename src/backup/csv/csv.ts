/**
 * CSV [RFC 4180] in UTF-8, read back as it was written, to the last character: an empty field without quotes is NULL,
 * `""` is the empty string. The reader also takes LF line ends, a byte order mark and a missing last line end, as a
 * person's editor may leave them.
 *
 * Formulas. Whoever may publish to the broker chooses texts, and a spreadsheet runs a cell that begins with `=`, `+`,
 * `-`, `@`, a tab or a carriage return. So a text (not a number or a time that the bridge formats itself) that begins
 * so, after any number of `'`, is written with one more `'` before it, and read without it: `=1+1` stands as `'=1+1`,
 * `'=1+1` as `''=1+1`. All other texts stand as they are, so that each text has one form and each form one text; `=1+1`
 * without a `'`, as a person may type it, is read as it stands.
 *
 * Zeros. Where a power cut takes what was not synced, a file may have zeros, in the midst of a field too. So no text is
 * written with a NUL character in it: that stands as `␀0`, and `␀` as `␀␀`; what the bridge finds with a NUL in a file
 * that a crash left open was torn.
 *
 * The parser works on bytes (as Latin-1 characters: all that gives a CSV its structure is ASCII), so that it knows each
 * record's place in the file, and turns a field into UTF-8 only where it holds more than ASCII.
 */

import { isAscii } from 'node:buffer';

/** null: NULL. */
export type CsvField = string | null;

export interface CsvRecord {
  readonly fields: CsvField[];
  /** The line on which the record begins, from 1. */
  readonly line: number;
  /** The place in the file after the record's line end. */
  readonly endByte: number;
}

/** What is wrong with a CSV file, and where. */
export class CsvError extends Error {
  readonly line: number;

  constructor(line: number, column: string | undefined, problem: string) {
    super(`line ${line}${column === undefined ? '' : `, column ${column}`}: ${problem}`);
    this.name = 'CsvError';
    this.line = line;
  }
}

const NEEDS_QUOTES = /[",\r\n]|^$|^\s|\s$/;

/** A field as it stands in the file. */
export function csvField(text: CsvField): string {
  if (text === null) return '';
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const FORMULA = /^'*[=+\-@\t\r]/;
const GUARDED_FORMULA = /^'+[=+\-@\t\r]/;
const APOSTROPHE = 0x27;
/**
 * The last of the characters that a formula may begin with: most texts begin with a letter, and are told by that alone.
 */
const AT_SIGN = 0x40;

const NUL = '\0';
const NUL_MARK = '␀';
const NUL_OR_MARK = /[\0␀]/g;
const MARKED_NUL = /␀([0␀])/g;

/** A text that came from outside as it stands in the file, harmless to a spreadsheet, and without NUL. */
export function csvText(text: CsvField): string {
  if (text === null) return '';
  const whole = hasNulOrMark(text) ? text.replace(NUL_OR_MARK, (c) => NUL_MARK + (c === NUL ? '0' : NUL_MARK)) : text;
  if (whole.charCodeAt(0) > AT_SIGN || !FORMULA.test(whole)) return csvField(whole);
  return csvField(`'${whole}`);
}

function hasNulOrMark(text: string): boolean {
  return text.includes(NUL) || text.includes(NUL_MARK);
}

/** The text that `csvText` wrote as `field`. */
export function textOfField(field: string): string {
  const whole = field.charCodeAt(0) === APOSTROPHE && GUARDED_FORMULA.test(field) ? field.slice(1) : field;
  return whole.includes(NUL_MARK) ? whole.replace(MARKED_NUL, (_, c) => (c === '0' ? NUL : NUL_MARK)) : whole;
}

/** True for a record that a power cut has torn. */
export function hasZeros({ fields }: CsvRecord): boolean {
  return fields.some((field) => field?.includes(NUL) === true);
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const LF = 0x0a;
const CR = 0x0d;
const BYTE_ORDER_MARK = '\u00EF\u00BB\u00BF';
const BEYOND_ASCII = /[\u0080-\u00ff]/;

/** Marks that a record goes on beyond what was pushed. */
const INCOMPLETE = -1;

export class CsvParser {
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #text = '';
  #at = 0;
  #textStartsAtByte = 0;
  #line = 1;
  #isAtStart = true;
  #isAscii = true;
  #error: unknown;

  /** How much is held of a record that has not ended yet. */
  get pendingBytes(): number {
    return this.#text.length - this.#at;
  }

  /**
   * The records that `chunk` ends. A mistake in the file is thrown by the call after the one that gave the last good
   * record.
   */
  push(chunk: Buffer): CsvRecord[] {
    this.#throwError();
    this.#textStartsAtByte += this.#at;
    const pending = this.#text.slice(this.#at);
    this.#isAscii = isAscii(chunk) && !BEYOND_ASCII.test(pending);
    this.#text = pending + chunk.toString('latin1');
    this.#at = 0;
    if (this.#isAtStart && !this.#skipByteOrderMark(false)) return [];
    return this.#records(false);
  }

  /**
   * The last record, when it has no line end. Throws CsvError when it breaks off inside quotes. With `dropLast` a
   * record without a line end is not given, whatever there is of it.
   */
  end(dropLast = false): CsvRecord[] {
    this.#throwError();
    if (dropLast) return [];
    if (this.#isAtStart) this.#skipByteOrderMark(true);
    const records = this.#records(true);
    this.#throwError();
    return records;
  }

  #throwError(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  #skipByteOrderMark(isEnd: boolean): boolean {
    if (!isEnd && this.#text.length < BYTE_ORDER_MARK.length) return false;
    if (this.#text.startsWith(BYTE_ORDER_MARK)) this.#at = BYTE_ORDER_MARK.length;
    this.#isAtStart = false;
    return true;
  }

  #records(isEnd: boolean): CsvRecord[] {
    const records: CsvRecord[] = [];
    let nextQuote = this.#text.indexOf('"', this.#at);
    try {
      while (this.#at < this.#text.length) {
        if (nextQuote !== -1 && nextQuote < this.#at) nextQuote = this.#text.indexOf('"', this.#at);
        const lineEnd = this.#text.indexOf('\n', this.#at);
        const line = this.#line;
        const hasQuotes = nextQuote !== -1 && (lineEnd === -1 || nextQuote < lineEnd);
        if (!hasQuotes && lineEnd === -1 && !isEnd) break;
        const fields = hasQuotes ? [] : this.#plainFields(lineEnd);
        const afterLine = lineEnd === -1 ? this.#text.length : lineEnd + 1;
        const next = hasQuotes ? this.#quotedRecord(fields, isEnd) : afterLine;
        if (next === INCOMPLETE) break;
        this.#at = next;
        const isBlank = fields.length === 1 && fields[0] === null;
        if (!isBlank) records.push({ fields, line, endByte: this.#textStartsAtByte + next });
      }
    } catch (error) {
      this.#error = error;
    }
    return records;
  }

  #plainFields(lineEnd: number): CsvField[] {
    const until = lineEnd === -1 ? this.#text.length : lineEnd;
    const end = this.#text.charCodeAt(until - 1) === CR && until > this.#at ? until - 1 : until;
    const fields: CsvField[] = this.#text.slice(this.#at, end).split(',');
    for (let i = 0; i < fields.length; i += 1) {
      const field = fields[i]!;
      if (field === '') fields[i] = null;
      else if (!this.#isAscii) fields[i] = this.#decode(field);
    }
    this.#line += 1;
    return fields;
  }

  #quotedRecord(fields: CsvField[], isEnd: boolean): number {
    const text = this.#text;
    let at = this.#at;
    let lineEnds = 0;
    for (;;) {
      if (text.charCodeAt(at) === QUOTE) {
        const close = closingQuote(text, at + 1);
        // A quote that is the last of what is there may be the first half of a doubled one.
        if (close === -1 || (close + 1 === text.length && !isEnd)) {
          if (isEnd) throw new CsvError(this.#line, undefined, 'the file breaks off inside quotes');
          return INCOMPLETE;
        }
        const raw = text.slice(at + 1, close);
        for (let i = raw.indexOf('\n'); i !== -1; i = raw.indexOf('\n', i + 1)) lineEnds += 1;
        fields.push(this.#decode(raw.includes('"') ? raw.replaceAll('""', '"') : raw));
        at = close + 1;
      } else {
        const from = at;
        for (let c = text.charCodeAt(at); at < text.length && c !== COMMA && c !== LF; c = text.charCodeAt(at)) {
          if (c === QUOTE)
            throw new CsvError(this.#line + lineEnds, undefined, 'a quote inside a field without quotes');
          at += 1;
        }
        if (at === text.length && !isEnd) return INCOMPLETE;
        const end = text.charCodeAt(at) !== COMMA && at > from && text.charCodeAt(at - 1) === CR ? at - 1 : at;
        fields.push(end === from ? null : this.#decode(text.slice(from, end)));
      }
      if (text.charCodeAt(at) === CR && at + 1 === text.length && !isEnd) return INCOMPLETE;
      if (text.charCodeAt(at) === CR && (text.charCodeAt(at + 1) === LF || at + 1 === text.length)) at += 1;
      if (at >= text.length || text.charCodeAt(at) === LF) {
        this.#line += lineEnds + 1;
        return Math.min(at + 1, text.length);
      }
      if (text.charCodeAt(at) !== COMMA) {
        throw new CsvError(this.#line + lineEnds, undefined, 'text between a closing quote and the next comma');
      }
      at += 1;
    }
  }

  #decode(field: string): string {
    if (this.#isAscii || !BEYOND_ASCII.test(field)) return field;
    try {
      return this.#utf8.decode(Buffer.from(field, 'latin1'));
    } catch {
      throw new CsvError(this.#line, undefined, 'not UTF-8');
    }
  }
}

/** The place of the quote that ends the field, or -1. */
function closingQuote(text: string, from: number): number {
  let at = text.indexOf('"', from);
  while (at !== -1 && text.charCodeAt(at + 1) === QUOTE) at = text.indexOf('"', at + 2);
  return at;
}
