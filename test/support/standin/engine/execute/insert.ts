/**
 * INSERT. An array goes in two passes, as on a real server: first all values are converted and checked, then the rows
 * are put in and meet the keys. So an error list has value errors before key errors, whatever their offsets.
 */
import { OraError } from '../types.ts';
import type { ExecuteOptions, ExecuteResult, Value } from '../types.ts';
import { SqlFault } from '../faults.ts';
import type { InsertTree } from '../sql/ast.ts';
import type { Values } from '../storage/row.ts';
import type { InsertedRows, Table } from '../storage/table.ts';
import type { Change } from '../storage/transaction.ts';
import type { Steps } from '../storage/waiting.ts';
import { ArrayResult, isStatementsFault } from './array-execution.ts';
import type { SessionContext } from './context.ts';
import { newEvaluation } from './context.ts';
import type { Plan, RowStatement } from './plan.ts';
import type { RowBuilder } from './row-writer.ts';
import { insertBuilder } from './row-writer.ts';
import { Scope } from './scope.ts';

interface CompiledInsert {
  readonly table: Table;
  readonly build: RowBuilder;
}

function compile(tree: InsertTree, context: SessionContext): CompiledInsert {
  const table = context.catalog.resolve(tree.table, context.user, 'INSERT');
  return { table, build: insertBuilder(tree, table, new Scope([]), context) };
}

export function compileInsert(tree: InsertTree, context: SessionContext): Plan {
  const insert = compile(tree, context);
  return {
    columns: [],
    execute: context.countOnly
      ? (rows) => countRows(rows.length, insert.table, context)
      : (rows, options) => insertArray(rows, options, insert, context),
  };
}

/** For a PL/SQL block. */
export function compileInsertRow(tree: InsertTree, context: SessionContext): RowStatement {
  const { table, build } = compile(tree, context);
  return function* insertOne(binds) {
    const inserted = table.beginInsert(context.transaction);
    yield* insertRow(table, build(newEvaluation(binds)), inserted);
    return 1;
  };
}

/** Waits for whoever holds one of the row's keys. */
export function* insertRow(table: Table, values: Values, inserted: InsertedRows): Steps<void> {
  let holder = table.insert(values, inserted);
  while (holder !== undefined) {
    yield { holder };
    holder = table.insert(values, inserted);
  }
}

function* insertArray(
  rows: readonly (readonly Value[])[],
  options: ExecuteOptions,
  { table, build }: CompiledInsert,
  context: SessionContext,
): Steps<ExecuteResult> {
  const result = new ArrayResult(context, options);
  const built = buildRows(rows, options, build, result);
  const inserted = table.beginInsert(context.transaction);
  for (let offset = 0; offset < built.rows.length; offset++) {
    const values = built.rows[offset];
    if (values === undefined) {
      result.addRows(0);
      continue;
    }
    try {
      // Not insertRow: a generator a row would cost more than the row.
      let holder = table.insert(values, inserted);
      while (holder !== undefined) {
        yield { holder };
        holder = table.insert(values, inserted);
      }
      result.addRows(1);
    } catch (error) {
      if (!isRowError(error)) throw error;
      if (!result.addError(offset, error)) return result.value;
      result.addRows(0);
    }
  }
  if (built.failure !== undefined) result.addError(built.rows.length, built.failure);
  return result.value;
}

function isRowError(error: unknown): boolean {
  return error instanceof SqlFault || error instanceof OraError;
}

interface BuiltRows {
  /** undefined for a row that is in the error list already. */
  readonly rows: readonly (Values | undefined)[];
  /** Without `batchErrors`: what is wrong with the row behind the last one. */
  readonly failure: unknown;
}

function buildRows(
  rows: readonly (readonly Value[])[],
  options: ExecuteOptions,
  build: RowBuilder,
  result: ArrayResult,
): BuiltRows {
  const { batchErrors = false, rowErrors } = options;
  const built: (Values | undefined)[] = [];
  const evaluation = newEvaluation([]);
  for (let offset = 0; offset < rows.length; offset++) {
    const fault = rowErrors?.get(offset);
    try {
      if (fault !== undefined) throw fault;
      evaluation.binds = rows[offset]!;
      built.push(build(evaluation));
    } catch (error) {
      if (!isRowError(error) || (fault === undefined && isStatementsFault(error))) throw error;
      if (!batchErrors) return { rows: built, failure: error };
      result.addError(offset, error);
      built.push(undefined);
    }
  }
  return { rows: built, failure: undefined };
}

/** Rows of an INSERT that are only counted, once they are committed. */
class CountedRows implements Change {
  readonly #table: Table;
  readonly #count: number;
  constructor(table: Table, count: number) {
    this.#table = table;
    this.#count = count;
  }
  undo(): void {
    // Nothing was counted yet.
  }
  commit(): void {
    this.#table.countedRows += this.#count;
  }
}

// oxlint-disable-next-line require-yield -- an INSERT that keeps nothing waits for nobody
function* countRows(count: number, table: Table, context: SessionContext): Steps<ExecuteResult> {
  context.transaction.record(new CountedRows(table, count));
  return { rowCount: count, rowCounts: Array.from({ length: count }, () => 1), batchErrors: [], rows: [] };
}
