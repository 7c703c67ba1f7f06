/** DDL. The session has committed before, and commits after. */
import { SqlFault } from '../faults.ts';
import type { ColumnTree, DdlTree, ObjectName } from '../sql/ast.ts';
import { Catalog, PUBLIC } from '../storage/catalog.ts';
import type { TableColumn } from '../storage/table.ts';
import { Table } from '../storage/table.ts';
import { alterSetting } from '../values/settings.ts';
import { addConstraint, addConstraints, columnIndexes, dropConstraint } from './constraints.ts';
import type { SessionContext } from './context.ts';

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
    case 'addConstraints':
      addConstraints(unlockedTable(tree.table, context), tree.constraints, context);
      return;
    case 'dropConstraint':
      dropConstraint(unlockedTable(tree.table, context), tree.constraint, context);
      return;
    case 'createSynonym':
      createSynonym(tree, context);
      return;
    case 'dropSynonym':
      dropSynonym(tree, context);
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
  const isTaken = catalog.find(schema, name) !== undefined || catalog.findSynonym(schema, name) !== undefined;
  if (isTaken) throw new SqlFault(955, {}, position);
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

/** Who owns a synonym of that name. */
function synonymOwner(tree: Tree<'createSynonym' | 'dropSynonym'>, { user }: SessionContext): string {
  const { synonym, isPublic } = tree;
  if (isPublic) return PUBLIC;
  const { schema = user } = synonym;
  if (schema !== user && !Catalog.isAdministrator(user)) throw new SqlFault(1031, {}, synonym.position);
  return schema;
}

/** The target need not exist. */
function createSynonym(tree: Tree<'createSynonym'>, context: SessionContext): void {
  const { synonym, target, replaces } = tree;
  const owner = synonymOwner(tree, context);
  const { catalog } = context;
  const isTable = catalog.find(owner, synonym.name) !== undefined;
  if (isTable || (!replaces && catalog.findSynonym(owner, synonym.name) !== undefined)) {
    throw new SqlFault(955, {}, synonym.position);
  }
  const schema = target.schema ?? context.user;
  catalog.addSynonym({ owner, name: synonym.name, target: { ...target, schema } });
}

function dropSynonym(tree: Tree<'dropSynonym'>, context: SessionContext): void {
  const { synonym, isPublic } = tree;
  const found = context.catalog.findSynonym(synonymOwner(tree, context), synonym.name);
  if (found === undefined) throw new SqlFault(isPublic ? 1432 : 1434, {}, synonym.position);
  context.catalog.removeSynonym(found);
}
