import { DatabaseError } from '../core/errors.ts';
import type { RefusedRow } from '../core/refused-row.ts';
import { classOf } from './ora-codes.ts';
import { readRowError, toDatabaseError, type RowError } from './ora-errors.ts';

/** As the driver gives them: `offset` counts rows from 0. */
export interface BatchError {
  readonly message: string;
  readonly offset?: number | undefined;
}

/*
 * Whose fault it is that rows of a batch are refused. A row that is rejected waits for a person, so only what is the
 * row's own fault may be; what is the database's is backed up, and replayed by itself.
 *
 * | the errors of the batch                                           | are            |
 * | ----------------------------------------------------------------- | -------------- |
 * | one of them is what the whole database suffers from (a full disk) | the database's |
 * | nothing of WHOLE_ROWS rows or more in a row was taken             | the database's |
 * | a code that is in no list, on many of the batch, or on all        | the database's |
 * | anything else                                                     | the rows' own  |
 *
 * Rows that are refused as the database's, time and again while others are taken, are the rows' own in the end: the
 * replay of their file finds that out (backup/replay/patience.ts).
 */

/** So many refused in a row, over batches too, and none taken: no single row explains that. */
const WHOLE_ROWS = 10;
/** A code that is in no list may be the row's own where at least so many times as many rows were taken. */
const TAKEN_FOR_EACH_UNLISTED = 9;

export type MissingPartition = 'hold' | 'reject';

/** Judges the errors of one stream's batches, in their order. */
export class Refusals {
  readonly #holds: boolean;
  readonly #blamesRows: () => boolean;
  /** Rows refused since one was taken. */
  #inARow = 0;

  /** `blamesRows`: what may be the rows' own fault is, however many there are. */
  constructor(onMissingPartition: MissingPartition, blamesRows: () => boolean = () => false) {
    this.#holds = onMissingPartition === 'hold';
    this.#blamesRows = blamesRows;
  }

  /**
   * The rows to be set apart, of a batch of so many rows, most often none. Throws DatabaseError when the database is to
   * blame: then nothing may be set apart.
   */
  judge(errors: readonly BatchError[], rowCount: number): RefusedRow[] {
    const taken = rowCount - errors.length;
    this.#inARow = taken > 0 ? 0 : this.#inARow + errors.length;
    if (errors.length === 0) return [];
    const read = errors.map(({ message }) => readRowError(message));
    const blamed = this.#isDatabases(read, taken);
    if (blamed !== undefined) throw this.#errorOf(errors[blamed]!.message, read[blamed]!);
    return read.map(({ fault, reason }, i) => {
      const index = errors[i]!.offset ?? 0;
      return fault === 'held' && this.#holds ? { index, reason, isHeld: true } : { index, reason };
    });
  }

  /** Which of the errors shows that it is the database; undefined: none. */
  #isDatabases(errors: readonly RowError[], taken: number): number | undefined {
    const whole = errors.findIndex(({ fault }) => fault === 'database');
    if (whole !== -1) return whole;
    if (this.#blamesRows()) return undefined;
    if (this.#inARow >= WHOLE_ROWS) return 0;
    const unlisted = errors.filter(({ fault }) => fault === 'unlisted').length;
    if (unlisted === 0 || (taken > 0 && taken >= TAKEN_FOR_EACH_UNLISTED * (unlisted - 1))) return undefined;
    return errors.findIndex(({ fault }) => fault === 'unlisted');
  }

  #errorOf(message: string, { fault, reason }: RowError): DatabaseError {
    if (fault === 'database') return toDatabaseError(new Error(message), false);
    const remedy = classOf(reason.code)?.remedy;
    return new DatabaseError('refused', reason.code, reason.message, {
      isHeld: fault === 'held' && this.#holds,
      ...(remedy === undefined ? {} : { remedy }),
    });
  }
}
