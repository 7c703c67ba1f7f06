import { DeadlineError, withDeadline, type CancelTimer, type Clock } from '../../core/clock.ts';
import { coerceError, systemErrorCode } from '../../core/errors.ts';
import { inBatches } from '../../core/in-batches.ts';
import { RepeatedError, type Logger } from '../../core/logger.ts';
import { OneAtATime } from '../../core/one-at-a-time.ts';
import type { Catalog } from './catalog.ts';
import type { BackupFileInfo } from './file-info.ts';
import { finalNameOf, isSealedName, newFileName, OPEN_SUFFIX, parseFileName, type BackupKind } from './file-name.ts';
import type { BackupFolder } from './folder.ts';
import { recoverFile } from './recovery.ts';
import { beginningOf, scanFile, unreadableFile } from './scan.ts';

export interface BackupDirectoryOptions {
  readonly folder: BackupFolder;
  /** Is brought into line with the directory. */
  readonly catalog: Catalog;
  /** Lets go of the open files for whose final name `isThere` is false. */
  readonly checkOpenFiles: (isThere: (name: string) => boolean) => Promise<void>;
  /** A file has gone, by whatever hand. */
  readonly onGone: (name: string) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

const RESCAN_INTERVAL_MS = 60_000;
const START_READING_MS = 250;
/** So many files are begun to be read at once at the start. */
const READ_AT_ONCE = 16;
const NOT_READ_YET = 'not read yet';

/**
 * Keeps the catalog true to what lies in the directory: at the start, and after that to what a person or the command
 * line does there, once a minute and whenever somebody asks. Whatever takes a file away takes its turn with that.
 */
export class BackupDirectory {
  readonly #options: BackupDirectoryOptions;
  readonly #rescanError: RepeatedError;
  readonly #turns = new OneAtATime();
  /** Of files that may not be on disk yet. */
  readonly #takenNames = new Set<string>();
  /** Files that the disk has never given: nobody knows whom they are for. */
  readonly #neverRead = new Set<string>();
  #cancelRescan: CancelTimer = () => {};
  #isStopped = false;

  constructor(options: BackupDirectoryOptions) {
    this.#options = options;
    this.#rescanError = new RepeatedError(options.log, options.clock, 'backup directory could not be read', 'warn');
  }

  /**
   * Makes the directory, ends what a crash left half done in it, and enters all its files into the catalog: of those
   * that are not read yet it is known whom they are for. Throws the system error when the directory can't be made or
   * listed, or a backup can't be sealed, or begun to be read.
   */
  async recover(): Promise<void> {
    const { folder, log } = this.#options;
    await folder.fileSystem.makeDirectory(folder.directory);
    await folder.removeLeftovers(log);
    // A run that was killed may have given names, stamps above all, and not made them durable: this one builds on what
    // it sees.
    await folder.sync();
    const entries = await folder.list();
    await inBatches(entries.filter(isSealedName), READ_AT_ONCE, (name) => this.#enter(name));
    for (const name of entries.map(finalNameOf)) if (name !== undefined) await this.#recover(name);
  }

  /**
   * Reads each file through once, and follows the directory from then on. When the reading takes more than a quarter of
   * a second (a long outage leaves gigabytes), it resolves and reads on beside the work. Throws the system error of the
   * disk.
   */
  async start(): Promise<void> {
    const { catalog, clock, log } = this.#options;
    try {
      await withDeadline(clock, START_READING_MS, 'reading the backup files', this.#follow());
      const { rows } = catalog.pending('backup');
      if (catalog.size > 0) log.info('backup files are pending', { files: catalog.size, backupRows: rows });
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error;
      log.info('backup files are many and are read on while the bridge works', { files: catalog.size });
    }
    this.#rescanLater();
  }

  /** Takes note of files that came, went or changed their size by another hand. Reads only those; never throws. */
  async rescan(): Promise<void> {
    try {
      await this.#follow();
      this.#rescanError.over();
    } catch (error) {
      this.#rescanError.report({ error });
    }
  }

  /** Follows the directory no more. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelRescan();
  }

  /** Resolves when what is under way has ended. */
  async settled(): Promise<void> {
    await this.#turns.whenIdle();
  }

  /** Runs `work`, which takes a file away, while the directory is not being followed. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.run(work);
  }

  /**
   * A name that no file has, in whatever form, nor had in this run, and that nobody was given who has not made a file
   * of it yet. Throws the system error of the disk.
   */
  async freeName(kind: BackupKind, atMs: number): Promise<string> {
    return this.#chooseName(await this.#options.folder.list(), kind, atMs);
  }

  /**
   * As `freeName`, and nobody else is given the name until `drop` says that there is no such file: files of several
   * destinations are begun at once, and nothing is made on disk yet. Throws the system error of the disk.
   */
  async takeName(kind: BackupKind, atMs: number): Promise<string> {
    const entries = await this.#options.folder.list();
    const name = this.#chooseName(entries, kind, atMs);
    this.#takenNames.add(name);
    return name;
  }

  /** A file was given this name: it is read and listed. Never throws. To be called in turn. */
  found(name: string): Promise<void> {
    return this.#followFile(name);
  }

  /** The file is gone. */
  drop(name: string): void {
    this.#takenNames.delete(name);
    this.#neverRead.delete(name);
    this.#options.onGone(name);
    this.#options.catalog.drop(name);
  }

  #chooseName(entries: readonly string[], kind: BackupKind, atMs: number): string {
    const isTaken = (name: string): boolean =>
      this.#options.catalog.hadFile(name) ||
      this.#takenNames.has(name) ||
      entries.some((entry) => entry === name || entry.startsWith(`${name}.`));
    return newFileName(kind, atMs, isTaken);
  }

  async #enter(name: string): Promise<void> {
    const { catalog, folder } = this.#options;
    const file = unreadableFile(name, 'sealed', NOT_READ_YET);
    try {
      const { destination, row } = await beginningOf(folder.fileSystem, folder.path(name));
      catalog.put({ ...file, destination });
      if (row !== undefined) catalog.beginsWith(name, row);
    } catch (error) {
      // Whom a backup is for says whose ledger tells what of it is in Oracle: that has to be known. Of other files
      // `#followFile` says what is wrong.
      if (mayBeInOracle(file) && systemErrorCode(error) !== 'ENOENT') throw error;
      catalog.put(file);
    }
  }

