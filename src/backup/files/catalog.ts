import type { Place } from '../../core/place.ts';
import { compareFiles, type BackupFileInfo } from './file-info.ts';
import type { BackupKind } from './file-name.ts';

/** The place of a row in the stream of the journal that numbered it. */
export interface NumberedRow {
  readonly journal: string;
  readonly place: Place;
}

export interface PendingCount {
  readonly files: number;
  readonly rows: number;
}

/** A name bears the second in which it was given: what is older than so many others is not given again. */
const MAX_GONE_NAMES = 10_000;

/** The files that are known: each sealed one and the open ones that have rows. Tells its listeners what changes. */
export class Catalog {
  readonly #files = new Map<string, BackupFileInfo>();
  /** First rows of files of earlier runs. */
  readonly #beginnings = new Map<string, NumberedRow>();
  /** The latest names that had a file in this run: they are not given to another. */
  readonly #goneNames = new Set<string>();
  readonly #listeners = new Set<(name: string) => void>();

  get size(): number {
    return this.#files.size;
  }

  get(name: string): BackupFileInfo | undefined {
    return this.#files.get(name);
  }

  /** In no order. */
  all(): BackupFileInfo[] {
    return [...this.#files.values()];
  }

  /** Oldest first. */
  sorted(): readonly BackupFileInfo[] {
    return this.all().sort(compareFiles);
  }

  /** The oldest of those files; most that are younger are not asked about. Undefined: there is none. */
  oldestWhere(isWanted: (file: BackupFileInfo) => boolean): BackupFileInfo | undefined {
    let oldest: BackupFileInfo | undefined;
    for (const file of this.#files.values()) {
      if ((oldest === undefined || compareFiles(file, oldest) < 0) && isWanted(file)) oldest = file;
    }
    return oldest;
  }

  hadFile(name: string): boolean {
    return this.#goneNames.has(name);
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

  put(info: BackupFileInfo): void {
    this.#files.set(info.name, info);
    this.tell(info.name);
  }

  /** The first row of a file of an earlier run; undefined: not known. */
  beginning(name: string): NumberedRow | undefined {
    return this.#beginnings.get(name);
  }

  beginsWith(name: string, row: NumberedRow): void {
    this.#beginnings.set(name, row);
  }

  drop(name: string): void {
    this.#beginnings.delete(name);
    if (!this.#files.delete(name)) return;
    this.#goneNames.add(name);
    if (this.#goneNames.size > MAX_GONE_NAMES) {
      const [oldest = ''] = this.#goneNames;
      this.#goneNames.delete(oldest);
    }
    this.tell(name);
  }

  tell(name: string): void {
    for (const listener of this.#listeners) listener(name);
  }

  /** The result ends that. */
  onChange(listener: (name: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
