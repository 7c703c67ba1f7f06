import type { Backups } from '../backups.ts';
import type { FileFacts } from '../files/file-facts.ts';
import type { RequestState } from './file-state.ts';
import type { Replays } from './replays.ts';

/** A file as `/api/backups` lists it. */
export interface ListedFile extends FileFacts {
  /** How a replay stands that a person has asked for. */
  readonly request?: RequestState | undefined;
}

/** All files, oldest first. `replays`: absent before the start is through. */
export function listFiles(backups: Backups, replays: Replays | undefined): ListedFile[] {
  return backups.files().flatMap(({ name }) => {
    const facts = backups.facts(name);
    return facts === undefined ? [] : [{ ...facts, request: replays?.requestState(name) }];
  });
}
