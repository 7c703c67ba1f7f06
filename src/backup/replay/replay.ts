import { Backoff } from '../../core/backoff.ts';
import { sleep } from '../../core/clock.ts';
import { DEFAULT_DESTINATION } from '../../core/destination.ts';
import { coerceError, DatabaseError, systemErrorCode } from '../../core/errors.ts';
import { RepeatedError, type Logger } from '../../core/logger.ts';
import { noStep, type OnStep } from '../../core/steps.ts';
import type { BatchSizes } from '../../stream/batch-growth.ts';
import { CsvError } from '../csv/csv.ts';
import { replaysByItself } from '../files/file-facts.ts';
import type { BackupFileInfo } from '../files/file-info.ts';
import { StillUndecodableError } from './decoded-messages.ts';
import {
  FileReplay,
  GoneDestinationError,
  ReplayWaitsError,
  type FileReplayParts,
  type LastMessage,
} from './file-replay.ts';
import { interrupt, isOver, isUnderWay, proceed, requestStateOf } from './file-state.ts';
import type { FileRecord, RequestState } from './file-state.ts';
import { OrphanedStreams } from './orphaned-streams.ts';
import { Patience, type Why } from './patience.ts';
import { ReplayPace } from './replay-pace.ts';
import { UnreplayableError } from './replay-rows.ts';

export interface ReplayOptions extends Omit<FileReplayParts, 'onStep' | 'pace'> {
  readonly log: Logger;
  /**
   * Resolves when a crash can't bring rows for these destinations again from the journal, nor messages of it up to
   * these, which became rows.
   */
  readonly beforeDelete: (destinations: readonly string[], messages: readonly LastMessage[]) => Promise<void>;
  readonly batches: BatchSizes;
  /** A batch of live data, of whatever table, is at hand. */
  readonly isLiveBusy: () => boolean;
  /** False: only files that a person asks for. */
  readonly enabled: boolean;
  /** The file's rows go to this destination, and nobody else has the file in hand. */
  readonly isOurs: (file: BackupFileInfo) => boolean;
  /** A file's replay has come to its end: another that waited for that may begin. */
  readonly onEnded: () => void;
  readonly onStep?: OnStep;
}

export interface ReplayProgress {
  readonly file: string;
  readonly rows: number;
  readonly replayedRows: number;
}

const RETRY = { initialDelayMs: 5_000, factor: 2, maxDelayMs: 60_000, jitter: 0.1 };
const ORACLE_POLL_MS = 5_000;

/**
 * Brings backups of one destination into Oracle beside live data: those that a person asks for first, the oldest first,
 * one at a time.
 *
 *     sealed ──rows written, or durably rejected──▶ beforeDelete ──▶ .replayed ──▶ gone ──▶ ledger streams forgotten
 *
 * Whatever it is cut by, it goes on at the place that the ledger names. What fails because of the file itself is left
 * until the file changes; what the database refuses waits alone (patience.ts); all else is tried again, at growing
 * intervals. How each file stands is said in file-state.ts.
 */
