import type { BackupKind } from './file-name.ts';
import { ROW_COLUMNS, UNDECODABLE_COLUMNS } from '../csv/row-format.ts';

interface KindTraits {
  readonly columns: readonly string[];
  /** After that a file is sealed, whatever its size. */
  readonly maxAgeMs: number;
  /**
   * A full disk must not keep a refused row from being set apart: the rows behind it, and the backups, wait for that.
   */
  readonly maySpendReserve: boolean;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export const KINDS: Readonly<Record<BackupKind, KindTraits>> = {
  // An outage's file ends with the outage.
  backup: { columns: ROW_COLUMNS, maxAgeMs: Number.POSITIVE_INFINITY, maySpendReserve: false },
  // It is sealed soon, as it is tried again when it is.
  held: { columns: ROW_COLUMNS, maxAgeMs: 10 * MINUTE_MS, maySpendReserve: true },
  rejected: { columns: ROW_COLUMNS, maxAgeMs: HOUR_MS, maySpendReserve: true },
  undecodable: { columns: UNDECODABLE_COLUMNS, maxAgeMs: HOUR_MS, maySpendReserve: false },
};
