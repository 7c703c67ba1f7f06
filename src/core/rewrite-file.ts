import { dirname } from 'node:path';

import { removeIfThere, syncFile, withSynced } from './durable-file.ts';
import { lacksRoom } from './errors.ts';
import type { FileSystem } from './filesystem.ts';

const CHUNK_BYTES = 1_048_576;
/** What an interrupted rewrite leaves beside the file; to be removed at the next start. */
export const REWRITE_SUFFIX = '.rewrite';

/**
 * Makes the first `size` bytes of a file durable as they read now, and cuts off the rest: they are written anew and
 * take the place of the old ones. A sync alone is not enough for a file of an earlier process: when one of its syncs
 * failed, the system may take for clean what it never wrote, and a later sync succeeds without it. Where a full disk
 * does not hold both, the sync has to do. Throws what the disk throws.
 */
export async function rewriteFile(fileSystem: FileSystem, path: string, size: number): Promise<void> {
  const copyPath = path + REWRITE_SUFFIX;
  try {
    await removeIfThere(fileSystem, copyPath);
    await copyBeginning(fileSystem, path, copyPath, size);
    await fileSystem.rename(copyPath, path);
    await fileSystem.syncDirectory(dirname(path));
  } catch (error) {
    if (!lacksRoom(error)) throw error;
    await removeIfThere(fileSystem, copyPath);
    await cutInPlace(fileSystem, path, size);
  }
}

async function copyBeginning(fileSystem: FileSystem, from: string, to: string, size: number): Promise<void> {
  await withSynced(fileSystem.create(to), async (file) => {
    for (let at = 0; at < size;) {
      const chunk = await fileSystem.readRange(from, at, Math.min(CHUNK_BYTES, size - at));
      if (chunk.length === 0) throw new Error(`${from} became shorter while it was read`);
      await file.append(chunk);
      at += chunk.length;
    }
  });
}

async function cutInPlace(fileSystem: FileSystem, path: string, size: number): Promise<void> {
  if ((await fileSystem.size(path)) > size) await fileSystem.truncate(path, size);
  await syncFile(fileSystem, path);
}
