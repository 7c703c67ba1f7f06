import type { Clock } from '../core/clock.ts';
import { DatabaseError } from '../core/errors.ts';
import type { ConnectionLender } from './lease.ts';
import { toDatabaseError } from './ora-errors.ts';
import { OF_TABLE, TableDictionary, type TableName } from './table-dictionary.ts';

export type { ColumnFacts, FoundTable, TableName, UniqueKey } from './table-dictionary.ts';

export interface ServerFacts {
  /** `Oracle Database 19c Enterprise Edition 19.22.0.0.0` */
  readonly product: string;
  readonly characterSet: string;
  readonly user: string;
  /** Where names without a schema are looked up. */
  readonly schema: string;
  readonly accountStatus: string;
  /** When the password expires; epoch milliseconds, undefined for never. */
  readonly passwordExpiresAtMs: number | undefined;
}

export interface DatabaseClock {
  /** How far it is ahead of this machine's; the answer may be wrong by half the round trip. */
  readonly aheadMs: number;
  readonly roundTripMs: number;
  /** Of the machine that the database runs on, such as `+02:00`. */
  readonly offset: string;
}

/** How the rows of a table lie, as far as the user may see it. */
export interface TableLayout {
  /** Undefined: not partitioned. `isSelfMade`: a missing partition is made at the first row (INTERVAL, AUTOMATIC). */
  readonly partitions: { readonly type: string; readonly isSelfMade: boolean } | undefined;
  /** The columns of each index, the first one first. */
  readonly indexes: readonly (readonly string[])[];
}

export interface Quota {
  readonly tablespace: string;
  readonly usedBytes: number;
  /** Undefined: without limit. */
  readonly maxBytes: number | undefined;
}

const NOT_LIMITED = -1;
const NOT_THERE = 'ORA-00942';

/**
 * What the data dictionary tells the bridge's own user about the database and its tables. Reads the views that everyone
 * may read [Oracle Database Reference, "Static Data Dictionary Views"], and executes nothing else.
 *
 * Each method throws DatabaseError.
 */
export class Dictionary extends TableDictionary {
  readonly #clock: Clock;

  constructor(connections: ConnectionLender, clock: Clock) {
    super(connections);
    this.#clock = clock;
  }

  /** The first one to call: it logs on. */
  async server(): Promise<ServerFacts> {
    const version = await this.connections.use('log on', ({ connection }) =>
      Promise.resolve(connection.oracleServerVersionString),
    );
    const [product] = await this.rows<[string]>(
      `SELECT product FROM product_component_version WHERE product LIKE 'Oracle%'`,
    );
    const [characterSet] = await this.rows<[string]>(
      `SELECT value FROM nls_database_parameters WHERE parameter = 'NLS_CHARACTERSET'`,
    );
    const [names] = await this.rows<[string, string]>(
      `SELECT SYS_CONTEXT('USERENV', 'SESSION_USER'), SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA') FROM dual`,
    );
    const [account] = await this.rows<[string, Date | null]>('SELECT account_status, expiry_date FROM user_users');
    return {
      product: `${product?.[0].trim() ?? 'Oracle Database'} ${version}`,
      characterSet: characterSet?.[0] ?? '',
      user: names?.[0] ?? '',
      schema: names?.[1] ?? '',
      accountStatus: account?.[0] ?? '',
      passwordExpiresAtMs: account?.[1]?.getTime(),
    };
  }

  async clock(): Promise<DatabaseClock> {
    const sql = `SELECT SYSTIMESTAMP, TO_CHAR(SYSTIMESTAMP, 'TZH:TZM') FROM dual`;
    await this.rows(sql); // parses it, which is not to count
    const sentAtMs = this.#clock.now();
    const startedAtMs = this.#clock.monotonic();
    const [row] = await this.rows<[Date, string]>(sql);
    const roundTripMs = this.#clock.monotonic() - startedAtMs;
    const aheadMs = (row?.[0].getTime() ?? Number.NaN) - (sentAtMs + roundTripMs / 2);
    return { aheadMs, roundTripMs, offset: row?.[1] ?? '' };
  }

  /** Enabled triggers that may change a row before it is inserted, as far as the user may see them. */
  async insertTriggers({ owner, name }: TableName): Promise<string[]> {
    const rows = await this.rows<[string]>(
      'SELECT trigger_name FROM all_triggers WHERE table_owner = :1 AND table_name = :2 ' +
        `AND status = 'ENABLED' AND trigger_type IN ('BEFORE EACH ROW', 'COMPOUND') AND triggering_event LIKE '%INSERT%'`,
      [owner, name],
    );
    return rows.map(([trigger]) => trigger);
  }

