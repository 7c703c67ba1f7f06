/** Dictionary views of tables, columns, constraints, indexes and grants, each as USER_… and ALL_…. */
import type { Values } from '../storage/row.ts';
import type { Constraint, Table, TableColumn } from '../storage/table.ts';
import type { Column, Value } from '../types.ts';
import type { SessionContext } from './context.ts';
import { viewColumns } from './dictionary-columns.ts';

/** A view in its ALL_ form; the USER_ form lacks the columns of `ownerColumns` and shows the user's own tables. */
interface Family {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly ownerColumns: readonly string[];
  rows(table: Table): readonly Values[];
}

const FLOAT_SCALE = -127;
const TEXT_TYPES = new Set(['VARCHAR2', 'CHAR']);

function columnRow(table: Table, column: TableColumn, position: number): Value[] {
  const { type, declared, nullable, defaultValue } = column;
  const isText = TEXT_TYPES.has(type.type);
  return [
    table.schema,
    table.name,
    column.name,
    declared,
    type.maxBytes,
    type.precision ?? null,
    type.scale === undefined || type.scale === FLOAT_SCALE ? null : type.scale,
    nullable ? 'Y' : 'N',
    position + 1,
    defaultValue?.text.length ?? null,
    defaultValue?.text ?? null,
    'NO',
    'NO',
    isText ? (type.length ?? 0) : 0,
    isText ? (type.charSemantics === true ? 'C' : 'B') : null,
  ];
}

function constraintRow(table: Table, constraint: Constraint): Value[] {
  const { name, kind, text, isNamed } = constraint;
  const isKey = kind === 'PRIMARY KEY' || kind === 'UNIQUE';
  const type = isKey ? kind.slice(0, 1) : 'C';
  const condition = text === '' ? null : text;
  const generated = isNamed ? 'USER NAME' : 'GENERATED NAME';
  const index = isKey ? [table.schema, name] : [null, null];
  return [table.schema, name, type, table.name, condition, condition, null, null, 'ENABLED', generated, ...index];
}

function constraintColumnRows(table: Table, { name, kind, columns }: Constraint): Values[] {
  const isKey = kind === 'PRIMARY KEY' || kind === 'UNIQUE';
  return columns.map((column, i) => [
    table.schema,
    name,
    table.name,
    table.columns[column]!.name,
    isKey ? i + 1 : null,
  ]);
}

function grantRows(table: Table): { grantee: string; privilege: string }[] {
  return [...table.grants].flatMap(([grantee, privileges]) =>
    [...privileges].map((privilege) => ({ grantee, privilege })),
  );
}

