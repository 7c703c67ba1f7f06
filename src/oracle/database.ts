import type oracledb from 'oracledb';

import { DatabaseError } from '../core/errors.ts';
import type { LedgerMove, LedgerSession } from '../core/ledger-session.ts';
import { comparePlaces, type Place } from '../core/place.ts';
import type { RefusedRow } from '../core/refused-row.ts';
import { noStep, type OnStep } from '../core/steps.ts';
import { placeOf, type TagValues } from '../core/tag-values.ts';
import type { ConnectionLender } from './lease.ts';
import type { Ledger } from './ledger.ts';
import { toDatabaseError, toRowReason } from './ora-errors.ts';
import type { InsertStatement } from './statements.ts';

/** The configured table and one stream of the ledger, as the batch writer and the replay write to them. */
export class Database implements LedgerSession {
  readonly #connections: ConnectionLender;
  readonly #insert: InsertStatement;
  readonly #ledger: Ledger | undefined;
  readonly #onStep: OnStep;

  /** Without a ledger an unknown outcome stays unknown: rows are written at least once. */
  constructor(connections: ConnectionLender, insert: InsertStatement, ledger?: Ledger, onStep: OnStep = noStep) {
    this.#connections = connections;
    this.#insert = insert;
    this.#ledger = ledger;
    this.#onStep = onStep;
  }

  write(
    values: TagValues,
    move: LedgerMove | undefined,
    beforeCommit: (refused: readonly RefusedRow[]) => Promise<void>,
  ): Promise<Place | undefined> {
    const rows = this.#insert.rows(values);
    return this.#connections.use('write', async ({ connection, wear }) => {
      if (this.#ledger !== undefined && move !== undefined) {
        await known(this.#ledger.move(connection, move.from, move.to));
      }
      this.#onStep('sent');
      const refused = await this.#execute(connection, rows);
      let reached = this.#ledger === undefined ? undefined : move?.to;
      if (refused.length > 0) {
        wear();
        await beforeCommit(refused);
        const last = lastTaken(values, refused);
        if (this.#ledger !== undefined && move !== undefined) reached = await this.#moveBack(connection, move, last);
        await (last === undefined ? known(connection.rollback()) : sent(connection.commit()));
      }
      this.#onStep('committed');
      return reached;
    });
  }

  async #moveBack(connection: oracledb.Connection, move: LedgerMove, last: Place | undefined): Promise<Place> {
    if (last === undefined) return move.from;
    if (comparePlaces(last, move.to) < 0)
      await known(this.#ledger?.move(connection, move.to, last) ?? Promise.resolve());
    return last;
  }

  async readPlace(): Promise<Place | undefined> {
    const ledger = this.#ledger;
    if (ledger === undefined) return undefined;
    return this.#connections.use('read ledger', ({ connection }) => known(ledger.read(connection)));
  }

  async forget(): Promise<void> {
    const ledger = this.#ledger;
    if (ledger === undefined) return;
    await this.#connections.use('forget', ({ connection }) => known(ledger.forget(connection)));
  }

  /**
   * Asks the database to parse the statements, which needs the log-on, tables, columns and rights; nothing is executed.
   */
  probe(): Promise<void> {
    return this.#connections.use('probe', async ({ connection }) => {
      for (const sql of [this.#insert.sql, ...(this.#ledger?.statements ?? [])]) {
        await known(connection.getStatementInfo(sql));
      }
    });
  }

  /** Committed by the database itself in the same round trip, unless a row was refused. */
  async #execute(connection: oracledb.Connection, rows: unknown[][]): Promise<RefusedRow[]> {
    const { sql, bindDefs } = this.#insert;
    const result = await sent(connection.executeMany(sql, rows, { autoCommit: true, batchErrors: true, bindDefs }));
    return (result.batchErrors ?? []).map((error) => {
      const reason = toRowReason(error.message);
      if (reason === undefined) throw toDatabaseError(new Error(error.message), false);
      return { index: error.offset ?? 0, reason };
    });
  }
}

/** The place of the last row that was not refused. */
function lastTaken(values: TagValues, refused: readonly RefusedRow[]): Place | undefined {
  const indexes = new Set(refused.map(({ index }) => index));
  for (let i = values.length - 1; i >= 0; i -= 1) if (!indexes.has(i)) return placeOf(values, i);
  return undefined;
}

/** A call that commits nothing of the batch, whatever becomes of it. */
async function known<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (thrown) {
    throw toDatabaseError(thrown, false);
  }
}

/** A call that may have committed the batch although it failed. */
async function sent<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (thrown) {
    throw thrown instanceof DatabaseError ? thrown : toDatabaseError(thrown, true);
  }
}
