import { DEFAULT_DESTINATION } from '../../core/destination.ts';
import type { Logger } from '../../core/logger.ts';
import { OneAtATime } from '../../core/one-at-a-time.ts';
import { comparePlaces, type Place } from '../../core/place.ts';
import type { BackupFolder } from '../files/folder.ts';
import { extendRange, filesAround, type KnownRange } from './place-range.ts';
import { ForeignStampError, StampFiles, type SkipStamp } from './stamp-files.ts';

export interface SkipStampsOptions {
  readonly folder: BackupFolder;
  /** Whom the rows are for; absent: the default. */
  readonly destination?: string;
  /** Id of the journal that numbers the values. */
  readonly journalId: () => string;
  readonly log: Logger;
}

type StampState = 'unread' | 'to come' | 'owed' | 'stamped';
type StampEvent =
  'found' | 'begun without place' | 'begun at place' | 'grew without place' | 'grew at place' | 'written';

interface FileRecord {
  readonly state: StampState;
  /**
   * The places of the rows in doubt, which Oracle may take, or have taken, without having said so; undefined: none are.
   */
  readonly inDoubt: KnownRange | undefined;
}

/** The table at SkipStamps, as far as it is of states. What is missing cannot be. */
const NEXT: Readonly<Record<StampEvent, Readonly<Partial<Record<StampState | 'none', StampState>>>>> = {
  found: { none: 'unread' },
  'begun without place': { none: 'to come', 'to come': 'to come', stamped: 'to come' },
  'begun at place': { none: 'stamped', 'to come': 'stamped', stamped: 'stamped' },
  'grew without place': { none: 'to come', unread: 'unread', 'to come': 'to come', owed: 'owed', stamped: 'stamped' },
  'grew at place': { none: 'owed', 'to come': 'owed', owed: 'owed', stamped: 'stamped' },
  written: { unread: 'stamped', 'to come': 'stamped', owed: 'stamped', stamped: 'stamped' },
};

/**
 * Which backups hold rows that Oracle has although it never said so, and, by a stamp in `<file>.csv.skip`, up to where.
 *
 * There is one record for each file, in one of four states. "Place" is the ledger's, as last read; it is unknown at the
 * start, and after a write of which nobody knows the outcome.
 *
 *     state     on disk
 *     unread    what an earlier run left: nothing, "to come" (which says nothing), or a stamp
 *     to come   "to come": the file was begun while the place was unknown
 *     owed      "to come", or a stamp that may not be durable: the place is known, and the disk has not taken it yet
 *     stamped   a stamp, durable
 *
 *     event                  none     unread   to come  owed     stamped  on disk, and in memory beside the state
 *     found at the start     unread   -        -        -        -        all its rows are in doubt
 *     begins, place unknown  to come  -        to come  -        to come  first of all "to come" is written
 *     begins, place known    stamped  -        stamped  -        stamped  first of all a stamp at the place is written
 *     grew, place unknown    to come  unread   to come  owed     stamped  the new rows are in doubt
 *     grew, place known      owed     -        owed     owed     stamped  the new rows are in doubt; then flush
 *     flush, place known                                stamped           owed: a stamp at the place
 *     ledger read: the place is known, and is for each file with rows in doubt
 *       among these rows     -        stamped  stamped  stamped  stamped  the stamp, raised to the place
 *       elsewhere            -        stamped  stamped  stamped  stamped  the stamp that is there, else at the place
 *     outcome unknown                                                     the place is unknown
 *     outcome certain                                                     no rows are in doubt
 *     gone                   none     none     none     none     none
 *
 * Blank: the state stays; "-": cannot be. Where the disk refuses, the state stays too (a file that begins has none, and
 * is not made), and whoever wants to send a batch meets the error first: nothing is sent while a stamp is owed.
 *
 * 1. A place among a file's rows was reached by these rows, and all of them up to the place were written: a file begins
 *    with the batch that failed or with what followed it, and gets no more rows once Oracle takes batches again.
 * 2. A place elsewhere says nothing of a file that has a stamp: other values reached it, and the rows may never have
 *    been sent.
 * 3. Since a file without a stamp was begun nothing has been sent, so what of its rows was sent had been sent before:
 *    a place behind them says that they were written (a crash may have torn off the rest of their batch).
 */
export class SkipStamps {
  readonly #options: SkipStampsOptions;
  readonly #disk: StampFiles;
  readonly #files = new Map<string, FileRecord>();
  /** The ledger's place as last read; undefined: the ledger may be elsewhere by now. */
  #place: Place | undefined;
  readonly #turns = new OneAtATime();

  constructor(options: SkipStampsOptions) {
    this.#options = options;
    this.#disk = new StampFiles(options.folder, options.destination ?? DEFAULT_DESTINATION);
  }

  /** An earlier run left the file. */
  found(file: string): void {
    this.#enter(file, 'found', 'unread');
  }

