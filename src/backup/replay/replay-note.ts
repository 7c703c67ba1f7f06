import { DEFAULT_DESTINATION, destinationField } from '../../core/destination.ts';
import { finalNameOf, isSealedName, REPLAY_SUFFIX } from '../files/file-name.ts';
import type { BackupFolder } from '../files/folder.ts';
import { destinationOfKey } from './stream-name.ts';

/** By group of rows (replay-rows.ts): the name of its ledger stream. */
export type ReplayStreams = Readonly<Record<string, string>>;

/**
 * What is noted of a file's replay in `<file>.csv.replay`, from before its first row is written until the ledger's rows
 * are deleted: it stays the same when a person changes the file, or the configuration, between two parts of it.
 */
export interface ReplayNote {
  /** None yet: a person has said where the rows go, and no row was sent. */
  readonly streams: ReplayStreams;
  /** Whose replay it is. */
  readonly destination: string;
  /** Where a person has sent all rows, whomever they are for; undefined: nowhere else. */
  readonly to: string | undefined;
}

/** Undefined when there is none. Throws the system error of the disk, and an Error for a note that can't be read. */
export async function readNote(folder: BackupFolder, file: string): Promise<ReplayNote | undefined> {
  const content = await folder.readSidecar(file + REPLAY_SUFFIX);
  if (content === undefined) return undefined;
  const { destination = DEFAULT_DESTINATION, streams, to } = content as Partial<Record<keyof ReplayNote, unknown>>;
  const isNote = isStreams(streams) && typeof destination === 'string' && (to === undefined || typeof to === 'string');
  if (!isNote) throw new Error(`${file}${REPLAY_SUFFIX} does not say how far the replay is known`);
  return { streams, destination, to };
}

/** Durable when it resolves. Throws the system error of the disk; then the former note is there, or this one. */
export function writeNote(folder: BackupFolder, file: string, { destination, streams, to }: ReplayNote): Promise<void> {
  const owner = destinationField(destination);
  return folder.writeSidecar(file + REPLAY_SUFFIX, { streams, ...owner, ...(to === undefined ? {} : { to }) });
}

/** Rows of the file may have been sent. */
export function hasBegun(note: ReplayNote | undefined): boolean {
  return note !== undefined && Object.keys(note.streams).length > 0;
}

/** Where rows of the file may have been sent; none: its replay has not begun. */
export function targetsOf(note: ReplayNote | undefined): readonly string[] {
  const keys = Object.keys(note?.streams ?? {});
  return note?.to === undefined || keys.length === 0 ? keys.map(destinationOfKey) : [note.to];
}

function isStreams(streams: unknown): streams is ReplayStreams {
  return typeof streams === 'object' && streams !== null;
}

/** The names of files that have a note and are not there in any form. */
export function orphanedNotes(entries: readonly string[]): string[] {
  const files = filesOf(entries);
  return notedFiles(entries).filter((name) => !files.has(name));
}

/** The names of files that have a note, and which are still there. */
export function presentNotes(entries: readonly string[]): string[] {
  const files = filesOf(entries);
  return notedFiles(entries).filter((name) => files.has(name));
}

function filesOf(entries: readonly string[]): ReadonlySet<string> {
  return new Set(entries.map((entry) => finalNameOf(entry) ?? entry).filter((name) => isSealedName(name)));
}

function notedFiles(entries: readonly string[]): string[] {
  return entries
    .filter((entry) => entry.endsWith(REPLAY_SUFFIX))
    .map((entry) => entry.slice(0, -REPLAY_SUFFIX.length))
    .filter((name) => isSealedName(name));
}
