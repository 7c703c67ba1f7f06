import { fileFacts, type FileFacts, type FileOutlook } from '../../backup/files/file-facts.ts';
import type { BackupFileInfo } from '../../backup/files/file-info.ts';
import { DEFAULT_DESTINATION } from '../../core/destination.ts';
import type { Reason } from '../../core/errors.ts';
import { printable } from '../../core/printable.ts';
import { figureText, sizeText } from '../../core/wording.ts';
import type { ReasonCount } from '../backups/records.ts';
import { alignCells } from './table.ts';

/** A file of the directory with what reading it through tells. */
export interface ListedBackup {
  readonly file: BackupFileInfo;
  readonly outlook: FileOutlook;
  /** Why its rows are there, most first; undefined for a backup, all of whose rows have one. */
  readonly reasons: readonly ReasonCount[] | undefined;
}

/** What `list --json` and `show --json` say of a file. How far a bridge has replayed it can't be seen from here. */
export function backupFacts({
  file,
  outlook,
  reasons,
}: ListedBackup): Omit<FileFacts, 'replayedRows'> & Pick<ListedBackup, 'reasons'> {
  const { replayedRows: _unknown, ...facts } = fileFacts(file, outlook);
  return { ...facts, reasons };
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
  listed: readonly ListedBackup[],
  nowMs: number,
  columns = Number.POSITIVE_INFINITY,
): string {
  const destinations = listed.map(({ file, outlook }) => destinationText(file, outlook));
  const areShown = destinations.some((text) => text !== DEFAULT_DESTINATION);
  const shown = (text: string): string[] => (areShown ? [text] : []);
  const rows = listed.map(({ file, outlook, reasons }, i) => [
    file.name,
    file.kind,
    file.problem === undefined ? file.state : 'unreadable',
    figureText(file.rows),
    sizeText(file.bytes),
    ageText(nowMs - file.createdAtMs),
    ...shown(destinations[i]!),
    file.problem ?? outlook.hint ?? reasonsText(file, reasons),
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

const MAX_REASONS = 5;

/** Of one reason the whole of it; of several how many rows each has: `34 × ORA-12899, 2 × ORA-01438`. */
function reasonsText(file: BackupFileInfo, reasons: readonly ReasonCount[] | undefined): string {
  if (reasons === undefined || reasons.length < 2) return reasonText(file.reason);
  const shown = reasons.slice(0, MAX_REASONS).map(({ code, rows }) => `${figureText(rows)} × ${code}`);
  return reasons.length > MAX_REASONS ? `${shown.join(', ')} …` : shown.join(', ');
}

/** A database's message mostly begins with the code. */
export function reasonText({ code, message }: Reason): string {
  return message.startsWith(code) ? message : `${code} ${message}`.trim();
}
