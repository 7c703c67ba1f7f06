import { finalNameOf, isSealedName, REPLAY_SUFFIX } from '../files/file-name.ts';
import type { BackupFolder } from '../files/folder.ts';

const MAX_STREAM_BYTES = 200;

/**
 * The ledger streams of a file's replay, in `<file>.csv.replay` from before its first row is written until the ledger's
 * rows are deleted: they stay the same when a person changes the file between two parts of its replay.
 */
export type ReplayStreams = Readonly<Record<string, string>>;

/** By group of rows (a journal's id); undefined when no replay of the file was begun. */
export async function readStreams(folder: BackupFolder, file: string): Promise<ReplayStreams | undefined> {
  const content = await folder.readSidecar(file + REPLAY_SUFFIX);
  if (content === undefined) return undefined;
  const { streams } = content as { readonly streams?: unknown };
  if (typeof streams === 'object' && streams !== null) return streams as ReplayStreams;
  throw new Error(`${file}${REPLAY_SUFFIX} does not say how far the replay is known`);
}

export function writeStreams(folder: BackupFolder, file: string, streams: ReplayStreams): Promise<void> {
  return folder.writeSidecar(file + REPLAY_SUFFIX, { streams });
}

/** The names of files that have such a sidecar and are not there in any form. */
export function orphanedStreams(entries: readonly string[]): string[] {
  const files = filesOf(entries);
  return begunReplays(entries).filter((name) => !files.has(name));
}

/** The names of files whose replay was begun, and which are still there. */
export function unfinishedReplays(entries: readonly string[]): string[] {
  const files = filesOf(entries);
  return begunReplays(entries).filter((name) => files.has(name));
}

function filesOf(entries: readonly string[]): ReadonlySet<string> {
  return new Set(entries.map((entry) => finalNameOf(entry) ?? entry).filter((name) => isSealedName(name)));
}

function begunReplays(entries: readonly string[]): string[] {
  return entries
    .filter((entry) => entry.endsWith(REPLAY_SUFFIX))
    .map((entry) => entry.slice(0, -REPLAY_SUFFIX.length))
    .filter((name) => isSealedName(name));
}

/**
 * `replay/<file>/<origin>`, of which a long file name gives up its beginning: what tells files apart stands at the
 * ends.
 */
export function streamName(file: string, origin: string): string {
  const head = 'replay/';
  const tail = `/${cutToBytes(origin, 100)}`;
  return head + cutToBytes(file, MAX_STREAM_BYTES - Buffer.byteLength(head + tail)) + tail;
}

/** The last bytes of a text, between characters. */
function cutToBytes(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  let start = bytes.length - maxBytes;
  while (start < bytes.length && (bytes[start]! & 0xc0) === 0x80) start += 1;
  return bytes.subarray(start).toString();
}
