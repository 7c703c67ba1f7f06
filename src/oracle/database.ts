import type oracledb from 'oracledb';

import type { OnDuplicate } from '../core/columns.ts';
import { coerceError, DatabaseError } from '../core/errors.ts';
import type { LedgerMove, LedgerSession, Written } from '../core/ledger-session.ts';
import { comparePlaces, type Place } from '../core/place.ts';
import type { RefusedRow } from '../core/refused-row.ts';
import { noStep, type OnStep } from '../core/steps.ts';
import { placeOf, type TagValues } from '../core/tag-values.ts';
import { InterruptibleConnections } from './interruptible-connections.ts';
import type { ConnectionLender, Lease } from './lease.ts';
import type { Ledger } from './ledger.ts';
import { toDatabaseError } from './ora-errors.ts';
import type { Refusals } from './refusals.ts';
import type { RowStatement } from './statements.ts';
import { writeRows, type RowsWritten } from './write-rows.ts';
import type { WriteStatement } from './write-statement.ts';

export interface DatabaseOptions {
  readonly connections: ConnectionLender;
  readonly statement: Pick<WriteStatement, 'get' | 'forget' | 'interrupt'>;
  readonly onDuplicate: OnDuplicate;
  /** Of this stream alone. */
  readonly refusals: Refusals;
  /** Absent: an unknown outcome stays unknown, and rows are written at least once. */
  readonly ledger?: Ledger | undefined;
  readonly onStep?: OnStep | undefined;
}

/** The configured table and one stream of the ledger, as the batch writer and the replay write to them. */
export class Database implements LedgerSession {
  readonly #connections: InterruptibleConnections;
  readonly #statement: DatabaseOptions['statement'];
  readonly #onDuplicate: OnDuplicate;
  readonly #refusals: Refusals;
  readonly #ledger: Ledger | undefined;
  readonly #onStep: OnStep;
  /**
   * The rows of the last batch, which the next one fills again. Rows made anew for each batch live just long enough for
   * V8 to put them into the old generation from then on, where they stay until a full collection: 100 MB more, and a
   * tenth more of the processor.
   */
  #spareRows: unknown[][] = [];

  constructor(options: DatabaseOptions) {
    this.#connections = new InterruptibleConnections(options.connections);
    this.#statement = options.statement;
    this.#onDuplicate = options.onDuplicate;
    this.#refusals = options.refusals;
    this.#ledger = options.ledger;
    this.#onStep = options.onStep ?? noStep;
  }

  async write(
    values: TagValues,
    move: LedgerMove | undefined,
    beforeCommit: (refused: readonly RefusedRow[]) => Promise<void>,
  ): Promise<Written> {
    const statement = await this.#statement.get();
    const spare = this.#spareRows;
    this.#spareRows = []; // a call that is given up may read them yet
    const rows = statement.rows(values, spare);
    const written = await this.#connections.use('write', async (lease) => {
      const { connection } = lease;
      if (this.#ledger !== undefined && move !== undefined) {
        await known(this.#ledger.move(connection, move.from, move.to));
      }
      this.#onStep('sent');
      const { alreadyThere, isCommitted, refused } = await this.#execute(lease, statement, rows);
      let reached = this.#ledger === undefined ? undefined : move?.to;
      if (refused.length > 0) {
        await beforeCommit(refused);
        const last = lastTaken(values, refused);
        if (this.#ledger !== undefined && move !== undefined) reached = await this.#moveBack(connection, move, last);
        await (last === undefined ? known(connection.rollback()) : sent(connection.commit()));
      } else if (!isCommitted) {
        await sent(connection.commit());
      }
      this.#onStep('committed');
      return { reached, alreadyThere };
    });
    this.#spareRows = spare.length > rows.length ? spare : rows;
    return written;
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
  async probe(): Promise<void> {
    this.#statement.forget();
    const { sql: write } = await this.#statement.get();
    return this.#connections.use('probe', async ({ connection }) => {
      for (const sql of [write, ...(this.#ledger?.statements ?? [])]) {
        await known(connection.getStatementInfo(sql));
      }
    });
  }

  interrupt(): void {
    this.#statement.interrupt();
    this.#connections.interrupt();
  }

  /** Committed by the database itself in the same round trip, unless it had something against a row. */
  async #execute(
    { connection, wear }: Lease,
    statement: RowStatement,
    rows: unknown[][],
  ): Promise<Omit<RowsWritten, 'errors'> & { readonly refused: readonly RefusedRow[] }> {
    const call = writeRows(connection, statement, rows, this.#onDuplicate);
    const { errors, ...written } = await sent(call.catch((error: unknown) => nameColumn(error, statement)));
    // Duplicates that are ignored are batch errors to the driver, too.
    if (!written.isCommitted) wear();
    return { ...written, refused: this.#refusals.judge(errors, rows.length) };
  }
}

/** Throws the error again, with the column at whose place of the statement the database found it. */
function nameColumn(thrown: unknown, statement: RowStatement): never {
  const error = coerceError(thrown);
  const offset = 'offset' in error && typeof error.offset === 'number' ? error.offset : 0;
  const column = statement.columnAt(offset);
  if (column !== undefined) error.message = error.message.replace(/^.*/, `$& (column ${column})`);
  throw error;
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
