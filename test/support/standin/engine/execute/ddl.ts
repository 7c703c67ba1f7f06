/** DDL. The session has committed before, and commits after. */
import { SqlFault } from '../faults.ts';
import type { ColumnName, ColumnTree, ConstraintTree, DdlTree, Expression, ObjectName } from '../sql/ast.ts';
import { someExpression } from '../sql/walk.ts';
import { Catalog } from '../storage/catalog.ts';
import type { Constraint, TableColumn } from '../storage/table.ts';
import { Table } from '../storage/table.ts';
import { alterSetting } from '../values/settings.ts';
import { compileCondition } from './conditions.ts';
import type { SessionContext } from './context.ts';
import { newEvaluation } from './context.ts';
import { columnsOf } from './plan.ts';
import { Scope } from './scope.ts';

type Tree<F extends DdlTree['form']> = Extract<DdlTree, { form: F }>;

/** Throws the ORA error of what can't be done; nothing has changed then. */
export function executeDdl(tree: DdlTree, context: SessionContext): void {
  switch (tree.form) {
    case 'createTable':
      createTable(tree, context);
      return;
    case 'dropTable':
      context.catalog.remove(unlockedTable(tree.table, context));
      return;
    case 'truncateTable':
      unlockedTable(tree.table, context).truncate();
      return;
    case 'createIndex':
      createIndex(tree, context);
      return;
    case 'dropIndex':
      dropIndex(tree, context);
      return;
    case 'grant':
    case 'revoke':
      changeGrants(tree, context);
      return;
    case 'alterSession':
      for (const [name, value] of tree.settings) alterSetting(context.settings, name, value);
      return;
    case 'ignored':
  }
}

/** A table of the user's own, or anyone's for an administrator. */
function ownTable(name: ObjectName, { catalog, user }: SessionContext): Table {
  const table = catalog.resolve(name, user, 'SELECT');
  if (table.schema !== user && !Catalog.isAdministrator(user)) throw new SqlFault(1031, {}, name.position);
  return table;
}

/** ORA-00054 when another session has uncommitted changes in it. */
function unlockedTable(name: ObjectName, context: SessionContext): Table {
  const table = ownTable(name, context);
  if (table.isLocked) throw new SqlFault(54, {}, name.position);
  return table;
}

function createTable(tree: Tree<'createTable'>, context: SessionContext): void {
  const { catalog, user } = context;
  const { name, schema = user, position } = tree.table;
  const isAdministrator = Catalog.isAdministrator(user);
  if (!isAdministrator && (schema !== user || !context.systemPrivileges.includes('CREATE TABLE'))) {
    throw new SqlFault(1031, {}, position);
  }
  if (catalog.find(schema, name) !== undefined) throw new SqlFault(955, {}, position);
  const repeated = tree.columns.find((column, i) => tree.columns.findIndex((other) => other.name === column.name) < i);
  if (repeated !== undefined) throw new SqlFault(957, {}, repeated.position);
  const columns = tree.columns.map((column) => tableColumn(column, `"${schema}"."${name}"`));
  const table = new Table(schema, name, columns);
  for (const constraint of tree.constraints) addConstraint(table, constraint, context);
  catalog.add(table);
}

function tableColumn({ name, type, declared, defaultValue }: ColumnTree, tablePath: string): TableColumn {
  return { name, type, declared, nullable: true, defaultValue, path: `${tablePath}."${name}"` };
}

function columnIndexes(table: Table, columns: readonly ColumnName[]): number[] {
  return columns.map(({ name, position }) => {
    const index = table.columnIndex(name);
    if (index < 0) throw new SqlFault(904, { name: `"${name}"` }, position);
    return index;
  });
}

function addConstraint(table: Table, tree: ConstraintTree, context: SessionContext): void {
  const { kind, text } = tree;
  const columns = columnIndexes(table, kind === 'CHECK' ? referencedColumns(tree.condition) : tree.columns);
  const existing = [...context.catalog.tablesOf(table.schema), table].flatMap(({ constraints }) => constraints);
  if (existing.some(({ name }) => name === tree.name)) throw new SqlFault(2264);
  if (kind === 'PRIMARY KEY' && table.constraints.some((other) => other.kind === kind)) throw new SqlFault(2260);
  const name = tree.name ?? context.catalog.nextConstraintName();
  const common: Constraint = { name, isNamed: tree.name !== undefined, kind, columns, text };
  if (kind === 'NOT NULL' || kind === 'PRIMARY KEY') {
    for (const column of columns) table.columns[column]!.nullable = false;
  }
  if (kind === 'PRIMARY KEY' || kind === 'UNIQUE') table.addUniqueIndex(name, columns);
  table.constraints.push(kind === 'CHECK' ? { ...common, test: checkTest(table, tree, context) } : common);
  if (kind === 'CHECK') table.checks.push(table.constraints.at(-1)!);
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

function createIndex(tree: Tree<'createIndex'>, context: SessionContext): void {
  const table = unlockedTable(tree.table, context);
  const { name, position } = tree.index;
  const columns = columnIndexes(table, tree.columns);
  const inSchema = context.catalog.tablesOf(table.schema);
  if (inSchema.some(({ indexes }) => indexes.some((index) => index.name === name))) {
    throw new SqlFault(955, {}, position);
  }
  if (table.indexes.some((index) => index.columns.join() === columns.join())) throw new SqlFault(1408, {}, position);
  if (tree.unique) table.addUniqueIndex(name, columns);
  else table.indexes.push({ name, unique: false, columns });
  context.catalog.version++;
}

function dropIndex(tree: Tree<'dropIndex'>, context: SessionContext): void {
  const { name, schema = context.user, position } = tree.index;
  const table = context.catalog.tablesOf(schema).find(({ indexes }) => indexes.some((index) => index.name === name));
  if (table === undefined) throw new SqlFault(1418, {}, position);
  if (table.constraints.some((constraint) => constraint.name === name)) throw new SqlFault(2429, {}, position);
  table.dropIndex(name);
  context.catalog.version++;
}

function changeGrants(tree: Tree<'grant' | 'revoke'>, context: SessionContext): void {
  const { grants } = ownTable(tree.table, context);
  for (const grantee of tree.grantees) {
    const privileges = grants.get(grantee) ?? new Set<string>();
    for (const privilege of tree.privileges) {
      if (tree.form === 'grant') privileges.add(privilege);
      else privileges.delete(privilege);
    }
    grants.set(grantee, privileges);
  }
  context.catalog.version++;
}
