import { sleep, type Clock } from '../../core/clock.ts';
import type { Counters } from '../../core/counters.ts';
import { DatabaseError, LEDGER_MOVED } from '../../core/errors.ts';
import type { FileSystem } from '../../core/filesystem.ts';
import { comparePlaces, laterPlace, ORIGIN, type Place } from '../../core/place.ts';
import type { OnStep } from '../../core/steps.ts';
import { countThrough, placeKeyOf, placeOf, type TagValues } from '../../core/tag-values.ts';
import type { Backups } from '../backups.ts';
import type { BackupFileInfo } from '../files/file-info.ts';
import { visitRejected } from '../written/recall.ts';
import { FileChangedError, orderedRows, surveyRows, type RowGroup, type Survey } from './replay-rows.ts';
import { readStreams, writeStreams } from './replay-streams.ts';
import type { RejectedRow } from '../csv/row-format.ts';

/** The database, as the replay of one stream sees it. All throw DatabaseError. */
export interface ReplaySession {
  /** How far the stream has been written; undefined when nothing of it has. */
  read(): Promise<Place | undefined>;
  /**
   * Writes the values (at least one) and moves the stream from `from` to `to`, in one transaction, which is committed once `beforeCommit`,
   * called with the rows that were refused, if any, has resolved. Code LEDGER_MOVED: the stream is not at `from`, and nothing was written.
   */
  write(
    values: TagValues,
    from: Place,
    to: Place,
    beforeCommit: (refused: readonly RejectedRow[]) => Promise<void>,
  ): Promise<void>;
  /** The stream has come to its end: its place is not needed any more. */
  forget(): Promise<void>;
}

export interface FileReplayParts {
  readonly backups: Backups;
  readonly fileSystem: FileSystem;
  readonly session: (stream: string) => ReplaySession;
  readonly checkRows: (values: TagValues) => readonly RejectedRow[];
  readonly counters: Pick<Counters, 'valuesReplayed'>;
  readonly batchSize: number;
  readonly onStep: OnStep;
  readonly clock: Clock;
}

const MAX_MOVES = 3;

/** A batch whose commit was not answered. */
interface UnknownCommit {
  readonly to: Place;
  readonly rows: number;
}

/**
 * Writes the rows of one file, each group of them through a ledger stream of its own, in the order of their places. `run` may be called
 * again after it threw: what the ledger says is written, and what is in the rejected CSV, is passed over then.
 */
export class FileReplay {
  readonly file: string;
  readonly #parts: FileReplayParts;
  /** A person has asked for it. */
  readonly #isAsked: boolean;
  /** By stream. */
  readonly #rejected = new Map<string, Set<string>>();
  readonly #unknown = new Map<string, UnknownCommit>();
  readonly #written = new Map<string, Place>();
  #rows = 0;
  #replayedRows = 0;
  /** From then on memory has what was rejected. */
  #hasBegun = false;

  constructor(file: string, isAsked: boolean, parts: FileReplayParts) {
    this.file = file;
    this.#isAsked = isAsked;
    this.#parts = parts;
  }

  get progress(): { readonly file: string; readonly rows: number; readonly replayedRows: number } {
    return { file: this.file, rows: this.#rows, replayedRows: this.#replayedRows };
  }

  /**
   * True when every row is in Oracle, or durably in a rejected CSV; false on abort. Throws DatabaseError, CsvError, UnreplayableError,
   * FileChangedError and the system error of the disk.
   */
  async run(signal: AbortSignal): Promise<boolean> {
    const { backups, batchSize, fileSystem } = this.#parts;
    const path = backups.path(this.file);
    const survey = await surveyRows(fileSystem, path, this.file, this.#isAsked);
    this.#rows = survey.rows;
    this.#replayedRows = 0;
    const streams = await this.#begin(survey);
    const stamp = await backups.skipStamp(this.file);
    for (const group of survey.groups) {
      const stream = new StreamReplay(this.#parts.session(streams[group.key]!));
      await this.#read(stream, streams[group.key]!);
      const skipThrough = stamp !== undefined && stamp.journal === group.journal ? stamp : undefined;
      for await (const { values, rows } of orderedRows(fileSystem, path, survey, group, batchSize)) {
        if (signal.aborted) return false;
        passOver(values, skipThrough);
        await this.#replay(values, group, streams[group.key]!, stream, signal);
        this.#replayedRows += rows;
        backups.setReplayed(this.file, this.#replayedRows);
      }
    }
    if ((await fileSystem.size(path)) !== survey.bytes)
      throw new FileChangedError('the file grew while it was replayed');
    return !signal.aborted;
  }

  /** The streams stay those of the first time. After a crash the rows that were rejected without a commit are looked for. */
  async #begin(survey: Survey): Promise<Record<string, string>> {
    const { backups } = this.#parts;
    const known = await readStreams(backups.folder, this.file);
    const streams = { ...known };
    for (const { key, stream } of survey.groups) streams[key] ??= stream;
    // Also what is there already: an attempt whose name the disk refused to keep looks the same.
    if (!this.#hasBegun || Object.keys(streams).length > Object.keys(known ?? {}).length) {
      await writeStreams(backups.folder, this.file, streams);
    }
    if (known !== undefined && !this.#hasBegun) await this.#findRejected(survey.groups, streams);
    this.#hasBegun = true;
    return streams;
  }

  async #findRejected(groups: readonly RowGroup[], streams: Readonly<Record<string, string>>): Promise<void> {
    const { backups, fileSystem } = this.#parts;
    const byJournal = new Map(groups.filter(({ hasPlaces }) => hasPlaces).map((group) => [group.journal, group]));
    const isOther = ({ kind, name }: BackupFileInfo): boolean => kind === 'rejected' && name !== this.file;
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
      this.#noteRejected(streams[group.key]!, values, i);
    });
  }

  async #replay(
    values: TagValues,
    group: RowGroup,
    name: string,
    stream: StreamReplay,
    signal: AbortSignal,
  ): Promise<void> {
    for (let moves = 0; ; moves += 1) {
      this.#passOverSettled(values, name, stream);
      await this.#rejectBad(values, group, name);
      if (values.length === 0 || signal.aborted) return;
      const startedMs = this.#parts.clock.monotonic();
      try {
        await this.#write(values, group, name, stream);
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        if (error.kind === 'row' || error.kind === 'mistake')
          return this.#isolate(values, error, group, name, stream, signal);
        if (error.code !== LEDGER_MOVED || moves >= MAX_MOVES) throw error;
        await this.#read(stream, name);
        continue;
      }
      // Half of the time is the live data's, whatever the database is able to do.
      await sleep(this.#parts.clock, this.#parts.clock.monotonic() - startedMs, signal);
      return;
    }
  }

  async #write(values: TagValues, group: RowGroup, name: string, stream: StreamReplay): Promise<void> {
    const to = placeOf(values, values.length - 1);
    let rows = values.length;
    try {
      await stream.session.write(values, stream.ledger ?? ORIGIN, to, async (refused) => {
        await this.#reject(values, refused, group, name);
        rows -= refused.length;
      });
    } catch (error) {
      if (error instanceof DatabaseError && error.outcomeUnknown) this.#unknown.set(name, { to, rows });
      throw error;
    }
    stream.moved(to);
    this.#written.set(name, to);
    this.#parts.counters.valuesReplayed += rows;
    this.#parts.onStep('replayed');
  }

