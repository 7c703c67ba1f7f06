import type { Place } from './place.ts';
import type { RefusedRow } from './refused-row.ts';
import type { TagValues } from './tag-values.ts';

/** From where to where a write moves the ledger. */
export interface LedgerMove {
  readonly from: Place;
  readonly to: Place;
}

/** What a write came to. */
export interface Written {
  /**
   * The place that the ledger has now: `move.to`, or that of the last row that was taken (`move.from` when none was):
   * the ledger is never at the place of a row that is not there. Undefined without a move, and where no ledger is kept,
   * as the move is ignored then.
   */
  readonly reached: Place | undefined;
  /** How many of the rows that were not refused the table had already, so that nothing was written for them. */
  readonly alreadyThere: number;
}

/**
 * The database as one stream sees it, of live data or of a replay: the configured table, and the stream's row of the
 * ledger, which says how far the stream has been written. Every method throws DatabaseError.
 */
export interface LedgerSession {
  /** The place in the ledger; a missing row is made, at ORIGIN. Undefined where no ledger is kept. */
  readPlace(): Promise<Place | undefined>;
  /**
   * Writes the values (at least one, ascending in their places) and moves the ledger, in one transaction. When single
   * rows are refused, `beforeCommit` is called with them, and the others are committed once it resolves; nothing is
   * committed when it throws, and its error comes out unchanged.
   *
   * Code LEDGER_MOVED: the ledger was not at `move.from`, and nothing was written; with `outcomeUnknown` all may have
   * been committed.
   */
  write(
    values: TagValues,
    move: LedgerMove | undefined,
    beforeCommit: (refused: readonly RefusedRow[]) => Promise<void>,
  ): Promise<Written>;
  /** The stream has come to its end: its row of the ledger goes. */
  forget(): Promise<void>;
  /** Has the database check everything that a write needs, without writing. */
  probe(): Promise<void>;
  /** Calls under way fail at once, as with a lost connection: what was sent has an unknown outcome. */
  interrupt(): void;
}
