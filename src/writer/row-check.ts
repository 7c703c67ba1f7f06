import { furtherColumns, type FieldColumn, type TableColumn, type ValueType } from '../core/columns.ts';
import type { Reason } from '../core/errors.ts';
import { MAX_TIME_MS, MIN_TIME_MS } from '../core/limits.ts';
import type { RefusedRow } from '../core/refused-row.ts';
import type { TagValues } from '../core/tag-values.ts';

export interface RowCheckOptions {
  /** The most UTF-8 bytes of any string. */
  readonly maxTextBytes: number;
  readonly valueType: 'binary_double' | 'number';
  /** False when no text column is configured: a value that needs it would be lost without a word. */
  readonly hasTextColumn: boolean;
  /** Those whose content the configuration chooses; absent: none. */
  readonly further?: readonly TableColumn[];
}

/** What a row check has to know of a table. */
export interface CheckedTable {
  readonly valueType: ValueType;
  readonly columns: Readonly<Record<string, string>> & { readonly text: string };
  readonly fields?: readonly FieldColumn[];
}

/** What there is to check of the rows of a table. `maxTextBytes`: as above. */
export function rowCheckOf(table: CheckedTable, maxTextBytes: number): RowCheckOptions {
  const { columns, valueType } = table;
  const further = furtherColumns(table);
  const options = { maxTextBytes, valueType, hasTextColumn: columns.text !== '' };
  return further.length === 0 ? options : { ...options, further };
}

/** NUMBER keeps magnitudes from 1e-130 up to but without 1e126. */
const MIN_NUMBER = 1e-130;
const MAX_NUMBER = 1e126;

/**
 * Finds the values of a batch that must not be bound, in order; mostly none. The driver would refuse the whole batch
 * because of such a value, or send it as garbage.
 */
export function checkRows(values: TagValues, options: RowCheckOptions): RefusedRow[] {
  const refused: RefusedRow[] = [];
  for (let i = 0; i < values.length; i += 1) {
    const reason = checkRow(values, i, options);
    if (reason !== undefined) refused.push({ index: i, reason });
  }
  return refused;
}

function checkRow(values: TagValues, i: number, options: RowCheckOptions): Reason | undefined {
  const problem = values.problems[i];
  if (problem !== undefined) return problem;

  const timeMs = values.timesMs[i]!;
  if (!(timeMs >= MIN_TIME_MS && timeMs <= MAX_TIME_MS)) {
    return { code: 'TIMESTAMP_OUT_OF_RANGE', message: 'the timestamp is not within the years 1 to 9999' };
  }
  const number = values.numbers[i]!;
  // NaN is NULL, and passes.
  if (number === Number.POSITIVE_INFINITY || number === Number.NEGATIVE_INFINITY) {
    return { code: 'VALUE_NOT_FINITE', message: 'the value is not a finite number' };
  }
  if (options.valueType === 'number') {
    const magnitude = Math.abs(number);
    if (magnitude >= MAX_NUMBER || (magnitude !== 0 && magnitude < MIN_NUMBER)) {
      return { code: 'VALUE_OUT_OF_RANGE', message: `NUMBER cannot hold ${number}` };
    }
  }
  const text = values.texts[i]!;
  if (text !== null && !options.hasTextColumn) {
    return { code: 'NO_TEXT_COLUMN', message: 'the value needs the text column, and oracle.columns.text is empty' };
  }
  const tag = values.tags[i]!;
  return (
    tooLong('the text', text, options.maxTextBytes) ??
    tooLong('the tag name', tag.name, options.maxTextBytes) ??
    tooLong('the PLC code', tag.plcCode, options.maxTextBytes) ??
    tooLong('the tag address', tag.address, options.maxTextBytes) ??
    tooLong('the quality', values.qualities[i]!, options.maxTextBytes) ??
    // Most tables have none.
    (options.further === undefined ? undefined : checkFurther(values, i, options.further, options.maxTextBytes))
  );
}

function checkFurther(
  values: TagValues,
  i: number,
  further: readonly TableColumn[],
  maxTextBytes: number,
): Reason | undefined {
  for (const { content, name } of further) {
    const found = content.read(values, i);
    const reason =
      typeof found === 'string'
        ? tooLong(`column ${name}`, found, maxTextBytes)
        : found === null
          ? undefined
          : content.holds === 'time'
            ? badTime(name, found)
            : badNumber(name, found);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function badTime(name: string, timeMs: number): Reason | undefined {
  if (timeMs >= MIN_TIME_MS && timeMs <= MAX_TIME_MS) return undefined;
  return { code: 'COLUMN_VALUE', message: `column ${name} needs a time within the years 1 to 9999` };
}

function badNumber(name: string, number: number): Reason | undefined {
  const magnitude = Math.abs(number);
  if (number === 0 || (magnitude >= MIN_NUMBER && magnitude < MAX_NUMBER)) return undefined;
  return { code: 'COLUMN_VALUE', message: `column ${name} needs a number that NUMBER can hold, not ${number}` };
}

function tooLong(what: string, text: string | null, maxBytes: number): Reason | undefined {
  // A UTF-16 unit is at most three bytes of UTF-8, so short strings need no count.
  if (text === null || text.length * 3 <= maxBytes) return undefined;
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return undefined;
  return { code: 'TEXT_TOO_LONG', message: `${what} has ${bytes} bytes, at most ${maxBytes} can be written` };
}
