import type { FieldColumn } from '../../core/columns.ts';
import type { Reason } from '../../core/errors.ts';
import type { FieldValue, ValueDetails } from '../../core/value-details.ts';
import { qualityCodeOf } from '../quality.ts';
import { isBrokenText, unpadded } from '../text.ts';
import type { TimeForm, TimeSource } from '../time-forms.ts';
import { isContainer, scalarText, type Cursor, type Reader } from './cursor.ts';
import { LongNumber } from './exact-parser.ts';
import { jsonText } from './json-text.ts';
import { jsonReason } from './reasons.ts';

/** A column that a mapping fills: where its value stands, and what it has to be. */
export interface CompiledColumn extends FieldColumn {
  readonly read: Reader;
  /** Of a time. */
  readonly readTime: TimeForm;
}

/** What of the message the reading has to know. */
export interface ColumnSurroundings {
  readonly source: TimeSource;
  readonly mayBeBroken: boolean;
  readonly isExact: boolean;
}

/**
 * Makes what the rows of one mapping have besides: fields for further columns, and the quality as a number. Rows that
 * follow each other and have the same share one object.
 */
export class DetailsReader {
  /** Why the item that was read last can't be written as it is. */
  problem: Reason | undefined;
  readonly #columns: readonly CompiledColumn[];
  /** Where the quality is; undefined: it is not asked for as a number. */
  readonly #quality: Reader | undefined;
  #surroundings!: ColumnSurroundings;
  #last: ValueDetails | null = null;

  constructor(columns: readonly CompiledColumn[], quality: Reader | undefined) {
    this.#columns = columns;
    this.#quality = quality;
  }

  begin(surroundings: ColumnSurroundings): void {
    this.#surroundings = surroundings;
    this.#last = null;
  }

  read(at: Cursor): ValueDetails | null {
    this.problem = undefined;
    const qualityCode = this.#quality === undefined ? Number.NaN : qualityCodeOf(plainNumber(this.#quality(at)));
    const values = this.#columns.map((column) => this.#valueOf(column, at));
    const last = this.#last;
    const isSame =
      last !== null &&
      Object.is(last.qualityCode, qualityCode) &&
      this.#columns.every(({ name }, i) => last.fields?.get(name) === values[i]);
    if (!isSame) this.#last = this.#make(qualityCode, values);
    return this.#last;
  }

  #make(qualityCode: number, values: readonly FieldValue[]): ValueDetails | null {
    if (this.#columns.length === 0) return Number.isNaN(qualityCode) ? null : { qualityCode, fields: undefined };
    return { qualityCode, fields: new Map(this.#columns.map(({ name }, i) => [name, values[i]!])) };
  }

  #valueOf(column: CompiledColumn, at: Cursor): FieldValue {
    const found = column.read(at);
    if (found === undefined || found === null) return null;
    if (column.holds === 'time') return this.#timeOf(column, found);
    return column.holds === 'number' ? this.#numberOf(column.name, found) : this.#textOf(column.name, found, at);
  }

  #textOf(name: string, found: unknown, at: Cursor): string {
    // Its numbers keep their digits, so only an exact document can give it.
    if (isContainer(found)) {
      if (!this.#surroundings.isExact) at.needsExact = true;
      return this.#surroundings.isExact ? jsonText(found) : '';
    }
    const text = unpadded(scalarText(found, at) ?? '');
    if (!this.#surroundings.mayBeBroken || !isBrokenText(text)) return text;
    this.problem ??= jsonReason('COLUMN_NOT_UNICODE', name);
    return JSON.stringify(text);
  }

  #numberOf(name: string, found: unknown): FieldValue {
    const plain = plainNumber(found);
    const number = Number(plain);
    const isNumber = typeof plain === 'number' || typeof plain === 'boolean' || isNumberText(plain);
    if (isNumber && Number.isFinite(number)) return number + 0;
    this.problem ??= jsonReason('COLUMN_NOT_A_NUMBER', name);
    return isContainer(found) ? jsonText(found) : String(plain);
  }

  #timeOf({ name, readTime }: CompiledColumn, found: unknown): FieldValue {
    const timeMs = readTime(found, this.#surroundings.source);
    if (!Number.isNaN(timeMs)) return timeMs;
    this.problem ??= jsonReason('COLUMN_NOT_A_TIME', name);
    return isContainer(found) ? jsonText(found) : String(plainNumber(found));
  }
}

const NUMBER_TEXT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

function isNumberText(given: unknown): boolean {
  return typeof given === 'string' && NUMBER_TEXT.test(given.trim());
}

/** A number as a double, whatever the parser has kept it as. */
function plainNumber(found: unknown): unknown {
  return found instanceof LongNumber ? Number(found.text) : found;
}
