import { join } from 'node:path';

import { ifThere, removeIfThere, replaceFile, TEMPORARY_SUFFIX } from '../../core/durable-file.ts';
import type { FileSystem } from '../../core/filesystem.ts';
import type { Logger } from '../../core/logger.ts';
import { Reserve } from '../../core/reserve.ts';
import { REWRITE_SUFFIX } from '../../core/rewrite-file.ts';
import {
  DISCARDED_SUFFIX,
  finalNameOf,
  isSealedName,
  LEFT_SUFFIX,
  REPLAY_SUFFIX,
  REPLAYED_SUFFIX,
  ROWS_SUFFIX,
  SKIP_SUFFIX,
} from './file-name.ts';

/** Thrown for a name that is not one of a pending file in the folder. Its code is what the disk says of such a name. */
export class UnknownFileError extends Error {
  readonly code = 'ENOENT';

  constructor(name: string) {
    super(`no such backup file: ${name}`);
    this.name = 'UnknownFileError';
  }
}

const TAKEN_AWAY = [DISCARDED_SUFFIX, REPLAYED_SUFFIX, REWRITE_SUFFIX];
const TEMPORARY = [SKIP_SUFFIX, REPLAY_SUFFIX, ROWS_SUFFIX, LEFT_SUFFIX].map((suffix) => suffix + TEMPORARY_SUFFIX);
/** Of a file that is there only: without it they say nothing. */
const BESIDE = [SKIP_SUFFIX, ROWS_SUFFIX, LEFT_SUFFIX];

/**
 * The backup directory on disk: where its files lie, the small files beside them, and how files are taken away. All
 * methods throw the system error of the disk.
 */
export class BackupFolder {
  readonly directory: string;
  readonly fileSystem: FileSystem;
  /** Room for the small files on a full disk. */
  readonly reserve: Reserve;

  /** Without a reserve it is a folder of somebody who only reads and takes away. */
  constructor(directory: string, fileSystem: FileSystem, reserve = new Reserve(directory, 0, fileSystem)) {
    this.directory = directory;
    this.fileSystem = fileSystem;
    this.reserve = reserve;
  }

  /** Where the file of that name lies. */
  path(name: string): string {
    return join(this.directory, name);
  }

  /** The names of all that lies in the folder, sorted. */
  list(): Promise<string[]> {
    return this.fileSystem.list(this.directory);
  }

  /** Makes creations, renames and removals in the folder durable. */
  sync(): Promise<void> {
    return this.fileSystem.syncDirectory(this.directory);
  }

  /** Replaces a small JSON file durably, all or nothing. Calls for one name must not overlap. */
  writeSidecar(name: string, content: object): Promise<void> {
    const text = `${JSON.stringify(content)}\n`;
    return this.reserve.spendOn(() => replaceFile(this.fileSystem, this.path(name), text));
  }

  /** The parsed content; undefined when there is no such file. Throws SyntaxError, too, for what is no JSON. */
  async readSidecar(name: string): Promise<unknown> {
    const bytes = await ifThere(this.fileSystem.read(this.path(name)));
    return bytes === undefined ? undefined : (JSON.parse(bytes.toString()) as unknown);
  }

  /**
   * Takes a sealed file away for good. It gets another name first: from then on it is not pending, whatever happens.
   * Throws UnknownFileError, too, for a name that is no plain name of a sealed file there.
   */
  async discard(name: string): Promise<void> {
    if (!isSealedName(name) || !(await this.list()).includes(name)) throw new UnknownFileError(name);
    await this.fileSystem.rename(this.path(name), this.path(name + DISCARDED_SUFFIX));
    await this.sync();
    await this.fileSystem.remove(this.path(name + DISCARDED_SUFFIX));
    await this.#removeAll(BESIDE.map((suffix) => name + suffix));
  }

  /**
   * Makes a pending file of the messages of an undecodable file that could not be decoded when its others were; gives
   * its name, from `chooseName`. Undefined when there are none, or it was done before. When it throws, call it again.
   */
  async publishLeft(name: string, chooseName: () => Promise<string>): Promise<string | undefined> {
    let published: string | undefined;
    if ((await this.list()).includes(name + LEFT_SUFFIX)) {
      published = await chooseName();
      await this.fileSystem.rename(this.path(name + LEFT_SUFFIX), this.path(published));
    }
    // The file that it came from goes only after this.
    await this.sync();
    return published;
  }

  /**
   * Takes away a file whose rows are all in Oracle. It gets another name first: from then on it is not pending,
   * whatever happens. What is known of its ledger streams stays. When it throws, call it again.
   */
  async removeReplayed(name: string): Promise<void> {
    if ((await this.list()).includes(name)) {
      await this.fileSystem.rename(this.path(name), this.path(name + REPLAYED_SUFFIX));
    }
    await this.sync();
    await this.#removeAll([REPLAYED_SUFFIX, ...BESIDE, ...TEMPORARY].map((suffix) => name + suffix));
  }

  /** Forgets the ledger streams of a file that is gone. */
  removeStreams(name: string): Promise<void> {
    return this.#removeAll([name + REPLAY_SUFFIX]);
  }

  /**
   * Ends what a crash left half done: files that were being taken away, and stamps of files that are gone. Durable with
   * the next sync.
   */
  async removeLeftovers(log: Logger): Promise<void> {
    const entries = await this.list();
    const files = new Set(entries.map((entry) => finalNameOf(entry) ?? entry).filter((name) => isSealedName(name)));
    const isLeftover = (entry: string): boolean =>
      [...TAKEN_AWAY, ...TEMPORARY].some((suffix) => entry.endsWith(suffix)) ||
      BESIDE.some((suffix) => entry.endsWith(suffix) && !files.has(entry.slice(0, -suffix.length)));
    for (const entry of entries.filter((each) => isLeftover(each))) {
      try {
        await this.fileSystem.remove(this.path(entry));
      } catch (error) {
        log.warn('leftover of an earlier run could not be removed', { file: entry, error });
      }
    }
  }

  /** Removes those of the files that are there, durably. */
  async #removeAll(names: readonly string[]): Promise<void> {
    for (const name of names) await removeIfThere(this.fileSystem, this.path(name));
    await this.sync();
  }
}
