import type { Clock } from '../../core/clock.ts';
import type { Reason } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { OnStep } from '../../core/steps.ts';
import { headerLine } from '../csv/row-format.ts';
import { BackupFile } from './backup-file.ts';
import type { Catalog } from './catalog.ts';
import { BACKUP_KINDS, type BackupKind } from './file-name.ts';
import type { BackupFolder } from './folder.ts';
import { KINDS } from './kinds.ts';
import { RollingFile } from './rolling-file.ts';

export interface RollingFilesOptions {
  readonly folder: BackupFolder;
  /** Whom the rows are for. */
  readonly destination: string;
  readonly maxRowsPerFile: number;
  /** Is told of each file that grows or is sealed. */
  readonly catalog: Catalog;
  /** A name for a file that is begun at this time, until `onGone`. Throws the system error of the disk. */
  readonly takeName: (kind: BackupKind, atMs: number) => Promise<string>;
  /** A file of that name is about to be made; it is not when this throws. */
  readonly onBegin: (kind: BackupKind, name: string) => Promise<void>;
  /** Somebody took the open file away, or it was not made: the disk did not let it, or it got no row. */
  readonly onGone: (name: string) => void;
  readonly onStep: OnStep;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The files of one destination that are being written, of each kind one. */
export class RollingFiles {
  readonly #options: RollingFilesOptions;
  readonly #byKind = new Map<BackupKind, RollingFile>();

  constructor(options: RollingFilesOptions) {
    this.#options = options;
  }

  of(kind: BackupKind): RollingFile {
    let file = this.#byKind.get(kind);
    if (file === undefined) {
      file = this.#create(kind);
      this.#byKind.set(kind, file);
    }
    return file;
  }

  /** Lets go of the open files for whose final name `isThere` is false. */
  async check(isThere: (name: string) => boolean): Promise<void> {
    await Promise.all([...this.#byKind.values()].map((file) => file.check(isThere)));
  }

  /** Cuts off what failed appends have left in files. Throws the system error of the disk. */
  async cutLeftovers(): Promise<void> {
    for (const file of this.#byKind.values()) await file.cutLeftovers();
  }

  /** Seals all; no record can be added any more. */
  async close(): Promise<void> {
    await Promise.all(BACKUP_KINDS.map((kind) => this.of(kind).close()));
  }

  #create(kind: BackupKind): RollingFile {
    const { catalog, clock, log, maxRowsPerFile, onGone, onStep } = this.#options;
    return new RollingFile({
      maxRows: maxRowsPerFile,
      maxAgeMs: KINDS[kind].maxAgeMs,
      begin: (reason) => this.#begin(kind, reason),
      onChange: (info) => catalog.put(info),
      onGone,
      onSealed: () => onStep('sealed'),
      clock,
      log,
    });
  }

  async #begin(kind: BackupKind, reason: Reason): Promise<BackupFile> {
    const { clock, destination, folder, onBegin, onGone, takeName } = this.#options;
    // A person may have removed the directory since the start.
    await folder.fileSystem.makeDirectory(folder.directory);
    // Without the reserve the first rows will not be written, and what is done before would be for nothing.
    if (!KINDS[kind].maySpendReserve) await folder.reserve.keep();
    const createdAtMs = Math.floor(clock.now() / 1000) * 1000;
    const name = await takeName(kind, createdAtMs);
    try {
      await onBegin(kind, name);
    } catch (error) {
      onGone(name);
      throw error;
    }
    const header = headerLine(KINDS[kind].columns);
    return new BackupFile({ folder, name, kind, destination, header, createdAtMs, reason });
  }
}
