import { Backoff } from '../../core/backoff.ts';
import { sleep } from '../../core/clock.ts';
import { coerceError, DatabaseError, systemErrorCode } from '../../core/errors.ts';
import { RepeatedError, type Logger } from '../../core/logger.ts';
import { noStep, type OnStep } from '../../core/steps.ts';
import { CsvError } from '../csv/csv.ts';
import { UnknownFileError } from '../files/folder.ts';
import { replaysByItself } from '../files/file-facts.ts';
import { FileReplay, type FileReplayParts } from './file-replay.ts';
import { UnreplayableError } from './replay-rows.ts';
import { orphanedStreams, readStreams } from './replay-streams.ts';

export type { ReplaySession } from './file-replay.ts';

export interface ReplayOptions extends Omit<FileReplayParts, 'onStep'> {
  readonly log: Logger;
  /** Oracle takes batches, and what it has is known. */
  readonly isOracleUp: () => boolean;
  /** Resolves when a crash can't bring the file's rows again from the journal. */
  readonly beforeDelete: () => Promise<void>;
  /** False: only files that a person asks for. */
  readonly enabled: boolean;
  readonly onStep?: OnStep;
}

export interface ReplayProgress {
  readonly file: string;
  readonly rows: number;
  readonly replayedRows: number;
}

/** How a file stands that a person has asked for. */
export interface RequestState {
  readonly state: 'queued' | 'replaying' | 'waiting' | 'done' | 'failed';
  /** Why it waits or has failed. */
  readonly problem: string | undefined;
}

/** A file that can't be replayed by asking for it. */
export class ReplayRefusedError extends Error {}

const RETRY = { initialDelayMs: 5_000, factor: 2, maxDelayMs: 60_000, jitter: 0.1 };
const ORACLE_POLL_MS = 5_000;

/**
 * Brings backups into Oracle beside live data: those that a person asks for first, then the oldest, one at a time.
 *
 *     sealed ──rows written, or durably rejected──▶ beforeDelete ──▶ .replayed ──▶ gone ──▶ ledger streams forgotten
 *
 * Whatever it is cut by, it goes on at the place that the ledger names. What fails because of the file itself is left until the file
 * changes; all else is tried again, at growing intervals.
 */
