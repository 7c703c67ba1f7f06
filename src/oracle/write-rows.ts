import type oracledb from 'oracledb';

import type { OnDuplicate } from '../core/columns.ts';
import { isDuplicateKey } from './ora-errors.ts';
import type { BatchError } from './refusals.ts';
import type { RowStatement } from './statements.ts';

/*
 * An array of rows in one call, which commits with it unless the database says something against a row: then all that
 * was taken stays open, for the caller to commit or roll back.
 *
 * | onDuplicate | statement | a row whose key is there                                                           |
 * | ----------- | --------- | ---------------------------------------------------------------------------------- |
 * | reject      | INSERT    | ORA-00001: an error                                                                |
 * | ignore      | INSERT    | ORA-00001: was there already. Any key does, and new rows cost what they always did |
 * | update      | MERGE     | is changed; 0 rows affected: one of a newer time is there                          |
 *
 * The hint IGNORE_ROW_ON_DUPKEY_INDEX is of no use here: it wants the one index named, and says not which rows it left
 * out [SQL Language Reference, "Hints"]. A MERGE looks, then inserts: when another session commits the same key between
 * the two, it is ORA-00001 all the same, and the row is there for the next attempt to find.
 */

/** How often a row is merged that others insert at the same time. */
const MERGE_ATTEMPTS = 3;

export interface RowsWritten {
  /** Of single rows; none is of a duplicate that is ignored. */
  readonly errors: readonly BatchError[];
  readonly alreadyThere: number;
  readonly isCommitted: boolean;
}

/** Throws what the driver throws. */
export async function writeRows(
  connection: oracledb.Connection,
  statement: RowStatement,
  rows: unknown[][],
  onDuplicate: OnDuplicate,
): Promise<RowsWritten> {
  if (onDuplicate === 'update') return mergeRows(connection, statement, rows);
  const all = await executeAll(connection, statement, rows, { autoCommit: true });
  const errors = onDuplicate === 'ignore' ? all.errors.filter(({ message }) => !isDuplicateKey(message)) : all.errors;
  return { errors, alreadyThere: all.errors.length - errors.length, isCommitted: all.errors.length === 0 };
}

async function mergeRows(
  connection: oracledb.Connection,
  statement: RowStatement,
  rows: unknown[][],
): Promise<RowsWritten> {
  const errors: BatchError[] = [];
  let alreadyThere = 0;
  /** Which of the rows are still to be merged. */
  let left = rows.map((_row, i) => i);
  for (let attempt = 1; ; attempt += 1) {
    const autoCommit = errors.length === 0;
    const mayTryAgain = attempt < MERGE_ATTEMPTS;
    const call = await executeAll(connection, statement, pick(rows, left), { autoCommit, dmlRowCounts: true });
    const failed = new Set<number>();
    const again: number[] = [];
    for (const { message, offset = 0 } of call.errors) {
      const index = left[offset]!;
      failed.add(offset);
      if (mayTryAgain && isDuplicateKey(message)) again.push(index);
      else errors.push({ message, offset: index });
    }
    alreadyThere += call.rowCounts.filter((count, i) => count === 0 && !failed.has(i)).length;
    if (again.length === 0) return { errors, alreadyThere, isCommitted: autoCommit && call.errors.length === 0 };
    left = again;
  }
}

function pick(rows: unknown[][], indexes: readonly number[]): unknown[][] {
  return indexes.length === rows.length ? rows : indexes.map((index) => rows[index]!);
}

async function executeAll(
  connection: oracledb.Connection,
  { bindDefs, sql }: RowStatement,
  rows: unknown[][],
  options: Pick<oracledb.ExecuteManyOptions, 'autoCommit' | 'dmlRowCounts'>,
): Promise<{ readonly errors: readonly BatchError[]; readonly rowCounts: readonly number[] }> {
  const result = await connection.executeMany(sql, rows, { ...options, batchErrors: true, bindDefs });
  return { errors: result.batchErrors ?? [], rowCounts: result.dmlRowCounts ?? [] };
}
