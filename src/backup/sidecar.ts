import { dirname } from 'node:path';

import { systemErrorCode } from '../core/errors.ts';
import type { FileSystem } from '../core/filesystem.ts';

const TEMPORARY_SUFFIX = '.tmp';

/** Replaces a small JSON file durably, all or nothing. Throws the system error of the disk. Calls for one path must not overlap. */
export async function writeSidecar(fileSystem: FileSystem, path: string, content: object): Promise<void> {
  const temporary = path + TEMPORARY_SUFFIX;
  await removeSidecar(fileSystem, temporary);
  const file = await fileSystem.create(temporary);
  try {
    await file.append(Buffer.from(`${JSON.stringify(content)}\n`));
    await file.sync();
  } finally {
    await file.close();
  }
  await fileSystem.rename(temporary, path);
  await fileSystem.syncDirectory(dirname(path));
}

/** The parsed content; undefined when there is no such file. Throws the system error, and SyntaxError for what is no JSON. */
export async function readSidecar(fileSystem: FileSystem, path: string): Promise<unknown> {
  try {
    return JSON.parse((await fileSystem.read(path)).toString()) as unknown;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Removes a file that may not be there; durable after the next sync of the directory. */
export async function removeSidecar(fileSystem: FileSystem, path: string): Promise<void> {
  try {
    await fileSystem.remove(path);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}
