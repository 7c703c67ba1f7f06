import { tableColumns } from '../core/columns.ts';
import { quoteName } from '../core/identifier.ts';
import { createInsert, type RowStatement, type TableOptions } from './statements.ts';

/*
 *     MERGE INTO "T" t
 *     USING (SELECT :1 "TAG_NAME", :2 "TAG_VALUE", CAST(:3 AS TIMESTAMP(6)) "TIMESTAMP" FROM dual) s
 *     ON (t."TAG_NAME" = s."TAG_NAME")
 *     WHEN MATCHED THEN UPDATE SET t."TAG_VALUE" = s."TAG_VALUE", t."TIMESTAMP" = s."TIMESTAMP"
 *       WHERE (t."TIMESTAMP" IS NULL OR t."TIMESTAMP" <= s."TIMESTAMP")
 *     WHEN NOT MATCHED THEN INSERT ("TAG_NAME", "TAG_VALUE", "TIMESTAMP") VALUES (s."TAG_NAME", …)
 *
 * Each row of the array is a MERGE of its own, with one row of source: so a key that comes twice in a batch is no
 * ORA-30926, and the second finds the first. [Oracle Database SQL Language Reference, "MERGE"]
 *
 * - A time is cast to the type of its column: a TIMESTAMP WITH TIME ZONE, as it is bound, would have the column
 *   converted by the session's time zone when they are compared, and a column of less digits would never be equal.
 * - Columns of the ON clause can't be set (ORA-38104).
 * - In a key of several columns NULL is like NULL: the index refuses a second (A, NULL), which "=" does not find.
 * - Of the same time the later arrival wins: with clocks of whole seconds the last of them would be lost else.
 */

/** What a MERGE has to know of the table beside the configuration. The columns are named as there. */
export interface MergeTarget {
  /** The columns of one primary or unique key, at least one. */
  readonly key: ReadonlySet<string>;
  /** Those that may hold NULL. */
  readonly nullable: ReadonlySet<string>;
  /** The types of the columns that hold a time: `TIMESTAMP(6)`, `DATE` … */
  readonly timeTypes: ReadonlyMap<string, string>;
}

/** A piece of the statement, and the column that it is about. */
type Piece = readonly [text: string, column?: string];

/** The MERGE that `"onDuplicate": "update"` stands for, with the binds and rows of the INSERT. */
export function createMerge(options: TableOptions, target: MergeTarget): RowStatement {
  const insert = createInsert(options);
  const pieces = mergePieces(options, target);
  return {
    sql: pieces.map(([text]) => text).join(''),
    bindDefs: insert.bindDefs,
    rows: (values, spare) => insert.rows(values, spare),
    columnAt: (offset) => pieceAt(pieces, offset)?.[1],
  };
}

function mergePieces(options: TableOptions, { key, nullable, timeTypes }: MergeTarget): readonly Piece[] {
  const names = tableColumns(options).map(({ name }) => name);
  const inKey = names.filter((name) => key.has(name));
  const others = names.filter((name) => !key.has(name));
  const source = names.map((name, i): Piece => [`${sourceOf(i, timeTypes.get(name))} ${quoteName(name)}`, name]);
  const match = inKey.map((name): Piece => [matchOf(quoteName(name), nullable.has(name)), name]);
  const set = others.map((name): Piece => [`t.${quoteName(name)} = s.${quoteName(name)}`, name]);
  const values = names.map((name): Piece => [`s.${quoteName(name)}`, name]);
  return [
    [`MERGE INTO ${quoteName(options.table)} t USING (SELECT `],
    ...joined(source, ', '),
    [' FROM dual) s ON ('],
    ...joined(match, ' AND '),
    [')'],
    ...(set.length === 0 ? [] : [[' WHEN MATCHED THEN UPDATE SET '] as const, ...joined(set, ', ')]),
    ...newerOnly(options.columns.timestamp, others),
    [` WHEN NOT MATCHED THEN INSERT (${names.map(quoteName).join(', ')}) VALUES (`],
    ...joined(values, ', '),
    [')'],
  ];
}

function newerOnly(timestamp: string, others: readonly string[]): Piece[] {
  if (!others.includes(timestamp)) return [];
  const [there, here] = [`t.${quoteName(timestamp)}`, `s.${quoteName(timestamp)}`];
  return [[` WHERE (${there} IS NULL OR ${there} <= ${here})`, timestamp]];
}

function sourceOf(i: number, timeType: string | undefined): string {
  return timeType === undefined ? `:${i + 1}` : `CAST(:${i + 1} AS ${timeType})`;
}

function matchOf(name: string, mayBeNull: boolean): string {
  const equal = `t.${name} = s.${name}`;
  return mayBeNull ? `(${equal} OR (t.${name} IS NULL AND s.${name} IS NULL))` : equal;
}

function joined(pieces: readonly Piece[], separator: string): Piece[] {
  return pieces.flatMap((piece, i): Piece[] => (i === 0 ? [piece] : [[separator], piece]));
}

function pieceAt(pieces: readonly Piece[], offset: number): Piece | undefined {
  let end = 0;
  return pieces.find(([text]) => {
    end += text.length;
    return offset < end;
  });
}
