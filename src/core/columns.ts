import type { TagValues } from './tag-values.ts';

/*
 * The columns of the table that values are written to, in the order of statements and DDL: the one table of them. The
 * configuration takes keys, docs and default names from it, `oracle/` the DDL and what is bound, `preflight/` what a
 * column that is there must hold. It stands in core because these three have no other folder in common.
 *
 * Another column is an entry here. A column whose content the configuration chooses (a constant, a level of the topic)
 * is no entry but the same type, made from the configuration.
 */

type ReadContent<T> = (values: TagValues, i: number) => T;

/** What a column is filled with. A number is NULL where there is none; a time is in epoch milliseconds. */
export type ColumnContent =
  | { readonly holds: 'text'; readonly read: ReadContent<string | null> }
  | { readonly holds: 'number'; readonly read: ReadContent<number | null> }
  | { readonly holds: 'time'; readonly read: ReadContent<number> };

interface DescribedColumn {
  readonly key: string;
  /** What it is for, a sentence. */
  readonly doc: string;
  /** Its name unless the configuration gives another; empty: it is not written then. */
  readonly defaultName: string;
  /** Whether the configuration may leave it out, by an empty name. */
  readonly mayBeAbsent: boolean;
  readonly content: ColumnContent;
  /**
   * The type that the proposed DDL gives it; for the column of the values that of a `binary_double`, see `columnType`.
   */
  readonly type: string;
  /** Whether the proposed DDL says NOT NULL. */
  readonly isRequired: boolean;
  /**
   * Which values have nothing for it, so that a NOT NULL refuses their rows; `isFatal`: nearly all. Absent: all have
   * something.
   */
  readonly emptyFor?: { readonly isFatal: boolean; readonly text: string };
}

export const VALUE_TYPES = ['binary_double', 'number'] as const;
export type ValueType = (typeof VALUE_TYPES)[number];

/** What becomes of a row whose primary or unique key the table has already. */
export const ON_DUPLICATE = ['reject', 'ignore', 'update'] as const;
export type OnDuplicate = (typeof ON_DUPLICATE)[number];

const TABLE = [
  {
    key: 'tagName',
    doc: "Column for the tag's name, made by tagName.",
    defaultName: 'tag_name',
    mayBeAbsent: false,
    content: { holds: 'text', read: (values, i) => values.tags[i]!.name },
    type: 'VARCHAR2(255 CHAR)',
    isRequired: true,
  },
  {
    key: 'value',
    doc: 'Column for numbers and, as 1 and 0, for booleans.',
    defaultName: 'tag_value',
    mayBeAbsent: false,
    content: { holds: 'number', read: (values, i) => nullWhenNaN(values.numbers[i]!) },
    type: 'BINARY_DOUBLE',
    isRequired: false,
    emptyFor: { isFatal: false, text: 'values that are texts or null' },
  },
  {
    key: 'text',
    doc: 'Column for texts, and for the exact digits of integers too long for a number column.',
    defaultName: 'tag_text',
    mayBeAbsent: true,
    content: { holds: 'text', read: (values, i) => values.texts[i]! },
    type: 'VARCHAR2(4000)',
    isRequired: false,
    emptyFor: { isFatal: true, text: 'values that are numbers' },
  },
  {
    key: 'timestamp',
    doc: 'Column for the time of the value, in UTC.',
    defaultName: 'timestamp',
    mayBeAbsent: false,
    content: { holds: 'time', read: (values, i) => values.timesMs[i]! },
    type: 'TIMESTAMP(6)',
    isRequired: true,
  },
  {
    key: 'quality',
    doc: 'Column for the quality: GOOD, or what the PLC says.',
    defaultName: 'quality',
    mayBeAbsent: true,
    content: { holds: 'text', read: (values, i) => values.qualities[i]! },
    type: 'VARCHAR2(16)',
    isRequired: true,
  },
  {
    key: 'plcCode',
    doc: 'Column for the PLC code.',
    defaultName: '',
    mayBeAbsent: true,
    content: { holds: 'text', read: (values, i) => values.tags[i]!.plcCode },
    type: 'VARCHAR2(128 CHAR)',
    isRequired: false,
    emptyFor: { isFatal: false, text: 'values whose PLC is named nowhere' },
  },
  {
    key: 'tagAddress',
    doc: "Column for the tag's address in the PLC.",
    defaultName: '',
    mayBeAbsent: true,
    content: { holds: 'text', read: (values, i) => values.tags[i]!.address },
    type: 'VARCHAR2(255 CHAR)',
    isRequired: false,
  },
  {
    key: 'receivedAt',
    doc: 'Column for the time at which the bridge received the message, in UTC.',
    defaultName: '',
    mayBeAbsent: true,
    content: { holds: 'time', read: (values, i) => values.receivedAtMs[i]! },
    type: 'TIMESTAMP(6)',
    isRequired: false,
  },
] as const satisfies readonly DescribedColumn[];

/** What the configuration calls a column: `oracle.columns.<key>`. */
export type ColumnKey = (typeof TABLE)[number]['key'];

/** The columns' names in the database, as the configuration has them; empty: not written. */
export type ColumnNames = Readonly<Record<ColumnKey, string>>;

/** A table that values are written to, and how. */
export interface Destination {
  /** `default` for `oracle.table`, else the name in `oracle.destinations`. */
  readonly name: string;
  /** As in the configuration: any case, or quoted, with or without a schema. */
  readonly table: string;
  readonly columns: ColumnNames;
  readonly valueType: ValueType;
  readonly onDuplicate: OnDuplicate;
}

export interface Column extends DescribedColumn {
  readonly key: ColumnKey;
}

/** All columns in their order. */
export const COLUMNS: readonly Column[] = TABLE;

/** The type of a column in the proposed DDL, without its NOT NULL. */
export function columnType({ content, type }: Column, valueType: ValueType): string {
  return content.holds === 'number' && valueType === 'number' ? 'NUMBER' : type;
}

function nullWhenNaN(number: number): number | null {
  return Number.isNaN(number) ? null : number;
}
