import { BACKUP_KINDS, type BackupKind } from './file-name.ts';
import { ROW_COLUMNS, UNDECODABLE_COLUMNS } from '../csv/row-format.ts';

interface KindTraits {
  readonly columns: readonly string[];
  /** After that a file is sealed, whatever its size. */
  readonly maxAgeMs: number;
  /**
   * A full disk must not keep a refused row from being set apart: the rows behind it, and the backups, wait for that.
   */
  readonly maySpendReserve: boolean;
  /** Rows that were refused one by one: of an unfinished replay they are known by the file that they are in. */
  readonly isSetApart: boolean;
  /** Replayed without anybody asking for it. */
  readonly replaysByItself: boolean;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export const KINDS: Readonly<Record<BackupKind, KindTraits>> = {
  backup: {
    columns: ROW_COLUMNS,
    // An outage's file ends with the outage.
    maxAgeMs: Number.POSITIVE_INFINITY,
    maySpendReserve: false,
    isSetApart: false,
    replaysByItself: true,
  },
  held: {
    columns: ROW_COLUMNS,
    // It is sealed soon, as it is tried again when it is.
    maxAgeMs: 10 * MINUTE_MS,
    maySpendReserve: true,
    isSetApart: true,
    replaysByItself: true,
  },
  rejected: {
    columns: ROW_COLUMNS,
    maxAgeMs: HOUR_MS,
    maySpendReserve: true,
    isSetApart: true,
    replaysByItself: false,
  },
  undecodable: {
    columns: UNDECODABLE_COLUMNS,
    maxAgeMs: HOUR_MS,
    maySpendReserve: false,
    isSetApart: false,
    replaysByItself: false,
  },
};

/** The kinds whose rows were set apart one by one. */
export const SET_APART_KINDS: readonly BackupKind[] = BACKUP_KINDS.filter((kind) => KINDS[kind].isSetApart);
