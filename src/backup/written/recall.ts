import type { FileSystem } from '../../core/filesystem.ts';
import { comparePlaces, type Place } from '../../core/place.ts';
import { placeKeyOf, placeOf } from '../../core/tag-values.ts';
import { parseCsv } from '../csv/csv-reader.ts';
import { CsvError, type CsvField } from '../csv/csv.ts';
import type { BackupFileInfo } from '../files/file-info.ts';
import type { BackupFolder } from '../files/folder.ts';
import { OPEN_SUFFIX } from '../files/file-name.ts';
import { readBackupRows, type BackupRows } from '../csv/row-reader.ts';

/**
 * Where files that earlier runs left lie; one that could not be recovered still has the name that it had while it was
 * open.
 */
export async function presentPaths(folder: BackupFolder, names: readonly string[]): Promise<string[]> {
  const entries = new Set(await folder.list());
  return names.map((name) => folder.path(entries.has(name) ? name : name + OPEN_SUFFIX));
}

/** Throws an Error for a file that an earlier run left open and that could not be recovered. */
export function assertRecovered(files: readonly BackupFileInfo[]): void {
  const unsure = files.find(({ problem, state }) => state === 'open' && problem !== undefined);
  if (unsure !== undefined) throw new Error(`${unsure.name} could not be recovered: ${unsure.problem}`);
}

/**
 * Calls `visit` for each row `i` of rejected files. What can't be read as a row ends its file.
 */
export async function visitRejected(
  fileSystem: FileSystem,
  paths: readonly string[],
  visit: (rows: BackupRows, i: number) => void,
): Promise<void> {
  for (const path of paths) {
    await ignoringCsvErrors(async () => {
      for await (const rows of readBackupRows(fileSystem, path)) {
        for (let i = 0; i < rows.values.length; i += 1) visit(rows, i);
      }
    });
  }
}

/**
 * The places, as `placeKeyOf`, of the journal's rows behind `after` in rejected files. Throws the system error of the
 * disk.
 */
export async function rejectedPlaces(
  fileSystem: FileSystem,
  paths: readonly string[],
  journal: string,
  after: Place,
): Promise<Set<string>> {
  const places = new Set<string>();
  await visitRejected(fileSystem, paths, ({ journals, values }, i) => {
    if (journals[i] === journal && comparePlaces(placeOf(values, i), after) > 0) places.add(placeKeyOf(values, i));
  });
  return places;
}

/** The numbers of the journal's messages from `fromNo` on in undecodable files. Throws the system error of the disk. */
export async function undecodableNumbers(
  fileSystem: FileSystem,
  paths: readonly string[],
  journal: string,
  fromNo: number,
): Promise<Set<number>> {
  const numbers = new Set<number>();
  for (const path of paths) {
    let columns: readonly CsvField[] | undefined;
    await ignoringCsvErrors(async () => {
      for await (const records of parseCsv(fileSystem, path)) {
        for (const { fields } of records) {
          if (columns === undefined) {
            columns = fields;
          } else if (fields[columns.indexOf('journal')] === journal) {
            const number = Number(fields[columns.indexOf('message_no')]);
            if (number >= fromNo) numbers.add(number);
          }
        }
      }
    });
  }
  return numbers;
}

async function ignoringCsvErrors(read: () => Promise<void>): Promise<void> {
  try {
    await read();
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
  }
}
