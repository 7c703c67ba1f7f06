import { DatabaseError, InternalError, LEDGER_MOVED } from '../core/errors.ts';
import type { LedgerMove, LedgerSession } from '../core/ledger-session.ts';
import type { Logger } from '../core/logger.ts';
import { comparePlaces, earlierPlace, laterPlace, ORIGIN, type Place } from '../core/place.ts';
import { countThrough, placeOf, type TagValues } from '../core/tag-values.ts';

export interface LedgerCursorOptions {
  readonly session: Pick<LedgerSession, 'readPlace'>;
  /** Where an earlier run knew the ledger to be. */
  readonly lastKnown: Place;
  /** Up to here all was settled before this start: by the checkpoint or by a backup. */
  readonly resumeAfter: Place;
  /** Up to here values may have been written before this start. */
  readonly recoveredThrough: Place;
  /** Values that an earlier run wrote are counted when they are found: the run's counters may not know of them. */
  readonly countsEarlierRuns: boolean;
  /**
   * Values may be given again after they came to their end, as those of a file that is read anew; then they are left
   * out.
   */
  readonly mayComeAgain: boolean;
  /** The ledger is at this place. Nothing is written before this resolves; what it throws comes out of `ensure`. */
  readonly onRead: (place: Place) => Promise<void>;
  /** The ledger knows of values that this bridge has lost. */
  readonly onAhead: (place: Place) => void;
  readonly log: Logger;
}

/**
 * What is known of the ledger's place, and thereby which values of the stream Oracle has already.
 *
 * `known` is the place that the last commit set, or that was read; undefined at the start and after every unknown
 * outcome: then it is read before anything is written. Only values up to `maybeWrittenThrough`, which this bridge has
 * once sent, can be in Oracle because of an unknown outcome; so a place that another writer has moved never makes a
 * value look written. Where values may come again, what this process has written stays known, even when somebody sets
 * the ledger back; elsewhere a value at or before an own commit is a fault of the program.
 */
export class LedgerCursor {
  readonly #options: LedgerCursorOptions;
  #known: Place | undefined;
  /** `known` was set by a commit of ours, and not read. */
  #isOwn = false;
  #lastKnown: Place;
  #maybeWrittenThrough: Place;
  #writtenThrough = ORIGIN;
  #countedThrough = ORIGIN;
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
   * Reads the place where it is not known; overlapping calls read it once. Throws DatabaseError, and what `onRead`
   * throws.
   */
  async ensure(): Promise<void> {
    if (this.isCertain) return;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
  }

  async #read(): Promise<void> {
    // A missing row says that nothing was written, whatever a backup or the checkpoint has settled since.
    const place = await this.#options.session.readPlace();
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
    // The place as it is: what a file says of rows that the journal has lost depends on whether the place is among or
    // behind them.
    await this.#options.onRead(place);
    this.#writtenThrough = laterPlace(this.#writtenThrough, earlierPlace(place, this.#maybeWrittenThrough));
    if (!this.#hasRead && !this.#options.countsEarlierRuns) this.#countedThrough = this.#writtenThrough;
    this.#hasRead = true;
    this.#know(place, false);
  }

  /** How many values at the beginning of the list are in Oracle already, and how many of these were counted before. */
  countWritten(values: TagValues): { readonly written: number; readonly counted: number } {
    const written = countThrough(values, this.#writtenThrough);
    return { written, counted: written === 0 ? 0 : countThrough(values, this.#countedThrough) };
  }

  /** The values up to this place are counted as written. */
  counted(through: Place): void {
    this.#countedThrough = laterPlace(this.#countedThrough, through);
  }

  /** Whether Oracle may have values of the list although it did not say so. */
  isInDoubt(values: TagValues): boolean {
    return !this.isCertain && comparePlaces(placeOf(values, 0), this.#maybeWrittenThrough) <= 0;
  }

  /**
   * The move that belongs to a write of these values; undefined where no ledger is kept. Throws InternalError when it
   * would take the ledger back behind a commit of ours, as only a restore may do that.
   */
  moveFor(values: TagValues): LedgerMove | undefined {
    const from = this.#known;
    if (from === undefined) return undefined;
    if (this.#isOwn && comparePlaces(placeOf(values, 0), from) <= 0) {
      throw new InternalError('the first value to be written does not lie behind the ledger', {
        first: placeOf(values, 0),
        ledger: from,
      });
    }
    return { from, to: placeOf(values, values.length - 1) };
  }

  /** A write of values up to `to` is committed, and the ledger is at `reached`; undefined where no ledger is kept. */
  committed(to: Place, reached: Place | undefined): void {
    if (this.#options.mayComeAgain) this.#writtenThrough = laterPlace(this.#writtenThrough, to);
    this.counted(to);
    if (reached !== undefined) this.#know(reached, true);
  }

  /** A write of values up to `to` failed. */
  failed(error: DatabaseError, to: Place): void {
    if (error.outcomeUnknown) this.#maybeWrittenThrough = laterPlace(this.#maybeWrittenThrough, to);
    if (error.outcomeUnknown || error.code === LEDGER_MOVED) this.#known = undefined;
  }

  #know(place: Place, isOwn: boolean): void {
    this.#known = place;
    this.#isOwn = isOwn;
    this.#lastKnown = place;
  }

  /** The rows may be gone too, or may now be written twice: only a person can tell. */
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
   * Someone else moves our row: a gateway that was copied with its journal. What it wrote is not what we hold, so
   * nothing may be skipped, and going on would make one of the two lose its place: our batches go to the backup until
   * the place stays where it is.
   */
  #refuse(place: Place): never {
    this.#lastKnown = place;
    throw new DatabaseError(
      'configuration',
      'LEDGER_SHARED',
      `another bridge has moved the ledger to message ${place.messageNo}`,
      {
        remedy:
          'Two bridges write with one bridge.id and copies of one journal: stop one of them, and keep its journal.dir and ' +
          'backup.dir, where values may be that Oracle does not have (docs/troubleshooting.md).',
      },
    );
  }
}
