import type { Expression } from '../sql/ast.ts';
import { conjunctsOf, someExpression } from '../sql/walk.ts';
import type { Row } from '../storage/row.ts';
import type { Table, TableColumn } from '../storage/table.ts';
import type { UniqueIndex } from '../storage/unique-index.ts';
import type { Value } from '../types.ts';
import { Decimal, Timestamp } from '../types.ts';
import { parseNumber, toNumberValue } from '../values/decimal.ts';
import type { Evaluation, SessionContext } from './context.ts';
import type { Evaluate } from './expressions.ts';
import { compileExpression } from './expressions.ts';
import type { Scope, ScopeSource } from './scope.ts';

/** Rows among which are all that a condition holds for, in any version. */
export type RowFinder = (evaluation: Evaluation) => readonly Row[];

/** By a unique key when the condition has `column = expression` for each of its columns, else all rows. */
export function rowFinder(
  table: Table,
  condition: Expression | undefined,
  target: ScopeSource,
  scope: Scope,
  context: SessionContext,
): RowFinder {
  const equals = equalities(condition, target, scope, context);
  const index = table.uniqueIndexes.find(({ columns }) => columns.every((column) => equals.has(column)));
  if (index === undefined) return () => table.rows;
  return (evaluation) => rowsByKey(table, index, equals, evaluation) ?? table.rows;
}

/** The expressions that columns of the target must be equal to. */
function equalities(
  condition: Expression | undefined,
  target: ScopeSource,
  scope: Scope,
  context: SessionContext,
): Map<number, Evaluate> {
  const targetColumn = (tree: Expression): number | undefined => {
    if (tree.form !== 'column') return undefined;
    const index = scope.resolve(tree).index - target.offset;
    return index >= 0 && index < target.columns.length ? index : undefined;
  };
  const found = new Map<number, Evaluate>();
  for (const tree of conjunctsOf(condition)) {
    if (tree.form !== 'comparison' || tree.operator !== '=') continue;
    for (const [one, other] of [
      [tree.left, tree.right],
      [tree.right, tree.left],
    ] as const) {
      const column = targetColumn(one);
      const isFixed = !someExpression(other, (part) => targetColumn(part) !== undefined || isRowNumber(part));
      if (column !== undefined && isFixed) found.set(column, compileExpression(other, scope, context).evaluate);
    }
  }
  return found;
}

function isRowNumber(tree: Expression): boolean {
  return tree.form === 'call' && tree.name === 'ROWNUM';
}

/** undefined when a value has to be compared in another type than the column's. */
function rowsByKey(
  table: Table,
  index: UniqueIndex,
  equals: ReadonlyMap<number, Evaluate>,
  evaluation: Evaluation,
): readonly Row[] | undefined {
  const values: Value[] = [];
  for (const column of index.columns) {
    const value = equals.get(column)!(evaluation);
    if (value === null) return [];
    const stored = asStored(value, table.columns[column]!);
    if (stored === undefined) return undefined;
    values[column] = stored;
  }
  return index.rowsOf(values);
}

function asStored(value: Value, { type }: TableColumn): Value | undefined {
  switch (type.type) {
    case 'VARCHAR2':
      return typeof value === 'string' ? value : undefined;
    case 'NUMBER': {
      const number = typeof value === 'string' ? parseNumber(value) : value;
      if (number instanceof Decimal) return toNumberValue(number);
      return typeof number === 'number' && Number.isFinite(number) ? toNumberValue(number) : undefined;
    }
    case 'TIMESTAMP':
      return value instanceof Timestamp && value.offsetMinutes === undefined ? value : undefined;
    case 'TIMESTAMP WITH TIME ZONE':
    case 'TIMESTAMP WITH LOCAL TIME ZONE':
      return value instanceof Timestamp && value.offsetMinutes !== undefined ? value : undefined;
    case 'CHAR':
    case 'RAW':
    case 'BINARY_FLOAT':
    case 'BINARY_DOUBLE':
    case 'DATE':
      break;
  }
  return undefined;
}
