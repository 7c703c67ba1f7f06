import type { Reason } from '../../core/errors.ts';
import type { BackupKind } from './file-name.ts';

/** What there is to know of a file without opening it. */
export interface BackupFileInfo {
  /** The final name, ending in `.csv`, also while the file is open. */
  readonly name: string;
  readonly kind: BackupKind;
  readonly state: 'open' | 'sealed';
  /** Whom its rows are for, by the first of them; the default's for messages that could not be decoded. */
  readonly destination: string;
  /** Rows, or messages of an undecodable file. */
  readonly rows: number;
  readonly bytes: number;
  /** Of the whole file, in hexadecimal; undefined while it is open. */
  readonly sha256: string | undefined;
  /** The earliest timestamp of its values, of receipt for undecodable messages; undefined when no row has one. */
  readonly firstTimestampMs: number | undefined;
  readonly lastTimestampMs: number | undefined;
  readonly createdAtMs: number;
  /** Why its first row is here. */
  readonly reason: Reason;
  /** Why the file can't be read to its end: line and column; undefined when it can. */
  readonly problem: string | undefined;
  /** How many of its rows need no replay any more; undefined when it is not being replayed. */
  readonly replayedRows: number | undefined;
}

/** Oldest first; of files of one second the one that was begun first. */
export function compareFiles(a: BackupFileInfo, b: BackupFileInfo): number {
  return a.createdAtMs - b.createdAtMs || a.name.length - b.name.length || (a.name < b.name ? -1 : 1);
}

/** Why a file can't be discarded, for a person; undefined when it can. `replaying`: those being replayed. */
export function refusalToDiscard(
  { name, state }: BackupFileInfo,
  replaying: readonly string[] = [],
): string | undefined {
  if (state === 'open') return `${name} is being written; only sealed files can be discarded`;
  return replaying.includes(name) ? `${name} is being replayed; try again when that is over` : undefined;
}

/** The earliest and latest of many times; NaN is no time. */
export class TimeRange {
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  add(timeMs: number): void {
    if (timeMs < this.#first) this.#first = timeMs;
    if (timeMs > this.#last) this.#last = timeMs;
  }

  merge(other: TimeRange): void {
    if (other.#first > other.#last) return;
    this.add(other.#first);
    this.add(other.#last);
  }

  get firstMs(): number | undefined {
    return this.#first <= this.#last ? this.#first : undefined;
  }

  get lastMs(): number | undefined {
    return this.#first <= this.#last ? this.#last : undefined;
  }
}
