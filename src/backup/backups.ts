import { join } from 'node:path';

import { DeadlineError, withDeadline, type CancelTimer, type Clock } from '../core/clock.ts';
import { coerceError, systemErrorCode, type Reason } from '../core/errors.ts';
import type { FileSystem } from '../core/filesystem.ts';
import { RepeatedError, type Logger } from '../core/logger.ts';
import type { Message } from '../core/message.ts';
import type { TagValues } from '../core/tag-values.ts';
import { BackupFile } from './backup-file.ts';
import { discardFile, UnknownFileError } from './discard.ts';
import { compareFiles, TimeRange, type BackupFileInfo } from './file-info.ts';
import {
  BACKUP_KINDS,
  DISCARDED_SUFFIX,
  finalNameOf,
  isSealedName,
  newFileName,
  OPEN_SUFFIX,
  type BackupKind,
} from './file-name.ts';
import { GroupCommit } from './group-commit.ts';
import { recoverFile } from './recovery.ts';
import { RollingFile } from './rolling-file.ts';
import {
  encodeBatch,
  encodeRejected,
  encodeUndecodable,
  headerLine,
  ROW_COLUMNS,
  shortReason,
  UNDECODABLE_COLUMNS,
  type RejectedRow,
} from './row-format.ts';
import { scanFile, unreadableFile } from './scan.ts';

export interface BackupsOptions {
  readonly dir: string;
  readonly maxRowsPerFile: number;
  readonly fileSystem: FileSystem;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface PendingCount {
  readonly files: number;
  readonly rows: number;
}

const HOUR_MS = 3_600_000;
const RESCAN_INTERVAL_MS = 60_000;
const START_READING_MS = 5_000;

const KINDS: Readonly<Record<BackupKind, { readonly columns: readonly string[]; readonly maxAgeMs: number }>> = {
  // An outage's file ends with the outage.
  backup: { columns: ROW_COLUMNS, maxAgeMs: Number.POSITIVE_INFINITY },
  rejected: { columns: ROW_COLUMNS, maxAgeMs: HOUR_MS },
  undecodable: { columns: UNDECODABLE_COLUMNS, maxAgeMs: HOUR_MS },
};

/**
 * The directory of CSV files: writes what Oracle did not take, and knows what lies there.
 *
 * The catalog holds each sealed file and the open ones that have rows. It follows what a person or the command line does in the
 * directory at each `rescan`, once a minute. All calls may overlap.
 */
export class Backups {
  readonly #options: BackupsOptions;
  readonly #files = new Map<string, BackupFileInfo>();
  /** Names that had a file in this run: they are not given to another. */
  readonly #goneNames = new Set<string>();
  readonly #listeners = new Set<(name: string) => void>();
  readonly #rolling: Readonly<Record<BackupKind, RollingFile>>;
  readonly #undecodable: GroupCommit;
  readonly #rescanError: RepeatedError;
  #directoryTurn: Promise<unknown> = Promise.resolve();
  #cancelRescan: CancelTimer = () => {};
  #isStopped = false;

  constructor(options: BackupsOptions) {
    this.#options = options;
    this.#rolling = {
      backup: this.#createRolling('backup'),
      rejected: this.#createRolling('rejected'),
      undecodable: this.#createRolling('undecodable'),
    };
    const append = this.#rolling.undecodable.append.bind(this.#rolling.undecodable);
    this.#undecodable = new GroupCommit(append, options.clock, options.log);
    this.#rescanError = new RepeatedError(options.log, options.clock, 'backup directory could not be read', 'warn');
  }

  /**
   * Makes the directory, seals what a crash left open and reads each file through once. A file that can't be read is listed with its
   * problem. When that takes more than five seconds (a long outage leaves gigabytes), it resolves and reads on beside the work: what was
   * not read yet is listed so, with no rows. Throws the system error when the directory can't be made or listed.
   */
  async start(): Promise<void> {
    const { dir, fileSystem } = this.#options;
    await fileSystem.makeDirectory(dir);
    for (const entry of await fileSystem.list(dir)) {
      if (isSealedName(entry)) this.#put(unreadableFile(entry, 'sealed', 'not read yet'));
      if (entry.endsWith(DISCARDED_SUFFIX)) await this.#removeDiscarded(entry);
      const name = finalNameOf(entry);
      if (name !== undefined) await this.#recover(name);
    }
    await this.#readAtStart();
    this.#rescanLater();
  }

