import type { Clock } from '../../core/clock.ts';
import type { ValueCounters } from '../../core/counters.ts';
import { coerceError, DatabaseError } from '../../core/errors.ts';
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
import { begunHint, goneHint } from '../files/gone-hint.ts';
import { KINDS } from '../files/kinds.ts';
import { visitRejected } from '../written/recall.ts';
import { ForeignStampError, type SkipStamp } from '../written/stamp-files.ts';
import {
  decodeMessages,
  hasDecodedRows,
  journalOfMessages,
  rowsPath,
  type MessageDecoder,
} from './decoded-messages.ts';
import {
  FileChangedError,
  orderedRows,
  surveyRows,
  UnreplayableError,
  type RowGroup,
  type Survey,
} from './replay-rows.ts';
import type { ReplayPace } from './replay-pace.ts';
import { hasBegun, presentNotes, readNote, targetsOf, writeNote, type ReplayNote } from './replay-note.ts';

export interface FileReplayParts {
  readonly backups: Backups;
  readonly fileSystem: FileSystem;
  /** Whose loop this is. */
  readonly destination: string;
  /** Those of the configuration. */
  readonly isConfigured: (destination: string) => boolean;
  /** The destination takes batches, and what it has is known. */
  readonly isOracleUp: (destination: string) => boolean;
  /**
   * It is known what Oracle has of the live values for the destination, also of one that the configuration does not
   * name any more: until then it is not known which rows of a backup were written.
   */
  readonly isLedgerKnown: (destination: string) => boolean;
  /** `blamesRows`: as of `Refusals`. */
  readonly session: (stream: string, destination: string, blamesRows?: () => boolean) => LedgerSession;
  readonly checkRows: (values: TagValues, destination: string) => readonly RefusedRow[];
  /** Made anew for each file of messages. */
  readonly decoder: () => MessageDecoder;
  /** Of one destination. */
  readonly counters: (destination: string) => ReplayCounters;
  readonly pace: ReplayPace;
  readonly onStep: OnStep;
  readonly clock: Clock;
  readonly log: Logger;
}

export type ReplayCounters = Pick<
  ValueCounters,
  'valuesReceived' | 'valuesBackedUp' | 'valuesReplayed' | 'valuesWritten' | 'valuesAlreadyThere'
>;

/** The file's replay must not begin, or go on, yet. */
export class ReplayWaitsError extends Error {}

/** The configuration does not name a destination that rows are for: nothing was changed. */
export class GoneDestinationError extends UnreplayableError {}

/** Up to which message of a journal a file has messages that became rows. */
export interface LastMessage {
  readonly journal: string;
  readonly messageNo: number;
}

