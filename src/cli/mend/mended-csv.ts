import { CsvError, CsvParser, textOfField, type CsvField, type CsvRecord } from '../../backup/csv/csv.ts';

/** What a person has made of the row of a file. */
export interface MendedRow {
  /** Of the person's file. */
  readonly line: number;
  readonly isDropped: boolean;
  /** By the name of its column, as it stands in the CSV; empty: nothing. */
  field(column: string): string;
}

/** The column that says which row of the file it is, and that which says that it is not wanted. */
export const ROW_COLUMN = 'row';
export const DROP_COLUMN = 'drop';
const DROP_WORDS = new Set(['drop', 'x', 'yes']);

/**
 * The rows of a person's file by what stands in their column `row`. Throws CsvError, which names line and column, where
 * a column is missing, a row stands there twice or says of none which it is.
 */
export function readMended(bytes: Buffer, columns: readonly string[]): ReadonlyMap<string, MendedRow> {
  const parser = new CsvParser();
  const [header, ...records] = [...parser.push(bytes), ...parser.end()];
  if (header === undefined) throw new CsvError(1, undefined, 'the header line is missing');
  const places = placesOf(header, columns);
  const rows = new Map<string, MendedRow>();
  for (const record of records) {
    if (record.fields.every((field) => field === null || field === '')) continue;
    const row = rowOf(record, header.fields.length, places);
    const label = row.field(ROW_COLUMN);
    const other = rows.get(label);
    if (label === '') {
      throw new CsvError(row.line, ROW_COLUMN, 'empty: a row of your own goes to a file of its own, and is replayed');
    }
    if (other !== undefined) throw new CsvError(row.line, ROW_COLUMN, `${label} stands in line ${other.line} already`);
    rows.set(label, row);
  }
  return rows;
}

function placesOf({ fields, line }: CsvRecord, columns: readonly string[]): ReadonlyMap<string, number> {
  const names = fields.map((name) => name?.trim().toLowerCase() ?? '');
  const separator = names.length === 1 ? /[;\t]/.exec(names[0] ?? '')?.[0] : undefined;
  if (separator !== undefined) {
    const what = separator === ';' ? 'semicolons' : 'tabs';
    throw new CsvError(line, undefined, `its columns are separated by ${what}: save it as CSV with commas, in UTF-8`);
  }
  const missing = columns.find((column) => !names.includes(column));
  if (missing !== undefined)
    throw new CsvError(line, missing, `the column is missing; needed are ${columns.join(', ')}`);
  return new Map(names.map((name, i) => [name, i]));
}

function rowOf({ fields, line }: CsvRecord, width: number, places: ReadonlyMap<string, number>): MendedRow {
  if (fields.length !== width) throw new CsvError(line, undefined, `${fields.length} fields instead of ${width}`);
  const field = (column: string): string => fields[places.get(column) ?? -1] ?? '';
  const word = field(DROP_COLUMN).trim().toLowerCase();
  if (word !== '' && !DROP_WORDS.has(word)) {
    throw refusal(line, DROP_COLUMN, field(DROP_COLUMN), 'drop for a row that is not wanted any more, or nothing');
  }
  return { line, isDropped: word !== '', field };
}

const MAX_QUOTED_LENGTH = 60;

/** What stands there, and what may. */
export function refusal(line: number, column: string, text: CsvField, allowed: string): CsvError {
  const whole = textOfField(text ?? '');
  const shown = whole.length > MAX_QUOTED_LENGTH ? `${whole.slice(0, MAX_QUOTED_LENGTH)}…` : whole;
  return new CsvError(line, column, `${JSON.stringify(shown)}: allowed is ${allowed}`);
}

/** Whether a person has left a text as it was: a spreadsheet may change its line ends. */
export function isSameText(before: CsvField, after: string): boolean {
  return withLineFeeds(before ?? '') === withLineFeeds(after);
}

function withLineFeeds(text: string): string {
  return text.replaceAll('\r\n', '\n');
}

const MANY_DIGITS = 9;

/**
 * Whether two numbers are the same but for digits that a spreadsheet does not keep: it saves some ten digits of a
 * number, and six where it writes an exponent.
 */
export function isSameNumber(before: string, after: string): boolean {
  if (before === '' || after.trim() === '') return before === after.trim();
  const [was, is] = [Number(before), Number(after)];
  if (was === is) return true;
  const mantissa = /^[+-]?(?<digits>[\d.]+)(?<exponent>e[+-]?\d+)?$/i.exec(after.trim())?.groups;
  if (mantissa === undefined || !Number.isFinite(was)) return false;
  const digits = mantissa['digits']!.replace('.', '').replace(/^0+/, '').length;
  const isRounded = digits >= MANY_DIGITS || mantissa['exponent'] !== undefined;
  return isRounded && digits >= 1 && digits <= 100 && Number(was.toPrecision(digits)) === is;
}
