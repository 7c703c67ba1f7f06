/**
 * The inside of SELECT: sources, WHERE, GROUP BY, ORDER BY and the row limits. Runs without interruption: it never
 * waits.
 */
import { SqlFault } from '../faults.ts';
import type { Expression, FromItem, OrderItem, SelectItem, SelectTree } from '../sql/ast.ts';
import { someExpression } from '../sql/walk.ts';
import type { Row, Values } from '../storage/row.ts';
import type { Table } from '../storage/table.ts';
import type { Column, Value } from '../types.ts';
import { compareValues, keyOf, toNumber } from '../values/convert.ts';
import { toDouble } from '../values/decimal.ts';
import { GroupState, isAggregate } from './aggregates.ts';
import { compileCondition } from './conditions.ts';
import type { Evaluation, SessionContext } from './context.ts';
import { newEvaluation } from './context.ts';
import { findView } from './dictionary.ts';
import type { CompiledExpression, Evaluate } from './expressions.ts';
import { compileExpression } from './expressions.ts';
import { columnsOf } from './plan.ts';
import { rowFinder } from './row-finder.ts';
import type { Grouping, ScopeSource } from './scope.ts';
import { expressionKey, Scope } from './scope.ts';

interface SourceRow {
  readonly values: Values;
  /** Of a table: what FOR UPDATE locks. */
  readonly row?: Row;
}

export interface Source extends ScopeSource {
  readonly table: Table | undefined;
  /** A table is scanned by this session's view of it. */
  scan(evaluation: Evaluation): Iterable<SourceRow>;
}

export interface QueryRow extends SourceRow {
  readonly sortKeys: Values;
}

export interface CompiledQuery {
  readonly columns: readonly Column[];
  /** Its rows are groups, not rows of a table. */
  readonly isGrouped: boolean;
  readonly sources: readonly Source[];
  run(binds: Values): readonly QueryRow[];
}

/** A table, dictionary view or inline view whose columns begin at `offset` of the joined row. */
export function compileSource(item: FromItem, offset: number, context: SessionContext): Source {
  const { source: tree, alias } = item;
  if ('form' in tree) {
    const query = compileQuery(tree, context);
    const scan = ({ binds }: Evaluation): Iterable<SourceRow> => query.run(binds);
    return { name: alias, schema: undefined, columns: query.columns, offset, table: undefined, scan };
  }
  const schema = alias === undefined ? (tree.schema ?? context.user) : undefined;
  const view = context.catalog.find(tree.schema ?? context.user, tree.name) === undefined ? findView(tree) : undefined;
  if (view !== undefined) {
    const scan = (): Iterable<SourceRow> => view.rows(context).map((values) => ({ values }));
    return { name: alias ?? tree.name, schema, columns: view.columns, offset, table: undefined, scan };
  }
  const table = context.catalog.resolve(tree, context.user, 'SELECT');
  const common = { name: alias ?? tree.name, schema, columns: columnsOf(table), offset, table };
  return { ...common, scan: () => visibleRows(table.rows, context) };
}

function* visibleRows(rows: readonly Row[], { transaction }: SessionContext): Generator<SourceRow> {
  for (const row of rows) {
    const values = row.seenBy(transaction);
    if (values !== null) yield { values, row };
  }
}

function compileFrom(from: readonly FromItem[], context: SessionContext): Source[] {
  const sources: Source[] = [];
  let offset = 0;
  for (const item of from) {
    const source = compileSource(item, offset, context);
    sources.push(source);
    offset += source.columns.length;
  }
  return sources;
}

/** All rows of the sources joined, by nested loops. */
function* joinedRows(sources: readonly Source[], evaluation: Evaluation, left: Values = []): Generator<SourceRow> {
  const [first, ...others] = sources;
  for (const found of first!.scan(evaluation)) {
    if (left.length === 0 && others.length === 0) yield found;
    else if (others.length === 0) yield { values: [...left, ...found.values] };
    else yield* joinedRows(others, evaluation, [...left, ...found.values]);
  }
}

/** WHERE and the joins' ON as one condition. */
function wholeCondition(tree: SelectTree): Expression | undefined {
  const parts = [...tree.from.map((item) => item.on), tree.where].filter((part) => part !== undefined);
  if (parts.length === 0) return undefined;
  return parts.reduce((left, right) => ({ form: 'and', left, right }));
}

