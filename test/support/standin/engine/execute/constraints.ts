/** Constraints of a table: those of CREATE TABLE, and those that ALTER TABLE adds and drops. */
import { SqlFault } from '../faults.ts';
import type { ColumnName, ConstraintTree, Expression } from '../sql/ast.ts';
import { someExpression } from '../sql/walk.ts';
import type { Values } from '../storage/row.ts';
import type { Constraint, Table } from '../storage/table.ts';
import { compileCondition } from './conditions.ts';
import type { SessionContext } from './context.ts';
import { newEvaluation } from './context.ts';
import { columnsOf } from './plan.ts';
import { Scope } from './scope.ts';

export function columnIndexes(table: Table, columns: readonly ColumnName[]): number[] {
  return columns.map(({ name, position }) => {
    const index = table.columnIndex(name);
    if (index < 0) throw new SqlFault(904, { name: `"${name}"` }, position);
    return index;
  });
}

/** To a table that has no rows yet, or whose rows `addConstraints` looks at. */
export function addConstraint(table: Table, tree: ConstraintTree, context: SessionContext): void {
  const { kind, text } = tree;
  const columns = columnIndexes(table, kind === 'CHECK' ? referencedColumns(tree.condition) : tree.columns);
  const existing = [...context.catalog.tablesOf(table.schema), table].flatMap(({ constraints }) => constraints);
  if (existing.some(({ name }) => name === tree.name)) throw new SqlFault(2264);
  if (kind === 'PRIMARY KEY' && table.constraints.some((other) => other.kind === kind)) throw new SqlFault(2260);
  const name = tree.name ?? context.catalog.nextConstraintName();
  const common: Constraint = { name, isNamed: tree.name !== undefined, kind, columns, text };
  if (kind === 'PRIMARY KEY' || kind === 'UNIQUE') addKey(table, common);
  if (kind === 'NOT NULL' || kind === 'PRIMARY KEY') {
    for (const column of columns) table.columns[column]!.nullable = false;
  }
  table.constraints.push(kind === 'CHECK' ? { ...common, test: checkTest(table, tree, context) } : common);
  if (kind === 'CHECK') table.checks.push(table.constraints.at(-1)!);
}

function addKey(table: Table, { name, kind, columns }: Constraint): void {
  try {
    table.addUniqueIndex(name, columns);
  } catch (error) {
    if (!(error instanceof SqlFault) || error.code !== 1452) throw error;
    throw new SqlFault(kind === 'UNIQUE' ? 2299 : 2437, { constraint: `${table.schema}.${name}` });
  }
}

function referencedColumns(condition: Expression | undefined): ColumnName[] {
  const found = new Map<string, ColumnName>();
  someExpression(condition, (part) => {
    if (part.form === 'column') found.set(part.name, part);
    return false;
  });
  return [...found.values()];
}

/** Unknown is not a breach. */
function checkTest(table: Table, tree: ConstraintTree, context: SessionContext): NonNullable<Constraint['test']> {
  const scope = new Scope([{ name: table.name, schema: undefined, columns: columnsOf(table), offset: 0 }]);
  const test = compileCondition(tree.condition!, scope, context);
  const evaluation = newEvaluation([]);
  return (values) => {
    evaluation.row = values;
    return test(evaluation) !== false;
  };
}

/** All or none: the rows that are there must keep them, or it is ORA-02293, 02299 or 02437. */
export function addConstraints(table: Table, trees: readonly ConstraintTree[], context: SessionContext): void {
  const added: Constraint[] = [];
  try {
    for (const tree of trees) {
      checkRows(table, tree, context);
      addConstraint(table, tree, context);
      added.push(table.constraints.at(-1)!);
    }
  } catch (error) {
    for (const constraint of added) remove(table, constraint);
    throw error;
  }
  context.catalog.version++;
}

const REFUSALS = { CHECK: 2293, UNIQUE: 2299, 'PRIMARY KEY': 2437, 'NOT NULL': 2296 } as const;

function checkRows(table: Table, tree: ConstraintTree, context: SessionContext): void {
  const rows = table.rows.flatMap(({ committed }) => (committed === null ? [] : [committed]));
  const isKept = tree.kind === 'CHECK' ? checkTest(table, tree, context) : keyTest(table, tree);
  if (rows.every(isKept)) return;
  const constraint = `${table.schema}.${tree.name ?? ''}`;
  throw new SqlFault(REFUSALS[tree.kind], { constraint });
}

/** Keys that repeat are found when the index is made. */
function keyTest(table: Table, { kind, columns }: ConstraintTree): (values: Values) => boolean {
  if (kind === 'UNIQUE') return () => true;
  const required = columnIndexes(table, columns);
  return (values) => required.every((column) => values[column] !== null);
}

/** ORA-02443 when there is none of that name. */
export function dropConstraint(table: Table, { name, position }: ColumnName, context: SessionContext): void {
  const constraint = table.constraints.find((other) => other.name === name);
  if (constraint === undefined) throw new SqlFault(2443, {}, position);
  remove(table, constraint);
  context.catalog.version++;
}

function remove(table: Table, constraint: Constraint): void {
  table.removeConstraint(constraint);
  const required = table.constraints.filter(({ kind }) => kind === 'NOT NULL' || kind === 'PRIMARY KEY');
  for (const column of constraint.columns) {
    table.columns[column]!.nullable = !required.some(({ columns }) => columns.includes(column));
  }
}
