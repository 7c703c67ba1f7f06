import { join } from 'node:path';

import { systemErrorCode } from './core/errors.ts';
import type { FileSystem } from './core/filesystem.ts';
import { isLaterCheckpoint } from './journal/checkpoint-file.ts';
import { JOURNAL_FILES } from './journal/file-names.ts';
import { decodeHeader, HEADER_BYTES, parseSegmentName } from './journal/segment.ts';

/*
 * What the bridge keeps on disk outlives an upgrade, and may meet an older version when the upgrade is taken back.
 *
 * Segments and the checkpoint carry the version of their format. All other files of journal.dir and backup.dir are of
 * format 1 as long as there is no `format.json` in the directory. A version that changes them so that an older one
 * would lose or repeat values by them writes `{"version":2}` there, durably, before it writes the first of them.
 */

const FORMAT_FILE = 'format.json';
const KNOWN_VERSION = 1;
const ABSENT = new Set(['ENOENT', 'ENOTDIR']);

/** A later version of the bridge has written to the directories, in a way that this one can't read. */
export class LaterFormatError extends Error {
  readonly code = 'LATER_FORMAT';
}

export interface StoredDirectories {
  readonly journal: { readonly dir: string };
  readonly backup: { readonly dir: string };
}

/**
 * Looks whether what lies in the directories is of a format that this version knows, and changes nothing there. Throws
 * LaterFormatError, which names the file, when it is not; throws the system error of the disk.
 */
export async function assertFormatsKnown(
  { backup, journal }: StoredDirectories,
  fileSystem: FileSystem,
): Promise<void> {
  const later =
    (await laterFormat('journal.dir', journal.dir, fileSystem)) ??
    (await laterInJournal(journal.dir, fileSystem)) ??
    (await laterFormat('backup.dir', backup.dir, fileSystem));
  if (later === undefined) return;
  throw new LaterFormatError(
    `${later} was written by a later version of the bridge, and this one can't read it: start the later version again. ` +
      'To go back, let it write all it has to Oracle first, then give this one empty directories. Nothing was changed',
  );
}

/** Undefined where there is no such file or directory, nor can be one: who makes it says so better. */
async function ifThere<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (ABSENT.has(systemErrorCode(error) ?? '')) return undefined;
    throw error;
  }
}

/** `journal.dir: <path>` of a file that says another version of the format than is known. */
async function laterFormat(key: string, directory: string, fileSystem: FileSystem): Promise<string | undefined> {
  const path = join(directory, FORMAT_FILE);
  const text = await ifThere(fileSystem.read(path));
  return text === undefined || versionIn(String(text)) === KNOWN_VERSION ? undefined : `${key}: ${path}`;
}

function versionIn(text: string): unknown {
  try {
    return (JSON.parse(text) as { readonly version?: unknown } | null)?.version;
  } catch {
    return undefined;
  }
}

async function laterInJournal(directory: string, fileSystem: FileSystem): Promise<string | undefined> {
  const checkpoint = join(directory, JOURNAL_FILES.checkpoint);
  const text = await ifThere(fileSystem.read(checkpoint));
  if (text !== undefined && isLaterCheckpoint(String(text))) return `journal.dir: ${checkpoint}`;
  for (const name of (await ifThere(fileSystem.list(directory))) ?? []) {
    if (parseSegmentName(name) === undefined) continue;
    const path = join(directory, name);
    const header = await ifThere(fileSystem.readRange(path, 0, HEADER_BYTES));
    if (header !== undefined && decodeHeader(header) === 'later') return `journal.dir: ${path}`;
  }
  return undefined;
}
