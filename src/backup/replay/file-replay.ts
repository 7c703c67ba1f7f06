import { sleep, type Clock } from '../../core/clock.ts';
import type { Counters } from '../../core/counters.ts';
import { DatabaseError } from '../../core/errors.ts';
import type { FileSystem } from '../../core/filesystem.ts';
import type { LedgerSession } from '../../core/ledger-session.ts';
import type { Logger } from '../../core/logger.ts';
import { END, ORIGIN } from '../../core/place.ts';
import type { RefusedRow } from '../../core/refused-row.ts';
import type { OnStep } from '../../core/steps.ts';
import { countThrough, type TagValues } from '../../core/tag-values.ts';
import { LedgerStream, spoilsBatch } from '../../stream/ledger-stream.ts';
import type { Backups } from '../backups.ts';
import type { BackupFileInfo } from '../files/file-info.ts';
import { KINDS } from '../files/kinds.ts';
import { visitRejected } from '../written/recall.ts';
import {
  decodeMessages,
  hasDecodedRows,
  journalOfMessages,
  rowsPath,
  type MessageDecoder,
} from './decoded-messages.ts';
import { FileChangedError, orderedRows, surveyRows, type RowGroup, type Survey } from './replay-rows.ts';
import { readStreams, unfinishedReplays, writeStreams, type ReplayStreams } from './replay-streams.ts';

export interface FileReplayParts {
  readonly backups: Backups;
  readonly fileSystem: FileSystem;
  /** `blamesRows`: as of `Refusals`. */
  readonly session: (stream: string, blamesRows?: () => boolean) => LedgerSession;
  readonly checkRows: (values: TagValues) => readonly RefusedRow[];
  /** Made anew for each file of messages. */
  readonly decoder: () => MessageDecoder;
  readonly counters: Pick<
    Counters,
    'valuesReceived' | 'valuesBackedUp' | 'valuesReplayed' | 'valuesWritten' | 'valuesAlreadyThere'
  >;
  readonly batchSize: number;
  readonly onStep: OnStep;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The file's replay must not begin yet. */
export class ReplayWaitsError extends Error {}

/** Up to which message of a journal a file has messages that became rows. */
export interface LastMessage {
  readonly journal: string;
  readonly messageNo: number;
}

/**
 * Writes the rows of one file, each group of them through a ledger stream of its own, in the order of their places.
 * `run` may be called again after it threw: what the ledger says is written, and what is in the rejected CSV, is passed
 * over then. A file of messages is decoded first (decoded-messages.ts), until its first row is about to be written.
 */
export class FileReplay {
  readonly file: string;
  readonly #parts: FileReplayParts;
  /** A person has asked for it. */
  readonly #isAsked: boolean;
  readonly #hasMessages: boolean;
  readonly #isSetApart: boolean;
  /** It is tried again, whatever comes of it now. */
  readonly #waitsByItself: boolean;
  /** Rows that are refused are to blame for it themselves. */
  #blamesRows = false;
  /** By name: what a stream knows outlives an interruption. */
  readonly #streams = new Map<string, LedgerStream>();
  #rows = 0;
  #replayedRows = 0;
  /** Rows, or messages: what the file is listed with. */
  #total = 0;
  #lastMessages: readonly LastMessage[] = [];
  /** From then on memory has what was rejected. */
  #hasBegun = false;

  constructor(file: string, isAsked: boolean, parts: FileReplayParts) {
    this.file = file;
    this.#isAsked = isAsked;
    const kind = parts.backups.file(file)?.kind ?? 'rejected';
    this.#hasMessages = kind === 'undecodable';
    this.#isSetApart = KINDS[kind].isSetApart;
    this.#waitsByItself = KINDS[kind].replaysByItself;
    this.#parts = parts;
  }

