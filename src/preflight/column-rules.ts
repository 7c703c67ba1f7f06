import type { TableColumn, ValueType } from '../core/columns.ts';
import type { ColumnFacts } from '../oracle/dictionary.ts';

/**
 * What a column is written with: `double` and `decimal` are the two of oracle.valueType, `messageNo` and `valueNo` the
 * ledger's, and those from `part` on what a further column is for.
 */
export type Content =
  'text' | 'double' | 'decimal' | 'messageNo' | 'valueNo' | 'time' | 'part' | 'number' | 'flag' | 'code' | 'sequence';

/** What is wrong with a column; `isFatal`: rows are refused, or the statement is. */
export interface ColumnProblem {
  readonly isFatal: boolean;
  readonly text: string;
  /** The type that it should have; undefined when that is not the matter. */
  readonly wants?: string;
}

interface TypeRule {
  readonly types: RegExp;
  readonly contents: readonly Content[];
  /** Undefined: good as it is. */
  problem(column: ColumnFacts): ColumnProblem | undefined;
}

const fine = (): undefined => undefined;
const worse = (text: string, wants: string) => (): ColumnProblem => ({ isFatal: false, text, wants });

const CONVERTED = 'numbers are turned into text as the session writes them';
const READ_AS_NUMBERS = 'texts are turned into numbers as the session reads them, and others are rejected (ORA-01722)';
const MEASURED: readonly Content[] = ['double', 'decimal', 'number'];
const NUMBERS: readonly Content[] = ['number', 'flag', 'code', 'sequence'];
const MS_DIGITS = 3;
/** Binary digits of a double. */
const DOUBLE_BITS = 53;
/** Message numbers go up to 2^53, value numbers to 2^32. */
const MESSAGE_NO_DIGITS = 16;
const VALUE_NO_DIGITS = 10;
const FLAG_DIGITS = 1;

/** The first that applies; a type in none of them cannot be written. */
const TYPE_RULES: readonly TypeRule[] = [
  { types: /^N?(?:VARCHAR2?|CLOB)$/, contents: ['text', 'part'], problem: fine },
  { types: /^N?CHAR$/, contents: ['text', 'part'], problem: worse('CHAR fills up with blanks', 'VARCHAR2') },
  { types: /^NUMBER$/, contents: ['part'], problem: worse(READ_AS_NUMBERS, 'VARCHAR2') },
  { types: /^N?VARCHAR2?$/, contents: ['double', 'decimal'], problem: worse(CONVERTED, 'BINARY_DOUBLE or NUMBER') },
  { types: /^N?VARCHAR2?$/, contents: NUMBERS, problem: worse(CONVERTED, 'NUMBER') },
  { types: /^BINARY_DOUBLE$/, contents: ['double'], problem: fine },
  {
    types: /^BINARY_DOUBLE$/,
    contents: ['decimal'],
    problem: worse('decimal digits beyond 15 are lost, although oracle.valueType is number', 'NUMBER'),
  },
  { types: /^BINARY_DOUBLE$/, contents: NUMBERS, problem: fine },
  { types: /^BINARY_FLOAT$/, contents: MEASURED, problem: worse('it keeps 7 digits', 'BINARY_DOUBLE') },
  { types: /^FLOAT$/, contents: MEASURED, problem: floatProblem },
  { types: /^NUMBER$/, contents: MEASURED, problem: numberProblem },
  {
    types: /^NUMBER$/,
    contents: ['messageNo', 'sequence'],
    problem: (column) => countProblem(column, MESSAGE_NO_DIGITS),
  },
  { types: /^NUMBER$/, contents: ['valueNo', 'code'], problem: (column) => countProblem(column, VALUE_NO_DIGITS) },
  { types: /^NUMBER$/, contents: ['flag'], problem: (column) => countProblem(column, FLAG_DIGITS) },
  { types: /^TIMESTAMP\(\d\)/, contents: ['time'], problem: timestampProblem },
  { types: /^DATE$/, contents: ['time'], problem: worse('DATE drops what is below a second', 'TIMESTAMP(6)') },
];

