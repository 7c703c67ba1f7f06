/** MERGE: for each row of the source, update the rows of the table that it matches, or insert one. */
import { SqlFault } from '../faults.ts';
import type { Expression, MergeTree } from '../sql/ast.ts';
import { someExpression } from '../sql/walk.ts';
import type { Row, Values } from '../storage/row.ts';
import type { Steps } from '../storage/waiting.ts';
import { updateRow } from './change.ts';
import type { Test } from './conditions.ts';
import { compileCondition } from './conditions.ts';
import type { Evaluation, SessionContext } from './context.ts';
import { newEvaluation } from './context.ts';
import { insertRow } from './insert.ts';
import type { RowStatement } from './plan.ts';
import { columnsOf, lockRows } from './plan.ts';
import { compileSource } from './query.ts';
import { rowFinder } from './row-finder.ts';
import type { RowBuilder } from './row-writer.ts';
import { insertBuilder, updateBuilder } from './row-writer.ts';
import { Scope } from './scope.ts';

export function compileMerge(tree: MergeTree, context: SessionContext): RowStatement {
  const { catalog, user, transaction } = context;
  const table = catalog.resolve(tree.table, user, tree.update === undefined ? 'INSERT' : 'UPDATE');
  const width = table.columns.length;
  const target = { name: tree.alias ?? table.name, schema: undefined, columns: columnsOf(table), offset: 0 };
  const source = compileSource(tree.source, width, context);
  const scope = new Scope([target, source]);
  const on = compileCondition(tree.on, scope, context);
  const find = rowFinder(table, tree.on, target, scope, context);
  const update = compileUpdateClause(tree, scope, context);
  const insert = compileInsertClause(tree, new Scope([source]), context);
  const blank: Values = target.columns.map(() => null);

  function* lockMatches(sourceRow: Values, evaluation: Evaluation): Steps<Row[]> {
    const isMatch = (row: Row): boolean => {
      const values = row.seenBy(transaction);
      if (values === null) return false;
      evaluation.row = [...values, ...sourceRow];
      return on(evaluation) === true;
    };
    while (true) {
      evaluation.row = [...blank, ...sourceRow];
      const found = find(evaluation).filter(isMatch);
      if (update === undefined || (yield* lockRows(table, found, transaction))) return found;
    }
  }

  function* mergeRow(sourceRow: Values, evaluation: Evaluation): Steps<number> {
    const rows = yield* lockMatches(sourceRow, evaluation);
    let changed = 0;
    for (const row of update === undefined ? [] : rows) {
      evaluation.row = [...row.current!, ...sourceRow];
      if (update!.where(evaluation) !== true) continue;
      yield* updateRow(table, row, update!.build(evaluation), context);
      changed++;
    }
    if (rows.length > 0 || insert === undefined) return changed;
    evaluation.row = [...blank, ...sourceRow];
    if (insert.where(evaluation) !== true) return 0;
    yield* insertRow(table, insert.build(evaluation), table.beginInsert(transaction));
    return 1;
  }

  return function* merge(binds) {
    const evaluation = newEvaluation(binds);
    let changed = 0;
    for (const { values } of source.scan(evaluation)) changed += yield* mergeRow(values, newEvaluation(binds));
    return changed;
  };
}

interface Clause {
  readonly build: RowBuilder;
  readonly where: Test;
}

function compileWhere(where: Expression | undefined, scope: Scope, context: SessionContext): Test {
  return where === undefined ? () => true : compileCondition(where, scope, context);
}

function compileUpdateClause(tree: MergeTree, scope: Scope, context: SessionContext): Clause | undefined {
  if (tree.update === undefined) return undefined;
  const table = context.catalog.resolve(tree.table, context.user, 'UPDATE');
  // With SQL92_SECURITY, which is TRUE unless said [Oracle Database Reference].
  if (tree.update.where !== undefined) context.catalog.resolve(tree.table, context.user, 'SELECT');
  const { columns, build } = updateBuilder(tree.update.assignments, table, scope, context);
  const matched = columns.find((column) =>
    someExpression(tree.on, (part) => part.form === 'column' && scope.resolve(part).index === column),
  );
  if (matched !== undefined) {
    const name = `"${tree.alias ?? table.name}"."${table.columns[matched]!.name}"`;
    throw new SqlFault(38104, { name }, tree.update.assignments[0]!.column.position);
  }
  return { build, where: compileWhere(tree.update.where, scope, context) };
}

function compileInsertClause(tree: MergeTree, scope: Scope, context: SessionContext): Clause | undefined {
  if (tree.insert === undefined) return undefined;
  const table = context.catalog.resolve(tree.table, context.user, 'INSERT');
  const build = insertBuilder(tree.insert, table, scope, context);
  return { build, where: compileWhere(tree.insert.where, scope, context) };
}
