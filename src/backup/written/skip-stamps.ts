import { join } from 'node:path';

import { ifThere, removeIfThere, TEMPORARY_SUFFIX } from '../../core/durable-file.ts';
import type { FileSystem } from '../../core/filesystem.ts';
import type { Logger } from '../../core/logger.ts';
import { OneAtATime } from '../../core/one-at-a-time.ts';
import { comparePlaces, type Place } from '../../core/place.ts';
import type { Reserve } from '../../core/reserve.ts';
import { SKIP_SUFFIX } from '../files/file-name.ts';
import { firstPlace, placeRange, widened, type PlaceRange } from './place-range.ts';
import { readSidecar, writeSidecar } from '../files/sidecar.ts';

/** Rows of this journal at or before the place are in Oracle already. */
export interface SkipStamp extends Place {
  readonly journal: string;
}

export interface SkipStampsOptions {
  readonly dir: string;
  readonly reserve: Reserve;
  readonly fileSystem: FileSystem;
  readonly log: Logger;
}

const NONE: readonly string[] = [];
const TO_COME = { toCome: true };

/**
 * Which backups may hold rows that Oracle took although it never said so, and, in `<file>.csv.skip`, up to where.
 *
 * A file is uncertain from its first row until a commit is certain: a commit that hung when the rows were backed up can't come any more then.
 * A ledger place is stamped on a file only when it lies among the file's own places. Behind them it was reached by values that came later,
 * and says nothing of rows that were never sent. Within them all rows up to it were sent: a file begins with the batch that
 * failed or with what followed it, and gets no more rows once Oracle takes batches again.
 *
 * Files that were begun while nobody knew where the ledger is, at a start or after an unknown outcome, are another thing: what could be sent
 * without knowing it was sent before, so a place behind them says that their rows were sent (a crash may have torn the rest of the batch off).
 * They are told apart by having no stamp, or one that is to come: each uncertain file gets one, of whatever place, when the ledger is read, and a file
 * that is begun while the place is known gets one with its first rows. So nothing was sent since a file without a stamp was begun; one
 * that the disk refuses is owed, and nothing must be sent before it is written.
 */
export class SkipStamps {
  readonly #options: SkipStampsOptions;
  /** Undefined range: of an earlier run, and not read yet. */
  readonly #uncertain = new Map<string, PlaceRange | undefined>();
  /** Files that have a stamp for certain. */
  readonly #stamped = new Set<string>();
  /** Files that should have one, each with its journal. */
  readonly #owed = new Map<string, string>();
  /** A stamp may have its name although the disk refused to keep that: seeing it says nothing then. */
  #hasDoubtfulNames = false;
  /** The ledger's place as last read; undefined: the ledger may be elsewhere by now. */
  #lastRead: Place | undefined;
  readonly #turns = new OneAtATime();

  constructor(options: SkipStampsOptions) {
    this.#options = options;
  }

  /** A file that an earlier run left. */
  found(file: string): void {
    this.#uncertain.set(file, undefined);
  }

