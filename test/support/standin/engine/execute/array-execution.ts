/**
 * One statement for many rows of binds. Each iteration is a statement of its own: a failing one is undone, and those
 * before it stay in the transaction.
 */
import { OraError } from '../types.ts';
import type { ExecuteOptions, ExecuteResult, Value } from '../types.ts';
import { renderFault, SqlFault } from '../faults.ts';
import type { Steps } from '../storage/waiting.ts';
import type { SessionContext } from './context.ts';
import type { RowStatement } from './plan.ts';

/** A column of another type than the binds is the statement's fault: bind types are looked at before any row is. */
const INCONSISTENT_TYPES = 932;
/** Deadlock and cancel end an array even with `batchErrors`. */
const ENDING = new Set([60, 1013]);

/** True for an error that has its cause in no row, and ends an array with `batchErrors` too. */
export function isStatementsFault(error: unknown): boolean {
  return (error instanceof SqlFault || error instanceof OraError) && error.code === INCONSISTENT_TYPES;
}

/** Collects what an array execution answers. */
export class ArrayResult {
  readonly #context: SessionContext;
  readonly #isCollecting: boolean;
  readonly rowCounts: number[] = [];
  readonly #batchErrors: { offset: number; error: OraError }[] = [];
  #error: OraError | undefined;
  #rowCount = 0;

  constructor(context: SessionContext, options: ExecuteOptions) {
    this.#context = context;
    this.#isCollecting = options.batchErrors === true;
  }

  addRows(count: number): void {
    this.rowCounts.push(count);
    this.#rowCount += count;
  }

  /** Answers whether the array goes on. */
  addError(offset: number, thrown: unknown): boolean {
    const error = renderFault(thrown, this.#context.profile);
    if (this.#isCollecting && !ENDING.has(error.code)) {
      this.#batchErrors.push({ offset, error });
      return true;
    }
    this.#error = error;
    return false;
  }

  get value(): ExecuteResult {
    const { rowCounts } = this;
    const result = { rowCount: this.#rowCount, rowCounts, batchErrors: this.#batchErrors, rows: [] };
    return this.#error === undefined ? result : { ...result, error: this.#error };
  }
}

export function* executeArray(
  rows: readonly (readonly Value[])[],
  options: ExecuteOptions,
  context: SessionContext,
  statement: RowStatement,
): Steps<ExecuteResult> {
  const result = new ArrayResult(context, options);
  for (const [offset, binds] of rows.entries()) {
    const { mark } = context.transaction;
    const fault = options.rowErrors?.get(offset);
    try {
      if (fault !== undefined) throw fault;
      result.addRows(yield* statement(binds));
    } catch (error) {
      if (!(error instanceof SqlFault || error instanceof OraError)) throw error;
      if (fault === undefined && isStatementsFault(error)) throw error;
      context.transaction.rollbackTo(mark);
      if (!result.addError(offset, error)) break;
      result.addRows(0);
    }
  }
  return result.value;
}
