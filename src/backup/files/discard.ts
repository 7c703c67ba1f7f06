import { join } from 'node:path';

import { removeIfThere } from '../../core/durable-file.ts';
import type { FileSystem } from '../../core/filesystem.ts';
import { DISCARDED_SUFFIX, isSealedName, SKIP_SUFFIX } from './file-name.ts';

/** Thrown for a name that is not one of a pending file in the directory. */
export class UnknownFileError extends Error {
  constructor(name: string) {
    super(`no such backup file: ${name}`);
    this.name = 'UnknownFileError';
  }
}

/**
 * Takes a sealed file away for good. It gets another name first: from then on it is not pending, whatever happens. Throws
 * UnknownFileError for a name that is no plain name of a sealed file there, and the system error of the disk.
 */
export async function discardFile(directory: string, name: string, fileSystem: FileSystem): Promise<void> {
  if (!isSealedName(name) || !(await fileSystem.list(directory)).includes(name)) throw new UnknownFileError(name);
  const path = join(directory, name);
  await fileSystem.rename(path, path + DISCARDED_SUFFIX);
  await fileSystem.syncDirectory(directory);
  await fileSystem.remove(path + DISCARDED_SUFFIX);
  await removeIfThere(fileSystem, path + SKIP_SUFFIX);
  await fileSystem.syncDirectory(directory);
}