  /**
   * The file is about to be made: its stamp comes first, since rows that are durable without it would count as not backed up. Where the place
   * is not known it says so, and keeps the room that the stamp will need, perhaps on a full disk.
   */
  begins(file: string, journal: string): Promise<void> {
    const place = this.#lastRead;
    return this.#turns.run(async () => {
      try {
        await (place === undefined ? this.#replace(file, TO_COME) : this.#write(file, journal, place));
      } catch (error) {
        await this.#remove(file);
        throw error;
      }
    });
  }

  /** Rows are durable in the file, which gets its stamp if the ledger was read since it was begun. What the disk refuses is owed. */
  async grew(file: string, journal: string, first: Place, last: Place): Promise<void> {
    this.#uncertain.set(file, widened(widened(this.#uncertain.get(file), first), last));
    // In turn with a stamping that is under way, which does not know of this file.
    await this.#turns.run(async () => {
      if (this.#lastRead !== undefined && !this.#stamped.has(file)) this.#owed.set(file, journal);
    });
    await this.payOwed().catch(() => {}); // whoever wants to write next has to pay, and meets the error
  }

  /** Writes what is owed. Throws the system error of the disk. */
  async payOwed(): Promise<void> {
    if (this.#owed.size > 0) await this.#turns.run(() => this.#pay());
  }

  /** What the file's stamp says once nothing is owed to it. As `read`; throws an Error, too, when the ledger's place is not known. */
  async readPaid(file: string): Promise<SkipStamp | undefined> {
    await this.#turns.run(() => this.#pay());
    if (this.#owed.has(file)) throw new Error(`${file}: what of it is in Oracle is known once the ledger is read`);
    return this.read(file);
  }

  /** The outcome of a write is unknown: the ledger may have moved since it was read. */
  ledgerLost(): void {
    this.#lastRead = undefined;
  }

  gone(file: string): void {
    this.#uncertain.delete(file);
    this.#stamped.delete(file);
    this.#owed.delete(file);
  }

  /** The files that were uncertain until now; nothing is made when there were none. */
  outcomeCertain(): readonly string[] {
    if (this.#uncertain.size === 0) return NONE;
    const files = this.files();
    this.#uncertain.clear();
    return files;
  }

  files(): string[] {
    return [...this.#uncertain.keys()];
  }

  /** Durable when it resolves. Throws the system error of the disk. */
  stamp(files: readonly string[], journal: string, place: Place): Promise<void> {
    return this.#turns.run(async () => {
      await this.#keepNames();
      const around = new Set(await this.#around(files, journal, place));
      for (const file of files) {
        if (!around.has(file) && this.#stamped.has(file)) continue;
        const known = await this.read(file);
        if (known !== undefined) {
          this.#stamped.add(file);
          this.#owed.delete(file);
        }
        if (known !== undefined && !around.has(file)) continue;
        if (known?.journal === journal && comparePlaces(known, place) >= 0) continue;
        await this.#write(file, journal, place);
        const level = around.has(file) ? 'info' : 'debug';
        this.#options.log[level]('backup stamped: rows up to the place are in oracle', { file, place });
      }
      this.#lastRead = place;
    });
  }

  async #pay(): Promise<void> {
    for (const [file, journal] of this.#owed) {
      if (this.#lastRead !== undefined) await this.#write(file, journal, this.#lastRead);
    }
  }

  async #keepNames(): Promise<void> {
    if (!this.#hasDoubtfulNames) return;
    await this.#options.fileSystem.syncDirectory(this.#options.dir);
    this.#hasDoubtfulNames = false;
  }

  async #write(file: string, journal: string, { messageNo, valueNo }: Place): Promise<void> {
    const stamp: SkipStamp = { journal, messageNo, valueNo };
    await this.#replace(file, stamp);
    this.#stamped.add(file);
    this.#owed.delete(file);
  }

  /** As far as the disk lets it: what stays goes with the next start. */
  async #remove(file: string): Promise<void> {
    const { fileSystem } = this.#options;
    for (const path of [this.#path(file), this.#path(file) + TEMPORARY_SUFFIX]) {
      await removeIfThere(fileSystem, path).catch(() => {});
    }
  }

  async #replace(file: string, content: object): Promise<void> {
    this.#hasDoubtfulNames = true;
    await writeSidecar(this.#options.fileSystem, this.#path(file), content, this.#options.reserve);
    this.#hasDoubtfulNames = false; // it syncs all names of the directory
  }

  /** Undefined when the file has none yet. Throws the system error, and an Error for a stamp that can't be read. */
  async read(file: string): Promise<SkipStamp | undefined> {
    const content = await readSidecar(this.#options.fileSystem, this.#path(file));
    if (content === undefined) return undefined;
    const { journal, messageNo, valueNo, toCome } = content as Partial<SkipStamp & typeof TO_COME>;
    if (toCome === true) return undefined;
    if (typeof journal === 'string' && typeof messageNo === 'number' && typeof valueNo === 'number') {
      return { journal, messageNo, valueNo };
    }
    throw new Error(`${file}${SKIP_SUFFIX} does not say up to which place rows are in Oracle`);
  }

  /** The files whose places lie around this one. Files follow each other, so of those not read yet only the last before it can. */
  async #around(files: readonly string[], journal: string, place: Place): Promise<string[]> {
    const { dir, fileSystem } = this.#options;
    const around: string[] = [];
    let nearest: { readonly file: string; readonly first: Place } | undefined;
    for (const file of files) {
      const range = this.#uncertain.get(file);
      if (range !== undefined) {
        if (contains(range, place)) around.push(file);
        continue;
      }
      const first = await ifThere(firstPlace(fileSystem, join(dir, file), journal));
      if (first === undefined || comparePlaces(first, place) > 0) continue;
      if (nearest === undefined || comparePlaces(first, nearest.first) > 0) nearest = { file, first };
    }
    if (nearest === undefined) return around;
    const range = await ifThere(placeRange(fileSystem, join(dir, nearest.file), journal));
    if (range !== undefined && contains(range, place)) around.push(nearest.file);
    return around;
  }

  #path(file: string): string {
    return join(this.#options.dir, file + SKIP_SUFFIX);
  }
}

function contains({ first, last }: PlaceRange, place: Place): boolean {
  return comparePlaces(first, place) <= 0 && comparePlaces(place, last) <= 0;
}
