import type oracledb from 'oracledb';

import { DatabaseError, type Reason } from '../core/errors.ts';
import type { TagValues } from '../core/tag-values.ts';
import type { Connections } from './connections.ts';
import { toDatabaseError, toRowReason } from './ora-errors.ts';
import type { InsertStatement } from './statements.ts';

/** A row of a batch that the database refused. */
export interface RowError {
  readonly index: number;
  readonly reason: Reason;
}

/** The configured table, as the batch writer writes to it. */
export class Database {
  readonly #connections: Connections;
  readonly #insert: InsertStatement;

  constructor(connections: Connections, insert: InsertStatement) {
    this.#connections = connections;
    this.#insert = insert;
  }

  /**
   * Writes a batch (at least one value) in one transaction. When single rows are refused, `beforeCommit` is called with them, and the
   * others are committed once it resolves; nothing is committed when it throws, and its error comes out unchanged.
   * Throws DatabaseError; with `outcomeUnknown` the batch may have been committed.
   */
  write(values: TagValues, beforeCommit: (refused: readonly RowError[]) => Promise<void>): Promise<void> {
    const rows = this.#insert.rows(values);
    return this.#connections.use('write', async ({ connection, wear }) => {
      const refused = await this.#execute(connection, rows);
      if (refused.length === 0) return;
      wear();
      await beforeCommit(refused);
      await sent(connection.commit());
    });
  }

  /** Asks the database to parse the INSERT, which needs the log-on, the table, its columns and the right; nothing is executed. */
  probe(): Promise<void> {
    return this.#connections.use('probe', async ({ connection }) => {
      try {
        await connection.getStatementInfo(this.#insert.sql);
      } catch (thrown) {
        throw toDatabaseError(thrown, false);
      }
    });
  }

  /** Committed by the database itself in the same round trip, unless a row was refused. */
  async #execute(connection: oracledb.Connection, rows: unknown[][]): Promise<RowError[]> {
    const { sql, bindDefs } = this.#insert;
    const result = await sent(connection.executeMany(sql, rows, { autoCommit: true, batchErrors: true, bindDefs }));
    return (result.batchErrors ?? []).map((error) => {
      const reason = toRowReason(error.message);
      if (reason === undefined) throw toDatabaseError(new Error(error.message), false);
      return { index: error.offset ?? 0, reason };
    });
  }
}

async function sent<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (thrown) {
    throw thrown instanceof DatabaseError ? thrown : toDatabaseError(thrown, true);
  }
}