  async #recover(name: string): Promise<void> {
    const { catalog, folder, log } = this.#options;
    try {
      const { kind, createdAtMs } = unreadableFile(name, 'open', undefined);
      const isTaken = (await folder.list()).includes(name);
      const finalName = isTaken ? await this.freeName(kind, createdAtMs) : name;
      const info = await recoverFile(folder, name, finalName, log);
      if (info?.name !== name && catalog.get(name) !== undefined) this.drop(name);
      if (info !== undefined) catalog.put(info);
    } catch (error) {
      if (catalog.get(name) === undefined)
        log.error('backup file of an earlier run could not be recovered', { file: name, error });
      const unreadable = unreadableFile(name, 'open', coerceError(error).message);
      if (unreadable.kind === 'backup') throw error; // its rows would come from the journal as well
      catalog.put(unreadable);
    }
  }

  #follow(): Promise<void> {
    return this.inTurn(async () => {
      const { catalog, checkOpenFiles, folder, log } = this.#options;
      // Names from before the listing: what is sealed meanwhile is not in the list, and has not gone.
      const known = catalog.all();
      const entries = new Set(await folder.list());
      for (const { name, state } of known) {
        if (state === 'sealed' && !entries.has(name) && catalog.get(name) !== undefined) {
          log.warn('backup file was taken away', { file: name });
          this.drop(name);
        }
      }
      for (const entry of entries) {
        if (this.#isStopped) return;
        const openName = finalNameOf(entry);
        if (isSealedName(entry)) await this.#followFile(entry);
        else if (openName !== undefined && catalog.get(openName)?.problem !== undefined) await this.#recover(openName);
      }
      const opened = new Set(known.filter(({ state }) => state === 'open').map(({ name }) => name));
      await checkOpenFiles((name) => !opened.has(name) || entries.has(name + OPEN_SUFFIX));
    });
  }

  async #followFile(name: string): Promise<void> {
    const { catalog, folder, log } = this.#options;
    const { fileSystem } = folder;
    const path = folder.path(name);
    const known = catalog.get(name);
    try {
      // Its own sealed file may be found before its writer has said so: it will.
      if (known?.state === 'open' && known.problem === undefined) return;
      if (known !== undefined && known.bytes > 0 && (await fileSystem.size(path)) === known.bytes) return;
      const { info } = await scanFile(fileSystem, path, name, 'sealed');
      const wasRead = known !== undefined && !this.#neverRead.delete(name);
      catalog.put(wasRead && known.destination !== info.destination ? moved(info, known) : info);
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return;
      log.warn('backup file could not be read', { file: name, error });
      if (known === undefined) this.#neverRead.add(name);
      const unreadable = unreadableFile(name, 'sealed', coerceError(error).message);
      catalog.put({ ...unreadable, destination: known?.destination ?? unreadable.destination });
    }
  }

  #rescanLater(): void {
    if (this.#isStopped) return;
    const run = (): void => void this.rescan().then(() => this.#rescanLater());
    this.#cancelRescan = this.#options.clock.setTimer(RESCAN_INTERVAL_MS, run);
  }
}

/**
 * What is in Oracle already is known by the ledger of the destination that the file was for when it was found: it must
 * not become another's in between.
 */
function moved(info: BackupFileInfo, { destination }: BackupFileInfo): BackupFileInfo {
  if (!mayBeInOracle(info) || info.problem !== undefined) return info;
  const problem =
    `its rows were for ${destination} when the file was found and are for ${info.destination} now: ` +
    `put ${destination} back into it, and replay it with --to ${info.destination}`;
  return { ...info, destination, problem };
}

/** Rows of the file may have been live, and written, before they were backed up. */
function mayBeInOracle({ kind, name }: BackupFileInfo): boolean {
  return kind === 'backup' && parseFileName(name) !== undefined;
}