function floatProblem({ precision }: ColumnFacts): ColumnProblem | undefined {
  if (precision === null || precision >= DOUBLE_BITS) return undefined;
  return { isFatal: false, text: `values are rounded to ${precision} binary digits`, wants: 'BINARY_DOUBLE' };
}

function numberProblem({ precision, scale }: ColumnFacts): ColumnProblem | undefined {
  if (scale === null && precision === null) return undefined;
  const digits = scale ?? 0;
  const rounding = digits > 0 ? `values are rounded to ${digits} decimals` : 'values are rounded to whole numbers';
  const limit = precision === null ? '' : `, and from 1e${precision - digits} on rejected`;
  return { isFatal: false, text: rounding + limit, wants: 'NUMBER without precision, or BINARY_DOUBLE' };
}

function countProblem({ precision, scale }: ColumnFacts, digits: number): ColumnProblem | undefined {
  if (precision === null || precision - (scale ?? 0) >= digits) return undefined;
  return { isFatal: true, text: `${precision - (scale ?? 0)} digits are too few, ${digits} are needed` };
}

function timestampProblem({ scale }: ColumnFacts): ColumnProblem | undefined {
  if (scale === null || scale >= MS_DIGITS) return undefined;
  return { isFatal: false, text: 'milliseconds are rounded away', wants: 'TIMESTAMP(6)' };
}

const CONTENT_NAMES: Readonly<Record<Content, string>> = {
  text: 'texts',
  double: 'numbers',
  decimal: 'numbers',
  messageNo: 'whole numbers',
  valueNo: 'whole numbers',
  time: 'times',
  part: 'texts',
  number: 'numbers',
  flag: 'numbers',
  code: 'numbers',
  sequence: 'numbers',
};

/** Whether a column of that type can hold what is written to it. */
export function typeProblem(column: ColumnFacts, content: Content): ColumnProblem | undefined {
  const rule = TYPE_RULES.find(({ types, contents }) => types.test(column.type) && contents.includes(content));
  if (rule !== undefined) return rule.problem(column);
  return { isFatal: true, text: `${column.type} cannot hold ${CONTENT_NAMES[content]}` };
}

/** `VARCHAR2(255 CHAR)`, `NUMBER(10,2)`, as in DDL. */
export function typeText({ inCharacters, length, precision, scale, type }: ColumnFacts): string {
  if (length > 0) return `${type}(${length} ${inCharacters ? 'CHAR' : 'BYTE'})`;
  if (type !== 'NUMBER' || (precision === null && scale === null)) return type;
  return `${type}(${precision ?? '*'},${scale ?? 0})`;
}

/** What a person must know of a column that is as it should be; empty for most. */
export function typeRemark({ type, length, inCharacters }: ColumnFacts, content: Content): string {
  if (content === 'time') {
    if (type.endsWith('WITH LOCAL TIME ZONE')) return '; each session sees the times in its own time zone';
    return type.endsWith('WITH TIME ZONE')
      ? '; times are written as UTC, +00:00'
      : '; times are UTC, which the column does not say';
  }
  if ((content === 'text' || content === 'part') && type.endsWith('CLOB'))
    return '; a LOB makes each row slower, and texts have 4,000 bytes at most';
  if ((content !== 'text' && content !== 'part') || length === 0) return '';
  return inCharacters
    ? '; longer texts are rejected'
    : '; longer texts are rejected, and a letter may take up to 4 bytes';
}

/** What a column of the table is written with. */
export function contentOf({ content, further }: TableColumn, valueType: ValueType): Content {
  if (further !== undefined) return further;
  if (content.holds === 'decimal') return 'number';
  if (content.holds !== 'number') return content.holds;
  return valueType === 'number' ? 'decimal' : 'double';
}