export class Replay {
  #options: ReplayOptions;
  readonly #parts: FileReplayParts;
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
    this.#parts = {
      ...options,
      onStep: options.onStep ?? noStep,
      pace: new ReplayPace(options.batches, options.isLiveBusy, options.clock),
    };
    this.#failure = new RepeatedError(options.log, options.clock, 'backup file could not be replayed', 'warn');
    this.#backoff = new Backoff(RETRY, options.clock);
    const { backups, clock, destination, isConfigured, session } = options;
    const isDefault = destination === DEFAULT_DESTINATION;
    this.#orphans = new OrphanedStreams({
      backups,
      isOurs: (whose) => whose === destination || (isDefault && (whose === undefined || !isConfigured(whose))),
      session: (stream) => session(stream, destination),
    });
    // That another table takes rows says nothing of those that this one refuses.
    const counters = options.counters(destination);
    this.#patience = new Patience({
      rowsTaken: () => counters.valuesWritten + counters.valuesAlreadyThere + counters.valuesReplayed,
      clock,
    });
  }

  start(): void {
    this.#stopListening = this.#options.backups.onChange((file) => {
      if (this.#waitsForFiles && this.#concerns(file)) this.#wait.abort();
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

  /** What a file may have waited for has come to its end, or takes rows again. */
  wakeWaiting(): void {
    this.#patience.wakeWaiting();
    this.#wait.abort();
  }

  /** Holds from the next batch on, `enabled` from the next file on. */
  tune({ batches, enabled }: Pick<ReplayOptions, 'enabled' | 'batches'>): void {
    this.#options = { ...this.#options, enabled };
    this.#parts.pace.tune(batches);
    this.wake();
  }

  /** Of the file that is being replayed, if one is. */
  progress(): ReplayProgress | undefined {
    for (const record of this.#files.values()) if (isUnderWay(record)) return record.replay?.progress;
    return undefined;
  }

  /** Queues a file because a person asks: it need not be one of those that are replayed here by themselves. */
  ask(file: string): void {
    const known = this.#files.get(file);
    if (known?.isAsked === true && !isOver(known)) return;
    this.#patience.forget(file);
    if (known !== undefined && isUnderWay(known)) known.isAsked = true;
    else this.#files.set(file, { state: 'queued', isAsked: true, problem: undefined, replay: undefined });
    this.#options.log.info('replay of a backup file requested', { file });
    this.wake();
  }

  /** The file is queued here, or its replay has begun and is not at its end. */
  holds(file: string): boolean {
    const record = this.#files.get(file);
    return record !== undefined && !isOver(record);
  }

  /** The file is being worked at. */
  isReplaying(file: string): boolean {
    const record = this.#files.get(file);
    return record !== undefined && isUnderWay(record);
  }

  /** Forgets how a file stands that is not being worked at. */
  release(file: string): void {
    if (this.isReplaying(file)) return;
    this.#files.delete(file);
    this.#patience.forget(file);
  }

  /** Undefined for a file that nobody asked for. */
  requestState(file: string): RequestState | undefined {
    return requestStateOf(this.#files.get(file));
  }

  async #run(): Promise<void> {
    const { destination, isOracleUp, log } = this.#options;
    const { signal } = this.#stopping;
    try {
      await this.#orphans.find();
    } catch (error) {
      log.warn('replays of an earlier run could not be looked for', { error });
    }
    while (!signal.aborted) {
      const file = this.#next();
      if (file === undefined && this.#orphans.isEmpty) {
        await this.#pause(this.#nextDueInMs());
      } else if (!isOracleUp(destination)) {
        await this.#pause(ORACLE_POLL_MS);
      } else if (!(await this.#attempt(file))) {
        await this.#pause(this.#backoff.next());
      }
    }
  }

  #next(): string | undefined {
    const { backups } = this.#options;
    const unlisted = [...this.#files].filter(([file]) => backups.file(file) === undefined);
    // One that was taken away is found to be gone when it is tried.
    const gone = unlisted.find(([, record]) => record.isAsked && !isOver(record) && record.state !== 'written');
    // What the disk refuses to take away of a written one holds up no other.
    const written = unlisted.find(([, { state }]) => state === 'written');
    return gone?.[0] ?? this.#firstDue() ?? written?.[0];
  }

  /** The first that is due, found without looking at them all: a long outage leaves thousands. */
  #firstDue(): string | undefined {
    for (const isToDo of this.#toDo()) {
      const isDue = (file: BackupFileInfo): boolean => isToDo(file) && this.#patience.isDue(file.name);
      const first = this.#options.backups.oldestWhere(isDue);
      if (first !== undefined) return first.name;
    }
    return undefined;
  }

  #nextDueInMs(): number | undefined {
    const files = this.#toDo().flatMap((isToDo) => this.#options.backups.filesWhere(isToDo));
    return this.#patience.nextDueInMs(files.map(({ name }) => name));
  }

  #concerns(file: string): boolean {
    const info = this.#options.backups.file(file);
    return this.#files.has(file) || (info !== undefined && this.#options.isOurs(info));
  }

  /** Which files are to be replayed, once they are due: what a person asks for, and then the others. */
  #toDo(): readonly ((file: BackupFileInfo) => boolean)[] {
    const { enabled, isOurs } = this.#options;
    const asked = new Set(this.#asked());
    return [
      ({ name }) => asked.has(name),
      (file) => enabled && !asked.has(file.name) && this.#isDueByItself(file) && isOurs(file),
    ];
  }

  /** Also what a person has sent to this destination in an earlier run: that has been asked for. */
  #isDueByItself(file: BackupFileInfo): boolean {
    const isSent = this.#options.backups.redirects.of(file.name) !== undefined;
    if (isSent) return file.state === 'sealed' && file.problem === undefined;
    return replaysByItself({ ...file, file: file.name });
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
      if (file === undefined) this.#orphans.assertAllRead();
      // Meanwhile a person may have sent the file elsewhere.
      else if (this.#next() === file) await this.#replay(file);
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
    const isAsked = record.isAsked || backups.redirects.of(file) !== undefined;
    const replay = (record.replay ??= new FileReplay(file, isAsked, this.#parts));
    this.#files.set(file, record);
    proceed(record);
    backups.setReplayed(file, replay.progress.replayedRows);
    // When the disk refuses to take the file away, that alone is tried again.
    if (record.state === 'running') {
      if (!(await replay.run(signal, this.#patience.isOver(file)))) return interrupt(record);
      record.state = 'removing';
    }
    await beforeDelete(replay.sources, replay.lastMessages);
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
    const record = this.#files.get(file);
    // Once all is written it is the disk's fault alone, and the file may be gone by this loop's own hand.
    const isRemoving = record?.state === 'removing';
    const isGone = !isRemoving && backups.file(file) === undefined;
    const isGoneForNow = error instanceof GoneDestinationError && record?.isAsked !== true;
    if (isGone || (!isRemoving && !isGoneForNow && isFilesFault(error))) {
      this.#end(file, 'failed', isGone ? 'the file was taken away' : error.message);
      if (!isGone) log.error('backup file cannot be replayed', { file, problem: error.message });
      // What the configuration is to blame for is no problem of the file.
      const isConfigurations = error instanceof StillUndecodableError || error instanceof GoneDestinationError;
      if (isConfigurations) backups.setReplayed(file, undefined);
      else backups.setProblem(file, error.message);
      return true;
    }
    if (!(error instanceof ReplayWaitsError || isGoneForNow)) this.#failure.report({ file, error });
    if (record !== undefined) interrupt(record, problemText(error));
    backups.setReplayed(file, undefined);
    const why = whyItWaits(error);
    if (why !== undefined) this.#patience.refused(file, why);
    return why !== undefined;
  }

  /** How it ended is kept for a person who asked. */
  #end(file: string, state: 'done' | 'failed', problem?: string): void {
    this.#patience.forget(file);
    const isAsked = this.#files.get(file)?.isAsked === true;
    if (isAsked) this.#files.set(file, { state, isAsked, problem, replay: undefined });
    else this.#files.delete(file);
    // Another may have waited for this one.
    this.#patience.wakeWaiting();
    this.#options.onEnded();
  }
}

function problemText(error: Error): string {
  if (!(error instanceof DatabaseError)) return error.message;
  const text = `${error.code}: ${error.message}`;
  return error.remedy === '' ? text : `${text}. ${error.remedy}`;
}

function isFilesFault(error: Error): boolean {
  return error instanceof CsvError || error instanceof UnreplayableError || systemErrorCode(error) === 'ENOENT';
}

/** Why the file alone waits; undefined: not because of the file. */
function whyItWaits(error: Error): Why | undefined {
  if (error instanceof ReplayWaitsError || error instanceof GoneDestinationError) return 'another';
  if (!(error instanceof DatabaseError) || error.kind === 'connection' || error.kind === 'passing') return undefined;
  return error.kind === 'refused' ? 'rows' : 'the database';
}