  async #read(stream: StreamReplay, name: string): Promise<void> {
    const place = await stream.session.read();
    const unknown = this.#unknown.get(name);
    if (unknown !== undefined && place !== undefined && comparePlaces(place, unknown.to) === 0) {
      this.#parts.counters.valuesReplayed += unknown.rows;
    }
    this.#unknown.delete(name);
    stream.found(place, this.#written.get(name));
  }

  /** One row spoils the batch for the others: halves it until that row stands alone. */
  async #isolate(
    values: TagValues,
    error: DatabaseError,
    group: RowGroup,
    name: string,
    stream: StreamReplay,
    signal: AbortSignal,
  ): Promise<void> {
    if (values.length === 1) {
      await this.#reject(values, [{ index: 0, reason: { code: error.code, message: error.message } }], group, name);
      return;
    }
    const middle = values.length >> 1;
    for (const half of [values.slice(0, middle), values.slice(middle, values.length)]) {
      await this.#replay(half, group, name, stream, signal);
    }
  }

  async #rejectBad(values: TagValues, group: RowGroup, name: string): Promise<void> {
    const bad = this.#parts.checkRows(values);
    if (bad.length === 0) return;
    await this.#reject(values, bad, group, name);
    values.remove(new Set(bad.map(({ index }) => index)));
  }

  async #reject(values: TagValues, rows: readonly RejectedRow[], group: RowGroup, name: string): Promise<void> {
    await this.#parts.backups.reject(values, rows, group.journal);
    for (const { index } of rows) this.#noteRejected(name, values, index);
  }

  #noteRejected(name: string, values: TagValues, i: number): void {
    let places = this.#rejected.get(name);
    if (places === undefined) {
      places = new Set();
      this.#rejected.set(name, places);
    }
    places.add(placeKeyOf(values, i));
  }

  #passOverSettled(values: TagValues, name: string, stream: StreamReplay): void {
    passOver(values, stream.settled);
    const rejected = this.#rejected.get(name);
    if (rejected === undefined) return;
    const indexes = new Set<number>();
    for (let i = 0; i < values.length; i += 1) if (rejected.has(placeKeyOf(values, i))) indexes.add(i);
    values.remove(indexes);
  }
}

/** Where one stream stands. */
class StreamReplay {
  readonly session: ReplaySession;
  /** What the compare-and-set expects. */
  ledger: Place | undefined;
  /** Rows up to here are in Oracle. */
  settled: Place | undefined;

  constructor(session: ReplaySession) {
    this.session = session;
  }

  /** `written`: what this process knows of, should somebody have set the ledger back. */
  found(place: Place | undefined, written: Place | undefined): void {
    this.ledger = place;
    // A new row of the ledger stands at the origin, which is no row's place.
    const read = place !== undefined && comparePlaces(place, ORIGIN) > 0 ? place : undefined;
    this.settled = read !== undefined && written !== undefined ? laterPlace(read, written) : (read ?? written);
  }

  moved(to: Place): void {
    this.ledger = to;
    this.settled = to;
  }
}

function passOver(values: TagValues, through: Place | undefined): void {
  if (through !== undefined) values.removeFirst(countThrough(values, through));
}
