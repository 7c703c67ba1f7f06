import type { Clock } from '../core/clock.ts';
import type { Reason } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Message } from '../core/message.ts';
import type { Place } from '../core/place.ts';
import type { RefusedRow } from '../core/refused-row.ts';
import type { OnStep } from '../core/steps.ts';
import { placeOf, type TagValues } from '../core/tag-values.ts';
import { Catalog, type PendingCount } from './files/catalog.ts';
import { BackupDirectory } from './files/directory.ts';
import { fileFacts, type FileFacts } from './files/file-facts.ts';
import { TimeRange, type BackupFileInfo } from './files/file-info.ts';
import { OPEN_SUFFIX, type BackupKind } from './files/file-name.ts';
import { UnknownFileError, type BackupFolder } from './files/folder.ts';
import { SET_APART_KINDS } from './files/kinds.ts';
import { latestRange } from './written/place-range.ts';
import { presentPaths, rejectedPlaces, undecodableNumbers } from './written/recall.ts';
import { RollingFiles } from './files/rolling-files.ts';
import { encodeBatch, encodeRejected, shortReason } from './csv/row-format.ts';
import { SkipStamps } from './written/skip-stamps.ts';
import type { SkipStamp } from './written/stamp-files.ts';
import { Undecodable } from './undecodable.ts';

export interface BackupsOptions {
  readonly folder: BackupFolder;
  readonly maxRowsPerFile: number;
  /** Id of the journal that numbers the values; asked for with each batch. */
  readonly journalId: () => string;
  readonly onStep: OnStep;
  /** The outage's file is sealed, as far as the disk lets it. */
  readonly onOutageEnded?: (() => void) | undefined;
  /** Rejected rows are durable. */
  readonly onRejected?: ((values: TagValues, rows: readonly RefusedRow[]) => void) | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The CSV files: writes what Oracle did not take, and knows what lies there. All calls may overlap. */
export class Backups {
  readonly #options: BackupsOptions;
  readonly folder: BackupFolder;
  readonly #stamps: SkipStamps;
  readonly #catalog = new Catalog();
  readonly #rolling: RollingFiles;
  readonly #directory: BackupDirectory;
  readonly #undecodable: Undecodable;

