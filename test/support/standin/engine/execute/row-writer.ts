/** Builds the values of new and changed rows: expressions, conversion to the column, NOT NULL and CHECK. */
import { SqlFault } from '../faults.ts';
import type { Assignment, ColumnName, Expression, InsertTree } from '../sql/ast.ts';
import type { Values } from '../storage/row.ts';
import type { Table, TableColumn } from '../storage/table.ts';
import type { Value } from '../types.ts';
import type { ColumnConverter } from '../values/column-converter.ts';
import { columnConverter } from '../values/column-converter.ts';
import type { Evaluation, SessionContext } from './context.ts';
import type { Evaluate } from './expressions.ts';
import { compileExpression } from './expressions.ts';
import { Scope } from './scope.ts';

/** Throws the error of the first value that does not fit. */
export type RowBuilder = (evaluation: Evaluation) => Values;

function indexOfColumn(table: Table, { name, position }: ColumnName): number {
  const index = table.columnIndex(name);
  if (index < 0) throw new SqlFault(904, { name: `"${name}"` }, position);
  return index;
}

/** An undefined tree is the column's default. */
function valueSource(
  tree: Expression | undefined,
  table: Table,
  column: number,
  scope: Scope,
  context: SessionContext,
): Evaluate {
  const defaultTree = table.columns[column]!.defaultValue?.expression;
  if (tree !== undefined) return compileExpression(tree, scope, context).evaluate;
  return defaultTree === undefined ? () => null : compileExpression(defaultTree, new Scope([]), context).evaluate;
}

function converters(table: Table, context: SessionContext): ColumnConverter[] {
  return table.columns.map((column) => columnConverter(column, context));
}

/** New rows for an INSERT. Throws ORA-00904, 00913, 00947 or 00957. */
export function insertBuilder(tree: InsertTree, table: Table, scope: Scope, context: SessionContext): RowBuilder {
  const listed = tree.columns.map((column) => indexOfColumn(table, column));
  const targets = listed.length > 0 ? listed : table.columns.map((_, i) => i);
  if (new Set(targets).size < targets.length) throw new SqlFault(957, {}, tree.columns[0]!.position);
  if (tree.values.length > targets.length) throw new SqlFault(913, {}, tree.valuesPosition);
  if (tree.values.length < targets.length) throw new SqlFault(947, {}, tree.valuesPosition);

  const width = table.columns.length;
  const bindOf = new Int32Array(width).fill(-1);
  const sources = table.columns.map((_, column) => {
    const place = targets.indexOf(column);
    const value = place < 0 ? undefined : tree.values[place];
    if (value?.form === 'bind') bindOf[column] = value.index;
    return valueSource(value, table, column, scope, context);
  });
  const convert = converters(table, context);
  const blank: Values = table.columns.map(() => null);
  const required = table.columns.map((column) => !column.nullable);

  return (evaluation) => {
    const { binds } = evaluation;
    const values: Value[] = blank.slice();
    let column = 0;
    try {
      for (; column < width; column++) {
        const bind = bindOf[column]!;
        const value = bind >= 0 ? binds[bind]! : sources[column]!(evaluation);
        const stored = value === null || value === '' ? null : convert[column]!(value);
        if (stored === null && required[column]!) throw new SqlFault(1400, { column: table.columns[column]!.path });
        values[column] = stored;
      }
    } catch (error) {
      throw named(error, table.columns[column]!);
    }
    if (table.checks.length > 0) table.check(values);
    return values;
  };
}

/** The error with the column's name, which some texts show. */
function named(error: unknown, { name }: TableColumn): unknown {
  return error instanceof SqlFault ? error.with({ name }) : error;
}

export interface CompiledAssignments {
  readonly columns: readonly number[];
  readonly build: RowBuilder;
}

/** Changed rows for an UPDATE: `evaluation.row` begins with the target's values. Throws ORA-00904 or 00957. */
export function updateBuilder(
  assignments: readonly Assignment[],
  table: Table,
  scope: Scope,
  context: SessionContext,
): CompiledAssignments {
  const columns = assignments.map(({ column }) => indexOfColumn(table, column));
  if (new Set(columns).size < columns.length) throw new SqlFault(957, {}, assignments[0]!.column.position);
  const sources = assignments.map(({ value }, i) => valueSource(value, table, columns[i]!, scope, context));
  const convert = converters(table, context);
  const build: RowBuilder = (evaluation) => {
    const values = evaluation.row.slice(0, table.columns.length);
    for (const [i, column] of columns.entries()) {
      values[column] = changedValue(sources[i]!(evaluation), table.columns[column]!, convert[column]!);
    }
    table.check(values);
    return values;
  };
  return { columns, build };
}

function changedValue(value: Value, column: TableColumn, convert: ColumnConverter): Value {
  try {
    const stored = value === null || value === '' ? null : convert(value);
    if (stored === null && !column.nullable) throw new SqlFault(1407, { column: column.path });
    return stored;
  } catch (error) {
    throw named(error, column);
  }
}
