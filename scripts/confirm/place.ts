/** Where points are tried: connections and tables of their own, which are closed and dropped in the end. */
import { randomBytes } from 'node:crypto';
import oracledb from 'oracledb';

const CALL_TIMEOUT_MS = 20_000;

export interface Where {
  readonly connectString: string;
  readonly user: string;
  readonly password: string;
}

export class Place {
  readonly #where: Where;
  /** Also tries what counts towards the lock of the account. */
  readonly refusesLogOns: boolean;
  /** No name of anybody else begins like this. */
  readonly #prefix = `CONFIRM_${randomBytes(4).toString('hex').toUpperCase()}`;
  readonly #tables: string[] = [];
  readonly #connections: oracledb.Connection[] = [];
  #made = 0;

  constructor(where: Where, refusesLogOns: boolean) {
    this.#where = where;
    this.refusesLogOns = refusesLogOns;
  }

  /** A session of its own, ended with the point. `more` may name another password and the like. */
  async connect(more: oracledb.ConnectionAttributes = {}): Promise<oracledb.Connection> {
    const connection = await oracledb.getConnection({ ...this.#where, ...more });
    connection.callTimeout = CALL_TIMEOUT_MS;
    this.#connections.push(connection);
    return connection;
  }

  /** Makes a table; `columns` as between the parentheses of CREATE TABLE, `more` what comes after them. */
  async table(columns: string, more = ''): Promise<string> {
    const name = this.newName();
    const connection = await this.connect();
    await connection.execute(`CREATE TABLE ${name} (${columns}) ${more}`.trim());
    this.#tables.push(name);
    return name;
  }

  newName(): string {
    this.#made += 1;
    return `${this.#prefix}_${this.#made}`;
  }

  /** One row, read in a session of its own: what is committed. */
  async row(sql: string): Promise<unknown[]> {
    const connection = await this.connect();
    const { rows } = await connection.execute<unknown[]>(sql);
    return rows?.[0] ?? [];
  }

  async count(table: string): Promise<unknown> {
    return (await this.row(`SELECT COUNT(*) FROM ${table}`))[0];
  }

  /** Ends all sessions, what they have open is rolled back, and drops the tables. */
  async clear(): Promise<void> {
    for (const connection of this.#connections.splice(0)) {
      await connection.rollback().catch(() => undefined); // it may be gone: that was the point
      await connection.close().catch(() => undefined);
    }
    if (this.#tables.length === 0) return;
    const connection = await oracledb.getConnection({ ...this.#where });
    try {
      for (const table of this.#tables.splice(0)) await connection.execute(`DROP TABLE ${table} PURGE`);
    } finally {
      await connection.close();
    }
  }
}