/**
 * Writes the rows of one file, each group of them through a ledger stream of its own, in the order of their places, to
 * the destination that they are for, or all to the one that a person has named. `run` may be called again after it
 * threw: what the ledger says is written, and what is in the rejected CSV, is passed over then. A file of messages is
 * decoded first (decoded-messages.ts), until its first row is about to be written.
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
  #sources: readonly string[] = [];
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

  /** Whom the rows are for, wherever they went. Once `run` has read the file. */
  get sources(): readonly string[] {
    return this.#sources;
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
    const { backups, fileSystem, pace } = this.#parts;
    const batchSize = (): number => pace.batchSize;
    // What a person has asked for, and is refused again, goes back where it came from.
    this.#blamesRows = isOld || (this.#isAsked && !this.#waitsByItself);
    const path = this.#hasMessages ? rowsPath(backups.folder, this.file) : backups.path(this.file);
    if (this.#hasMessages && !(await this.#decode(signal))) return false;
    const reading = this.#hasMessages ? { reasonsAreProblems: true } : { isPersons: this.#isAsked };
    const survey = await surveyRows(fileSystem, path, this.file, reading);
    this.#rows = survey.rows;
    this.#sources = [...new Set(survey.groups.map(({ destination }) => destination))];
    this.#total = this.#hasMessages ? (backups.file(this.file)?.rows ?? survey.rows) : survey.rows;
    this.#replayedRows = 0;
    if (this.#hasMessages) this.#lastMessages = lastMessagesOf(survey.groups);
    const known = await readNote(backups.folder, this.file);
    const stamp = await this.#skipStamp(known?.to, survey.groups);
    const note = await this.#begin(survey, known);
    for (const group of survey.groups) {
      const stream = this.#stream(note, group);
      const skipThrough = stamp !== undefined && stamp.journal === group.journal ? stamp : undefined;
      for await (const { values, rows } of orderedRows(fileSystem, path, survey, group, batchSize)) {
        if (signal.aborted) return false;
        if (skipThrough !== undefined) values.removeFirst(countThrough(values, skipThrough));
        await this.#write(values, stream, targetOf(note, group), signal);
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
    const note = await readNote(folder, this.file);
    if (hasBegun(note) && (await hasDecodedRows(folder, this.file))) return true;
    const count = await decodeMessages(this.file, { folder, clock, decoder: decoder() }, signal);
    if (count === undefined) return false;
    log.info('undecodable messages decoded', { file: this.file, ...count });
    return true;
  }

  /**
   * The names of the streams stay those of the first time. After a crash the rows that were rejected without a commit
   * are looked for.
   */
  async #begin({ groups }: Survey, known: ReplayNote | undefined): Promise<ReplayNote> {
    const { backups, destination, isConfigured } = this.#parts;
    const isBegun = hasBegun(known);
    const streams: Record<string, string> = { ...known?.streams };
    for (const { key, stream } of groups) streams[key] ??= stream;
    const note = { destination: known?.destination ?? destination, to: known?.to, streams };
    const gone = groups.map((group) => targetOf(note, group)).find((each) => !isConfigured(each));
    if (gone !== undefined) throw new GoneDestinationError(isBegun ? begunHint(gone) : goneHint(gone));
    if (!isBegun && this.#isSetApart) await this.#assertNoneIsUnfinished(groups);
    // Also what is there already: an attempt whose name the disk refused to keep looks the same.
    if (!this.#hasBegun || Object.keys(streams).length > Object.keys(known?.streams ?? {}).length) {
      await writeNote(backups.folder, this.file, note);
    }
    if (this.#hasMessages && !isBegun) this.#countDecoded(note, groups);
    if (isBegun && !this.#hasBegun) await this.#findRejected(groups, note);
    this.#hasBegun = true;
    return note;
  }

  /** Up to where rows are in Oracle since they were live. */
  async #skipStamp(to: string | undefined, groups: readonly RowGroup[]): Promise<SkipStamp | undefined> {
    const { backups, destination, isLedgerKnown } = this.#parts;
    const info = backups.file(this.file);
    if (info?.kind !== 'backup') return undefined;
    const isOther = to !== undefined || info.destination !== destination;
    if (isOther && !isLedgerKnown(info.destination)) {
      throw new ReplayWaitsError(
        `it waits until it is known what of it is in the table of ${info.destination} already`,
      );
    }
    const stamp = await backups
      .lane(info.destination)
      .skipStamp(this.file)
      .catch((error: unknown) => {
        if (error instanceof ForeignStampError) throw new UnreplayableError(error.message);
        // This loop's other files do not wait for another destination's ledger.
        throw isOther ? new ReplayWaitsError(coerceError(error).message, { cause: error }) : error;
      });
    const moved = groups.find((group) => group.hasPlaces && group.destination !== info.destination);
    if (stamp === undefined || moved === undefined) return stamp;
    throw new UnreplayableError(
      `rows of it are for ${moved.destination}, but what of it is in Oracle is known of ${info.destination} only: ` +
        'put into the column destination what stood there, and replay it with --to',
    );
  }

  /**
   * Rows that the unfinished replay of another file has set apart are known by the file that they are in: it must stay
   * until that replay is through, or they would be written by both. Once begun a file gets no more such rows. They were
   * set apart for the destination that refused them, wherever this file goes now.
   */
  async #assertNoneIsUnfinished(groups: readonly RowGroup[]): Promise<void> {
    const { folder } = this.#parts.backups;
    const setApartFor = new Set(groups.map(({ destination }) => destination));
    for (const file of presentNotes(await folder.list())) {
      if (file === this.file) continue;
      const isInTheWay = await readNote(folder, file).then(
        (note) => targetsOf(note).some((target) => setApartFor.has(target)),
        () => true, // nobody knows where its rows went
      );
      if (isInTheWay) throw new ReplayWaitsError(`it waits until the replay of ${file} is through`);
    }
  }

  /** From now on these values are of those that were received, and wait in a file. */
  #countDecoded(note: ReplayNote, groups: readonly RowGroup[]): void {
    for (const group of groups) {
      const counters = this.#parts.counters(targetOf(note, group));
      counters.valuesReceived += group.rows;
      counters.valuesBackedUp += group.rows;
    }
  }

  #stream(note: ReplayNote, group: RowGroup): LedgerStream {
    const name = note.streams[group.key]!;
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      stream = this.#createStream(name, group.journal, targetOf(note, group));
      this.#streams.set(name, stream);
    }
    return stream;
  }

  /**
   * Nobody else writes to the stream, so the ledger is believed whatever it says; what an earlier run wrote, that run
   * has counted.
   */
  #createStream(name: string, journal: string, target: string): LedgerStream {
    const { backups, checkRows, clock, log, onStep, session } = this.#parts;
    const counters = this.#parts.counters(target);
    return new LedgerStream({
      session: session(name, target, () => this.#blamesRows),
      lastKnown: ORIGIN,
      resumeAfter: ORIGIN,
      recoveredThrough: END,
      countsEarlierRuns: false,
      mayComeAgain: true,
      checkRows: (values) => checkRows(values, target),
      reject: (values, rows) => backups.lane(target).reject(values, rows, journal),
      beforeSending: () => backups.lane(target).cutLeftovers(),
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

  /** Rows of this file that were refused stand in files of the destination that refused them, and bear its name. */
  async #findRejected(groups: readonly RowGroup[], note: ReplayNote): Promise<void> {
    const { backups, fileSystem } = this.#parts;
    const targets = new Set(groups.map((group) => targetOf(note, group)));
    const isOther = ({ destination, kind, name }: BackupFileInfo): boolean =>
      KINDS[kind].isSetApart && name !== this.file && targets.has(destination);
    const paths: string[] = [];
    for (const { name } of backups.filesWhere(isOther)) {
      await backups.seal(name);
      if (backups.file(name)?.state !== 'sealed') throw new Error(`${name} could not be sealed`);
      paths.push(backups.path(name));
    }
    await visitRejected(fileSystem, paths, ({ destinations, journals, values }, i) => {
      const messageNo = values.messageNos[i]!;
      for (const group of groups) {
        const isOfGroup = group.hasPlaces && group.journal === journals[i] && targetOf(note, group) === destinations[i];
        if (!isOfGroup || messageNo < group.firstMessageNo || messageNo > group.lastMessageNo) continue;
        this.#stream(note, group).noteRejected(values, i);
      }
    });
  }

  /** Another destination than that of this loop must not hold up the loop's other files. */
  async #write(values: TagValues, stream: LedgerStream, target: string, signal: AbortSignal): Promise<void> {
    const { destination, isOracleUp } = this.#parts;
    const isForeign = target !== destination;
    const waits = (cause?: unknown): Error => new ReplayWaitsError(`it waits until ${target} takes rows`, { cause });
    if (isForeign && !isOracleUp(target)) throw waits();
    try {
      await this.#replay(values, stream, signal);
    } catch (error) {
      const isTargets = error instanceof DatabaseError && (error.kind === 'connection' || error.kind === 'passing');
      throw isForeign && isTargets ? waits(error) : error;
    }
  }

  async #replay(values: TagValues, stream: LedgerStream, signal: AbortSignal): Promise<void> {
    if (values.length === 0) return;
    const { clock, pace } = this.#parts;
    await pace.rest(signal);
    const startedMs = clock.monotonic();
    const rows = values.length;
    const outcome = await stream.write(values, signal);
    if (outcome instanceof DatabaseError) {
      const isRows = spoilsBatch(outcome) || (this.#blamesRows && outcome.kind === 'refused');
      if (!isRows) {
        pace.failed();
        throw outcome;
      }
      const halves = await stream.isolate(values, outcome);
      if (halves instanceof DatabaseError) throw halves;
      for (const half of halves) await this.#replay(half, stream, signal);
      return;
    }
    pace.taken(rows, startedMs);
  }
}

/** Where rows of a group go. */
function targetOf({ to }: ReplayNote, { destination }: RowGroup): string {
  return to ?? destination;
}

/** Of each journal once, whatever destinations the rows of its messages are for. */
function lastMessagesOf(groups: readonly RowGroup[]): LastMessage[] {
  const last = new Map<string, number>();
  for (const group of groups) {
    const journal = journalOfMessages(group.journal);
    last.set(journal, Math.max(group.lastMessageNo, last.get(journal) ?? 0));
  }
  return [...last].map(([journal, messageNo]) => ({ journal, messageNo }));
}
