import { CsvError, textOfField, type CsvField, type CsvRecord } from '../../backup/csv/csv.ts';
import { RowDecoder, type DecodedRow } from '../../backup/csv/row-decoder.ts';
import type { RowColumn } from '../../backup/csv/row-format.ts';
import { TimeReader } from '../../backup/csv/time-text.ts';
import type { Reason } from '../../core/errors.ts';
import { TagValues } from '../../core/tag-values.ts';
import type { RefusedRow } from '../../core/refused-row.ts';
import { isSameNumber, isSameText, refusal, type MendedRow } from './mended-csv.ts';
import type { Mending, RecordFields } from './mending.ts';

/** Finds what a destination's table, as far as the bridge knows it, does not take. */
export type CheckRows = (values: TagValues, destination: string) => readonly RefusedRow[];

const TIME = 'an ISO 8601 time with a zone, such as 2025-11-02T14:30:25.123Z';

/** What may stand in the columns that a person may change. */
const ALLOWED: Readonly<Partial<Record<RowColumn, string>>> = {
  tag_name: 'a text that is not empty',
  tag_value: 'a number with a point, such as 12.5, without separators of thousands, or nothing for NULL',
  tag_text: 'a text that the column takes, or nothing for NULL',
  timestamp: `${TIME}, within the years 1 to 9999`,
  quality: 'a text that is not empty',
  plc_code: 'a text that the column takes',
  tag_address: 'a text that the column takes',
  details: 'the JSON that stood there, with other values in it',
};
const COLUMNS = Object.keys(ALLOWED) as RowColumn[];
const NEEDED: readonly RowColumn[] = ['tag_name', 'timestamp', 'quality'];

/** The column that a check's reason speaks of. */
const COLUMN_OF: readonly (readonly [pattern: RegExp, column: RowColumn])[] = [
  [/^TIMESTAMP_OUT_OF_RANGE/, 'timestamp'],
  [/^VALUE_/, 'tag_value'],
  [/^NO_TEXT_COLUMN|^TEXT_TOO_LONG the text/, 'tag_text'],
  [/^TEXT_TOO_LONG the tag name/, 'tag_name'],
  [/^TEXT_TOO_LONG the PLC code/, 'plc_code'],
  [/^TEXT_TOO_LONG the tag address/, 'tag_address'],
  [/^TEXT_TOO_LONG the quality/, 'quality'],
];

/** Rows that were rejected. */
export class RowMending implements Mending {
  readonly identity: readonly RowColumn[] = ['destination', 'journal', 'message_no', 'value_no'];
  readonly columns = COLUMNS;
  readonly reasons: readonly RowColumn[] = ['error_code', 'error_message'];
  readonly #checkRows: CheckRows;
  readonly #times = new TimeReader();
  #decoder: RowDecoder | undefined;

  constructor(checkRows: CheckRows) {
    this.#checkRows = checkRows;
  }

  /** As it stands in the file, where no text is a formula. */
  shown(fields: RecordFields): Readonly<Record<string, CsvField>> {
    return Object.fromEntries([...this.columns, ...this.reasons].map((column) => [column, fields(column)]));
  }

  changes(fields: RecordFields, mended: MendedRow): Readonly<Record<string, CsvField>> {
    const changed = this.columns.filter((column) => !this.#isSame(column, fields(column), mended.field(column)));
    for (const column of changed) assertDigits(column, fields(column), mended);
    return Object.fromEntries(changed.map((column) => [column, valueOf(column, mended.field(column))]));
  }

  check(header: CsvRecord, record: CsvRecord, mended: MendedRow): void {
    for (const column of NEEDED) {
      if (mended.field(column) === '') throw refusal(mended.line, column, '', ALLOWED[column]!);
    }
    this.#decoder ??= new RowDecoder(header, { isPersons: true });
    let row: DecodedRow;
    try {
      row = this.#decoder.decode(record);
    } catch (error) {
      throw error instanceof CsvError ? withAllowed(error) : error;
    }
    const [refused] = this.#checkRows(valuesOf(row), row.destination);
    if (refused !== undefined) throw refusalOf(refused.reason, mended);
  }

  #isSame(column: RowColumn, before: CsvField, after: string): boolean {
    if (isSameText(before, after)) return true;
    if (column === 'tag_value') return isSameNumber(before ?? '', after);
    if (column !== 'timestamp') return false;
    const timeMs = this.#times.timeMs(after);
    return timeMs !== undefined && timeMs === this.#times.timeMs(before ?? '');
  }
}

const NUMBERS_AND_TIMES: ReadonlySet<RowColumn> = new Set(['tag_value', 'timestamp']);

function valueOf(column: RowColumn, field: string): CsvField {
  const text = NUMBERS_AND_TIMES.has(column) ? field.trim() : field;
  return text === '' ? null : text;
}

const EXACT_DIGITS = /^-?\d{12,}$/;
const EXPONENT = /^-?[\d.,]+e[+-]?\d+$/i;

/** A spreadsheet that takes the exact digits of a text for a number keeps six of them. */
function assertDigits(column: RowColumn, before: CsvField, mended: MendedRow): void {
  const after = mended.field(column);
  if (column !== 'tag_text' || !EXACT_DIGITS.test(before ?? '') || !EXPONENT.test(after)) return;
  throw refusal(mended.line, column, after, `digits: a spreadsheet has shortened ${before}; import the column as text`);
}

function withAllowed(error: CsvError): Error {
  const column = COLUMNS.find((each) => error.message.includes(`column ${each}:`));
  const allowed = column === undefined ? undefined : ALLOWED[column];
  if (allowed === undefined) return error;
  const said = error.message.replace(/^line \d+, column \w+: /, '');
  return new CsvError(error.line, column, `${said}; allowed is ${allowed}`);
}

function refusalOf({ code, message }: Reason, mended: MendedRow): CsvError {
  const text = `${code} ${message}`;
  const column = COLUMN_OF.find(([pattern]) => pattern.test(text))?.[1] ?? 'details';
  const shown = textOfField(mended.field(column));
  return refusal(mended.line, column, shown, `${ALLOWED[column]!} (${code}: ${message})`);
}

function valuesOf({ details: { details, origin }, number, quality, tag, text, timeMs }: DecodedRow): TagValues {
  const values = new TagValues(1);
  values.describe(details);
  values.push(tag, number, text, timeMs, quality);
  if (origin !== null) values.setOrigin(0, origin);
  return values;
}