  constructor(options: BackupsOptions) {
    this.#options = options;
    this.folder = options.folder;
    this.#stamps = new SkipStamps(options);
    this.#rolling = new RollingFiles({
      ...options,
      catalog: this.#catalog,
      freeName: (kind, atMs) => this.#directory.freeName(kind, atMs),
      onBegin: async (kind, name) => {
        if (kind === 'backup') await this.#stamps.begins(name);
      },
      onGone: (name) => this.#directory.drop(name),
    });
    this.#directory = new BackupDirectory({
      ...options,
      catalog: this.#catalog,
      checkOpenFiles: (isThere) => this.#rolling.check(isThere),
      onGone: (name) => this.#stamps.gone(name),
    });
    this.#undecodable = new Undecodable({
      ...options,
      append: (records, reason) => this.#rolling.of('undecodable').append(records, reason),
    });
  }

  /**
   * Makes the directory, seals what a crash left open and reads each file through once. A file that can't be read is
   * listed with its problem. When that takes more than five seconds (a long outage leaves gigabytes), it resolves and
   * reads on beside the work: what was not read yet is listed with no rows. Throws the system error when the directory
   * can't be made or listed, or a backup can't be sealed.
   */
  async start(): Promise<void> {
    await this.#directory.recover();
    for (const { name, kind } of this.#catalog.all()) if (kind === 'backup') this.#stamps.found(name);
    await this.#directory.start();
  }

  /**
   * Appends a batch that Oracle did not take to the outage's file; resolves when it is durable, all in one file. Throws
   * the system error when the disk refuses: then nothing of it counts, and the caller keeps it and tries again.
   */
  async backUp(values: TagValues, reason: Reason): Promise<void> {
    if (values.length === 0) return;
    const short = shortReason(reason);
    const times = new TimeRange();
    for (let i = 0; i < values.length; i += 1) times.add(values.timesMs[i]!);
    const origin = { journal: this.#options.journalId(), attemptedAtMs: this.#options.clock.now() };
    const buffers = [encodeBatch(values, short, origin)];
    const name = await this.#rolling.of('backup').append({ buffers, rows: values.length, times }, short);
    await this.#stamps.grew(name, placeOf(values, 0), placeOf(values, values.length - 1));
    this.#options.onStep('backed-up');
  }

  /**
   * Before anything is sent to Oracle: writes the stamps that the disk refused, and cuts off rows that it had refused
   * although they are there; after a crash these would count, and be in Oracle as well. Throws the system error of the
   * disk.
   */
  async flushStamps(): Promise<void> {
    await this.#rolling.of('backup').cutLeftovers();
    for (const kind of SET_APART_KINDS) await this.#rolling.of(kind).cutLeftovers();
    await this.#stamps.flush();
  }

  /** Oracle takes rows again: seals the backup file. What the disk refuses now is tried again later; never throws. */
  async endOutage(): Promise<void> {
    await this.#rolling.of('backup').seal();
    this.#options.onOutageEnded?.();
  }

  /**
   * Appends rows that the database or the check before it refused, all of them held or none; as `backUp` in all else.
   * Replayed rows keep the journal that numbered them.
   */
  async reject(values: TagValues, rows: readonly RefusedRow[], journal = this.#options.journalId()): Promise<void> {
    const [first] = rows;
    if (first === undefined) return;
    const times = new TimeRange();
    for (const { index } of rows) times.add(values.timesMs[index]!);
    const buffers = [encodeRejected(values, rows, { journal, attemptedAtMs: this.#options.clock.now() })];
    const file = this.#rolling.of(first.isHeld === true ? 'held' : 'rejected');
    await file.append({ buffers, rows: rows.length, times }, shortReason(first.reason));
    this.#options.onRejected?.(values, rows);
  }

  /** An undecodable file has the message, although the journal gives it again: what came of it comes of that file. */
  isSetAside(messageNo: number): boolean {
    return this.#undecodable.isKnown(messageNo);
  }

  /** The number of the last message of which `isSetAside` is true; 0: there is none. */
  get setAsideThrough(): number {
    return this.#undecodable.knownThrough;
  }

  /** Resolves when the message is durable, however long the disk refuses; throws only when `stop` comes first. */
  addUndecodable(message: Message, reason: Reason): Promise<void> {
    return this.#undecodable.add(message, reason);
  }

  /** All files, oldest first. */
  files(): readonly BackupFileInfo[] {
    return this.#catalog.sorted();
  }

  file(name: string): BackupFileInfo | undefined {
    return this.#catalog.get(name);
  }

  /** The file of that name as it is spoken of outside; undefined when there is none. */
  facts(name: string): FileFacts | undefined {
    const info = this.#catalog.get(name);
    return info === undefined ? undefined : fileFacts(info);
  }

  pending(kind: BackupKind): PendingCount {
    return this.#catalog.pending(kind);
  }

  /** Where the file lies. */
  path(name: string): string {
    return this.folder.path(name);
  }

  /**
   * The last value of this journal that was backed up, of those whose files are still here; undefined when there is
   * none. The clock may have gone back between two files, so the last one is found by its first row. Throws the system
   * error of the disk.
   */
  async lastPlace(journalId: string): Promise<Place | undefined> {
    const { fileSystem } = this.folder;
    return (await latestRange(fileSystem, await this.#paths('backup'), journalId))?.last;
  }

  /**
   * What an earlier run put apart of the journal's stream behind `after`: the journal gives it again when the
   * checkpoint was behind. Gives the places of rejected rows as `placeKeyOf`, and from then on passes over such
   * messages in `addUndecodable`. Throws the system error of the disk, and an Error for a file that an earlier run left
   * open and that could not be recovered: its rows may not be durable.
   */
  async recall(journalId: string, after: Place): Promise<ReadonlySet<string>> {
    const unsure = this.#catalog.all().find(({ problem, state }) => state === 'open' && problem !== undefined);
    if (unsure !== undefined) throw new Error(`${unsure.name} could not be recovered: ${unsure.problem}`);
    const { fileSystem } = this.folder;
    const undecodable = await this.#paths('undecodable');
    this.#undecodable.passOver(await undecodableNumbers(fileSystem, undecodable, journalId, after.messageNo));
    return rejectedPlaces(fileSystem, await this.#paths(...SET_APART_KINDS), journalId, after);
  }

  /**
   * The live stream's ledger was read and is at this place: what was backed up of the values up to it is in Oracle.
   * Resolves when the stamps that say so are durable. Throws the system error of the disk.
   */
  stampSkip(place: Place): Promise<void> {
    return this.#stamps.ledgerRead(place);
  }

  /**
   * Up to which place of which journal the file's rows are in Oracle already; undefined: none are. Throws the system
   * error of the disk, and an Error when that is not known until the ledger is read.
   */
  skipStamp(name: string): Promise<SkipStamp | undefined> {
    return this.#stamps.read(name);
  }

  /** Nobody knows whether a batch was written. */
  outcomeUnknown(): void {
    this.#stamps.outcomeUnknown();
  }

  /**
   * A batch was committed, and it is certain: nothing that was backed up before can come into Oracle by a late commit
   * any more.
   */
  outcomeCertain(): void {
    for (const name of this.#stamps.outcomeCertain()) this.#catalog.tell(name);
  }

  /** How far a sealed file's replay is; undefined when it is not being replayed. */
  setReplayed(name: string, rows: number | undefined): void {
    const file = this.#catalog.get(name);
    if (file !== undefined && file.replayedRows !== rows) this.#catalog.put({ ...file, replayedRows: rows });
  }

  /** What keeps a sealed file from being replayed; stands until the file changes. */
  setProblem(name: string, problem: string): void {
    const file = this.#catalog.get(name);
    if (file !== undefined) this.#catalog.put({ ...file, replayedRows: undefined, problem });
  }

  /**
   * Takes a file away whose rows are all in Oracle; messages that still could not be decoded stay, as a file of their
   * own. Throws the system error of the disk.
   */
  endReplay(name: string): Promise<void> {
    return this.#directory.inTurn(async () => {
      const createdAtMs = this.#catalog.get(name)?.createdAtMs ?? this.#options.clock.now();
      const freeName = (): Promise<string> => this.#directory.freeName('undecodable', createdAtMs);
      const left = await this.folder.publishLeft(name, freeName);
      if (left !== undefined) await this.#directory.found(left);
      await this.folder.removeReplayed(name);
      this.#directory.drop(name);
      this.#options.onStep('file-deleted');
    });
  }

  /**
   * Seals the file of that name when it is being written. What the disk refuses now is tried again later; never throws.
   */
  async seal(name: string): Promise<void> {
    const file = this.#catalog.get(name);
    if (file?.state === 'open' && file.problem === undefined) await this.#rolling.of(file.kind).seal();
  }

  /** What is durable of a file. Throws UnknownFileError and the system error of the disk. */
  async read(name: string): Promise<Buffer> {
    const file = this.#catalog.get(name);
    if (file === undefined) throw new UnknownFileError(name);
    const path = this.path(name);
    const { fileSystem } = this.folder;
    return file.state === 'open' ? fileSystem.readRange(path + OPEN_SUFFIX, 0, file.bytes) : fileSystem.read(path);
  }

  /**
   * Takes a sealed file away for good. Throws UnknownFileError for any other name, and the system error of the disk.
   */
  discard(name: string): Promise<void> {
    return this.#directory.inTurn(async () => {
      const file = this.#catalog.get(name);
      if (file?.state !== 'sealed') throw new UnknownFileError(name);
      await this.folder.discard(name);
      this.#options.log.warn('backup file discarded', { file: name, kind: file.kind, rows: file.rows });
      this.#directory.drop(name);
    });
  }

  /** Calls `listener` with the name of each file that is begun, grows, is sealed or goes. The result ends that. */
  onChange(listener: (name: string) => void): () => void {
    return this.#catalog.onChange(listener);
  }

  /** Takes note of files that came, went or changed their size by another hand. Reads only those; never throws. */
  rescan(): Promise<void> {
    return this.#directory.rescan();
  }

  /** Seals all files. What still waits for the disk is tried once more and then given up. */
  async stop(): Promise<void> {
    this.#directory.stop();
    await this.#undecodable.stop();
    await this.#rolling.close();
    await this.#directory.settled();
  }

  #paths(...wanted: readonly BackupKind[]): Promise<string[]> {
    const names = this.#catalog.all().flatMap(({ kind, name }) => (wanted.includes(kind) ? [name] : []));
    return presentPaths(this.folder, names);
  }
}
