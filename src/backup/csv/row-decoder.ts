import { DEFAULT_DESTINATION } from '../../core/destination.ts';
import type { Reason } from '../../core/errors.ts';
import { MAX_VALUE_NO } from '../../core/limits.ts';
import type { Tag } from '../../core/tag-values.ts';
import { CsvError, textOfField, type CsvRecord } from './csv.ts';
import { DetailsReader, type ReadDetails } from './details-text.ts';
import { ROW_COLUMNS, type RowColumn } from './row-format.ts';
import { TimeReader } from './time-text.ts';

/** One record of a backup or rejected file; NULL and missing times are as in TagValues. */
export interface DecodedRow {
  readonly tag: Tag;
  readonly number: number;
  readonly text: string | null;
  readonly timeMs: number;
  readonly quality: string;
  readonly receivedAtMs: number;
  /** Id of the journal that numbered the row; empty where that is not said. */
  readonly journal: string;
  /** Whom the row is for. */
  readonly destination: string;
  /** NaN where a person's row has none. */
  readonly messageNo: number;
  readonly valueNo: number;
  /** When the row was given up; NaN where that is not said. */
  readonly attemptedAtMs: number;
  /** What further columns hold of it. */
  readonly details: ReadDetails;
  /** Why the row, or its batch, was not taken. */
  readonly reason: Reason;
}

/** What a value is made of must be there; what only explains, or what files of older versions lack, may be missing. */
const OPTIONAL_COLUMNS: ReadonlySet<RowColumn> = new Set([
  'insertion_attempt_time',
  'journal',
  'details',
  'destination',
  'error_code',
  'error_message',
]);

/** What a file that a person made must have. */
const PERSONS_COLUMNS: ReadonlySet<RowColumn> = new Set(['tag_name', 'tag_value', 'timestamp', 'quality']);

export interface DecodeOptions {
  /** A person's file: columns after the first few may be missing, and rows may have no place in the stream. */
  readonly isPersons?: boolean;
}

const NUMBER = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|Infinity)$/;
const WHOLE_NUMBER = /^\d{1,16}$/;

/**
 * Turns records into values by the header's column names, whatever their order. One Tag object a tag, as in live
 * values.
 */
export class RowDecoder {
  readonly #columns: Readonly<Record<RowColumn, number>>;
  readonly #width: number;
  readonly #isPersons: boolean;
  /** By name: mostly one origin has it. */
  readonly #tags = new Map<string, Tag[]>();
  readonly #times = new TimeReader();
  readonly #receiptTimes = new TimeReader();
  readonly #attemptTimes = new TimeReader();
  readonly #details = new DetailsReader();
  #lastReason: Reason = { code: '', message: '' };

  /** Throws CsvError when a column is missing. */
  constructor(header: CsvRecord, { isPersons = false }: DecodeOptions = {}) {
    const names = header.fields.map((name) => name?.trim().toLowerCase());
    const places = ROW_COLUMNS.map((column): [RowColumn, number] => [column, names.indexOf(column)]);
    const mayLack = (column: RowColumn): boolean =>
      isPersons ? !PERSONS_COLUMNS.has(column) : OPTIONAL_COLUMNS.has(column);
    const missing = places.find(([column, place]) => place === -1 && !mayLack(column));
    if (missing !== undefined) throw new CsvError(header.line, missing[0], 'the column is missing');
    this.#columns = Object.fromEntries(places) as Record<RowColumn, number>;
    this.#width = header.fields.length;
    this.#isPersons = isPersons;
  }

