import { Backoff } from '../../core/backoff.ts';
import { sleep } from '../../core/clock.ts';
import { coerceError, DatabaseError, systemErrorCode } from '../../core/errors.ts';
import { RepeatedError, type Logger } from '../../core/logger.ts';
import { noStep, type OnStep } from '../../core/steps.ts';
import { CsvError } from '../csv/csv.ts';
import { UnknownFileError } from '../files/folder.ts';
import { replaysByItself } from '../files/file-facts.ts';
import { StillUndecodableError } from './decoded-messages.ts';
import { FileReplay, ReplayWaitsError, type FileReplayParts, type LastMessage } from './file-replay.ts';
import { interrupt, isOver, isUnderWay, proceed, requestStateOf } from './file-state.ts';
import type { FileRecord, RequestState } from './file-state.ts';
import { OrphanedStreams } from './orphaned-streams.ts';
import { Patience, type Why } from './patience.ts';
import { UnreplayableError } from './replay-rows.ts';

export interface ReplayOptions extends Omit<FileReplayParts, 'onStep'> {
  readonly log: Logger;
  /** Oracle takes batches, and what it has is known. */
  readonly isOracleUp: () => boolean;
  /**
   * Resolves when a crash can't bring the file's rows again from the journal, nor messages of it up to these, which
   * became rows.
   */
  readonly beforeDelete: (messages: readonly LastMessage[]) => Promise<void>;
  /** Why files of messages can't be replayed now; absent, or undefined: they can. */
  readonly messagesRefusal?: (() => string | undefined) | undefined;
  /** False: only files that a person asks for. */
  readonly enabled: boolean;
  readonly onStep?: OnStep;
}

export interface ReplayProgress {
  readonly file: string;
  readonly rows: number;
  readonly replayedRows: number;
}

/** A file that can't be replayed by asking for it. */
export class ReplayRefusedError extends Error {}

const RETRY = { initialDelayMs: 5_000, factor: 2, maxDelayMs: 60_000, jitter: 0.1 };
const ORACLE_POLL_MS = 5_000;

/**
 * Brings backups into Oracle beside live data: those that a person asks for first, the oldest first, one at a time.
 *
 *     sealed ──rows written, or durably rejected──▶ beforeDelete ──▶ .replayed ──▶ gone ──▶ ledger streams forgotten
 *
 * Whatever it is cut by, it goes on at the place that the ledger names. What fails because of the file itself is left
 * until the file changes; what the database refuses waits alone (patience.ts); all else is tried again, at growing
 * intervals. How each file stands is said in file-state.ts.
 */