const FAMILIES: readonly Family[] = [
  {
    name: 'TABLES',
    columns: viewColumns('OWNER', 'TABLE_NAME', 'TABLESPACE_NAME', 'STATUS', 'NUM_ROWS:number', 'TEMPORARY'),
    ownerColumns: ['OWNER'],
    rows: (table) => [[table.schema, table.name, 'USERS', 'VALID', null, 'N']],
  },
  {
    name: 'TAB_COLUMNS',
    columns: viewColumns(
      'OWNER',
      'TABLE_NAME',
      'COLUMN_NAME',
      'DATA_TYPE',
      'DATA_LENGTH:number',
      'DATA_PRECISION:number',
      'DATA_SCALE:number',
      'NULLABLE:1',
      'COLUMN_ID:number',
      'DEFAULT_LENGTH:number',
      'DATA_DEFAULT:4000',
      'DEFAULT_ON_NULL:3',
      'IDENTITY_COLUMN:3',
      'CHAR_LENGTH:number',
      'CHAR_USED:1',
    ),
    ownerColumns: ['OWNER'],
    rows: (table) => table.columns.map((column, i) => columnRow(table, column, i)),
  },
  {
    name: 'CONSTRAINTS',
    columns: viewColumns(
      'OWNER',
      'CONSTRAINT_NAME',
      'CONSTRAINT_TYPE:1',
      'TABLE_NAME',
      'SEARCH_CONDITION:4000',
      'SEARCH_CONDITION_VC:4000',
      'R_OWNER',
      'R_CONSTRAINT_NAME',
      'STATUS:8',
      'GENERATED:14',
      'INDEX_OWNER',
      'INDEX_NAME',
    ),
    // USER_CONSTRAINTS has its OWNER.
    ownerColumns: [],
    rows: (table) => table.constraints.map((constraint) => constraintRow(table, constraint)),
  },
  {
    name: 'CONS_COLUMNS',
    columns: viewColumns('OWNER', 'CONSTRAINT_NAME', 'TABLE_NAME', 'COLUMN_NAME', 'POSITION:number'),
    ownerColumns: [],
    rows: (table) => table.constraints.flatMap((constraint) => constraintColumnRows(table, constraint)),
  },
  {
    name: 'INDEXES',
    columns: viewColumns('OWNER', 'INDEX_NAME', 'INDEX_TYPE', 'TABLE_OWNER', 'TABLE_NAME', 'UNIQUENESS:9', 'STATUS:8'),
    ownerColumns: ['OWNER'],
    rows: ({ schema, name, indexes }) =>
      indexes.map((index) => {
        const uniqueness = index.unique ? 'UNIQUE' : 'NONUNIQUE';
        return [schema, index.name, 'NORMAL', schema, name, uniqueness, 'VALID'];
      }),
  },
  {
    name: 'IND_COLUMNS',
    columns: viewColumns(
      'INDEX_OWNER',
      'INDEX_NAME',
      'TABLE_OWNER',
      'TABLE_NAME',
      'COLUMN_NAME',
      'COLUMN_POSITION:number',
      'DESCEND:4',
    ),
    ownerColumns: ['INDEX_OWNER', 'TABLE_OWNER'],
    rows: ({ schema, name, indexes, columns }) =>
      indexes.flatMap((index) =>
        index.columns.map((column, i) => [schema, index.name, schema, name, columns[column]!.name, i + 1, 'ASC']),
      ),
  },
];

interface TableView {
  readonly columns: readonly Column[];
  rows(context: SessionContext): readonly Values[];
}

function familyViews(family: Family): [string, TableView][] {
  const { name, columns, ownerColumns } = family;
  const kept = columns.flatMap((column, i) => (ownerColumns.includes(column.name) ? [] : [i]));
  const all: TableView = {
    columns,
    rows: ({ catalog, user }) => catalog.visibleTo(user).flatMap((table) => family.rows(table)),
  };
  const own: TableView = {
    columns: kept.map((i) => columns[i]!),
    rows: ({ catalog, user }) =>
      catalog
        .tablesOf(user)
        .flatMap((table) => family.rows(table))
        .map((row) => kept.map((i) => row[i]!)),
  };
  return [
    [`ALL_${name}`, all],
    [`USER_${name}`, own],
  ];
}

const userTablePrivileges: TableView = {
  columns: viewColumns('GRANTEE', 'OWNER', 'TABLE_NAME', 'GRANTOR', 'PRIVILEGE:40', 'GRANTABLE:3'),
  rows: ({ catalog, user }) =>
    catalog.tables.flatMap((table) =>
      grantRows(table)
        .filter(({ grantee }) => table.schema === user || grantee === user)
        .map(({ grantee, privilege }) => [grantee, table.schema, table.name, table.schema, privilege, 'NO']),
    ),
};

const allTablePrivileges: TableView = {
  columns: viewColumns('GRANTOR', 'GRANTEE', 'TABLE_SCHEMA', 'TABLE_NAME', 'PRIVILEGE:40', 'GRANTABLE:3'),
  rows: ({ catalog, user }) =>
    catalog.tables.flatMap((table) =>
      grantRows(table)
        .filter(({ grantee }) => table.schema === user || grantee === user || grantee === 'PUBLIC')
        .map(({ grantee, privilege }) => [table.schema, grantee, table.schema, table.name, privilege, 'NO']),
    ),
};

export const TABLE_VIEWS: readonly (readonly [name: string, view: TableView])[] = [
  ...FAMILIES.flatMap(familyViews),
  ['USER_TAB_PRIVS', userTablePrivileges],
  ['ALL_TAB_PRIVS', allTablePrivileges],
];