export class Replay {
  #options: ReplayOptions;
  #parts: FileReplayParts;
  readonly #failure: RepeatedError;
  readonly #backoff: Backoff;
  readonly #requests = new Map<string, RequestState>();
  /** By file, so that what is known of an interrupted replay outlives the interruption. */
  readonly #begun = new Map<string, FileReplay>();
  /** All their rows are in Oracle; they are to be taken away. */
  readonly #written = new Set<string>();
  readonly #stopping = new AbortController();
  #current: FileReplay | undefined;
  #wait = new AbortController();
  #waitsForFiles = false;
  #orphans: string[] = [];
  #stopListening = (): void => {};
  #running: Promise<void> = Promise.resolve();

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#parts = { ...options, onStep: options.onStep ?? noStep };
    this.#failure = new RepeatedError(options.log, options.clock, 'backup file could not be replayed', 'warn');
    this.#backoff = new Backoff(RETRY, options.clock);
  }

  start(): void {
    this.#stopListening = this.#options.backups.onChange(() => {
      if (this.#waitsForFiles) this.#wait.abort();
    });
    this.#running = this.#run();
  }

  /** Ends after the batch that is being written; the file stays, and its replay is resumed by the next start. */
  async stop(): Promise<void> {
    this.#stopListening();
    this.#stopping.abort();
    this.#wait.abort();
    await this.#running;
  }

  /** Oracle is back, or a file was sealed. */
  wake(): void {
    this.#backoff.reset();
    this.#wait.abort();
  }

  /** Holds from the next file on: one that is being replayed goes on as it began. */
  tune(tuning: Pick<ReplayOptions, 'enabled' | 'batchSize'>): void {
    const { enabled, batchSize } = tuning;
    this.#options = { ...this.#options, enabled, batchSize };
    this.#parts = { ...this.#parts, batchSize };
    this.wake();
  }

  progress(): ReplayProgress | undefined {
    return this.#current?.progress;
  }

  /**
   * Queues a file because a person asks: of any origin, of rejected rows too, and of rows without places. Resolves when it is queued. Throws
   * UnknownFileError, and ReplayRefusedError for what can't be replayed.
   */
  async request(file: string): Promise<void> {
    const { backups } = this.#options;
    await backups.rescan();
    await backups.seal(file);
    const info = backups.file(file);
    if (info === undefined) throw new UnknownFileError(file);
    if (info.kind === 'undecodable')
      throw new ReplayRefusedError(`${file} holds messages, which have no rows to write`);
    if (info.state === 'open') throw new ReplayRefusedError(`${file} is being written and could not be sealed`);
    const known = this.#requests.get(file)?.state;
    if (known === 'queued' || known === 'replaying' || known === 'waiting') return;
    if (this.#current?.file !== file) {
      this.#begun.delete(file);
      this.#written.delete(file);
    }
    this.#requests.set(file, { state: 'queued', problem: undefined });
    this.#options.log.info('replay of a backup file requested', { file });
    this.wake();
  }

  /** Undefined for a file that nobody asked for. */
  requestState(file: string): RequestState | undefined {
    return this.#requests.get(file);
  }

  async #run(): Promise<void> {
    const { backups, isOracleUp, log } = this.#options;
    const { signal } = this.#stopping;
    try {
      this.#orphans = orphanedStreams(await backups.folder.list());
    } catch (error) {
      log.warn('replays of an earlier run could not be looked for', { error });
    }
    while (!signal.aborted) {
      const file = this.#next();
      if (file === undefined && this.#orphans.length === 0) {
        await this.#pause(undefined);
      } else if (!isOracleUp()) {
        await this.#pause(ORACLE_POLL_MS);
      } else if (!(await this.#attempt(file))) {
        await this.#pause(this.#backoff.next());
      }
    }
  }

  #next(): string | undefined {
    for (const [file, { state }] of this.#requests) if (state !== 'done' && state !== 'failed') return file;
    if (!this.#options.enabled) return undefined;
    return this.#options.backups.files().find((file) => replaysByItself({ ...file, file: file.name }))?.name;
  }

  /** Undefined: until there is something to do. */
  async #pause(delayMs: number | undefined): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#wait = new AbortController();
    const { signal } = this.#wait;
    this.#waitsForFiles = this.#next() === undefined && this.#orphans.length === 0;
    if (delayMs === undefined)
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    else await sleep(this.#options.clock, delayMs, signal);
    this.#waitsForFiles = false;
  }

  /** False: to be tried again after a while. */
  async #attempt(file: string | undefined): Promise<boolean> {
    try {
      await this.#forgetOrphans();
      if (file !== undefined) await this.#replay(file);
      this.#failure.over();
      this.#backoff.reset();
      return true;
    } catch (error) {
      if (file === undefined) this.#failure.report({ error });
      return file !== undefined && this.#failed(file, error);
    } finally {
      this.#current = undefined;
    }
  }

  async #replay(file: string): Promise<void> {
    const { backups, beforeDelete, log } = this.#options;
    const isAsked = this.#requests.has(file);
    const replay = this.#begun.get(file) ?? new FileReplay(file, isAsked, this.#parts);
    if (!this.#begun.has(file)) log.info('replay of a backup file begun', { file, rows: backups.file(file)?.rows });
    this.#begun.set(file, replay);
    this.#current = replay;
    this.#setRequest(file, 'replaying');
    backups.setReplayed(file, replay.progress.replayedRows);
    // When the disk refuses to take the file away, that alone is tried again.
    if (!this.#written.has(file) && !(await replay.run(this.#stopping.signal))) return;
    this.#written.add(file);
    await beforeDelete();
    if (this.#stopping.signal.aborted) return;
    await backups.endReplay(file);
    this.#begun.delete(file);
    this.#written.delete(file);
    this.#setRequest(file, 'done');
    log.info('backup file replayed', { file, rows: replay.progress.rows });
    this.#orphans.push(file);
  }

  /** Deletes the ledger's rows of files that are gone. */
  async #forgetOrphans(): Promise<void> {
    const { backups, session } = this.#options;
    while (this.#orphans.length > 0) {
      const file = this.#orphans[0]!;
      for (const stream of Object.values((await readStreams(backups.folder, file)) ?? {})) {
        await session(stream).forget();
      }
      await backups.folder.removeStreams(file);
      this.#orphans.shift();
    }
  }

  /** True when the file is left as it is; false when it is to be tried again. */
  #failed(file: string, thrown: unknown): boolean {
    const { backups, log } = this.#options;
    const error = coerceError(thrown);
    const isFilesFault = error instanceof CsvError || error instanceof UnreplayableError;
    if (isFilesFault || systemErrorCode(error) === 'ENOENT' || backups.file(file) === undefined) {
      const isGone = backups.file(file) === undefined;
      this.#begun.delete(file);
      this.#setRequest(file, 'failed', isGone ? 'the file was taken away' : error.message);
      if (!isGone) log.error('backup file cannot be replayed', { file, problem: error.message });
      backups.setProblem(file, error.message);
      return true;
    }
    this.#failure.report({ file, error });
    const remedy = error instanceof DatabaseError && error.remedy !== '' ? ` ${error.remedy}` : '';
    this.#setRequest(file, 'waiting', error.message + remedy);
    backups.setReplayed(file, undefined);
    return false;
  }

  #setRequest(file: string, state: RequestState['state'], problem?: string): void {
    if (this.#requests.has(file)) this.#requests.set(file, { state, problem });
  }
}
