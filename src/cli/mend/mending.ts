import { createHash } from 'node:crypto';

import { parseCsv } from '../../backup/csv/csv-reader.ts';
import { CsvError, csvField, type CsvField, type CsvRecord } from '../../backup/csv/csv.ts';
import type { BackupFileInfo } from '../../backup/files/file-info.ts';
import type { BackupFolder } from '../../backup/files/folder.ts';
import { DROP_COLUMN, ROW_COLUMN, type MendedRow } from './mended-csv.ts';

/*
 * A person mends rows in a CSV of their own, and the bridge's file is made anew from both:
 *
 *     FILE ──export──▶ row, drop, what may be changed, why it is there ──a person──▶ MENDED
 *     FILE + MENDED ──▶ a file beside FILE, durable ──rename──▶ FILE
 *
 * What tells rows apart (journal, message_no, value_no, destination) never leaves FILE: `row` is the place of the row
 * in it, with a digest of these, so that no row of MENDED is taken for another. The new file has the same name and its
 * rows the same numbers, so that in the ledger they are the rows that they were: whichever of the two files a crash
 * leaves, a place is written once. A row that MENDED does not have stays as it was.
 */

/** How the records of one kind of file are mended. */
export interface Mending {
  /** What tells a row from all others. */
  readonly identity: readonly string[];
  /** Those that a person may change. */
  readonly columns: readonly string[];
  /** Those that say why it is there. */
  readonly reasons: readonly string[];
  /** What a person gets to see, by column; null: nothing. */
  shown(fields: RecordFields): Readonly<Record<string, CsvField>>;
  /** The columns that are to have other fields; throws CsvError for what must not stand there. */
  changes(fields: RecordFields, mended: MendedRow): Readonly<Record<string, CsvField>>;
  /** Throws CsvError, with the line of the person's file, for a record that could not become a row. */
  check(header: CsvRecord, record: CsvRecord, mended: MendedRow): void;
}

/** The fields of a record by the names of their columns. */
export type RecordFields = (column: string) => CsvField;

const BYTE_ORDER_MARK = '﻿';
const LINE_END = '\r\n';
const DIGEST_LENGTH = 8;

interface LabelledRecord {
  readonly header: CsvRecord;
  readonly record: CsvRecord;
  /** Undefined: the row stands in the file before, and is left out. */
  readonly label: string | undefined;
  readonly fields: RecordFields;
}

/** The columns of the CSV that a person gets. */
export function mendedColumns({ columns, reasons }: Mending): string[] {
  return [ROW_COLUMN, DROP_COLUMN, ...columns, ...reasons];
}

/**
 * The file as a CSV for a person, line by line. Throws CsvError where it can't be read, and the system error of the
 * disk.
 */
export async function* exportLines(
  folder: BackupFolder,
  file: BackupFileInfo,
  mending: Mending,
): AsyncGenerator<string> {
  const columns = mendedColumns(mending);
  // Without the mark a spreadsheet takes UTF-8 for something else.
  yield BYTE_ORDER_MARK + columns.join(',') + LINE_END;
  for await (const { fields, label } of labelled(folder, file, mending)) {
    if (label === undefined) continue;
    const shown: Readonly<Record<string, CsvField>> = { ...mending.shown(fields), [ROW_COLUMN]: label };
    yield columns.map((column) => csvField(shown[column] ?? null)).join(',') + LINE_END;
  }
}

export interface MendCount {
  changed: number;
  dropped: number;
  /** Rows of the new file. */
  rows: number;
}

const MAX_MISTAKES = 20;

/** All that is wrong with what a person has made, each with line and column. */
export class MistakesError extends Error {
  constructor(mistakes: readonly string[]) {
    const more = mistakes.length > MAX_MISTAKES ? [`and ${mistakes.length - MAX_MISTAKES} more`] : [];
    super([...mistakes.slice(0, MAX_MISTAKES), ...more].join('\n'));
    this.name = 'MistakesError';
  }
}

/**
 * The new content of the file, line by line; `count` is up to date at its end. Throws MistakesError, at the end, when
 * anything of it is wrong; CsvError where the file can't be read, and the system error of the disk.
 */
export async function* mendedLines(
  folder: BackupFolder,
  file: BackupFileInfo,
  mending: Mending,
  mended: ReadonlyMap<string, MendedRow>,
  count: MendCount,
): AsyncGenerator<string> {
  const mistakes: string[] = [];
  const unknown = new Map(mended);
  let isBegun = false;
  for await (const { fields, header, label, record } of labelled(folder, file, mending)) {
    if (!isBegun) yield lineOf(header.fields);
    isBegun = true;
    const row = label === undefined ? undefined : mended.get(label);
    if (label !== undefined) unknown.delete(label);
    if (label === undefined) continue;
    if (row?.isDropped === true) {
      count.dropped += 1;
      continue;
    }
    count.rows += 1;
    try {
      const changes = row === undefined ? {} : mending.changes(fields, row);
      if (row === undefined || Object.keys(changes).length === 0) {
        yield lineOf(record.fields);
        continue;
      }
      count.changed += 1;
      const changed = withChanges(header, record, changes, row.line);
      mending.check(header, changed, row);
      yield lineOf(changed.fields);
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
      mistakes.push(error.message);
    }
  }
  for (const [label, { line }] of unknown) {
    mistakes.push(`line ${line}, column ${ROW_COLUMN}: ${JSON.stringify(label)} is no row of ${file.name}`);
  }
  if (mistakes.length > 0) throw new MistakesError(mistakes);
}

function withChanges(
  header: CsvRecord,
  record: CsvRecord,
  changes: Readonly<Record<string, CsvField>>,
  line: number,
): CsvRecord {
  const fields = record.fields.map((field, i) => {
    const column = nameOf(header.fields[i] ?? null);
    return Object.hasOwn(changes, column) ? (changes[column] ?? null) : field;
  });
  return { fields, line, endByte: 0 };
}

async function* labelled(
  folder: BackupFolder,
  file: BackupFileInfo,
  { identity }: Mending,
): AsyncGenerator<LabelledRecord> {
  let header: CsvRecord | undefined;
  let places = new Map<string, number>();
  const known = new Set<string>();
  let number = 0;
  for await (const records of parseCsv(folder.fileSystem, folder.path(file.name))) {
    for (const record of records) {
      if (header === undefined) {
        header = record;
        places = new Map(record.fields.map((name, i) => [nameOf(name), i]));
        continue;
      }
      const fields = (column: string): CsvField => record.fields[places.get(column) ?? -1] ?? null;
      number += 1;
      const identityText = identityOf(fields, identity, record.line);
      const isRepeat = known.has(identityText);
      known.add(identityText);
      const digest = createHash('sha256').update(identityText).digest('hex').slice(0, DIGEST_LENGTH);
      yield { header, record, fields, label: isRepeat ? undefined : `r${number}_${digest}` };
    }
  }
}

function identityOf(fields: RecordFields, columns: readonly string[], line: number): string {
  if (fields('message_no') === null) {
    throw new CsvError(line, 'message_no', 'a row of your own: mend it in the file itself');
  }
  return columns.map((column) => fields(column) ?? '').join('\0');
}

function nameOf(field: CsvField): string {
  return field?.trim().toLowerCase() ?? '';
}

function lineOf(fields: readonly CsvField[]): string {
  return fields.map(csvField).join(',') + LINE_END;
}
