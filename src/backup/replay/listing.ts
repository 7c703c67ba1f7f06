import { fileFacts, type FileFacts } from '../files/file-facts.ts';
import type { BackupFileInfo } from '../files/file-info.ts';
import type { RequestState } from './file-state.ts';

/** A file as `/api/backups` lists it. */
export interface ListedFile extends FileFacts {
  /** How a replay stands that a person has asked for. */
  readonly request?: RequestState | undefined;
}

export function listedFile(info: BackupFileInfo, request: RequestState | undefined): ListedFile {
  return { ...fileFacts(info), request };
}
