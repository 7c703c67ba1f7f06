import type { Reason } from '../core/errors.ts';

/** A backup file as `/api/backups` and the events list it, and the page shows it. */
export interface ListedBackup {
  /** The name of the file. */
  readonly file: string;
  readonly kind: 'backup' | 'held' | 'rejected' | 'undecodable';
  readonly state: 'open' | 'sealed' | 'replaying';
  /** The name of the destination that its rows are for. */
  readonly destination: string;
  /** ISO 8601: when the file was begun; the beginning of 1970 where nothing tells. */
  readonly createdAt: string;
  /** Rows, or messages of an undecodable file. */
  readonly rows: number;
  readonly replayedRows: number;
  readonly bytes: number;
  /** Why its first row is there. */
  readonly reason: Reason;
  /** Why the file can't be read to its end; absent when it can. */
  readonly problem?: string | undefined;
  /** Where a person has sent all its rows; absent: nowhere else. */
  readonly to?: string | undefined;
  /** What a person has to do before it can be replayed; absent: nothing. */
  readonly hint?: string | undefined;
  /** How a replay stands that a person has asked for. */
  readonly request?:
    | {
        readonly state: 'queued' | 'replaying' | 'waiting' | 'done' | 'failed';
        readonly problem?: string | undefined;
      }
    | undefined;
}
