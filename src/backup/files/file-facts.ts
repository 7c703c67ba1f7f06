import { DEFAULT_DESTINATION } from '../../core/destination.ts';
import type { Reason } from '../../core/errors.ts';
import { TimeWriter } from '../csv/time-text.ts';
import type { BackupFileInfo } from './file-info.ts';
import { parseFileName, type BackupKind } from './file-name.ts';
import { goneHint } from './gone-hint.ts';
import { KINDS } from './kinds.ts';

/** A file as all say it that speak of it outside, as JSON: its recovery notice, `/api/backups` and the command line. */
export interface FileFacts {
  readonly file: string;
  readonly kind: BackupKind;
  readonly state: 'open' | 'sealed' | 'replaying';
  /** The name of the destination that its rows are for; `default` for that of `oracle.table`. */
  readonly destination: string;
  /** Rows, or messages of an undecodable file. */
  readonly rows: number;
  /** How many of its rows need no replay any more; 0 when it is not being replayed. */
  readonly replayedRows: number;
  readonly bytes: number;
  readonly sha256: string | undefined;
  /** ISO 8601; null when no row has a time. */
  readonly firstTimestamp: string | null;
  readonly lastTimestamp: string | null;
  /** ISO 8601: when the file was begun; the beginning of 1970 where nothing tells. */
  readonly createdAt: string;
  /** Why its first row is there. */
  readonly reason: Reason;
  /** Why the file can't be read to its end, or not be replayed; undefined when it can. */
  readonly problem: string | undefined;
  /** Where a person has sent all its rows, whomever they are for; undefined: nowhere else. */
  readonly to: string | undefined;
  /** What a person has to do before it can be replayed, as the configuration is; undefined: nothing. */
  readonly hint: string | undefined;
}

/** What becomes of a file as the configuration is. */
export type FileOutlook = Pick<FileFacts, 'to' | 'hint'>;

/** Where the rows of a file go; `to`: where a person has sent them. */
export function targetOf({ destination, kind }: BackupFileInfo, to: string | undefined): string {
  // Of messages the configuration says whom their rows are for.
  return to ?? (kind === 'undecodable' ? DEFAULT_DESTINATION : destination);
}

/** `destinations`: those of the configuration. */
export function fileOutlook(
  info: BackupFileInfo,
  to: string | undefined,
  destinations: readonly string[],
): FileOutlook {
  const target = targetOf(info, to);
  return { to, hint: destinations.includes(target) ? undefined : goneHint(target) };
}

export function fileFacts(info: BackupFileInfo, { hint, to }: FileOutlook): FileFacts {
  const times = new TimeWriter();
  const timeOrNull = (timeMs: number | undefined): string | null => (timeMs === undefined ? null : times.text(timeMs));
  return {
    file: info.name,
    kind: info.kind,
    state: info.replayedRows === undefined ? info.state : 'replaying',
    destination: info.destination,
    rows: info.rows,
    replayedRows: info.replayedRows ?? 0,
    bytes: info.bytes,
    sha256: info.sha256,
    firstTimestamp: timeOrNull(info.firstTimestampMs),
    lastTimestamp: timeOrNull(info.lastTimestampMs),
    createdAt: times.text(info.createdAtMs),
    reason: info.reason,
    problem: info.problem,
    to,
    hint,
  };
}

/**
 * Whether the file is replayed without anybody asking for it: rejected rows and messages are not, nor what bears a name
 * that no bridge gives, as a person may still be writing that.
 */
export function replaysByItself({
  file,
  kind,
  hint,
  problem,
  state,
}: Pick<FileFacts, 'file' | 'kind' | 'problem' | 'state'> & Partial<FileOutlook>): boolean {
  const isReady = state !== 'open' && problem === undefined && hint === undefined;
  return KINDS[kind].replaysByItself && isReady && parseFileName(file) !== undefined;
}
