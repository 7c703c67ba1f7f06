/** UPDATE and DELETE. */
import type { DeleteTree, Expression, UpdateTree } from '../sql/ast.ts';
import type { Row, Values } from '../storage/row.ts';
import type { Table } from '../storage/table.ts';
import type { Steps } from '../storage/waiting.ts';
import { compileCondition } from './conditions.ts';
import type { Evaluation, SessionContext } from './context.ts';
import { newEvaluation } from './context.ts';
import type { RowStatement } from './plan.ts';
import { columnsOf, lockRows } from './plan.ts';
import { rowFinder } from './row-finder.ts';
import { updateBuilder } from './row-writer.ts';
import { Scope } from './scope.ts';

interface Target {
  readonly table: Table;
  readonly scope: Scope;
  /** Locks and answers the rows that the condition holds for. */
  lockMatches(evaluation: Evaluation): Steps<Row[]>;
}

function compileTarget(tree: UpdateTree | DeleteTree, privilege: 'UPDATE' | 'DELETE', context: SessionContext): Target {
  const table = context.catalog.resolve(tree.table, context.user, privilege);
  const source = {
    name: tree.alias ?? table.name,
    schema: tree.alias === undefined ? table.schema : undefined,
    columns: columnsOf(table),
    offset: 0,
  };
  const scope = new Scope([source]);
  const find = rowFinder(table, tree.where, source, scope, context);
  const matches = rowTest(tree.where, scope, context);
  return {
    table,
    scope,
    *lockMatches(evaluation) {
      while (true) {
        evaluation.rowNumber = 1;
        const found = find(evaluation).filter((row) => matches(row.seenBy(context.transaction), evaluation));
        if (yield* lockRows(table, found, context.transaction)) return found;
      }
    },
  };
}

type RowTest = (values: Values | null, evaluation: Evaluation) => boolean;

function rowTest(where: Expression | undefined, scope: Scope, context: SessionContext): RowTest {
  const test = where === undefined ? undefined : compileCondition(where, scope, context);
  return (values, evaluation) => {
    if (values === null) return false;
    if (test === undefined) return true;
    evaluation.row = values;
    if (test(evaluation) !== true) return false;
    evaluation.rowNumber++;
    return true;
  };
}

export function compileUpdate(tree: UpdateTree, context: SessionContext): RowStatement {
  const target = compileTarget(tree, 'UPDATE', context);
  const { build } = updateBuilder(tree.assignments, target.table, target.scope, context);
  return function* update(binds) {
    const evaluation = newEvaluation(binds);
    const rows = yield* target.lockMatches(evaluation);
    for (const row of rows) {
      evaluation.row = row.current!;
      yield* updateRow(target.table, row, build(evaluation), context);
    }
    return rows.length;
  };
}

/** Waits for whoever holds one of the new keys. */
export function* updateRow(table: Table, row: Row, values: Values, context: SessionContext): Steps<void> {
  let holder = table.update(row, values, context.transaction);
  while (holder !== undefined) {
    yield { holder };
    holder = table.update(row, values, context.transaction);
  }
}

export function compileDelete(tree: DeleteTree, context: SessionContext): RowStatement {
  const target = compileTarget(tree, 'DELETE', context);
  return function* remove(binds) {
    const rows = yield* target.lockMatches(newEvaluation(binds));
    for (const row of rows) target.table.delete(row, context.transaction);
    return rows.length;
  };
}