  /**
   * Appends a batch that Oracle did not take to the outage's file; resolves when it is durable, all in one file. Throws the system error
   * when the disk refuses: then nothing of it counts, and the caller keeps it and tries again.
   */
  async backUp(values: TagValues, reason: Reason): Promise<void> {
    if (values.length === 0) return;
    const short = shortReason(reason);
    const times = new TimeRange();
    for (let i = 0; i < values.length; i += 1) times.add(values.timesMs[i]!);
    const buffers = [encodeBatch(values, short, this.#options.clock.now())];
    await this.#rolling.backup.append({ buffers, rows: values.length, times }, short);
  }

  /** Oracle takes rows again: seals the backup file. What the disk refuses now is tried again later; never throws. */
  endOutage(): Promise<void> {
    return this.#rolling.backup.seal();
  }

  /** Appends rows that the database or the check before it refused; as `backUp` in all else. */
  async reject(values: TagValues, rows: readonly RejectedRow[]): Promise<void> {
    const [first] = rows;
    if (first === undefined) return;
    const times = new TimeRange();
    for (const { index } of rows) times.add(values.timesMs[index]!);
    const buffers = [encodeRejected(values, rows, this.#options.clock.now())];
    await this.#rolling.rejected.append({ buffers, rows: rows.length, times }, shortReason(first.reason));
  }

  /** Resolves when the message is durable, however long the disk refuses; throws only when `stop` comes first. */
  addUndecodable(message: Message, reason: Reason): Promise<void> {
    const times = new TimeRange();
    times.add(message.receivedAtMs);
    const records = { buffers: encodeUndecodable(message, reason), rows: 1, times };
    return this.#undecodable.add(records, shortReason(reason));
  }

  /** All files, oldest first. */
  files(): readonly BackupFileInfo[] {
    return [...this.#files.values()].sort(compareFiles);
  }

  file(name: string): BackupFileInfo | undefined {
    return this.#files.get(name);
  }

  pending(kind: BackupKind): PendingCount {
    let files = 0;
    let rows = 0;
    for (const file of this.#files.values()) {
      if (file.kind !== kind) continue;
      files += 1;
      rows += file.rows;
    }
    return { files, rows };
  }

  /** Files of kind backup, the open one included. */
  get pendingFiles(): number {
    return this.pending('backup').files;
  }

  get pendingRows(): number {
    return this.pending('backup').rows;
  }

  /** What is durable of a file. Throws UnknownFileError and the system error of the disk. */
  async read(name: string): Promise<Buffer> {
    const file = this.#files.get(name);
    if (file === undefined) throw new UnknownFileError(name);
    const path = join(this.#options.dir, name);
    const { fileSystem } = this.#options;
    return file.state === 'open' ? fileSystem.readRange(path + OPEN_SUFFIX, 0, file.bytes) : fileSystem.read(path);
  }

  /** Takes a sealed file away for good. Throws UnknownFileError for any other name, and the system error of the disk. */
  discard(name: string): Promise<void> {
    return this.#inDirectoryTurn(async () => {
      const file = this.#files.get(name);
      if (file?.state !== 'sealed') throw new UnknownFileError(name);
      await discardFile(this.#options.dir, name, this.#options.fileSystem);
      this.#options.log.warn('backup file discarded', { file: name, kind: file.kind, rows: file.rows });
      this.#drop(name);
    });
  }

  /** Calls `listener` with the name of each file that is begun, grows, is sealed or goes. The result ends that. */
  onChange(listener: (name: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Takes note of files that came, went or changed their size by another hand. Reads only those; never throws. */
  async rescan(): Promise<void> {
    try {
      await this.#followDirectory();
      this.#rescanError.over();
    } catch (error) {
      this.#rescanError.report({ error });
    }
  }

  /** Seals all files. What still waits for the disk is tried once more and then given up. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelRescan();
    await this.#undecodable.stop();
    await Promise.all(BACKUP_KINDS.map((kind) => this.#rolling[kind].close()));
    await this.#directoryTurn;
  }

  #createRolling(kind: BackupKind): RollingFile {
    const { maxRowsPerFile, clock, log } = this.#options;
    return new RollingFile({
      maxRows: maxRowsPerFile,
      maxAgeMs: KINDS[kind].maxAgeMs,
      begin: (reason) => this.#begin(kind, reason),
      onChange: (info) => this.#put(info),
      onVanished: (name) => this.#drop(name),
      clock,
      log,
    });
  }

  async #begin(kind: BackupKind, reason: Reason): Promise<BackupFile> {
    const { dir, fileSystem, clock } = this.#options;
    // A person may have removed the directory since the start.
    await fileSystem.makeDirectory(dir);
    const createdAtMs = Math.floor(clock.now() / 1000) * 1000;
    const name = await this.#freeName(kind, createdAtMs);
    const header = headerLine(KINDS[kind].columns);
    return new BackupFile({ directory: dir, name, kind, header, createdAtMs, reason, fileSystem });
  }

  async #freeName(kind: BackupKind, atMs: number): Promise<string> {
    const { dir, fileSystem } = this.#options;
    const entries = await fileSystem.list(dir);
    const isTaken = (name: string): boolean =>
      this.#goneNames.has(name) || entries.some((entry) => entry === name || entry.startsWith(`${name}.`));
    return newFileName(kind, atMs, isTaken);
  }

  async #recover(name: string): Promise<void> {
    const { dir, fileSystem, log } = this.#options;
    try {
      const isTaken = (await fileSystem.list(dir)).includes(name);
      const named = unreadableFile(name, 'open', undefined);
      const finalName = isTaken ? await this.#freeName(named.kind, named.createdAtMs) : name;
      const info = await recoverFile(dir, name, finalName, fileSystem, log);
      if (info !== undefined) this.#put(info);
    } catch (error) {
      log.error('backup file of an earlier run could not be recovered', { file: name, error });
      this.#put(unreadableFile(name, 'open', coerceError(error).message));
    }
  }

  async #readAtStart(): Promise<void> {
    const { clock, log } = this.#options;
    try {
      await withDeadline(clock, START_READING_MS, 'reading the backup files', this.#followDirectory());
    } catch (error) {
      if (!(error instanceof DeadlineError)) throw error;
      log.info('backup files are many and are read on while the bridge works', { files: this.#files.size });
      return;
    }
    if (this.#files.size === 0) return;
    log.info('backup files are pending', { files: this.#files.size, backupRows: this.pendingRows });
  }

  async #removeDiscarded(entry: string): Promise<void> {
    const { dir, fileSystem, log } = this.#options;
    try {
      await fileSystem.remove(join(dir, entry));
    } catch (error) {
      log.warn('discarded backup file could not be removed', { file: entry, error });
    }
  }

  #followDirectory(): Promise<void> {
    return this.#inDirectoryTurn(async () => {
      // Names from before the listing: what is sealed meanwhile is not in the list, and has not gone.
      const known = [...this.#files.values()];
      const entries = new Set(await this.#options.fileSystem.list(this.#options.dir));
      for (const { name, state } of known) {
        if (state === 'sealed' && !entries.has(name) && this.#files.has(name)) {
          this.#options.log.warn('backup file was taken away', { file: name });
          this.#drop(name);
        }
      }
      for (const entry of entries) {
        if (this.#isStopped) return;
        if (isSealedName(entry)) await this.#follow(entry);
      }
      const opened = new Set(known.filter(({ state }) => state === 'open').map(({ name }) => name));
      const isThere = (name: string): boolean => !opened.has(name) || entries.has(name + OPEN_SUFFIX);
      await Promise.all(BACKUP_KINDS.map((kind) => this.#rolling[kind].check(isThere)));
    });
  }

  async #follow(name: string): Promise<void> {
    const { dir, fileSystem } = this.#options;
    const path = join(dir, name);
    const known = this.#files.get(name);
    try {
      // Its own sealed file may be found before its writer has said so: it will.
      if (known?.state === 'open' && known.problem === undefined) return;
      if (known !== undefined && known.bytes > 0 && (await fileSystem.size(path)) === known.bytes) return;
      this.#put((await scanFile(fileSystem, path, name, 'sealed')).info);
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return;
      this.#options.log.warn('backup file could not be read', { file: name, error });
      this.#put(unreadableFile(name, 'sealed', coerceError(error).message));
    }
  }

  #rescanLater(): void {
    if (this.#isStopped) return;
    const run = (): void => void this.rescan().then(() => this.#rescanLater());
    this.#cancelRescan = this.#options.clock.setTimer(RESCAN_INTERVAL_MS, run);
  }

  #inDirectoryTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#directoryTurn.then(work);
    this.#directoryTurn = result.catch(() => {});
    return result;
  }

  #put(info: BackupFileInfo): void {
    this.#files.set(info.name, info);
    this.#tell(info.name);
  }

  #drop(name: string): void {
    if (!this.#files.delete(name)) return;
    this.#goneNames.add(name);
    this.#tell(name);
  }

  #tell(name: string): void {
    for (const listener of this.#listeners) listener(name);
  }
}
