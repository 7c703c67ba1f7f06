import type { FileSystem } from '../../core/filesystem.ts';
import { comparePlaces, laterPlace, type Place } from '../../core/place.ts';
import { placeOf } from '../../core/tag-values.ts';
import { CsvError } from '../csv/csv.ts';
import { readBackupRows } from '../csv/row-reader.ts';

/** The first and the last place of a journal's rows in a file. */
export interface PlaceRange {
  readonly first: Place;
  readonly last: Place;
}

/** The place of the first row that the journal numbered, which the bridge wrote first too; reads little. */
export async function firstPlace(fileSystem: FileSystem, path: string, journal: string): Promise<Place | undefined> {
  try {
    for await (const { values, journals } of readBackupRows(fileSystem, path)) {
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
        if (journals[i] === journal) range = widened(range, placeOf(values, i));
      }
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
  }
  return range;
}

/**
 * The places in the file that begins with the latest one: the bridge wrote it last, whatever the clock said. Undefined when none holds rows of
 * the journal.
 */
export async function latestRange(
  fileSystem: FileSystem,
  paths: readonly string[],
  journal: string,
): Promise<PlaceRange | undefined> {
  let latest: { readonly path: string; readonly first: Place } | undefined;
  for (const path of paths) {
    const first = await firstPlace(fileSystem, path, journal);
    if (first === undefined) continue;
    if (latest === undefined || comparePlaces(first, latest.first) > 0) latest = { path, first };
  }
  return latest === undefined ? undefined : placeRange(fileSystem, latest.path, journal);
}

export function widened(range: PlaceRange | undefined, place: Place): PlaceRange {
  if (range === undefined) return { first: place, last: place };
  const first = comparePlaces(place, range.first) < 0 ? place : range.first;
  return { first, last: laterPlace(range.last, place) };
}
