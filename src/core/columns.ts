import type { ColumnContent } from './column-content.ts';
import { DEFAULT_DESTINATION, settingOf } from './destination.ts';
import { allNeeds, parseFurtherContent, type FurtherKind } from './further-columns.ts';
import type { TagValues } from './tag-values.ts';
import type { DetailNeeds, FieldValue } from './value-details.ts';

/*
 * The columns of the table that values are written to, in the order of statements and DDL: the one table of those that
 * every table may have. The configuration takes keys, docs and default names from it, `oracle/` the DDL and what is
 * bound, `preflight/` what a column that is there must hold. It stands in core because these three have no other folder
 * in common.
 *
 * Another column is an entry here. A column whose content the configuration chooses (a constant, a level of the topic,
 * a field of the payload) is no entry but the same type, made from the configuration: `tableColumns`.
 */

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

/**
 * The columns' names in the database, as the configuration has them; empty: not written. A key that is none of the
 * table's is itself the name of a column, and its value says what it holds (further-columns.ts).
 */
export type ColumnNames = Readonly<Record<ColumnKey, string>> & Readonly<Record<string, string>>;

/** A table that values are written to, and how. */
export interface Destination {
  /** `default` for `oracle.table`, else the name in `oracle.destinations`. */
  readonly name: string;
  /** As in the configuration: any case, or quoted, with or without a schema. */
  readonly table: string;
  readonly columns: ColumnNames;
  /** Those that mappings fill; absent: none. */
  readonly fields?: readonly FieldColumn[];
  readonly valueType: ValueType;
  readonly onDuplicate: OnDuplicate;
}

export interface Column extends DescribedColumn {
  readonly key: ColumnKey;
}

/** All columns that have a key of their own, in their order. */
export const COLUMNS: readonly Column[] = TABLE;

const KEYS: ReadonlySet<string> = new Set(TABLE.map(({ key }) => key));

export function isColumnKey(key: string): key is ColumnKey {
  return KEYS.has(key);
}

/** A column that mappings fill with a field of the payload. */
export interface FieldColumn {
  readonly name: string;
  readonly holds: 'text' | 'number' | 'time';
}

/** What says which columns a table has, and what they hold. */
export interface ColumnChoice {
  /** Of the destination; absent: the default. */
  readonly name?: string;
  readonly columns: ColumnNames;
  readonly valueType: ValueType;
  /** Those that the mappings of subscriptions fill; absent: none. */
  readonly fields?: readonly FieldColumn[];
}

type FurtherChoice = Pick<ColumnChoice, 'fields' | 'name'> & { readonly columns: Readonly<Record<string, string>> };

/** A column of the table that is written. */
export interface TableColumn extends Omit<DescribedColumn, 'doc' | 'defaultName' | 'mayBeAbsent'> {
  /** Its name in the database, as the configuration has it. */
  readonly name: string;
  /** Where the configuration names it. */
  readonly path: string;
  /** What a further one is for; undefined: it is one of the table above. */
  readonly further: FurtherKind | undefined;
}

/** All columns that are written, in their order. Throws RangeError where a text of `columns` means nothing. */
export function tableColumns(choice: ColumnChoice): readonly TableColumn[] {
  const known = COLUMNS.filter(({ key }) => choice.columns[key] !== '').map((column) => knownColumn(column, choice));
  return [...known, ...furtherColumns(choice)];
}

function knownColumn(column: Column, choice: ColumnChoice): TableColumn {
  const { key } = column;
  const type = columnType(column, choice.valueType);
  return { ...column, type, name: choice.columns[key], path: columnPath(choice, key), further: undefined };
}

function columnPath({ name = DEFAULT_DESTINATION }: FurtherChoice, key: string): string {
  return `${settingOf(name)}.columns.${key}`;
}

/** Those of them whose content the configuration chooses. */
export function furtherColumns(choice: FurtherChoice): readonly TableColumn[] {
  const { columns, fields = [] } = choice;
  const chosen = Object.entries(columns).filter(([key, text]) => !isColumnKey(key) && text !== '');
  return [...chosen.map(([key, text]) => chosenColumn(key, text, columnPath(choice, key))), ...fields.map(fieldColumn)];
}

/** What has to be kept of messages for the columns of these tables. */
export function detailNeeds(tables: readonly FurtherChoice[]): DetailNeeds {
  const texts = tables.flatMap(({ columns }) => Object.entries(columns).filter(([key]) => !isColumnKey(key)));
  return allNeeds(texts.flatMap(([name, text]) => (text === '' ? [] : [contentOf(name, text).needs])));
}

function chosenColumn(name: string, text: string, path: string): TableColumn {
  const { content, emptyFor, kind, type } = contentOf(name, text);
  return {
    key: name,
    name,
    path,
    content,
    type,
    isRequired: false,
    further: kind,
    ...(emptyFor === undefined ? {} : { emptyFor: { isFatal: false, text: emptyFor } }),
  };
}

function contentOf(name: string, text: string): Exclude<ReturnType<typeof parseFurtherContent>, string> {
  const found = parseFurtherContent(text);
  if (typeof found === 'string') throw new RangeError(`oracle.columns.${name} ${found}`);
  return found;
}

/** The type that the proposed DDL gives a column of a field. */
const FIELD_TYPES = { text: 'VARCHAR2(1000 CHAR)', number: 'NUMBER', time: 'TIMESTAMP(6)' } as const;
const FIELD_KINDS = { text: 'part', number: 'number', time: 'time' } as const;

function fieldColumn({ holds, name }: FieldColumn): TableColumn {
  const field = (values: TagValues, i: number): FieldValue => values.details?.[i]?.fields?.get(name) ?? null;
  // What a person has written into a CSV file may be of another kind: NaN is refused by the row check.
  const number = (values: TagValues, i: number): number | null => {
    const found = field(values, i);
    return typeof found === 'string' ? Number.NaN : found;
  };
  const text = (values: TagValues, i: number): string | null => {
    const found = field(values, i);
    return typeof found === 'number' ? String(found) : found;
  };
  return {
    key: name,
    name,
    path: 'mqtt.subscriptions',
    content:
      holds === 'text'
        ? { holds, read: text }
        : holds === 'time'
          ? { holds, read: number }
          : { holds: 'decimal', read: number },
    type: FIELD_TYPES[holds],
    isRequired: false,
    further: FIELD_KINDS[holds],
    emptyFor: { isFatal: false, text: 'values for which no mapping finds it' },
  };
}

/** The type of a column in the proposed DDL, without its NOT NULL. */
function columnType({ content, type }: Column, valueType: ValueType): string {
  return content.holds === 'number' && valueType === 'number' ? 'NUMBER' : type;
}

function nullWhenNaN(number: number): number | null {
  return Number.isNaN(number) ? null : number;
}
