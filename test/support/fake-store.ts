import { DatabaseError, LEDGER_MOVED, type Reason } from '../../src/core/errors.ts';
import type { LedgerMove, Written } from '../../src/core/ledger-session.ts';
import { comparePlaces, ORIGIN, type Place } from '../../src/core/place.ts';
import type { RefusedRow } from '../../src/core/refused-row.ts';
import { placeOf, type TagValues } from '../../src/core/tag-values.ts';

/**
 * What becomes of a transaction whose commit is not answered; a late one is still open, and holds the ledger's row
 * until it ends.
 */
export type LostAnswer = 'committed' | 'rolled back' | 'commits late' | 'rolls back late';

export interface FakeStoreOptions<Row> {
  /** What is kept of value `index` of a list. */
  readonly rowOf: (values: TagValues, index: number) => Row;
  /** Why the table refuses the row; undefined when it takes it. */
  readonly refusalOf: (row: Row) => Reason | undefined;
  /** The table has the row by its key, and leaves it as it is; absent: it has none. */
  readonly isThere?: (row: Row) => boolean;
  /** The row spoils the whole batch. */
  readonly spoilsBatch: (row: Row) => boolean;
}

/** A connection that was lost in mid-commit. */
export function unknownOutcome(): DatabaseError {
  return new DatabaseError('connection', 'NJS-500', 'connection lost', { outcomeUnknown: true });
}

/**
 * A table and a ledger in memory, as the contract of `LedgerSession` wants them; `test/contract` holds them to it. The
 * fakes of the writer and of the replay stand before it, each with the faults that its tests ask for.
 */
export class FakeStore<Row> {
  /** Committed rows. */
  readonly rows: Row[] = [];
  readonly ledger = new Map<string, Place>();
  keepsLedger = true;
  /** Asked of the next write that comes to its commit. */
  losesAnswer: LostAnswer | undefined;
  readonly #options: FakeStoreOptions<Row>;
  /** By stream: ends the session that has outlived its connection and holds the stream's row of the ledger. */
  readonly #late = new Map<string, () => void>();

  constructor(options: FakeStoreOptions<Row>) {
    this.#options = options;
  }

  readPlace(stream: string): Place | undefined {
    this.#waitForLock(stream);
    if (!this.keepsLedger) return undefined;
    const place = this.ledger.get(stream) ?? ORIGIN;
    this.ledger.set(stream, place);
    return place;
  }

  async write(
    stream: string,
    values: TagValues,
    move: LedgerMove | undefined,
    beforeCommit: (refused: readonly RefusedRow[]) => Promise<void>,
  ): Promise<Written> {
    const moved = this.keepsLedger ? move : undefined;
    if (moved !== undefined) this.#compare(stream, moved.from);
    const rows = Array.from({ length: values.length }, (_, index) => this.#options.rowOf(values, index));
    if (rows.some(this.#options.spoilsBatch)) throw new DatabaseError('mistake', 'NJS-011', 'made to fail: bind');
    const refused = rows.flatMap((row, index): RefusedRow[] => {
      const reason = this.#options.refusalOf(row);
      return reason === undefined ? [] : [{ index, reason }];
    });
    if (refused.length > 0) await beforeCommit(refused);
    const taken = withoutIndexes(rows, refused);
    const added = taken.filter((row) => this.#options.isThere?.(row) !== true);
    const reached = moved === undefined ? undefined : placeReached(values, moved, refused);
    this.#end(stream, () => {
      this.rows.push(...added);
      if (reached !== undefined) this.ledger.set(stream, reached);
    });
    return { reached, alreadyThere: taken.length - added.length };
  }

  forget(stream: string): void {
    this.#waitForLock(stream);
    this.ledger.delete(stream);
  }

  /** The compare-and-set. */
  #compare(stream: string, from: Place): void {
    this.#waitForLock(stream);
    const place = this.ledger.get(stream);
    if (place === undefined || comparePlaces(place, from) !== 0) {
      throw new DatabaseError('passing', LEDGER_MOVED, 'made to fail: the ledger is not where it was left');
    }
  }

  #end(stream: string, commit: () => void): void {
    const lost = this.losesAnswer;
    this.losesAnswer = undefined;
    if (lost === undefined || lost === 'committed') commit();
    else if (lost !== 'rolled back') this.#late.set(stream, lost === 'commits late' ? commit : () => {});
    if (lost !== undefined) throw unknownOutcome();
  }

  /** Whoever wants the row of the ledger waits until the session that holds it has ended. */
  #waitForLock(stream: string): void {
    this.#late.get(stream)?.();
    this.#late.delete(stream);
  }
}

function withoutIndexes<Row>(rows: readonly Row[], refused: readonly RefusedRow[]): Row[] {
  const indexes = new Set(refused.map(({ index }) => index));
  return rows.filter((_, index) => !indexes.has(index));
}

/** The ledger is never at the place of a row that is not there. */
function placeReached(values: TagValues, { from, to }: LedgerMove, refused: readonly RefusedRow[]): Place {
  if (refused.length === 0) return to;
  const indexes = new Set(refused.map(({ index }) => index));
  for (let i = values.length - 1; i >= 0; i -= 1) if (!indexes.has(i)) return placeOf(values, i);
  return from;
}
