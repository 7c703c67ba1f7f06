import { createHash } from 'node:crypto';

import { removeIfThere } from '../../core/durable-file.ts';
import type { Reason } from '../../core/errors.ts';
import type { AppendFile } from '../../core/filesystem.ts';
import { TimeRange, type BackupFileInfo } from './file-info.ts';
import { OPEN_SUFFIX, SKIP_SUFFIX, type BackupKind } from './file-name.ts';
import type { BackupFolder } from './folder.ts';
import { KINDS } from './kinds.ts';

/** Whole records, ready to be appended. */
export interface Records {
  readonly buffers: readonly Buffer[];
  readonly rows: number;
  readonly times: TimeRange;
}

export interface BackupFileOptions {
  readonly folder: BackupFolder;
  /** The final name, ending in `.csv`. */
  readonly name: string;
  readonly kind: BackupKind;
  readonly destination: string;
  readonly header: string;
  readonly createdAtMs: number;
  readonly reason: Reason;
}

/**
 * One CSV file that grows, named `<name>.open` until it is sealed.
 *
 *     new ──append──▶ open ──seal──▶ sealed
 *                      │ seal without rows
 *                      └────────────▶ gone
 *
 * What counts is the durable size: all that `append` resolved for. Whatever a failed append or sync left behind that
 * size is cut off before anything else is written and before the file is sealed; a cut that fails as well is tried
 * again at the next call. Each step of `seal` that has been taken is not taken again when a later one fails and it is
 * called once more.
 *
 * Calls must not overlap.
 */
export class BackupFile {
  readonly #options: BackupFileOptions;
  readonly #openPath: string;
  readonly #hash = createHash('sha256');
  readonly #times = new TimeRange();
  #handle: AppendFile | undefined;
  #state: 'new' | 'open' | 'renamed' | 'sealed' | 'gone' = 'new';
  /** The directory may not have the file's name yet after a power cut. */
  #isEntered = false;
  #hasLeftovers = false;
  #bytes = 0;
  #rows = 0;
  #sha256: string | undefined;

  constructor(options: BackupFileOptions) {
    this.#options = options;
    this.#openPath = options.folder.path(options.name + OPEN_SUFFIX);
  }

  get rows(): number {
    return this.#rows;
  }

  /** Nothing has been made on disk. */
  get isNew(): boolean {
    return this.#state === 'new';
  }

  /** It has its final name, and only the directory's sync is missing: no more can be appended. */
  get isRenamed(): boolean {
    return this.#state === 'renamed';
  }

  /** Records that do not count may be in it. */
  get hasLeftovers(): boolean {
    return this.#hasLeftovers;
  }

  get info(): BackupFileInfo {
    const { name, kind, createdAtMs, destination, reason } = this.#options;
    return {
      name,
      kind,
      state: this.#state === 'sealed' ? 'sealed' : 'open',
      destination,
      rows: this.#rows,
      bytes: this.#bytes,
      sha256: this.#sha256,
      firstTimestampMs: this.#times.firstMs,
      lastTimestampMs: this.#times.lastMs,
      createdAtMs,
      reason,
      problem: undefined,
      replayedRows: undefined,
    };
  }

  /** Resolves when the records are durable. Throws the system error when the disk refuses; then none of them count. */
  async append(records: Records): Promise<void> {
    const { kind, folder } = this.#options;
    const { reserve } = folder;
    if (KINDS[kind].maySpendReserve) return reserve.spendOn(() => this.#append(records));
    await reserve.keep();
    return this.#append(records);
  }

  async #append(records: Records): Promise<void> {
    await this.cutLeftovers();
    const buffers = this.#bytes === 0 ? [Buffer.from(this.#options.header), ...records.buffers] : records.buffers;
    try {
      const file = await this.#opened();
      this.#hasLeftovers = true;
      await file.append(...buffers);
      await file.sync();
      if (!this.#isEntered) await this.#options.folder.sync();
    } catch (error) {
      // What stays is cut off by the next call; without this one's try it would come back after a crash.
      await this.cutLeftovers().catch(() => {});
      throw error;
    }
    this.#isEntered = true;
    this.#hasLeftovers = false;
    for (const buffer of buffers) {
      this.#hash.update(buffer);
      this.#bytes += buffer.length;
    }
    this.#rows += records.rows;
    this.#times.merge(records.times);
  }

  /** Gives the file its final name, or removes it when it holds no row. Throws the system error; call again then. */
  async seal(): Promise<void> {
    const { folder, name } = this.#options;
    if (this.#state === 'open') {
      await this.cutLeftovers();
      await this.#close();
      if (this.#rows === 0) return this.remove();
      // A rename would silently replace a file that somebody put there meanwhile.
      if ((await folder.list()).includes(name)) throw new Error(`${name} is there already`);
      await folder.fileSystem.rename(this.#openPath, folder.path(name));
      this.#state = 'renamed';
    }
    if (this.#state === 'renamed') {
      await folder.sync();
      this.#sha256 = this.#hash.digest('hex');
      this.#state = 'sealed';
    }
  }

  /** Cuts off what a failed append has left: after a crash it would count. Throws the system error; call again then. */
  async cutLeftovers(): Promise<void> {
    if (!this.#hasLeftovers) return;
    // After a failed sync the system may have forgotten what it still had to write for this handle.
    await this.#close();
    await this.#options.folder.fileSystem.truncate(this.#openPath, this.#bytes);
    await (await this.#opened()).sync();
    this.#hasLeftovers = false;
  }

  /** Takes away what there is of a file without rows, its stamp too. Throws the system error; call again then. */
  async remove(): Promise<void> {
    const { folder, name } = this.#options;
    await removeIfThere(folder.fileSystem, this.#openPath);
    await removeIfThere(folder.fileSystem, folder.path(name + SKIP_SUFFIX));
    await folder.sync();
    this.#state = 'gone';
  }

  /** Lets go of the file as it is. */
  async close(): Promise<void> {
    await this.#close();
  }

  async #opened(): Promise<AppendFile> {
    if (this.#handle === undefined) {
      const { fileSystem } = this.#options.folder;
      const isNew = this.#state === 'new';
      this.#handle = isNew ? await fileSystem.create(this.#openPath) : await fileSystem.openAppend(this.#openPath);
      this.#state = 'open';
    }
    return this.#handle;
  }

  async #close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    // All that counts has been synced; there is nothing left that closing could lose.
    await handle?.close().catch(() => {});
  }
}
