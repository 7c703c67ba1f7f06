import oracledb from 'oracledb';

import type { ColumnContent } from '../core/column-content.ts';
import { tableColumns, type ColumnChoice, type ValueType } from '../core/columns.ts';
import { quoteName } from '../core/identifier.ts';
import type { TagValues } from '../core/tag-values.ts';
import { boundTime } from './bound-time.ts';

/**
 * Names as in the configuration: any case, quoted, the table with or without a schema. An empty column is not written.
 */
export interface TableOptions extends ColumnChoice {
  readonly table: string;
}

type ReadValue = (values: TagValues, i: number) => unknown;

/** The statement that writes rows to a table: its text, what the driver must know of the binds, and the rows. */
export interface RowStatement {
  readonly sql: string;
  readonly bindDefs: oracledb.BindDefinition[];
  /** `spare`: rows of an earlier batch that nobody reads any more; they are filled anew, as far as they go. */
  rows(values: TagValues, spare?: unknown[][]): unknown[][];
  /**
   * The column that an error at this place of the text (from 0, as the database gives it) is about; undefined: none.
   */
  columnAt(offset: number): string | undefined;
}

/**
 * The most bytes of a string that is bound. Longer ones, which VARCHAR2 could not hold without
 * MAX_STRING_SIZE=EXTENDED, are refused by the row check: the driver would refuse the whole batch for one of them.
 */
export const MAX_TEXT_BYTES = 4000;

export function createInsert(options: TableOptions): RowStatement {
  const { table, valueType } = options;
  const used = tableColumns(options);
  const names = used.map(({ name }) => quoteName(name)).join(', ');
  const marks = used.map((_column, i) => `:${i + 1}`).join(', ');
  const readers = used.map(({ content }) => bindReader(content));
  const sql = `INSERT INTO ${quoteName(table)} (${names}) VALUES (${marks})`;
  const marksAt = sql.length - marks.length - 1;
  return {
    sql,
    bindDefs: used.map(({ content }) => bindDefinition(content, valueType)),
    rows: (values, spare = []) => buildRows(values, readers, spare),
    columnAt: (offset) => {
      if (offset < marksAt || offset >= sql.length - 1) return undefined;
      return used[sql.slice(marksAt, offset).split(',').length - 1]?.name;
    },
  };
}

function bindDefinition({ holds }: ColumnContent, valueType: ValueType): oracledb.BindDefinition {
  if (holds === 'text') return { type: oracledb.DB_TYPE_VARCHAR, maxSize: MAX_TEXT_BYTES };
  // WITH TIME ZONE: the driver sends any other date as the process's local wall clock, where two instants collide each
  // autumn.
  if (holds === 'time') return { type: oracledb.DB_TYPE_TIMESTAMP_TZ };
  if (holds === 'decimal') return { type: oracledb.DB_TYPE_NUMBER };
  return { type: valueType === 'number' ? oracledb.DB_TYPE_NUMBER : oracledb.DB_TYPE_BINARY_DOUBLE };
}

function bindReader(content: ColumnContent): ReadValue {
  return content.holds === 'time' ? readTime(content.read) : content.read;
}

function buildRows(values: TagValues, readers: readonly ReadValue[], spare: unknown[][]): unknown[][] {
  const rows = spare.length > values.length ? spare.slice(0, values.length) : spare;
  for (let i = 0; i < values.length; i += 1) {
    const row = (rows[i] ??= []);
    for (let column = 0; column < readers.length; column += 1) row[column] = readers[column]!(values, i);
  }
  return rows;
}

/** The values of one message mostly share their time, so one Date serves them all; the driver only reads it. */
function readTime(read: (values: TagValues, i: number) => number | null): ReadValue {
  let lastMs = 0;
  let last = boundTime(lastMs);
  return (values, i) => {
    const timeMs = read(values, i);
    if (timeMs === null) return null;
    if (timeMs !== lastMs) {
      lastMs = timeMs;
      last = boundTime(timeMs);
    }
    return last;
  };
}