function hasAggregate(tree: unknown): boolean {
  return someExpression(tree, (part) => part.form === 'call' && isAggregate(part.name));
}

export function compileQuery(tree: SelectTree, context: SessionContext): CompiledQuery {
  const sources = compileFrom(tree.from, context);
  const plain = new Scope(sources);
  const isGrouped = tree.groupBy.length > 0 || tree.having !== undefined || hasAggregate([tree.items, tree.orderBy]);
  const grouping: Grouping | undefined = isGrouped
    ? { keys: new Set(tree.groupBy.map(expressionKey)), aggregates: [] }
    : undefined;
  const scope = new Scope(sources, grouping);
  const items = tree.items.flatMap((item) => compileItem(item, scope, context));
  const filter = compileFilter(tree, sources, plain, context);
  const group = grouping === undefined ? undefined : compileGroups(tree, grouping, plain, scope, context);
  const order = compileOrder(tree.orderBy, items, scope, context);
  const limits = compileLimits(tree, context);
  const expressions = items.map((item) => item.compiled);

  return {
    columns: items.map(resultColumn),
    isGrouped,
    sources,
    run: (binds) => {
      const evaluation = newEvaluation(binds);
      const project = ({ row }: SourceRow): QueryRow => {
        const output = {
          values: expressions.map((item) => item.evaluate(evaluation)),
          sortKeys: order.keys(evaluation),
        };
        return row === undefined ? output : { ...output, row };
      };
      const found = group === undefined ? filter(evaluation, project) : group(filter, evaluation, project);
      const distinct = tree.distinct ? distinctRows(found) : found;
      return limits(order.sort(distinct), evaluation);
    },
  };
}

interface CompiledItem {
  readonly name: string;
  readonly expression: Expression;
  readonly compiled: CompiledExpression;
}

function resultColumn({ name, compiled }: CompiledItem): Column {
  return { ...compiled.type, name, nullable: compiled.nullable };
}

function compileItem(item: SelectItem, scope: Scope, context: SessionContext): CompiledItem[] {
  if (item.expression === undefined) return compileStar(item.starOf, scope, context);
  const { expression } = item;
  const ownName = expression.form === 'column' ? expression.name : item.text.replaceAll(/\s+/g, '').toUpperCase();
  return [{ name: item.alias ?? ownName, expression, compiled: compileExpression(expression, scope, context) }];
}

function compileStar(name: string | undefined, scope: Scope, context: SessionContext): CompiledItem[] {
  const sources = scope.sources.filter((source) => name === undefined || source.name === name);
  if (sources.length === 0) throw new SqlFault(904, { name: `"${name}"` });
  return sources.flatMap((source) =>
    source.columns.map((column) => {
      const qualifier = source.name === undefined ? [] : [source.name];
      const expression: Expression = { form: 'column', qualifier, name: column.name, position: 0 };
      return { name: column.name, expression, compiled: compileExpression(expression, scope, context) };
    }),
  );
}

/** Calls `accept` for each row that the condition holds for, which stands in the evaluation then. */
type Filter = <T>(evaluation: Evaluation, accept: (row: SourceRow) => T) => T[];

function compileFilter(tree: SelectTree, sources: readonly Source[], scope: Scope, context: SessionContext): Filter {
  const condition = wholeCondition(tree);
  const test = condition === undefined ? undefined : compileCondition(condition, scope, context);
  const [only] = sources;
  const find =
    sources.length === 1 && only!.table !== undefined
      ? rowFinder(only!.table, condition, only!, scope, context)
      : undefined;
  return (evaluation, accept) => {
    const accepted = [];
    const rows = find === undefined ? joinedRows(sources, evaluation) : visibleRows(find(evaluation), context);
    evaluation.rowNumber = 1;
    for (const row of rows) {
      evaluation.row = row.values;
      if (test !== undefined && test(evaluation) !== true) continue;
      accepted.push(accept(row));
      evaluation.rowNumber++;
    }
    return accepted;
  };
}

type GroupRows = (filter: Filter, evaluation: Evaluation, project: (row: SourceRow) => QueryRow) => QueryRow[];

