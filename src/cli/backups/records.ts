import { parseCsv } from '../../backup/csv/csv-reader.ts';
import { CsvError, textOfField, type CsvField } from '../../backup/csv/csv.ts';
import type { BackupFileInfo } from '../../backup/files/file-info.ts';
import { OPEN_SUFFIX, type BackupKind } from '../../backup/files/file-name.ts';
import type { BackupFolder } from '../../backup/files/folder.ts';
import { KINDS } from '../../backup/files/kinds.ts';

/** The fields of a record by the names of their columns; null: NULL. */
export type NamedFields = Readonly<Record<string, CsvField>>;

/**
 * The records of a file one by one, also while it is being written. A mistake in the file ends it: what is wrong stands
 * among its facts. Throws the system error of the disk.
 */
export async function* namedRecords(
  folder: BackupFolder,
  { name, state }: BackupFileInfo,
): AsyncGenerator<NamedFields, void, undefined> {
  const isGrowing = state === 'open';
  const path = folder.path(isGrowing ? name + OPEN_SUFFIX : name);
  let columns: readonly CsvField[] | undefined;
  try {
    for await (const records of parseCsv(folder.fileSystem, path, { isGrowing })) {
      for (const { fields } of records) {
        if (columns === undefined) columns = fields;
        else yield Object.fromEntries(columns.map((column, i) => [column ?? '', fields[i] ?? null]));
      }
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
  }
}

/** How many rows, or messages, of a file are there for one reason. */
export interface ReasonCount {
  readonly code: string;
  /** Of the first of them. */
  readonly message: string;
  readonly rows: number;
}

/** What a record of such a file says of why it is there. */
const REASON_COLUMNS = {
  rows: ['error_code', 'error_message'],
  messages: ['reason_code', 'reason_message'],
} as const;

/** A file of one outage has one reason for all its rows; of the others each row has its own. */
function hasReasons(kind: BackupKind): boolean {
  return KINDS[kind].isSetApart || kind === 'undecodable';
}

/**
 * Reads through why the rows of a file are there, most first; undefined for a backup, of which the first row tells.
 * Throws the system error of the disk.
 */
export async function countReasons(
  folder: BackupFolder,
  file: BackupFileInfo,
): Promise<readonly ReasonCount[] | undefined> {
  if (!hasReasons(file.kind)) return undefined;
  const [codeColumn, messageColumn] = REASON_COLUMNS[file.kind === 'undecodable' ? 'messages' : 'rows'];
  const counts = new Map<string, { readonly message: string; rows: number }>();
  for await (const record of namedRecords(folder, file)) {
    const code = textOfField(record[codeColumn] ?? '');
    const known = counts.get(code);
    if (known === undefined) counts.set(code, { message: textOfField(record[messageColumn] ?? ''), rows: 1 });
    else known.rows += 1;
  }
  return [...counts].map(([code, { message, rows }]) => ({ code, message, rows })).sort((a, b) => b.rows - a.rows);
}
