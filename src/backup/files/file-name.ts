/**
 * Names in the backup directory. `<name>.csv` is sealed and pending; while it grows it is `<name>.csv.open`, while it
 * is taken away `<name>.csv.discarded` or `<name>.csv.replayed`, and bytes that a crash left unreadable at its end are
 * kept in `<name>.csv.damaged`. `<name>.csv.skip` and `<name>.csv.replay` say what of it need not be replayed, and how
 * far its replay is known. `<name>.csv.rows` and `<name>.csv.left` are what an undecodable file was decoded into, until
 * all its rows are in Oracle.
 */

export const BACKUP_KINDS = ['backup', 'held', 'rejected', 'undecodable'] as const;
export type BackupKind = (typeof BACKUP_KINDS)[number];

export const SEALED_SUFFIX = '.csv';
export const OPEN_SUFFIX = '.open';
export const DISCARDED_SUFFIX = '.discarded';
export const REPLAYED_SUFFIX = '.replayed';
export const DAMAGED_SUFFIX = '.damaged';
/** See skip-stamps.ts. */
export const SKIP_SUFFIX = '.skip';
/** See replay-note.ts. */
export const REPLAY_SUFFIX = '.replay';
/** See decoded-messages.ts. */
export const ROWS_SUFFIX = '.rows';
export const LEFT_SUFFIX = '.left';

const NAME = /^(?<kind>backup|held|rejected|undecodable)_(?<date>\d{8})_(?<time>\d{6})(?:_\d+)?\.csv$/;
const DATE_PARTS = /^(\d{4})(\d\d)(\d\d)$/;
const TIME_PARTS = /^(\d\d)(\d\d)(\d\d)$/;

/** A name for a new file that no file in any form has: `backup_20251102_143000.csv`, then `…_2.csv`, `…_3.csv`. */
export function newFileName(kind: BackupKind, atMs: number, isTaken: (name: string) => boolean): string {
  const stamp = new Date(atMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '_');
  const base = `${kind}_${stamp}`;
  let name = base + SEALED_SUFFIX;
  for (let number = 2; isTaken(name); number += 1) name = `${base}_${number}${SEALED_SUFFIX}`;
  return name;
}

/** What a name of ours says of the file; undefined for a file that a person named. */
export function parseFileName(name: string): { readonly kind: BackupKind; readonly createdAtMs: number } | undefined {
  const groups = NAME.exec(name)?.groups;
  if (groups === undefined) return undefined;
  const date = groups['date']!.replace(DATE_PARTS, '$1-$2-$3');
  const time = groups['time']!.replace(TIME_PARTS, '$1:$2:$3');
  const createdAtMs = Date.parse(`${date}T${time}Z`);
  return Number.isNaN(createdAtMs) ? undefined : { kind: groups['kind'] as BackupKind, createdAtMs };
}

/** False for all that is no plain name of a CSV file, a path out of the directory first of all. */
export function isSealedName(name: string): boolean {
  return name.endsWith(SEALED_SUFFIX) && !name.startsWith('.') && !/[/\\\0]/.test(name);
}

/** The final name of a file that is still being written; undefined for other names. */
export function finalNameOf(entry: string): string | undefined {
  if (!entry.endsWith(OPEN_SUFFIX)) return undefined;
  const name = entry.slice(0, -OPEN_SUFFIX.length);
  return isSealedName(name) ? name : undefined;
}
