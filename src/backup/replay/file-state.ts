import type { FileReplay } from './file-replay.ts';

/**
 * How the replay of one file stands.
 *
 *     queued ──▶ running ──every row in Oracle, or durably rejected──▶ removing ──the file is gone──▶ done
 *                 ▲   │                                                  ▲   │
 *                 │   ▼  an error that passes, or the end of the run     │   ▼
 *              interrupted                                              written
 *
 * Whatever is the file's own fault leads to `failed`, from anywhere: it is left until it changes. One file at most is
 * running or removing. `queued` is what a person has asked for; a file that nobody asked for has no state before it
 * runs, nor after it is done or has failed.
 */
export type FileState = 'queued' | 'running' | 'interrupted' | 'removing' | 'written' | 'done' | 'failed';

/** What is known of the replay of one file. */
export interface FileRecord {
  state: FileState;
  /** A person has asked for it. */
  isAsked: boolean;
  /** Why it waits or has failed. */
  problem: string | undefined;
  /** Made when it first runs, and kept through interruptions, with what its streams know. */
  replay: FileReplay | undefined;
}

/** How a file stands that a person has asked for. */
export interface RequestState {
  readonly state: 'queued' | 'replaying' | 'waiting' | 'done' | 'failed';
  /** Why it waits or has failed. */
  readonly problem: string | undefined;
}

const SHOWN: Readonly<Record<FileState, RequestState['state']>> = {
  queued: 'queued',
  running: 'replaying',
  removing: 'replaying',
  interrupted: 'waiting',
  written: 'waiting',
  done: 'done',
  failed: 'failed',
};

/** Undefined for a file that nobody asked for. */
export function requestStateOf(record: FileRecord | undefined): RequestState | undefined {
  if (record === undefined || !record.isAsked) return undefined;
  return { state: SHOWN[record.state], problem: record.problem };
}

/** The file is being worked at. */
export function isUnderWay({ state }: FileRecord): boolean {
  return state === 'running' || state === 'removing';
}

/** Nothing is to be done about the file any more. */
export function isOver({ state }: FileRecord): boolean {
  return state === 'done' || state === 'failed';
}

/** Takes up the file, or goes on with it. */
export function proceed(record: FileRecord): void {
  record.state = record.state === 'written' ? 'removing' : 'running';
  record.problem = undefined;
}

/** The work at the file ends before it is done; `problem` where there is one. */
export function interrupt(record: FileRecord, problem?: string): void {
  record.state = record.state === 'removing' || record.state === 'written' ? 'written' : 'interrupted';
  record.problem = problem;
}