  /** Throws CsvError when a field does not hold what it should. */
  decode(record: CsvRecord): DecodedRow {
    if (record.fields.length !== this.#width) {
      throw new CsvError(record.line, undefined, `${record.fields.length} fields instead of ${this.#width}`);
    }
    const timeMs = this.#time(record, 'timestamp', this.#times);
    const receivedAtMs = this.#time(record, 'received_at', this.#receiptTimes);
    const hasPlace = !this.#isPersons || this.#field(record, 'message_no') !== null;
    return {
      tag: this.#tag(record),
      number: this.#number(record),
      text: this.#textOrNull(record, 'tag_text'),
      timeMs,
      quality: this.#text(record, 'quality'),
      receivedAtMs: this.#isPersons && Number.isNaN(receivedAtMs) ? timeMs : receivedAtMs,
      journal: this.#field(record, 'journal') ?? '',
      destination: this.#field(record, 'destination') ?? DEFAULT_DESTINATION,
      messageNo: hasPlace ? this.#wholeNumber(record, 'message_no', Number.MAX_SAFE_INTEGER) : Number.NaN,
      valueNo: hasPlace ? this.#wholeNumber(record, 'value_no', MAX_VALUE_NO) : 0,
      attemptedAtMs: this.#time(record, 'insertion_attempt_time', this.#attemptTimes),
      details: this.#readDetails(record),
      reason: this.#reason(record),
    };
  }

  #field({ fields }: CsvRecord, column: RowColumn): string | null {
    return fields[this.#columns[column]] ?? null;
  }

  #textOrNull(record: CsvRecord, column: RowColumn): string | null {
    const field = this.#field(record, column);
    return field === null ? null : textOfField(field);
  }

  #text(record: CsvRecord, column: RowColumn): string {
    return this.#textOrNull(record, column) ?? '';
  }

  #number(record: CsvRecord): number {
    const text = this.#field(record, 'tag_value');
    if (text === null) return Number.NaN;
    if (!NUMBER.test(text)) throw refusal(record, 'tag_value', 'not a number', text);
    return Number(text);
  }

  #time(record: CsvRecord, column: RowColumn, reader: TimeReader): number {
    const text = this.#field(record, column);
    if (text === null) return Number.NaN;
    const timeMs = reader.timeMs(text);
    if (timeMs === undefined) throw refusal(record, column, 'not an ISO 8601 time with a time zone', text);
    return timeMs;
  }

  #readDetails(record: CsvRecord): ReadDetails {
    const text = this.#textOrNull(record, 'details');
    const details = this.#details.read(text);
    if (details === undefined) throw refusal(record, 'details', 'not an object that the bridge wrote', text ?? '');
    return details;
  }

  #wholeNumber(record: CsvRecord, column: RowColumn, max: number): number {
    const text = this.#field(record, column) ?? '';
    const number = WHOLE_NUMBER.test(text) ? Number(text) : Number.NaN;
    if (!(number <= max)) throw refusal(record, column, `not a whole number up to ${max}`, text);
    return number;
  }

  #tag(record: CsvRecord): Tag {
    const name = this.#text(record, 'tag_name');
    const plcCode = this.#text(record, 'plc_code');
    const address = this.#text(record, 'tag_address');
    let namesakes = this.#tags.get(name);
    if (namesakes === undefined) {
      namesakes = [];
      this.#tags.set(name, namesakes);
    }
    for (const tag of namesakes) if (tag.plcCode === plcCode && tag.address === address) return tag;
    const tag: Tag = { plcCode, address, name };
    namesakes.push(tag);
    return tag;
  }

  /** Mostly the same as the row's before. */
  #reason(record: CsvRecord): Reason {
    const code = this.#text(record, 'error_code');
    const message = this.#text(record, 'error_message');
    const last = this.#lastReason;
    if (last.code !== code || last.message !== message) this.#lastReason = { code, message };
    return this.#lastReason;
  }
}

const MAX_QUOTED_LENGTH = 40;

function refusal({ line }: CsvRecord, column: RowColumn, problem: string, text: string): CsvError {
  const quoted = text.length > MAX_QUOTED_LENGTH ? `${text.slice(0, MAX_QUOTED_LENGTH)}…` : text;
  return new CsvError(line, column, `${problem}: ${JSON.stringify(quoted)}`);
}