export class Replay {
  #options: ReplayOptions;
  #parts: FileReplayParts;
  readonly #failure: RepeatedError;
  readonly #backoff: Backoff;
  readonly #files = new Map<string, FileRecord>();
  readonly #orphans: OrphanedStreams;
  readonly #patience: Patience;
  readonly #stopping = new AbortController();
  #wait = new AbortController();
  #waitsForFiles = false;
  #stopListening = (): void => {};
  #running: Promise<void> = Promise.resolve();

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#parts = { ...options, onStep: options.onStep ?? noStep };
    this.#failure = new RepeatedError(options.log, options.clock, 'backup file could not be replayed', 'warn');
    this.#backoff = new Backoff(RETRY, options.clock);
    this.#orphans = new OrphanedStreams(options);
    const { clock, counters } = options;
    this.#patience = new Patience({
      rowsTaken: () => counters.valuesWritten + counters.valuesAlreadyThere + counters.valuesReplayed,
      clock,
    });
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
    this.#patience.wake();
    this.#wait.abort();
  }

  /** Holds from the next file on: one that is being replayed goes on as it began. */
  tune(tuning: Pick<ReplayOptions, 'enabled' | 'batchSize'>): void {
    const { enabled, batchSize } = tuning;
    this.#options = { ...this.#options, enabled, batchSize };
    this.#parts = { ...this.#parts, batchSize };
    this.wake();
  }

  /** Of the file that is being replayed, if one is. */
  progress(): ReplayProgress | undefined {
    for (const record of this.#files.values()) if (isUnderWay(record)) return record.replay?.progress;
    return undefined;
  }

  /**
   * Queues a file because a person asks: of any origin, of rejected rows too, of rows without places, and of messages
   * that could not be decoded. Resolves when it is queued. Throws UnknownFileError, and ReplayRefusedError for what
   * can't be replayed.
   */
  async request(file: string): Promise<void> {
    const { backups } = this.#options;
    await backups.rescan();
    await backups.seal(file);
    const info = backups.file(file);
    if (info === undefined) throw new UnknownFileError(file);
    const refusal = info.kind === 'undecodable' ? this.#options.messagesRefusal?.() : undefined;
    if (refusal !== undefined) throw new ReplayRefusedError(`${file}: ${refusal}`);
    if (info.state === 'open') throw new ReplayRefusedError(`${file} is being written and could not be sealed`);
    const known = this.#files.get(file);
    if (known?.isAsked === true && !isOver(known)) return;
    this.#patience.forget(file);
    if (known !== undefined && isUnderWay(known)) known.isAsked = true;
    else this.#files.set(file, { state: 'queued', isAsked: true, problem: undefined, replay: undefined });
    this.#options.log.info('replay of a backup file requested', { file });
    this.wake();
  }

  /** Undefined for a file that nobody asked for. */
  requestState(file: string): RequestState | undefined {
    return requestStateOf(this.#files.get(file));
  }

  async #run(): Promise<void> {
    const { isOracleUp, log } = this.#options;
    const { signal } = this.#stopping;
    try {
      await this.#orphans.find();
    } catch (error) {
      log.warn('replays of an earlier run could not be looked for', { error });
    }
    while (!signal.aborted) {
      const file = this.#next();
      if (file === undefined && this.#orphans.isEmpty) {
        await this.#pause(this.#patience.nextDueInMs(this.#toDo()));
      } else if (!isOracleUp()) {
        await this.#pause(ORACLE_POLL_MS);
      } else if (!(await this.#attempt(file))) {
        await this.#pause(this.#backoff.next());
      }
    }
  }

  #next(): string | undefined {
    // One that was taken away is found to be gone when it is tried.
    const isListed = (file: string): boolean => this.#options.backups.file(file) !== undefined;
    return this.#asked().find((file) => !isListed(file)) ?? this.#toDo().find((file) => this.#patience.isDue(file));
  }

  /** What is to be replayed, in this order, once it is due. */
  #toDo(): string[] {
    const asked = new Set(this.#asked());
    const files = this.#options.backups.files();
    const first = files.filter(({ name }) => asked.has(name));
    const rest = this.#options.enabled ? files.filter((file) => replaysByItself({ ...file, file: file.name })) : [];
    return [...first, ...rest].map(({ name }) => name);
  }

  #asked(): string[] {
    return [...this.#files].flatMap(([file, record]) => (record.isAsked && !isOver(record) ? [file] : []));
  }

  /** Undefined: until there is something to do. */
  async #pause(delayMs: number | undefined): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#wait = new AbortController();
    const { signal } = this.#wait;
    this.#waitsForFiles = this.#next() === undefined && this.#orphans.isEmpty;
    if (delayMs === undefined)
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    else await sleep(this.#options.clock, delayMs, signal);
    this.#waitsForFiles = false;
  }

  /** False: to be tried again after a while. */
  async #attempt(file: string | undefined): Promise<boolean> {
    try {
      await this.#orphans.forget();
      if (file !== undefined) await this.#replay(file);
      this.#failure.over();
      this.#backoff.reset();
      return true;
    } catch (error) {
      if (file === undefined) this.#failure.report({ error });
      return file !== undefined && this.#failed(file, error);
    }
  }

  async #replay(file: string): Promise<void> {
    const { backups, beforeDelete, log } = this.#options;
    const { signal } = this.#stopping;
    const record = this.#files.get(file) ?? { state: 'running', isAsked: false, problem: undefined, replay: undefined };
    if (record.replay === undefined)
      log.info('replay of a backup file begun', { file, rows: backups.file(file)?.rows });
    const replay = (record.replay ??= new FileReplay(file, record.isAsked, this.#parts));
    this.#files.set(file, record);
    proceed(record);
    backups.setReplayed(file, replay.progress.replayedRows);
    // When the disk refuses to take the file away, that alone is tried again.
    if (record.state === 'running') {
      if (!(await replay.run(signal, this.#patience.isOver(file)))) return interrupt(record);
      record.state = 'removing';
    }
    await beforeDelete(replay.lastMessages);
    if (signal.aborted) return interrupt(record);
    await backups.endReplay(file);
    this.#end(file, 'done');
    log.info('backup file replayed', { file, rows: replay.progress.rows });
    this.#orphans.add(file);
  }

  /** True when the file is left as it is, for now or for good; false when it is to be tried again. */
  #failed(file: string, thrown: unknown): boolean {
    const { backups, log } = this.#options;
    const error = coerceError(thrown);
    const isFilesFault = error instanceof CsvError || error instanceof UnreplayableError;
    if (isFilesFault || systemErrorCode(error) === 'ENOENT' || backups.file(file) === undefined) {
      const isGone = backups.file(file) === undefined;
      this.#end(file, 'failed', isGone ? 'the file was taken away' : error.message);
      if (!isGone) log.error('backup file cannot be replayed', { file, problem: error.message });
      // What the configuration is to blame for is no problem of the file.
      if (error instanceof StillUndecodableError) backups.setReplayed(file, undefined);
      else backups.setProblem(file, error.message);
      return true;
    }
    if (!(error instanceof ReplayWaitsError)) this.#failure.report({ file, error });
    const remedy = error instanceof DatabaseError && error.remedy !== '' ? ` ${error.remedy}` : '';
    const record = this.#files.get(file);
    if (record !== undefined) interrupt(record, error.message + remedy);
    backups.setReplayed(file, undefined);
    const why = whyItWaits(error);
    if (why !== undefined) this.#patience.refused(file, why);
    return why !== undefined;
  }

  /** How it ended is kept for a person who asked. */
  #end(file: string, state: 'done' | 'failed', problem?: string): void {
    this.#patience.forget(file);
    // Another may have waited for this one.
    this.#patience.wakeWaiting();
    const isAsked = this.#files.get(file)?.isAsked === true;
    if (isAsked) this.#files.set(file, { state, isAsked, problem, replay: undefined });
    else this.#files.delete(file);
  }
}

/** Why the file alone waits; undefined: not because of the file. */
function whyItWaits(error: Error): Why | undefined {
  if (error instanceof ReplayWaitsError) return 'another file';
  if (!(error instanceof DatabaseError) || error.kind === 'connection' || error.kind === 'passing') return undefined;
  return error.kind === 'refused' ? 'rows' : 'the database';
}
