import type oracledb from 'oracledb';

import { DatabaseError, LEDGER_MOVED } from '../core/errors.ts';
import { quoteName } from '../core/identifier.ts';
import { ORIGIN, type Place } from '../core/place.ts';

const NOW = 'SYS_EXTRACT_UTC(SYSTIMESTAMP)';
const UNIQUE_VIOLATED = 1;

/**
 * The ledger row of one stream: how far it has been written, in the same transactions as its rows.
 *
 *     live/<journal id>                            live data
 *     replay/<file>/<journal id>/<first message>   a backup
 *
 * The move is a compare-and-set, and comes before the rows: it takes the row's lock, so that a session that outlived
 * its connection either has moved the place already, which we then see, or finds it moved and cannot commit.
 */
export class Ledger {
  readonly #bridgeId: string;
  readonly #stream: string;
  readonly #sql: { readonly select: string; readonly insert: string; readonly move: string; readonly remove: string };

  constructor(table: string, bridgeId: string, stream: string) {
    const name = quoteName(table);
    const row = '"BRIDGE_ID" = :1 AND "STREAM" = :2';
    this.#bridgeId = bridgeId;
    this.#stream = stream;
    this.#sql = {
      select: `SELECT "MESSAGE_NO", "VALUE_NO" FROM ${name} WHERE ${row} FOR UPDATE`,
      insert:
        `INSERT INTO ${name} ("BRIDGE_ID", "STREAM", "MESSAGE_NO", "VALUE_NO", "UPDATED_AT") ` +
        `VALUES (:1, :2, :3, :4, ${NOW})`,
      move:
        `UPDATE ${name} SET "MESSAGE_NO" = :1, "VALUE_NO" = :2, "UPDATED_AT" = ${NOW} ` +
        'WHERE "BRIDGE_ID" = :3 AND "STREAM" = :4 AND "MESSAGE_NO" = :5 AND "VALUE_NO" = :6',
      remove: `DELETE FROM ${name} WHERE ${row}`,
    };
  }

  /** The statements that a probe has the database parse. */
  get statements(): readonly string[] {
    return [this.#sql.select, this.#sql.insert, this.#sql.move];
  }

  /** The statement that needs each right. */
  get rights(): Readonly<Record<'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE', string>> {
    const { select, insert, move, remove } = this.#sql;
    return { SELECT: select, INSERT: insert, UPDATE: move, DELETE: remove };
  }

  /**
   * The place of the stream; a missing row is made, at ORIGIN, and committed. Waits for the row's lock: so no session
   * of ours that has outlived its connection can still move the place afterwards.
   */
  async read(connection: oracledb.Connection): Promise<Place> {
    const found = await this.#select(connection);
    if (found !== undefined) {
      await connection.rollback();
      return found;
    }
    const row = [this.#bridgeId, this.#stream, ORIGIN.messageNo, ORIGIN.valueNo];
    try {
      await connection.execute(this.#sql.insert, row, { autoCommit: true });
      return ORIGIN;
    } catch (error) {
      const isTaken = error instanceof Error && 'errorNum' in error && error.errorNum === UNIQUE_VIOLATED;
      const place = isTaken ? await this.#select(connection) : undefined;
      if (place === undefined) throw error;
      await connection.rollback();
      return place;
    }
  }

  /**
   * Moves the place within the open transaction. Throws DatabaseError LEDGER_MOVED when it was not at `from`: roll
   * back.
   */
  async move(connection: oracledb.Connection, from: Place, to: Place): Promise<void> {
    const binds = [to.messageNo, to.valueNo, this.#bridgeId, this.#stream, from.messageNo, from.valueNo];
    const { rowsAffected } = await connection.execute(this.#sql.move, binds);
    if (rowsAffected !== 1) {
      throw new DatabaseError('passing', LEDGER_MOVED, 'the ledger is not where it was left');
    }
  }

  /** The stream has come to its end. */
  async forget(connection: oracledb.Connection): Promise<void> {
    await connection.execute(this.#sql.remove, [this.#bridgeId, this.#stream], { autoCommit: true });
  }

  async #select(connection: oracledb.Connection): Promise<Place | undefined> {
    const { rows } = await connection.execute<[number, number]>(this.#sql.select, [this.#bridgeId, this.#stream]);
    const row = rows?.[0];
    return row === undefined ? undefined : { messageNo: row[0], valueNo: row[1] };
  }
}
