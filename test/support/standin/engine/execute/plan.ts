import type { Row } from '../storage/row.ts';
import type { Table } from '../storage/table.ts';
import type { Transaction } from '../storage/transaction.ts';
import type { Steps } from '../storage/waiting.ts';
import type { Column, ExecuteOptions, ExecuteResult, Value } from '../types.ts';

/** A compiled statement. */
export interface Plan {
  /** Of a SELECT. */
  readonly columns: readonly Column[];
  /** Undone by the caller when it throws. */
  execute(rows: readonly (readonly Value[])[], options: ExecuteOptions): Steps<ExecuteResult>;
}

/** A DML statement for one row of binds: answers the number of rows changed. Undone by the caller when it throws. */
export type RowStatement = (binds: readonly Value[]) => Steps<number>;

/** Result columns of a table. */
export function columnsOf(table: Table): Column[] {
  return table.columns.map(({ name, type, nullable }) => ({ ...type, name, nullable }));
}

/**
 * Locks the rows, or waits once and locks none: what was committed meanwhile may match now, or no longer, so the caller
 * looks again, as Oracle does. Answers whether they are locked.
 */
export function* lockRows(table: Table, rows: readonly Row[], transaction: Transaction): Steps<boolean> {
  const { mark } = transaction;
  for (const row of rows) {
    const holder = table.lock(row, transaction);
    if (holder === undefined) continue;
    yield { holder };
    transaction.rollbackTo(mark);
    return false;
  }
  return true;
}
