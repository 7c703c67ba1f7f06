import type { Clock } from '../core/clock.ts';
import type { Reason } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Place } from '../core/place.ts';
import type { RefusedRow } from '../core/refused-row.ts';
import type { OnStep } from '../core/steps.ts';
import { placeOf, type TagValues } from '../core/tag-values.ts';
import { encodeBatch, encodeRejected, shortReason } from './csv/row-format.ts';
import type { Catalog } from './files/catalog.ts';
import { TimeRange } from './files/file-info.ts';
import type { BackupKind } from './files/file-name.ts';
import type { BackupFolder } from './files/folder.ts';
import { SET_APART_KINDS } from './files/kinds.ts';
import { RollingFiles, type RollingFilesOptions } from './files/rolling-files.ts';
import { latestRange } from './written/place-range.ts';
import { assertRecovered, presentPaths, rejectedPlaces } from './written/recall.ts';
import { SkipStamps } from './written/skip-stamps.ts';
import type { SkipStamp } from './written/stamp-files.ts';

export interface LaneBackupsOptions extends Pick<RollingFilesOptions, 'takeName' | 'onGone'> {
  /** Whom the rows are for. */
  readonly destination: string;
  readonly folder: BackupFolder;
  /** All files, those of other destinations too. */
  readonly catalog: Catalog;
  readonly maxRowsPerFile: number;
  /** Id of the journal that numbers the values; asked for with each batch. */
  readonly journalId: () => string;
  readonly onStep: OnStep;
  /** The outage's file is sealed, as far as the disk lets it. */
  readonly onOutageEnded?: ((destination: string) => void) | undefined;
  /** Rejected rows are durable. */
  readonly onRejected?: ((values: TagValues, rows: readonly RefusedRow[]) => void) | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The CSV files of one destination: what its table did not take, and what of that is in Oracle all the same. Each has
 * files and stamps of its own, as each has its own stream in the ledger: a place says nothing of another's rows. All
 * calls may overlap, with those of other destinations too.
 */
export class LaneBackups {
  readonly destination: string;
  readonly #options: LaneBackupsOptions;
  readonly #stamps: SkipStamps;
  readonly #rolling: RollingFiles;

