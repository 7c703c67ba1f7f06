/**
 * The SQL engine of the stand-in database: tables in memory, one session a connection, as much of Oracle's SQL,
 * constraints, locks and error texts as the bridge and a curious person need.
 */
import type { Profile } from './faults.ts';
import type { Database } from './session.ts';
import { EngineSession } from './session.ts';
import { Catalog } from './storage/catalog.ts';
import type { Engine, Session, Value } from './types.ts';

export interface EngineOptions {
  /** Whose error texts and version it shows. */
  readonly profile?: Profile;
  /** Longest VARCHAR2: 4000, or 32767 with extended strings. */
  readonly maxStringBytes?: number;
  /** INSERT counts its rows, checks and keeps none; SELECT COUNT(*) answers what was committed. */
  readonly countOnly?: boolean;
  /** What each user may do, as SESSION_PRIVS shows it; without CREATE TABLE that statement is ORA-01031. */
  readonly systemPrivileges?: readonly string[];
  /** What the dictionary says of it; texts are kept as UTF-8 all the same. Default AL32UTF8. */
  readonly characterSet?: string;
  /** Of each user on USERS, as USER_TS_QUOTAS shows it: -1 is unlimited, 0 none; not enforced. Default -1. */
  readonly quotaBytes?: number;
  /** Of the profile that every user has, as USER_PASSWORD_LIMITS and USER_RESOURCE_LIMITS show it; not enforced. */
  readonly limits?: Readonly<Record<string, string>>;
  /** Of every user, in epoch milliseconds, as USER_USERS shows it. Default: never. */
  readonly passwordExpiresAtMs?: number;
  /** Epoch milliseconds for SYSTIMESTAMP and SYSDATE; a fraction gives microseconds. */
  readonly now?: () => number;
}

const DEFAULT_PRIVILEGES = ['CREATE SESSION', 'CREATE TABLE'];
/** The profile DEFAULT. */
const DEFAULT_LIMITS = {
  FAILED_LOGIN_ATTEMPTS: '10',
  PASSWORD_LIFE_TIME: '180',
  PASSWORD_LOCK_TIME: '1',
  SESSIONS_PER_USER: 'UNLIMITED',
  IDLE_TIME: 'UNLIMITED',
  CONNECT_TIME: 'UNLIMITED',
};
const FIRST_SESSION_ID = 100;

export function createEngine(options: EngineOptions = {}): Engine {
  const catalog = new Catalog();
  const database: Database = {
    catalog,
    profile: options.profile ?? '23ai',
    maxStringBytes: options.maxStringBytes ?? 4000,
    systemPrivileges: options.systemPrivileges ?? DEFAULT_PRIVILEGES,
    characterSet: options.characterSet ?? 'AL32UTF8',
    quotaBytes: options.quotaBytes ?? -1,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    passwordExpiresAtMs: options.passwordExpiresAtMs,
    countOnly: options.countOnly ?? false,
    now: options.now ?? Date.now,
  };
  let sessionId = FIRST_SESSION_ID;

  const openSession = (user: string): Session => {
    catalog.users.add(user);
    return new EngineSession(user, sessionId++, database);
  };

  return {
    openSession,
    /** Without `user` as the first one that has logged on. */
    async query(sql, user = [...catalog.users][0] ?? 'SYSTEM') {
      const session = openSession(user);
      try {
        const statement = session.parse(sql);
        const { rows } = await session.execute(statement, []);
        session.commit();
        return rows.map((row) => namedValues(statement.columns, row));
      } finally {
        session.close();
      }
    },
  };
}

function namedValues(columns: readonly { readonly name: string }[], row: readonly Value[]): Record<string, Value> {
  return Object.fromEntries(columns.map(({ name }, i) => [name, row[i]!]));
}
