import { dirname } from 'node:path';

import { systemErrorCode } from './errors.ts';
import type { FileSystem } from './filesystem.ts';

/** What an interrupted `replaceFile` leaves beside the file. */
export const TEMPORARY_SUFFIX = '.tmp';

/** Makes a file with this content, synced; its name is durable after the next sync of the directory. Throws the system error of the disk. */
export async function writeNewFile(fileSystem: FileSystem, path: string, bytes: Buffer): Promise<void> {
  const file = await fileSystem.create(path);
  try {
    await file.append(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Replaces a small file durably, all or nothing. Throws the system error of the disk; then the old one or the new one is there. Calls for one
 * path must not overlap.
 */
export async function replaceFile(fileSystem: FileSystem, path: string, text: string): Promise<void> {
  const temporary = path + TEMPORARY_SUFFIX;
  await removeIfThere(fileSystem, temporary);
  await writeNewFile(fileSystem, temporary, Buffer.from(text));
  await fileSystem.rename(temporary, path);
  await fileSystem.syncDirectory(dirname(path));
}

/** Removes a file that may not be there; durable after the next sync of the directory. Throws the system error of the disk. */
export async function removeIfThere(fileSystem: FileSystem, path: string): Promise<void> {
  await ifThere(fileSystem.remove(path));
}

/** What the call on a file or directory gives; undefined when there is no such file (ENOENT). Throws all other errors. */
export async function ifThere<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
