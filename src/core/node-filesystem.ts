import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, readFile, rename, rm, stat, truncate, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { ifThere } from './durable-file.ts';
import { systemErrorCode } from './errors.ts';
import type { AppendFile, FileSystem } from './filesystem.ts';
import { inBatches } from './in-batches.ts';
import type { Logger } from './logger.ts';

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;
const PERMISSIONS = 0o777;
/**
 * Rights of group and others that expose a file. Group read is allowed: the bridge never sets it, so someone did on
 * purpose.
 */
const EXPOSING = 0o037;
/** Rights that expose a directory: here the group may also enter. */
const EXPOSING_DIRECTORY = 0o027;
/** A link is not followed: another user may have put it there to lead elsewhere. */
const APPEND_FLAGS = constants.O_WRONLY | constants.O_APPEND | (constants.O_NOFOLLOW ?? 0);

/** The real disk. */
export const nodeFileSystem: FileSystem = {
  makeDirectory: async (path) => {
    const firstMade = await mkdir(path, { recursive: true, mode: DIRECTORY_MODE });
    if (firstMade === undefined) return;
    for (let each = resolve(path); each.length >= firstMade.length; each = dirname(each)) {
      await syncDirectory(dirname(each));
    }
  },
  list: async (directory) => (await readdir(directory)).sort(),
  create: async (path) => new NodeAppendFile(await open(path, 'ax', FILE_MODE)),
  openAppend: async (path) => {
    const handle = await open(path, APPEND_FLAGS);
    try {
      await tighten(handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
    return new NodeAppendFile(handle);
  },
  read: (path) => readFile(path),
  readRange: async (path, start, length) => {
    const file = await open(path, 'r');
    try {
      // Who reads a file to its end asks for far more than a small one has.
      const there = Math.max(0, Math.min(length, (await file.stat()).size - start));
      const { bytesRead, buffer } = await file.read(Buffer.alloc(there), 0, there, start);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  },
  size: async (path) => (await stat(path)).size,
  device: async (path) => (await stat(path)).dev,
  truncate: (path, size) => truncate(path, size),
  rename: (from, to) => rename(from, to),
  remove: (path) => rm(path),
  syncDirectory,
};

/** A file that was copied back, say, gets the mode that it was made with. */
async function tighten(handle: FileHandle): Promise<void> {
  const stats = await handle.stat();
  if (!stats.isFile() || (stats.mode & PERMISSIONS & ~FILE_MODE) === 0) return;
  try {
    await handle.chmod(FILE_MODE);
  } catch (error) {
    // A file of another user, or on a disk without modes, can be written all the same; `findExposed` tells of it.
    if (systemErrorCode(error) !== 'EPERM' && systemErrorCode(error) !== 'ENOTSUP') throw error;
  }
}

/** Of files in a directory. */
const LOOKED_AT_ONCE = 64;

/** Something that is open to other users of the machine. */
export interface Exposed {
  readonly path: string;
  /** The permissions as `chmod` takes them: `755`. */
  readonly mode: string;
}

/**
 * The directory, and the files right in it, as far as users other than the owner may change them, or users outside of
 * their group read them. Changes nothing: the directory may be one that serves other ends too. Throws the system error
 * when it can't be listed.
 */
export async function findExposed(directory: string): Promise<Exposed[]> {
  const exposed: Exposed[] = [];
  const look = (path: string, stats: { readonly mode: number }, bits: number): void => {
    if ((stats.mode & bits) !== 0) exposed.push({ path, mode: (stats.mode & PERMISSIONS).toString(8) });
  };
  look(directory, await stat(directory), EXPOSING_DIRECTORY);
  const paths = (await readdir(directory)).sort().map((name) => join(directory, name));
  const found = await inBatches(paths, LOOKED_AT_ONCE, (path) => ifThere(lstat(path)));
  for (const [i, stats] of found.entries()) if (stats?.isFile() === true) look(paths[i]!, stats, EXPOSING);
  return exposed;
}

/** Says it, where the directories of the bridge, or files in them, are open to other users. Changes nothing. */
export async function warnOfExposed(directories: readonly string[], log: Logger): Promise<void> {
  for (const directory of directories) {
    const exposed = await findExposed(directory);
    const [first] = exposed;
    if (first === undefined) continue;
    const remedy = `chmod -R g-w,o= ${directory}`;
    log.warn('other users can get at what the bridge keeps', { ...first, entries: exposed.length, remedy });
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

class NodeAppendFile implements AppendFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async append(...buffers: readonly Uint8Array[]): Promise<void> {
    for (const buffer of buffers) {
      for (let written = 0; written < buffer.length;) {
        const { bytesWritten } = await this.#handle.write(buffer, written, buffer.length - written);
        written += bytesWritten;
      }
    }
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