function compileGroups(
  tree: SelectTree,
  grouping: Grouping,
  plain: Scope,
  scope: Scope,
  context: SessionContext,
): GroupRows {
  const keys = tree.groupBy.map((expression) => compileExpression(expression, plain, context).evaluate);
  const having = tree.having === undefined ? undefined : compileCondition(tree.having, scope, context);
  return (filter, evaluation, project) => {
    const groups = new Map<string, { readonly row: Values; readonly state: GroupState }>();
    if (keys.length === 0) groups.set('', { row: [], state: new GroupState(grouping.aggregates) });
    filter(evaluation, ({ values }) => {
      const key = rowKey(keys.map((evaluate) => evaluate(evaluation)));
      let group = groups.get(key);
      if (group === undefined) {
        group = { row: values, state: new GroupState(grouping.aggregates) };
        groups.set(key, group);
      }
      group.state.add(evaluation);
    });
    const results: QueryRow[] = [];
    for (const { row, state } of groups.values()) {
      evaluation.row = row;
      evaluation.aggregates = state.results();
      if (having === undefined || having(evaluation) === true) results.push(project({ values: row }));
    }
    return results;
  };
}

function rowKey(values: Values): string {
  if (values.length === 0) return '';
  return JSON.stringify(values.map((value) => (value === null ? null : keyOf(value))));
}

function distinctRows(rows: readonly QueryRow[]): QueryRow[] {
  const byKey = new Map<string, QueryRow>();
  for (const row of rows) {
    const key = rowKey(row.values);
    if (!byKey.has(key)) byKey.set(key, row);
  }
  return [...byKey.values()];
}

interface CompiledOrder {
  keys(evaluation: Evaluation): Value[];
  sort(rows: readonly QueryRow[]): readonly QueryRow[];
}

function compileOrder(
  orderBy: readonly OrderItem[],
  items: readonly CompiledItem[],
  scope: Scope,
  context: SessionContext,
): CompiledOrder {
  const evaluators = orderBy.map(({ expression }) => orderKey(expression, items, scope, context));
  const compare = (left: QueryRow, right: QueryRow): number => {
    for (const [i, { descending, nullsFirst }] of orderBy.entries()) {
      const a = left.sortKeys[i]!;
      const b = right.sortKeys[i]!;
      if (a === null && b === null) continue;
      if (a === null || b === null) return (a === null) === nullsFirst ? -1 : 1;
      const order = compareValues(a, b, context);
      if (order !== 0) return descending ? -order : order;
    }
    return 0;
  };
  return {
    keys: (evaluation) => evaluators.map((evaluate) => evaluate(evaluation)),
    sort: (rows) => (orderBy.length === 0 ? rows : rows.toSorted(compare)),
  };
}

/** A position, an alias of the select list, or an expression. */
function orderKey(
  expression: Expression,
  items: readonly CompiledItem[],
  scope: Scope,
  context: SessionContext,
): Evaluate {
  if (expression.form === 'literal' && typeof expression.value === 'number') {
    const item = items[expression.value - 1];
    if (item === undefined) throw new SqlFault(1785);
    return item.compiled.evaluate;
  }
  if (expression.form === 'column' && expression.qualifier.length === 0) {
    const item = items.find(({ name }) => name === expression.name);
    if (item !== undefined) return item.compiled.evaluate;
  }
  return compileExpression(expression, scope, context).evaluate;
}

function compileLimits(
  tree: SelectTree,
  context: SessionContext,
): (rows: readonly QueryRow[], evaluation: Evaluation) => readonly QueryRow[] {
  const compile = (limit: Expression | undefined): ((evaluation: Evaluation) => number) | undefined => {
    if (limit === undefined) return undefined;
    const { evaluate } = compileExpression(limit, new Scope([]), context);
    return (evaluation) => {
      const value = evaluate(evaluation);
      return value === null ? 0 : Math.max(0, Math.trunc(toDouble(toNumber(value))));
    };
  };
  const offset = compile(tree.offset);
  const limit = compile(tree.limit);
  if (offset === undefined && limit === undefined) return (rows) => rows;
  return (rows, evaluation) => {
    const from = offset?.(evaluation) ?? 0;
    return rows.slice(from, limit === undefined ? undefined : from + limit(evaluation));
  };
}
