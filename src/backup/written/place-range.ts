import { ifThere } from '../../core/durable-file.ts';
import type { FileSystem } from '../../core/filesystem.ts';
import { comparePlaces, laterPlace, type Place } from '../../core/place.ts';
import { placeOf } from '../../core/tag-values.ts';
import { BEGINNING_BYTES } from '../csv/csv-reader.ts';
import { CsvError } from '../csv/csv.ts';
import { readBackupRows } from '../csv/row-reader.ts';
import type { NumberedRow } from '../files/catalog.ts';
import type { BackupFolder } from '../files/folder.ts';

/** The first and the last place of a journal's rows in a file. */
export interface PlaceRange {
  readonly first: Place;
  readonly last: Place;
}

/** Of a file whose first row another journal numbered. */
const ROWS_AT_ONCE = 500;

/** The place of the first row that the journal numbered, which the bridge wrote first too; reads little. */
export async function firstPlace(fileSystem: FileSystem, path: string, journal: string): Promise<Place | undefined> {
  let rowsAtOnce = 1;
  const maxRows = (): number => {
    const now = rowsAtOnce;
    rowsAtOnce = ROWS_AT_ONCE;
    return now;
  };
  try {
    for await (const rows of readBackupRows(fileSystem, path, maxRows, { firstBytes: BEGINNING_BYTES })) {
      const { journals, values } = rows;
      const i = journals.indexOf(journal);
      if (i !== -1) return placeOf(values, i);
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
  }
  return undefined;
}

/** Reads the whole file, or up to a mistake in it. Undefined when no row is the journal's. */
export async function placeRange(
  fileSystem: FileSystem,
  path: string,
  journal: string,
): Promise<PlaceRange | undefined> {
  let range: PlaceRange | undefined;
  try {
    for await (const { values, journals } of readBackupRows(fileSystem, path)) {
      for (let i = 0; i < values.length; i += 1) {
        if (journals[i] === journal) range = extendRange(range, placeOf(values, i));
      }
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
  }
  return range;
}

export interface BegunFile {
  readonly path: string;
  /** Absent: not known. */
  readonly first?: NumberedRow | undefined;
}

/**
 * The places in the file that begins with the latest one: the bridge wrote it last, whatever the clock said. Undefined
 * when none holds rows of the journal.
 */
export async function latestRange(
  fileSystem: FileSystem,
  files: readonly BegunFile[],
  journal: string,
): Promise<PlaceRange | undefined> {
  let latest: { readonly path: string; readonly first: Place } | undefined;
  for (const { first: begins, path } of files) {
    const isKnown = begins?.journal === journal;
    const first = isKnown ? begins.place : await firstPlace(fileSystem, path, journal);
    if (first === undefined) continue;
    if (latest === undefined || comparePlaces(first, latest.first) > 0) latest = { path, first };
  }
  return latest === undefined ? undefined : placeRange(fileSystem, latest.path, journal);
}

/** What is known of the places of a file's rows; `unread`: an earlier run left the file, and nobody has looked. */
export type KnownRange = PlaceRange | 'unread';

/**
 * The files whose places of the journal lie around this one. Files follow each other, so of the unread ones only the
 * last that begins before the place can; that one alone is read through. Throws the system error of the disk.
 */
export async function filesAround(
  folder: BackupFolder,
  ranges: ReadonlyMap<string, KnownRange>,
  journal: string,
  place: Place,
): Promise<Set<string>> {
  const around = new Set<string>();
  let nearest: { readonly file: string; readonly first: Place } | undefined;
  for (const [file, range] of ranges) {
    if (range !== 'unread') {
      if (contains(range, place)) around.add(file);
      continue;
    }
    const first = await ifThere(firstPlace(folder.fileSystem, folder.path(file), journal));
    if (first === undefined || comparePlaces(first, place) > 0) continue;
    if (nearest === undefined || comparePlaces(first, nearest.first) > 0) nearest = { file, first };
  }
  if (nearest === undefined) return around;
  const range = await ifThere(placeRange(folder.fileSystem, folder.path(nearest.file), journal));
  if (range !== undefined && contains(range, place)) around.add(nearest.file);
  return around;
}

/** The smallest range with the place in it. */
export function extendRange(range: PlaceRange | undefined, place: Place): PlaceRange {
  if (range === undefined) return { first: place, last: place };
  const first = comparePlaces(place, range.first) < 0 ? place : range.first;
  return { first, last: laterPlace(range.last, place) };
}

function contains({ first, last }: PlaceRange, place: Place): boolean {
  return comparePlaces(first, place) <= 0 && comparePlaces(place, last) <= 0;
}
