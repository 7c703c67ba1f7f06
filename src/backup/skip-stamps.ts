import { join } from 'node:path';

import { systemErrorCode } from '../core/errors.ts';
import type { FileSystem } from '../core/filesystem.ts';
import type { Logger } from '../core/logger.ts';
import { comparePlaces, type Place } from '../core/place.ts';
import { SKIP_SUFFIX } from './file-name.ts';
import { firstPlace, placeRange, widened, type PlaceRange } from './place-range.ts';
import { readSidecar, writeSidecar } from './sidecar.ts';

/** Rows of this journal at or before the place are in Oracle already. */
export interface SkipStamp extends Place {
  readonly journal: string;
}

export interface SkipStampsOptions {
  readonly dir: string;
  readonly fileSystem: FileSystem;
  readonly log: Logger;
}

const NONE: readonly string[] = [];

/**
 * Which backups may hold rows that Oracle took although it never said so, and, in `<file>.csv.skip`, up to where.
 *
 * A file is uncertain from its first row until a commit is certain: a commit that hung when the rows were backed up can't come any more then.
 * A ledger place is stamped on a file only when it lies among the file's own places. Behind them it was reached by values that came later,
 * and says nothing of rows that were never sent. Within them all rows up to it were sent: a file begins with the batch that
 * failed or with what followed it, and gets no more rows once Oracle takes batches again.
 *
 * Files that were begun at a start before the ledger could be read are another thing: of what an earlier run wrote after its last checkpoint
 * they hold all, and a place behind them says that their rows were sent. They are told apart by having no stamp: each uncertain file
 * gets one, of whatever place, when the ledger is read, and a file that is begun later gets one with its first rows. So nothing was sent
 * since a file without a stamp was begun.
 */
export class SkipStamps {
  readonly #options: SkipStampsOptions;
  /** Undefined range: of an earlier run, and not read yet. */
  readonly #uncertain = new Map<string, PlaceRange | undefined>();
  /** Files that have a stamp for certain. */
  readonly #stamped = new Set<string>();
  /** The ledger's place as last read in this run. */
  #lastRead: Place | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(options: SkipStampsOptions) {
    this.#options = options;
  }

  /** A file that an earlier run left. */
  found(file: string): void {
    this.#uncertain.set(file, undefined);
  }

  /** The file is about to be made: its stamp comes first, since rows that are durable without it would count as not backed up. */
  async begins(file: string, journal: string): Promise<void> {
    const place = this.#lastRead;
    if (place !== undefined) await this.#inTurn(() => this.#write(file, journal, place));
  }

  /** Rows are durable in the file. Throws the system error of the disk when the file can't get its first stamp. */
  async grew(file: string, journal: string, first: Place, last: Place): Promise<void> {
    this.#uncertain.set(file, widened(widened(this.#uncertain.get(file), first), last));
    // In turn with a stamping that is under way, which does not know of this file.
    await this.#inTurn(async () => {
      if (this.#lastRead !== undefined && !this.#stamped.has(file)) await this.#write(file, journal, this.#lastRead);
    });
  }

  gone(file: string): void {
    this.#uncertain.delete(file);
    this.#stamped.delete(file);
  }

  /** The files that were uncertain until now; nothing is made when there were none. */
  markCertain(): readonly string[] {
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
    return this.#inTurn(async () => {
      const around = new Set(await this.#around(files, journal, place));
      for (const file of files) {
        if (!around.has(file) && this.#stamped.has(file)) continue;
        const known = await this.read(file);
        if (known !== undefined) this.#stamped.add(file);
        if (known !== undefined && !around.has(file)) continue;
        if (known?.journal === journal && comparePlaces(known, place) >= 0) continue;
        await this.#write(file, journal, place);
        this.#options.log.info('backup stamped: rows up to the place are in oracle', { file, place });
      }
      this.#lastRead = place;
    });
  }

  async #write(file: string, journal: string, { messageNo, valueNo }: Place): Promise<void> {
    await writeSidecar(this.#options.fileSystem, this.#path(file), { journal, messageNo, valueNo });
    this.#stamped.add(file);
  }

  /** Stamps of one file must not be written at the same time. */
  async #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    await turn;
  }

  /** Undefined when the file has none. Throws the system error, and an Error for a stamp that can't be read. */
  async read(file: string): Promise<SkipStamp | undefined> {
    const content = await readSidecar(this.#options.fileSystem, this.#path(file));
    if (content === undefined) return undefined;
    const { journal, messageNo, valueNo } = content as Partial<SkipStamp>;
    if (typeof journal === 'string' && typeof messageNo === 'number' && typeof valueNo === 'number') {
      return { journal, messageNo, valueNo };
    }
    throw new Error(`${file}${SKIP_SUFFIX} does not say up to which place rows are in Oracle`);
  }

  /** The files whose places lie around this one. Files follow each other, so of those not read yet only the last before it can. */
  async #around(files: readonly string[], journal: string, place: Place): Promise<string[]> {
    const around: string[] = [];
    let nearest: { readonly file: string; readonly first: Place } | undefined;
    for (const file of files) {
      const range = this.#uncertain.get(file);
      if (range !== undefined) {
        if (contains(range, place)) around.push(file);
        continue;
      }
      const first = await this.#orGone(file, (path) => firstPlace(this.#options.fileSystem, path, journal));
      if (first === undefined || comparePlaces(first, place) > 0) continue;
      if (nearest === undefined || comparePlaces(first, nearest.first) > 0) nearest = { file, first };
    }
    if (nearest === undefined) return around;
    const range = await this.#orGone(nearest.file, (path) => placeRange(this.#options.fileSystem, path, journal));
    if (range !== undefined && contains(range, place)) around.push(nearest.file);
    return around;
  }

  async #orGone<T>(file: string, work: (path: string) => Promise<T>): Promise<T | undefined> {
    try {
      return await work(join(this.#options.dir, file));
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  #path(file: string): string {
    return join(this.#options.dir, file + SKIP_SUFFIX);
  }
}

function contains({ first, last }: PlaceRange, place: Place): boolean {
  return comparePlaces(first, place) <= 0 && comparePlaces(place, last) <= 0;
}
