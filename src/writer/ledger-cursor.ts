import { DatabaseError, LEDGER_MOVED } from '../core/errors.ts';
import type { LedgerMove, LedgerSession } from '../core/ledger-session.ts';
import type { Logger } from '../core/logger.ts';
import { comparePlaces, laterPlace, ORIGIN, type Place } from '../core/place.ts';
import { countThrough, placeOf, type TagValues } from '../core/tag-values.ts';

export interface LedgerCursorOptions {
  /** Where an earlier run knew the ledger to be. */
  readonly lastKnown: Place;
  /** Up to here all was settled before this start: by the checkpoint or by a backup. */
  readonly resumeAfter: Place;
  /** Up to here values were in the journal at this start, and may have been written before it. */
  readonly recoveredThrough: Place;
  /** Rows at or before the place in the backups of this outage are in Oracle already: durable when it resolves. */
  readonly stampSkip: (place: Place) => Promise<void>;
  /** The ledger knows of messages that the journal has lost: later ones must get greater numbers. */
  readonly onAhead: (place: Place) => void;
  readonly log: Logger;
}

/**
 * What is known of the ledger's place, and thereby which values Oracle has already.
 *
 * `known` is the place that the last commit set, or that was read; undefined at the start and after every unknown outcome: then it is read
 * before anything is written. Only values up to `maybeWrittenThrough`, which this bridge has once sent, can be in Oracle because of an
 * unknown outcome; so a place that another writer has moved never makes a value look written.
 */
export class LedgerCursor {
  readonly #options: LedgerCursorOptions;
  #known: Place | undefined;
  #lastKnown: Place;
  #maybeWrittenThrough: Place;
  #writtenThrough = ORIGIN;
  #isKept = true;
  #hasRead = false;
  #reading: Promise<void> | undefined;

  constructor(options: LedgerCursorOptions) {
    this.#options = options;
    this.#lastKnown = options.lastKnown;
    this.#maybeWrittenThrough = options.recoveredThrough;
  }

  /** As last read or set, by this run or an earlier one. */
  get lastKnown(): Place {
    return this.#lastKnown;
  }

  get isCertain(): boolean {
    return this.#known !== undefined || !this.#isKept;
  }

  /**
   * Reads the place where it is not known; overlapping calls read it once. Throws DatabaseError, or the system error of a disk that does
   * not take the stamp.
   */
  async ensure(ledger: Pick<LedgerSession, 'readPlace'>): Promise<void> {
    if (this.isCertain) return;
    this.#reading ??= this.#read(ledger).finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
  }

  async #read(ledger: Pick<LedgerSession, 'readPlace'>): Promise<void> {
    // A missing row says that nothing was written, whatever a backup or the checkpoint has settled since.
    const place = await ledger.readPlace();
    if (place === undefined) {
      this.#isKept = false;
      return;
    }
    const sent = laterPlace(this.#lastKnown, this.#maybeWrittenThrough);
    if (this.#hasRead && comparePlaces(place, sent) > 0) this.#refuse(place);
    if (!this.#hasRead && comparePlaces(place, laterPlace(sent, this.#options.resumeAfter)) > 0) {
      this.#options.log.warn('ledger is ahead of the journal: has the journal lost files?', { place });
      this.#options.onAhead(place);
    }
    this.#reportBehind(place);
    this.#hasRead = true;
    // As it is: what a file says of rows that the journal has lost depends on whether the place is among them or behind them.
    await this.#options.stampSkip(place);
    this.#writtenThrough = laterPlace(this.#writtenThrough, earlierPlace(place, this.#maybeWrittenThrough));
    this.#known = place;
    this.#lastKnown = place;
  }

  /** How many values at the beginning of the batch are in Oracle already. */
  countWritten(values: TagValues): number {
    return countThrough(values, this.#writtenThrough);
  }

  /** Whether Oracle may have values of the batch although it did not say so. */
  isInDoubt(values: TagValues): boolean {
    return !this.isCertain && comparePlaces(placeOf(values, 0), this.#maybeWrittenThrough) <= 0;
  }

  /** The move that belongs to a write of this batch; undefined where no ledger is kept. */
  moveFor(values: TagValues): LedgerMove | undefined {
    if (this.#known === undefined) return undefined;
    return { from: this.#known, to: placeOf(values, values.length - 1) };
  }

  committed(to: Place): void {
    this.#known = to;
    this.#lastKnown = to;
  }

  /** A write of values up to `to` failed. */
  failed(error: DatabaseError, to: Place): void {
    if (error.outcomeUnknown) this.#maybeWrittenThrough = laterPlace(this.#maybeWrittenThrough, to);
    if (error.outcomeUnknown || error.code === LEDGER_MOVED) this.#known = undefined;
  }

  /** Rows may be gone with the place, or be there twice then; that is for a person to find out. */
  #reportBehind(place: Place): void {
    if (comparePlaces(place, this.#lastKnown) >= 0) return;
    const { log } = this.#options;
    if (comparePlaces(place, ORIGIN) > 0) {
      log.warn('ledger is behind what was committed: was the database restored?', {
        place,
        committed: this.#lastKnown,
      });
    } else {
      log.warn('row of the ledger was deleted: made anew', { committed: this.#lastKnown });
    }
  }

  /**
   * Someone else moves our row: a gateway that was copied with its journal. What it wrote is not what we hold, so nothing may be skipped, and
   * going on would make one of the two lose its place: our batches go to the backup until the place stays where it is.
   */
  #refuse(place: Place): never {
    this.#lastKnown = place;
    throw new DatabaseError(
      'configuration',
      'LEDGER_SHARED',
      `another bridge has moved the ledger to message ${place.messageNo}`,
      {
        remedy: 'Two bridges write with one bridge.id and copies of one journal: stop one, and delete its journal.dir.',
      },
    );
  }
}

function earlierPlace(a: Place, b: Place): Place {
  return comparePlaces(a, b) < 0 ? a : b;
}