  /** How the session comes by a right on a table, in words; undefined when the dictionary shows no way. */
  async sourceOfRight(right: string, { owner, name }: TableName, user: string): Promise<string | undefined> {
    if (owner === user) return 'own table';
    const roles = (await this.rows<[string]>('SELECT role FROM session_roles')).map(([role]) => role);
    const grants = await this.rows<[string]>(
      'SELECT grantee FROM all_tab_privs WHERE table_schema = :1 AND table_name = :2 AND privilege = :3',
      [owner, name, right],
    );
    const grantees = new Set(grants.map(([grantee]) => grantee));
    if (grantees.has(user)) return `granted to ${user}`;
    const through = [...roles, 'PUBLIC'].find((grantee) => grantees.has(grantee));
    if (through !== undefined) return `granted to ${through}`;
    const anywhere = `${right} ANY TABLE`;
    return (await this.hasSystemPrivilege(anywhere)) ? anywhere : undefined;
  }

  async hasSystemPrivilege(privilege: string): Promise<boolean> {
    const rows = await this.rows('SELECT privilege FROM session_privs WHERE privilege = :1', [privilege]);
    return rows.length > 0;
  }

  /** Undefined for what has none of its own: views, partitioned and temporary tables. */
  async tablespaceOf({ owner, name }: TableName): Promise<string | undefined> {
    const [row] = await this.rows<[string | null]>(`SELECT tablespace_name FROM all_tables WHERE ${OF_TABLE}`, [
      owner,
      name,
    ]);
    return row?.[0] ?? undefined;
  }

  /** Undefined where the views can't be read. */
  async layout({ owner, name }: TableName): Promise<TableLayout | undefined> {
    const place = [owner, name];
    const partitioned = await this.#rowsOrNone<[string, string | null]>(
      `SELECT partitioning_type, interval FROM all_part_tables WHERE ${OF_TABLE}`,
      place,
    );
    if (partitioned === undefined) return undefined;
    const columns = await this.rows<[string, string]>(
      'SELECT index_name, column_name FROM all_ind_columns WHERE table_owner = :1 AND table_name = :2 ' +
        'ORDER BY index_name, column_position',
      place,
    );
    const indexes = new Map<string, string[]>();
    for (const [index, column] of columns) indexes.set(index, [...(indexes.get(index) ?? []), column]);
    const [found] = partitioned;
    const partitions = found && { type: found[0], isSelfMade: found[1] !== null || found[0] !== 'RANGE' };
    return { partitions, indexes: [...indexes.values()] };
  }

  /** Of a view: the columns that an INSERT may fill; undefined where that can't be read. */
  async insertableColumns({ owner, name }: TableName): Promise<readonly string[] | undefined> {
    const rows = await this.#rowsOrNone<[string]>(
      `SELECT column_name FROM all_updatable_columns WHERE ${OF_TABLE} AND insertable = 'YES'`,
      [owner, name],
    );
    return rows?.map(([column]) => column);
  }

  /**
   * What the profile of the session's user limits, by the names of its parameters: FAILED_LOGIN_ATTEMPTS, IDLE_TIME …
   * Empty where that can't be read.
   */
  async limits(): Promise<ReadonlyMap<string, string>> {
    const passwords = await this.#rowsOrNone<[string, string]>('SELECT resource_name, limit FROM user_password_limits');
    const resources = await this.#rowsOrNone<[string, string]>('SELECT resource_name, limit FROM user_resource_limits');
    return new Map([...(passwords ?? []), ...(resources ?? [])]);
  }

  /** How long each of some round trips took, in milliseconds. */
  roundTrips(count: number): Promise<number[]> {
    return this.connections.use('measure', async ({ connection }) => {
      const tookMs: number[] = [];
      for (let i = 0; i < count; i += 1) {
        const startedAtMs = this.#clock.monotonic();
        await connection.ping();
        tookMs.push(this.#clock.monotonic() - startedAtMs);
      }
      return tookMs;
    });
  }

  /** Undefined for a view that the user may not read, or that the database does not have. */
  async #rowsOrNone<T>(sql: string, binds: readonly string[] = []): Promise<T[] | undefined> {
    try {
      return await this.rows<T>(sql, binds);
    } catch (thrown) {
      if (thrown instanceof DatabaseError && thrown.code === NOT_THERE) return undefined;
      throw thrown;
    }
  }

  /** Of the session's user; undefined when it has none there. */
  async quota(tablespace: string): Promise<Quota | undefined> {
    const [row] = await this.rows<[number, number]>(
      'SELECT bytes, max_bytes FROM user_ts_quotas WHERE tablespace_name = :1',
      [tablespace],
    );
    if (row === undefined) return undefined;
    return { tablespace, usedBytes: row[0], maxBytes: row[1] === NOT_LIMITED ? undefined : row[1] };
  }

  /**
   * Has the database parse a statement, which needs its table, columns and rights; it is not executed. Undefined when
   * all is well.
   */
  parse(sql: string): Promise<DatabaseError | undefined> {
    return this.connections.use('parse', async ({ connection }) => {
      try {
        await connection.getStatementInfo(sql);
        return undefined;
      } catch (thrown) {
        const error = toDatabaseError(thrown, false);
        if (error.kind === 'connection') throw error;
        return error;
      }
    });
  }
}