  constructor(options: LaneBackupsOptions) {
    this.#options = options;
    this.destination = options.destination;
    this.#stamps = new SkipStamps(options);
    this.#rolling = new RollingFiles({
      ...options,
      onBegin: async (kind, name) => {
        if (kind === 'backup') await this.#stamps.begins(name);
      },
    });
  }

  /**
   * Appends a batch that Oracle did not take to the outage's file; resolves when it is durable, all in one file. Throws
   * the system error when the disk refuses: then nothing of it counts, and the caller keeps it and tries again.
   */
  async backUp(values: TagValues, reason: Reason): Promise<void> {
    if (values.length === 0) return;
    const short = shortReason(reason);
    const times = new TimeRange();
    for (let i = 0; i < values.length; i += 1) times.add(values.timesMs[i]!);
    const buffers = [encodeBatch(values, short, this.#origin(this.#options.journalId()))];
    const name = await this.#rolling.of('backup').append({ buffers, rows: values.length, times }, short);
    await this.#stamps.grew(name, placeOf(values, 0), placeOf(values, values.length - 1));
    this.#options.onStep('backed-up');
  }

  /**
   * Before live rows are sent to Oracle: writes the stamps that the disk refused, and does what `cutLeftovers` does.
   * Throws the system error of the disk.
   */
  async flushStamps(): Promise<void> {
    await this.cutLeftovers();
    await this.#stamps.flush();
  }

  /**
   * Before any row is sent to Oracle: cuts off rows that the disk had refused although they are there; after a crash
   * these would count, and be in Oracle as well. Throws the system error of the disk.
   */
  cutLeftovers(): Promise<void> {
    return this.#rolling.cutLeftovers();
  }

  /** Oracle takes rows again: seals the backup file. What the disk refuses now is tried again later; never throws. */
  async endOutage(): Promise<void> {
    await this.#rolling.of('backup').seal();
    this.#options.onOutageEnded?.(this.destination);
  }

  /**
   * Appends rows that the database or the check before it refused, all of them held or none; as `backUp` in all else.
   * Replayed rows keep the journal that numbered them.
   */
  async reject(values: TagValues, rows: readonly RefusedRow[], journal = this.#options.journalId()): Promise<void> {
    const [first] = rows;
    if (first === undefined) return;
    const times = new TimeRange();
    for (const { index } of rows) times.add(values.timesMs[index]!);
    const buffers = [encodeRejected(values, rows, this.#origin(journal))];
    const file = this.#rolling.of(first.isHeld === true ? 'held' : 'rejected');
    await file.append({ buffers, rows: rows.length, times }, shortReason(first.reason));
    this.#options.onRejected?.(values, rows);
  }

  /**
   * The last value of this journal that was backed up, of those whose files are still here; undefined when there is
   * none. The clock may have gone back between two files, so the last one is found by its first row. Throws the system
   * error of the disk.
   */
  async lastPlace(journalId: string): Promise<Place | undefined> {
    const { catalog, folder } = this.#options;
    const backups = this.#names('backup');
    const paths = await presentPaths(folder, backups);
    const files = paths.map((path, i) => ({ path, first: catalog.beginning(backups[i]!) }));
    return (await latestRange(folder.fileSystem, files, journalId))?.last;
  }

  /**
   * The places, as `placeKeyOf`, of rows behind `after` that an earlier run set apart of the journal's stream: the
   * journal gives them again when the checkpoint was behind. Throws the system error of the disk, and an Error for a
   * file that an earlier run left open and that could not be recovered: its rows may not be durable.
   */
  async recall(journalId: string, after: Place): Promise<ReadonlySet<string>> {
    const { catalog, folder } = this.#options;
    assertRecovered(catalog.all());
    const paths = await presentPaths(folder, this.#names(...SET_APART_KINDS));
    return rejectedPlaces(folder.fileSystem, paths, journalId, after);
  }

  /**
   * The live stream's ledger was read and is at this place: what was backed up of the values up to it is in Oracle.
   * Resolves when the stamps that say so are durable. Throws the system error of the disk.
   */
  stampSkip(place: Place): Promise<void> {
    return this.#stamps.ledgerRead(place);
  }

  /**
   * Up to which place of which journal the file's rows are in Oracle already; undefined: none are. Throws the system
   * error of the disk, and an Error when that is not known until the ledger is read.
   */
  skipStamp(name: string): Promise<SkipStamp | undefined> {
    return this.#stamps.read(name);
  }

  /** Nobody knows whether a batch was written. */
  outcomeUnknown(): void {
    this.#stamps.outcomeUnknown();
  }

  /**
   * A batch was committed, and it is certain: nothing that was backed up before can come into Oracle by a late commit
   * any more.
   */
  outcomeCertain(): void {
    for (const name of this.#stamps.outcomeCertain()) this.#options.catalog.tell(name);
  }

  /** An earlier run left this backup. */
  found(name: string): void {
    this.#stamps.found(name);
  }

  /** A file has gone; perhaps it was another destination's. */
  gone(name: string): void {
    this.#stamps.gone(name);
  }

  /** Seals the file of that kind that is being written. What the disk refuses is tried again later; never throws. */
  seal(kind: BackupKind): Promise<void> {
    return this.#rolling.of(kind).seal();
  }

  /** Lets go of the open files for whose final name `isThere` is false. */
  checkOpenFiles(isThere: (name: string) => boolean): Promise<void> {
    return this.#rolling.check(isThere);
  }

  /** Seals all; no row can be added any more. */
  close(): Promise<void> {
    return this.#rolling.close();
  }

  #origin(journal: string): { journal: string; destination: string; attemptedAtMs: number } {
    return { journal, destination: this.destination, attemptedAtMs: this.#options.clock.now() };
  }

  /** Of this destination's files. */
  #names(...wanted: readonly BackupKind[]): string[] {
    const files = this.#options.catalog.all().filter(({ destination }) => destination === this.destination);
    return files.flatMap(({ kind, name }) => (wanted.includes(kind) ? [name] : []));
  }
}
