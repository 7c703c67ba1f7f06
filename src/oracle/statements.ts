import oracledb from 'oracledb';

import { quoteName } from '../core/identifier.ts';
import type { TagValues } from '../core/tag-values.ts';

/** Names as in the configuration: any case, quoted, the table with or without a schema. An empty column is not written. */
export interface TableOptions {
  readonly table: string;
  readonly columns: {
    readonly tagName: string;
    readonly value: string;
    readonly text: string;
    readonly timestamp: string;
    readonly quality: string;
    readonly plcCode: string;
    readonly tagAddress: string;
    readonly receivedAt: string;
  };
  readonly valueType: 'binary_double' | 'number';
}

type ReadValue = (values: TagValues, i: number) => unknown;

/** The INSERT of the configured table: its text, what the driver must know of the binds, and the rows of a batch. */
export interface InsertStatement {
  readonly sql: string;
  readonly bindDefs: oracledb.BindDefinition[];
  rows(values: TagValues): unknown[][];
}

/**
 * The most bytes of a string that is bound. Longer ones, which VARCHAR2 could not hold without MAX_STRING_SIZE=EXTENDED, are refused by
 * the row check: the driver would refuse the whole batch for one of them.
 */
export const MAX_TEXT_BYTES = 4000;

export function createInsert(options: TableOptions): InsertStatement {
  const { columns } = options;
  const text = { type: oracledb.DB_TYPE_VARCHAR, maxSize: MAX_TEXT_BYTES };
  const number = { type: options.valueType === 'number' ? oracledb.DB_TYPE_NUMBER : oracledb.DB_TYPE_BINARY_DOUBLE };
  // WITH TIME ZONE: the driver sends any other date as the process's local wall clock, where two instants collide each autumn.
  const time = { type: oracledb.DB_TYPE_TIMESTAMP_TZ };
  const all: [string, oracledb.BindDefinition, ReadValue][] = [
    [columns.tagName, text, (values, i) => values.tags[i]!.name],
    [columns.value, number, (values, i) => nullWhenNaN(values.numbers[i]!)],
    [columns.text, text, (values, i) => values.texts[i]],
    [columns.timestamp, time, readTime((values, i) => values.timesMs[i]!)],
    [columns.quality, text, (values, i) => values.qualities[i]],
    [columns.plcCode, text, (values, i) => values.tags[i]!.plcCode],
    [columns.tagAddress, text, (values, i) => values.tags[i]!.address],
    [columns.receivedAt, time, readTime((values, i) => values.receivedAtMs[i]!)],
  ];
  const used = all.filter(([name]) => name !== '');
  const names = used.map(([name]) => quoteName(name)).join(', ');
  const places = used.map((_column, i) => `:${i + 1}`).join(', ');
  const readers = used.map(([, , read]) => read);
  return {
    sql: `INSERT INTO ${quoteName(options.table)} (${names}) VALUES (${places})`,
    bindDefs: used.map(([, definition]) => definition),
    rows: (values) => buildRows(values, readers),
  };
}

function buildRows(values: TagValues, readers: readonly ReadValue[]): unknown[][] {
  const rows: unknown[][] = [];
  for (let i = 0; i < values.length; i += 1) {
    const row: unknown[] = [];
    for (const read of readers) row.push(read(values, i));
    rows.push(row);
  }
  return rows;
}

function nullWhenNaN(number: number): number | null {
  return Number.isNaN(number) ? null : number;
}

/** The values of one message mostly share their time, so one Date serves them all; the driver only reads it. */
function readTime(read: (values: TagValues, i: number) => number): ReadValue {
  let last = new Date(0);
  return (values, i) => {
    const timeMs = read(values, i);
    if (timeMs !== last.getTime()) last = new Date(timeMs);
    return last;
  };
}