  /**
   * The file is about to be made: its stamp comes first, since rows that are durable without it would count as not
   * backed up. Throws the system error of the disk; then the file must not be made.
   */
  begins(file: string): Promise<void> {
    const place = this.#place;
    return this.#turns.run(async () => {
      try {
        await (place === undefined ? this.#disk.announce(file) : this.#disk.write(file, this.#stampAt(place)));
      } catch (error) {
        await this.#disk.remove(file);
        throw error;
      }
      this.#enter(file, place === undefined ? 'begun without place' : 'begun at place');
    });
  }

  /** The rows from `first` to `last` are durable in the file. A stamp that the disk refuses is owed, not thrown. */
  async grew(file: string, first: Place, last: Place): Promise<void> {
    const before = this.#files.get(file)?.inDoubt;
    const range = extendRange(extendRange(before === 'unread' ? undefined : before, first), last);
    this.#enter(file, 'grew without place', range);
    // In its turn: the ledger's place may just be read, for files of which this was none.
    await this.#turns.run(async () => {
      if (this.#place !== undefined && this.#files.has(file)) this.#enter(file, 'grew at place');
    });
    await this.flush().catch(() => {}); // whoever wants to send a batch flushes again, and meets the error
  }

  /** Writes the stamps that are owed, as far as the place is known. Throws the system error of the disk. */
  async flush(): Promise<void> {
    if (this.#owing().length > 0) await this.#turns.run(() => this.#flush());
  }

  /**
   * The ledger was read and is at this place. Resolves when all stamps that follow from it are durable. Throws the
   * system error of the disk.
   */
  ledgerRead(place: Place): Promise<void> {
    return this.#turns.run(async () => {
      const { folder, journalId, log } = this.#options;
      const inDoubt = this.#inDoubt();
      const around = await filesAround(folder, inDoubt, journalId(), place);
      for (const file of inDoubt.keys()) {
        const isAmong = around.has(file);
        if (!isAmong && this.#files.get(file)?.state === 'stamped') continue;
        if (!(await this.#raise(file, place, isAmong))) continue;
        log[isAmong ? 'info' : 'debug']('backup stamped: rows up to the place are in oracle', { file, place });
      }
      this.#place = place;
    });
  }

  /** Nobody knows whether a batch was written: the ledger may have moved since it was read. */
  outcomeUnknown(): void {
    this.#place = undefined;
  }

  /**
   * A commit is certain: one that hung when rows were backed up can't come any more. Gives the files whose rows were in
   * doubt until now.
   */
  outcomeCertain(): readonly string[] {
    const files: string[] = [];
    for (const [file, { state, inDoubt }] of this.#files) {
      if (inDoubt === undefined) continue;
      this.#files.set(file, { state, inDoubt: undefined });
      files.push(file);
    }
    return files;
  }

  /** The file was taken away, or was never made. */
  gone(file: string): void {
    this.#files.delete(file);
  }

  /**
   * The file's stamp; undefined when it has none. Throws the system error of the disk, ForeignStampError, and an Error
   * for a stamp that can't be read, or that is owed while the ledger's place is not known.
   */
  async read(file: string): Promise<SkipStamp | undefined> {
    await this.flush();
    if (this.#files.get(file)?.state === 'owed') {
      throw new Error(`${file}: what of it is in Oracle is known once the ledger is read`);
    }
    return this.#turns.run(() => this.#disk.read(file));
  }

  /** The one place where states change; the rows in doubt stay as they were unless they are given. */
  #enter(file: string, event: StampEvent, inDoubt = this.#files.get(file)?.inDoubt): void {
    const state = this.#files.get(file)?.state ?? 'none';
    const next = NEXT[event][state];
    if (next === undefined) throw new Error(`internal error: stamp of ${file}: ${event} in state ${state}`);
    this.#files.set(file, { state: next, inDoubt });
  }

  async #flush(): Promise<void> {
    for (const file of this.#owing()) if (this.#place !== undefined) await this.#write(file, this.#place);
  }

  /** True when the disk had to be given a stamp. */
  async #raise(file: string, place: Place, isAmong: boolean): Promise<boolean> {
    const present = await this.#presentOf(file);
    if (present === 'another destination’s') {
      this.#written(file);
      return false;
    }
    if (present !== undefined) {
      this.#written(file);
      if (!isAmong) return false;
      if (present.journal === this.#options.journalId() && comparePlaces(present, place) >= 0) return false;
    }
    await this.#write(file, place);
    return true;
  }

  async #presentOf(file: string): Promise<SkipStamp | 'another destination’s' | undefined> {
    try {
      return await this.#disk.read(file);
    } catch (error) {
      if (error instanceof ForeignStampError) return 'another destination’s';
      throw error;
    }
  }

  async #write(file: string, place: Place): Promise<void> {
    await this.#disk.write(file, this.#stampAt(place));
    this.#written(file);
  }

  #written(file: string): void {
    if (this.#files.has(file)) this.#enter(file, 'written'); // it may have gone meanwhile
  }

  #stampAt(place: Place): SkipStamp {
    return { journal: this.#options.journalId(), ...place };
  }

  #owing(): string[] {
    return [...this.#files].flatMap(([file, { state }]) => (state === 'owed' ? [file] : []));
  }

  #inDoubt(): Map<string, KnownRange> {
    const ranges = new Map<string, KnownRange>();
    for (const [file, { inDoubt }] of this.#files) if (inDoubt !== undefined) ranges.set(file, inDoubt);
    return ranges;
  }
}
