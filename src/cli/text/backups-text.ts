import { parseCsv } from '../../backup/csv/csv-reader.ts';
import { CsvError, textOfField, type CsvField } from '../../backup/csv/csv.ts';
import { fileFacts, type FileFacts, type FileOutlook } from '../../backup/files/file-facts.ts';
import type { BackupFileInfo } from '../../backup/files/file-info.ts';
import { OPEN_SUFFIX } from '../../backup/files/file-name.ts';
import type { BackupFolder } from '../../backup/files/folder.ts';
import type { OutlookOf } from '../../backup/replay/outlooks.ts';
import { DEFAULT_DESTINATION } from '../../core/destination.ts';
import type { FileSystem } from '../../core/filesystem.ts';
import { printable } from '../../core/printable.ts';
import { figureText, sizeText } from '../../core/wording.ts';
import { alignCells } from './table.ts';

/** What `list --json` and `show --json` say of a file. How far a bridge has replayed it can't be seen from here. */
export function backupFacts(file: BackupFileInfo, outlook: FileOutlook): Omit<FileFacts, 'replayedRows'> {
  const { replayedRows: _unknown, ...facts } = fileFacts(file, outlook);
  return facts;
}

/** The names of the files for a shell to complete, one a line. Names that would steer a terminal are left out. */
export function backupNames(files: readonly BackupFileInfo[]): string {
  const names = files.map(({ name }) => name).filter((name) => printable(name) === name);
  return names.map((name) => `${name}\n`).join('');
}

const HEADINGS = ['FILE', 'KIND', 'STATE', 'ROWS', 'SIZE', 'AGE'];
/** The columns of numbers, counted from 0. */
const RIGHT_ALIGNED = new Set([3, 4, 5]);

/** One line a file, oldest first, cut at `columns`; with their destinations where there are others than the default. */
export function backupTable(
  files: readonly BackupFileInfo[],
  outlookOf: OutlookOf,
  nowMs: number,
  columns = Number.POSITIVE_INFINITY,
): string {
  const destinations = files.map((file) => destinationText(file, outlookOf(file)));
  const areShown = destinations.some((text) => text !== DEFAULT_DESTINATION);
  const shown = (text: string): string[] => (areShown ? [text] : []);
  const rows = files.map((file, i) => [
    file.name,
    file.kind,
    file.problem === undefined ? file.state : 'unreadable',
    figureText(file.rows),
    sizeText(file.bytes),
    ageText(nowMs - file.createdAtMs),
    ...shown(destinations[i]!),
    file.problem ?? outlookOf(file).hint ?? reasonText(file),
  ]);
  const lines = alignCells(
    [[...HEADINGS, ...shown('DESTINATION'), 'REASON'], ...rows].map((cells) => cells.map(printable)),
    RIGHT_ALIGNED,
  );
  return lines.map((line) => `${cut(line, columns)}\n`).join('');
}

function destinationText({ destination }: BackupFileInfo, { to }: FileOutlook): string {
  return to === undefined || to === destination ? destination : `${destination} → ${to}`;
}

function cut(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, columns - 1)}…`;
}

const AGES = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
] as const;

function ageText(ageMs: number): string {
  const [divisor, unit] = AGES.find(([age]) => ageMs >= age) ?? [1000, 's'];
  return `${Math.max(0, Math.floor(ageMs / divisor))} ${unit}`;
}

export interface ShownFile {
  readonly head: string;
  readonly text: string;
  /** The first records, each field by the name of its column. */
  readonly records: readonly Readonly<Record<string, CsvField>>[];
}

const MAX_FIELD_LENGTH = 60;

/** The facts of a file, and its first rows column by column. */
export async function recordLines(
  folder: BackupFolder,
  file: BackupFileInfo,
  outlook: FileOutlook,
  maxRows: number,
): Promise<ShownFile> {
  const path = folder.path(file.state === 'open' ? file.name + OPEN_SUFFIX : file.name);
  const records = await firstRecords(folder.fileSystem, path, maxRows, file.state === 'open');
  const { reason, ...facts } = { ...backupFacts(file, outlook), reason: reasonText(file) };
  const lines = Object.entries<unknown>(facts).map(([label, value]): [string, string] => [label, factText(value)]);
  return {
    head: factLines([...lines, ['reason', reason]]),
    text: records.map((record, i) => `row ${i + 1} of ${file.rows}\n${fieldLines(record)}`).join('\n'),
    records,
  };
}

function reasonText({ reason }: BackupFileInfo): string {
  return `${reason.code} ${reason.message}`.trim();
}

function factText(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

async function firstRecords(
  fileSystem: FileSystem,
  path: string,
  maxRows: number,
  isGrowing: boolean,
): Promise<Record<string, CsvField>[]> {
  const shown: Record<string, CsvField>[] = [];
  let columns: CsvField[] | undefined;
  try {
    for await (const records of parseCsv(fileSystem, path, { isGrowing })) {
      for (const { fields } of records) {
        if (columns === undefined) columns = fields;
        else shown.push(Object.fromEntries(columns.map((column, i) => [column ?? '', fields[i] ?? null])));
        if (shown.length === maxRows) return shown;
      }
    }
  } catch (error) {
    // What is wrong with the file stands among its facts.
    if (!(error instanceof CsvError)) throw error;
  }
  return shown;
}

function fieldLines(record: Readonly<Record<string, CsvField>>): string {
  const present = Object.entries(record).filter((entry): entry is [string, string] => entry[1] !== null);
  return factLines(
    present.map(([column, field]) => [`  ${column}`, field === '' ? '""' : shortened(textOfField(field))]),
  );
}

function shortened(text: string): string {
  return text.length > MAX_FIELD_LENGTH ? `${text.slice(0, MAX_FIELD_LENGTH)}… (${text.length} characters)` : text;
}

function factLines(facts: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...facts.map(([label]) => label.length)) + 2;
  return facts
    .filter(([, value]) => value !== '')
    .map(([label, value]) => `${printable(label).padEnd(width)}${printable(value)}\n`)
    .join('');
}