  /** In rows, or in messages where the file has those. */
  get progress(): { readonly file: string; readonly rows: number; readonly replayedRows: number } {
    const share = this.#rows === 0 ? 0 : this.#replayedRows / this.#rows;
    return { file: this.file, rows: this.#total, replayedRows: Math.floor(this.#total * share) };
  }

  /** Of a file of messages, once `run` has read it; else none. */
  get lastMessages(): readonly LastMessage[] {
    return this.#lastMessages;
  }

  /**
   * True when every row is in Oracle, or durably in a held or rejected CSV; false on abort. `isOld`: it was refused
   * often enough while other rows were taken. Throws DatabaseError, CsvError, UnreplayableError, FileChangedError,
   * ReplayWaitsError and the system error of the disk.
   */
  async run(signal: AbortSignal, isOld: boolean): Promise<boolean> {
    const { backups, batchSize, fileSystem } = this.#parts;
    // What a person has asked for, and is refused again, goes back where it came from.
    this.#blamesRows = isOld || (this.#isAsked && !this.#waitsByItself);
    const path = this.#hasMessages ? rowsPath(backups.folder, this.file) : backups.path(this.file);
    if (this.#hasMessages && !(await this.#decode(signal))) return false;
    const reading = this.#hasMessages ? { reasonsAreProblems: true } : { isPersons: this.#isAsked };
    const survey = await surveyRows(fileSystem, path, this.file, reading);
    this.#rows = survey.rows;
    this.#total = this.#hasMessages ? (backups.file(this.file)?.rows ?? survey.rows) : survey.rows;
    this.#replayedRows = 0;
    if (this.#hasMessages) this.#lastMessages = survey.groups.map(lastMessage);
    const names = await this.#begin(survey);
    const stamp = await backups.skipStamp(this.file);
    for (const group of survey.groups) {
      const stream = this.#stream(names, group);
      const skipThrough = stamp !== undefined && stamp.journal === group.journal ? stamp : undefined;
      for await (const { values, rows } of orderedRows(fileSystem, path, survey, group, batchSize)) {
        if (signal.aborted) return false;
        if (skipThrough !== undefined) values.removeFirst(countThrough(values, skipThrough));
        await this.#replay(values, stream, signal);
        this.#replayedRows += rows;
        backups.setReplayed(this.file, this.progress.replayedRows);
      }
    }
    if ((await fileSystem.size(path)) !== survey.bytes)
      throw new FileChangedError('the file grew while it was replayed');
    return !signal.aborted;
  }

  /**
   * Decodes the messages, unless rows that they became may be in Oracle already: these decide then. False on abort.
   */
  async #decode(signal: AbortSignal): Promise<boolean> {
    const { backups, clock, decoder, log } = this.#parts;
    const { folder } = backups;
    const hasBegun = (await readStreams(folder, this.file)) !== undefined;
    if (hasBegun && (await hasDecodedRows(folder, this.file))) return true;
    const count = await decodeMessages(this.file, { folder, clock, decoder: decoder() }, signal);
    if (count === undefined) return false;
    log.info('undecodable messages decoded', { file: this.file, ...count });
    return true;
  }

  /**
   * The names of the streams stay those of the first time. After a crash the rows that were rejected without a commit
   * are looked for.
   */
  async #begin(survey: Survey): Promise<ReplayStreams> {
    const { backups } = this.#parts;
    const known = await readStreams(backups.folder, this.file);
    if (known === undefined && this.#isSetApart) await this.#assertNoneIsUnfinished();
    const names = { ...known };
    for (const { key, stream } of survey.groups) names[key] ??= stream;
    // Also what is there already: an attempt whose name the disk refused to keep looks the same.
    if (!this.#hasBegun || Object.keys(names).length > Object.keys(known ?? {}).length) {
      await writeStreams(backups.folder, this.file, names);
    }
    if (this.#hasMessages && known === undefined) this.#countDecoded(survey.rows);
    if (known !== undefined && !this.#hasBegun) await this.#findRejected(survey.groups, names);
    this.#hasBegun = true;
    return names;
  }

  /**
   * Rows that the unfinished replay of another file has set apart are known by the file that they are in: it must stay
   * until that replay is through, or they would be written by both. Once begun a file gets no more such rows.
   */
  async #assertNoneIsUnfinished(): Promise<void> {
    const others = unfinishedReplays(await this.#parts.backups.folder.list()).filter((file) => file !== this.file);
    if (others.length > 0) throw new ReplayWaitsError(`it waits until the replay of ${others[0]!} is through`);
  }

  /** From now on these values are of those that were received, and wait in a file. */
  #countDecoded(values: number): void {
    const { counters } = this.#parts;
    counters.valuesReceived += values;
    counters.valuesBackedUp += values;
  }

  #stream(names: ReplayStreams, group: RowGroup): LedgerStream {
    const name = names[group.key]!;
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      stream = this.#createStream(name, group.journal);
      this.#streams.set(name, stream);
    }
    return stream;
  }

  /**
   * Nobody else writes to the stream, so the ledger is believed whatever it says; what an earlier run wrote, that run
   * has counted.
   */
  #createStream(name: string, journal: string): LedgerStream {
    const { backups, checkRows, clock, counters, log, onStep, session } = this.#parts;
    return new LedgerStream({
      session: session(name, () => this.#blamesRows),
      lastKnown: ORIGIN,
      resumeAfter: ORIGIN,
      recoveredThrough: END,
      countsEarlierRuns: false,
      mayComeAgain: true,
      checkRows,
      reject: (values, rows) => backups.reject(values, rows, journal),
      beforeSending: () => Promise.resolve(),
      onRead: () => Promise.resolve(),
      onAhead: () => {},
      onSettled: (as, count) => {
        if (as === 'written' || as === 'alreadyThere') counters.valuesReplayed += count;
      },
      onCommitted: () => onStep('replayed'),
      onFailed: () => {},
      clock,
      log,
    });
  }

  async #findRejected(groups: readonly RowGroup[], names: ReplayStreams): Promise<void> {
    const { backups, fileSystem } = this.#parts;
    const byJournal = new Map(groups.filter(({ hasPlaces }) => hasPlaces).map((group) => [group.journal, group]));
    const isOther = ({ kind, name }: BackupFileInfo): boolean => KINDS[kind].isSetApart && name !== this.file;
    const paths: string[] = [];
    for (const { name } of backups.files().filter(isOther)) {
      await backups.seal(name);
      if (backups.file(name)?.state !== 'sealed') throw new Error(`${name} could not be sealed`);
      paths.push(backups.path(name));
    }
    await visitRejected(fileSystem, paths, (journal, values, i) => {
      const group = byJournal.get(journal);
      const messageNo = values.messageNos[i]!;
      if (group === undefined || messageNo < group.firstMessageNo || messageNo > group.lastMessageNo) return;
      this.#stream(names, group).noteRejected(values, i);
    });
  }

  async #replay(values: TagValues, stream: LedgerStream, signal: AbortSignal): Promise<void> {
    if (values.length === 0) return;
    const { clock } = this.#parts;
    const startedMs = clock.monotonic();
    const outcome = await stream.write(values, signal);
    if (outcome instanceof DatabaseError) {
      const isRows = spoilsBatch(outcome) || (this.#blamesRows && outcome.kind === 'refused');
      if (!isRows) throw outcome;
      const halves = await stream.isolate(values, outcome);
      if (halves instanceof DatabaseError) throw halves;
      for (const half of halves) await this.#replay(half, stream, signal);
      return;
    }
    // Half of the time is the live data's, whatever the database is able to do.
    const tookMs = clock.monotonic() - startedMs;
    if (tookMs > 0) await sleep(clock, tookMs, signal);
  }
}

function lastMessage({ journal, lastMessageNo }: RowGroup): LastMessage {
  return { journal: journalOfMessages(journal), messageNo: lastMessageNo };
}
