import { dirname } from 'node:path';

import { systemErrorCode } from './errors.ts';
import type { AppendFile, FileSystem } from './filesystem.ts';

/** What an interrupted `replaceFile` leaves beside the file. */
export const TEMPORARY_SUFFIX = '.tmp';

/**
 * Does `work` on a file that was just created or opened, makes the file durable, and closes it whatever happens. Throws
 * what `work` throws, and the system error of the disk.
 */
export async function withSynced(
  opening: Promise<AppendFile>,
  work: (file: AppendFile) => Promise<void>,
): Promise<void> {
  const file = await opening;
  try {
    await work(file);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Makes a file with this content, synced; its name is durable after the next sync of the directory. Throws the system
 * error of the disk.
 */
export function writeNewFile(fileSystem: FileSystem, path: string, bytes: Buffer): Promise<void> {
  return withSynced(fileSystem.create(path), (file) => file.append(bytes));
}

/** Makes what is in a file durable, and its size. Throws the system error of the disk. */
export function syncFile(fileSystem: FileSystem, path: string): Promise<void> {
  return withSynced(fileSystem.openAppend(path), () => Promise.resolve());
}

/**
 * Replaces a small file durably, all or nothing. Throws the system error of the disk; then the old one or the new one
 * is there. Calls for one path must not overlap.
 */
export async function replaceFile(fileSystem: FileSystem, path: string, text: string): Promise<void> {
  const temporary = path + TEMPORARY_SUFFIX;
  await removeIfThere(fileSystem, temporary);
  await writeNewFile(fileSystem, temporary, Buffer.from(text));
  await fileSystem.rename(temporary, path);
  await fileSystem.syncDirectory(dirname(path));
}

/**
 * Removes a file that may not be there; durable after the next sync of the directory. Throws the system error of the
 * disk.
 */
export async function removeIfThere(fileSystem: FileSystem, path: string): Promise<void> {
  await ifThere(fileSystem.remove(path));
}

/**
 * What the call on a file or directory gives; undefined when there is no such file (ENOENT). Throws all other errors.
 */
export async function ifThere<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
