/** DUAL, and views of the server, its users, privileges and parameters. */
import type { Profile } from '../faults.ts';
import type { Values } from '../storage/row.ts';
import { Catalog } from '../storage/catalog.ts';
import type { Column } from '../types.ts';
import { Timestamp } from '../types.ts';
import { NLS_DEFAULTS } from '../values/settings.ts';
import type { SessionContext } from './context.ts';
import { viewColumns } from './dictionary-columns.ts';

interface ServerView {
  readonly columns: readonly Column[];
  rows(context: SessionContext): readonly Values[];
}

const PRODUCTS: Readonly<Record<Profile, { product: string; version: string; full: string; banner: string }>> = {
  '19c': {
    product: 'Oracle Database 19c Enterprise Edition ',
    version: '19.0.0.0.0',
    full: '19.22.0.0.0',
    banner: 'Oracle Database 19c Enterprise Edition Release 19.0.0.0.0 - Production',
  },
  '23ai': {
    product: 'Oracle AI Database 26ai Free ',
    version: '23.0.0.0.0',
    full: '23.26.1.0.0',
    banner: 'Oracle AI Database 26ai Free Release 23.26.1.0.0 - Develop, Learn, and Run for Free',
  },
};

function databaseParameters({ characterSet }: SessionContext): readonly Values[] {
  return [...NLS_DEFAULTS, ['NLS_CHARACTERSET', characterSet], ['NLS_NCHAR_CHARACTERSET', 'AL16UTF16']];
}

const BLOCK_BYTES = 8192;

function blocksOf(bytes: number): number {
  return bytes < 0 ? -1 : Math.ceil(bytes / BLOCK_BYTES);
}

const CREATED = new Timestamp(Date.UTC(2025, 0, 1));

const parameterColumns = viewColumns('PARAMETER', 'VALUE');
const userColumns = viewColumns(
  'USERNAME',
  'USER_ID:number',
  'ACCOUNT_STATUS:32',
  'EXPIRY_DATE:date',
  'DEFAULT_TABLESPACE',
  'TEMPORARY_TABLESPACE',
  'CREATED:date',
);

function privilegesOf({ systemPrivileges, user }: SessionContext): readonly string[] {
  return Catalog.isAdministrator(user) ? [...systemPrivileges, 'CREATE ANY TABLE'] : systemPrivileges;
}

function userRow({ catalog, passwordExpiresAtMs, user }: SessionContext): Values {
  const id = 100 + [...catalog.users].indexOf(user);
  const expiry = passwordExpiresAtMs === undefined ? null : new Timestamp(passwordExpiresAtMs);
  return [user, id, 'OPEN', expiry, 'USERS', 'TEMP', CREATED];
}

const IS_PASSWORD_LIMIT = /PASSWORD|LOGIN/;

function limitRows(limits: Readonly<Record<string, string>>, isOfView: (name: string) => boolean): Values[] {
  return Object.entries(limits).filter(([name]) => isOfView(name));
}

const VIEWS: Readonly<Record<string, ServerView>> = {
  DUAL: { columns: viewColumns('DUMMY:1'), rows: () => [['X']] },
  SESSION_PRIVS: {
    columns: viewColumns('PRIVILEGE:40'),
    rows: (context) => privilegesOf(context).map((privilege) => [privilege]),
  },
  SESSION_ROLES: { columns: viewColumns('ROLE'), rows: () => [] },
  USER_SYS_PRIVS: {
    columns: viewColumns('USERNAME', 'PRIVILEGE:40', 'ADMIN_OPTION:3'),
    rows: (context) => privilegesOf(context).map((privilege) => [context.user, privilege, 'NO']),
  },
  USER_TS_QUOTAS: {
    columns: viewColumns('TABLESPACE_NAME', 'BYTES:number', 'MAX_BYTES:number', 'BLOCKS:number', 'MAX_BLOCKS:number'),
    rows: ({ quotaBytes }) => (quotaBytes === 0 ? [] : [['USERS', 0, quotaBytes, 0, blocksOf(quotaBytes)]]),
  },
  NLS_DATABASE_PARAMETERS: { columns: parameterColumns, rows: databaseParameters },
  NLS_SESSION_PARAMETERS: { columns: parameterColumns, rows: ({ settings }) => [...settings.nls] },
  PRODUCT_COMPONENT_VERSION: {
    columns: viewColumns('PRODUCT', 'VERSION', 'VERSION_FULL', 'STATUS'),
    rows: ({ profile }) => {
      const { product, version, full } = PRODUCTS[profile];
      return [[product, version, full, 'Production']];
    },
  },
  V$VERSION: {
    columns: viewColumns('BANNER', 'BANNER_FULL:160', 'BANNER_LEGACY', 'CON_ID:number'),
    rows: ({ profile }) => {
      const { banner, full } = PRODUCTS[profile];
      return [[banner, `${banner}\nVersion ${full}`, banner, 0]];
    },
  },
  USER_USERS: {
    columns: userColumns,
    rows: (context) => [userRow(context)],
  },
  USER_PASSWORD_LIMITS: {
    columns: viewColumns('RESOURCE_NAME:32', 'LIMIT:128'),
    rows: ({ limits }) => limitRows(limits, (name) => IS_PASSWORD_LIMIT.test(name)),
  },
  USER_RESOURCE_LIMITS: {
    columns: viewColumns('RESOURCE_NAME:32', 'LIMIT:128'),
    rows: ({ limits }) => limitRows(limits, (name) => !IS_PASSWORD_LIMIT.test(name)),
  },
  ALL_USERS: {
    columns: viewColumns('USERNAME', 'USER_ID:number', 'CREATED:date'),
    rows: ({ catalog }) => [...catalog.users].map((user, i) => [user, 100 + i, CREATED]),
  },
};

export const SERVER_VIEWS: readonly (readonly [name: string, view: ServerView])[] = Object.entries(VIEWS);
