import type { Reason } from '../../core/errors.ts';
import { TimeWriter } from '../csv/time-text.ts';
import { shownState, type BackupFileInfo } from '../files/file-info.ts';
import type { BackupKind } from '../files/file-name.ts';
import type { RequestState } from './file-state.ts';

/** A file as `/api/backups` lists it. */
export interface ListedFile {
  readonly file: string;
  readonly kind: BackupKind;
  readonly state: ReturnType<typeof shownState>;
  /** ISO 8601: when the file was begun; the beginning of 1970 where nothing tells. */
  readonly createdAt: string;
  readonly rows: number;
  readonly replayedRows: number;
  readonly bytes: number;
  readonly reason: Reason;
  readonly problem?: string | undefined;
  /** How a replay stands that a person has asked for. */
  readonly request?: RequestState | undefined;
}

export function listedFile(info: BackupFileInfo, request: RequestState | undefined): ListedFile {
  const { name, kind, rows, bytes, reason, problem } = info;
  const replayedRows = info.replayedRows ?? 0;
  const createdAt = new TimeWriter().text(info.createdAtMs);
  return { file: name, kind, state: shownState(info), createdAt, rows, replayedRows, bytes, reason, problem, request };
}
