import type { CancelTimer, Clock } from '../../core/clock.ts';
import { destinationField } from '../../core/destination.ts';
import { systemErrorCode, type Reason } from '../../core/errors.ts';
import { RepeatedError, type Logger } from '../../core/logger.ts';
import { OneAtATime } from '../../core/one-at-a-time.ts';
import type { BackupFile, Records } from './backup-file.ts';
import type { BackupFileInfo } from './file-info.ts';

export interface RollingFileOptions {
  readonly maxRows: number;
  /** Infinity: age does not matter. */
  readonly maxAgeMs: number;
  /** Chooses a name; nothing need be made on disk yet. */
  readonly begin: (reason: Reason) => Promise<BackupFile>;
  /** The file grew or was sealed. */
  readonly onChange: (info: BackupFileInfo) => void;
  /** Somebody took the open file away, or it was not made: the disk did not let it, or it got no row. */
  readonly onGone: (name: string) => void;
  readonly onSealed: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

const SEAL_AGAIN_MS = 30_000;

/**
 * The file of one kind that is being written, and its successors: one is begun by the first record and sealed when it
 * is full, old, or when the caller says so. Calls may overlap; they take their turns.
 *
 * A file that is full or old and can't be sealed goes on being written: a limit is no reason to lose a row. One that
 * the caller sealed is set aside then, and gets no more rows: what comes after belongs to another outage. Both are
 * tried again after 30 s.
 */
export class RollingFile {
  readonly #options: RollingFileOptions;
  readonly #sealError: RepeatedError;
  readonly #turns = new OneAtATime();
  #file: BackupFile | undefined;
  #aside: BackupFile[] = [];
  /** The present file should have been sealed. */
  #isOverdue = false;
  #cancelAge: CancelTimer = () => {};
  #cancelRetry: CancelTimer | undefined;
  #isClosed = false;

  constructor(options: RollingFileOptions) {
    this.#options = options;
    this.#sealError = new RepeatedError(options.log, options.clock, 'backup file could not be sealed');
  }

  /**
   * Resolves, with the file's name, when the records are durable, all in one file. Throws the system error when the
   * disk refuses; then none are in it.
   */
  append(records: Records, reason: Reason): Promise<string> {
    return this.#turns.run(async () => {
      if (this.#isClosed) throw new Error('the backups are closed');
      // What a failed append has left in another file may be of these records: after a crash they would count twice.
      for (const file of this.#aside) await file.cutLeftovers();
      await this.#makeRoom(records.rows);
      const file = (this.#file ??= await this.#options.begin(reason));
      // Not that it is new: the disk may have refused what was to be in it at first.
      const isFirst = file.rows === 0;
      try {
        await file.append(records);
      } catch (error) {
        if (file.isNew) await this.#giveUp(file);
        else if (systemErrorCode(error) === 'ENOENT') this.#forget(file);
        throw error;
      }
      if (isFirst) this.#begun(file);
      this.#options.onChange(file.info);
      if (file.rows >= this.#options.maxRows) await this.#sealNow();
      return file.info.name;
    });
  }

  /** Seals the file, if there is one. A disk that refuses is reported and tried again later. */
  seal(): Promise<void> {
    return this.#turns.run(async () => {
      await this.#sealNow();
      if (this.#file === undefined || this.#file.isNew) return;
      this.#aside.push(this.#file);
      this.#letGoOfCurrent();
    });
  }

  /** Seals the file; no record can be added any more. What can't be sealed is left for the next start. */
  close(): Promise<void> {
    return this.#turns.run(async () => {
      this.#isClosed = true;
      await this.#sealOverdue();
      await this.#sealNow();
      this.#cancelAge();
      this.#cancelRetry?.();
      for (const file of [this.#file, ...this.#aside]) await file?.close();
    });
  }

  /** Cuts off what failed appends have left in files. Throws the system error of the disk. */
  async cutLeftovers(): Promise<void> {
    const isClean = ![this.#file, ...this.#aside].some((file) => file?.hasLeftovers);
    if (isClean) return;
    await this.#turns.run(async () => {
      for (const file of [this.#file, ...this.#aside]) await file?.cutLeftovers();
    });
  }

  /** Lets go of the open file when `isThere` says that its name is no longer in the directory. */
  check(isThere: (name: string) => boolean): Promise<void> {
    return this.#turns.run(async () => {
      for (const file of [this.#file, ...this.#aside]) {
        if (file === undefined || file.isNew || file.isRenamed || isThere(file.info.name)) continue;
        await file.close();
        this.#forget(file);
      }
    });
  }

  async #makeRoom(rows: number): Promise<void> {
    const file = this.#file;
    if (file === undefined) return;
    if (file.isRenamed) {
      await file.seal();
      this.#sealed(file);
    } else if (file.rows > 0 && file.rows + rows > this.#options.maxRows) {
      await this.#sealNow();
      // It has its final name already: nothing can be appended until the directory is synced.
      if (this.#file?.isRenamed === true) await this.#makeRoom(rows);
    }
  }

  /** The next try begins another one. */
  async #giveUp(file: BackupFile): Promise<void> {
    this.#file = undefined;
    await file.remove().catch(() => {}); // its stamp, without a file, goes with the next start
    this.#options.onGone(file.info.name);
  }

  #begun(file: BackupFile): void {
    const { destination, kind, name, reason } = file.info;
    const whose = destinationField(destination);
    this.#options.log.info('backup file begun', { file: name, kind, ...whose, code: reason.code });
    const { clock, maxAgeMs } = this.#options;
    if (!Number.isFinite(maxAgeMs)) return;
    this.#cancelAge = clock.setTimer(maxAgeMs, () => void this.#turns.run(() => this.#sealNow()));
  }

  async #sealNow(): Promise<void> {
    if (this.#file !== undefined) await this.#sealFile(this.#file);
  }

  async #sealOverdue(): Promise<void> {
    for (const file of this.#aside) await this.#sealFile(file);
    if (this.#isOverdue) await this.#sealNow();
  }

  async #sealFile(file: BackupFile): Promise<void> {
    try {
      await file.seal();
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') {
        this.#forget(file);
        return;
      }
      this.#sealError.report({ file: file.info.name, error });
      this.#isOverdue ||= file === this.#file;
      this.#retryLater();
      return;
    }
    this.#sealed(file);
  }

  #sealed(file: BackupFile): void {
    this.#letGo(file);
    this.#sealError.over();
    const { name, kind, rows, bytes } = file.info;
    if (rows === 0) {
      this.#options.onGone(name);
      return;
    }
    this.#options.log.info('backup file sealed', { file: name, kind, rows, bytes });
    this.#options.onChange(file.info);
    this.#options.onSealed();
  }

  #letGo(file: BackupFile): void {
    this.#aside = this.#aside.filter((each) => each !== file);
    if (this.#file === file) this.#letGoOfCurrent();
  }

  #forget(file: BackupFile): void {
    this.#letGo(file);
    const { name, rows } = file.info;
    this.#options.log.error('backup file vanished while it was open', { file: name, rows });
    this.#options.onGone(name);
  }

  #letGoOfCurrent(): void {
    this.#file = undefined;
    this.#isOverdue = false;
    this.#cancelAge();
  }

  #retryLater(): void {
    this.#cancelRetry ??= this.#options.clock.setTimer(SEAL_AGAIN_MS, () => {
      this.#cancelRetry = undefined;
      void this.#turns.run(() => this.#sealOverdue());
    });
  }
}
