import { join } from 'node:path';

import { removeIfThere, TEMPORARY_SUFFIX } from '../../core/durable-file.ts';
import type { FileSystem } from '../../core/filesystem.ts';
import type { Logger } from '../../core/logger.ts';
import { REWRITE_SUFFIX } from '../../core/rewrite-file.ts';
import {
  DISCARDED_SUFFIX,
  finalNameOf,
  isSealedName,
  REPLAY_SUFFIX,
  REPLAYED_SUFFIX,
  SKIP_SUFFIX,
} from './file-name.ts';

/**
 * Takes away a file whose rows are all in Oracle. It gets another name first: from then on it is not pending, whatever happens. What is known
 * of its ledger streams stays. Throws the system error of the disk; call again then.
 */
export async function removeReplayed(directory: string, name: string, fileSystem: FileSystem): Promise<void> {
  const path = join(directory, name);
  const entries = await fileSystem.list(directory);
  if (entries.includes(name)) await fileSystem.rename(path, path + REPLAYED_SUFFIX);
  await fileSystem.syncDirectory(directory);
  await removeIfThere(fileSystem, path + REPLAYED_SUFFIX);
  for (const suffix of [SKIP_SUFFIX, ...TEMPORARY]) await removeIfThere(fileSystem, path + suffix);
  await fileSystem.syncDirectory(directory);
}

/** Forgets the ledger streams of a file that is gone. */
export async function removeStreams(directory: string, name: string, fileSystem: FileSystem): Promise<void> {
  await removeIfThere(fileSystem, join(directory, name + REPLAY_SUFFIX));
  await fileSystem.syncDirectory(directory);
}

const TAKEN_AWAY = [DISCARDED_SUFFIX, REPLAYED_SUFFIX, REWRITE_SUFFIX];
const TEMPORARY = [SKIP_SUFFIX + TEMPORARY_SUFFIX, REPLAY_SUFFIX + TEMPORARY_SUFFIX];

/** Ends what a crash left half done: files that were being taken away, and stamps of files that are gone. Durable with the next sync. */
export async function removeLeftovers(directory: string, fileSystem: FileSystem, log: Logger): Promise<void> {
  const entries = await fileSystem.list(directory);
  const files = new Set(entries.map((entry) => finalNameOf(entry) ?? entry).filter((name) => isSealedName(name)));
  const isLeftover = (entry: string): boolean =>
    [...TAKEN_AWAY, ...TEMPORARY].some((suffix) => entry.endsWith(suffix)) ||
    (entry.endsWith(SKIP_SUFFIX) && !files.has(entry.slice(0, -SKIP_SUFFIX.length)));
  for (const entry of entries.filter((each) => isLeftover(each))) {
    try {
      await fileSystem.remove(join(directory, entry));
    } catch (error) {
      log.warn('leftover of an earlier run could not be removed', { file: entry, error });
    }
  }
}
