import type { Clock } from '../core/clock.ts';
import { DEFAULT_DESTINATION } from '../core/destination.ts';
import type { Reason } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Message } from '../core/message.ts';
import type { Place } from '../core/place.ts';
import type { OnStep } from '../core/steps.ts';
import { Catalog, type PendingCount } from './files/catalog.ts';
import { BackupDirectory } from './files/directory.ts';
import { fileFacts, fileOutlook, targetOf, type FileFacts, type FileOutlook } from './files/file-facts.ts';
import { compareFiles, type BackupFileInfo } from './files/file-info.ts';
import { OPEN_SUFFIX, type BackupKind } from './files/file-name.ts';
import { UnknownFileError, type BackupFolder } from './files/folder.ts';
import { Redirects } from './replay/redirects.ts';
import { RollingFiles } from './files/rolling-files.ts';
import { scanFile } from './files/scan.ts';
import { LaneBackups, type LaneBackupsOptions } from './lane-backups.ts';
import { Undecodable } from './undecodable.ts';
import { assertRecovered, presentPaths, undecodableNumbers } from './written/recall.ts';

export interface BackupsOptions {
  readonly folder: BackupFolder;
  readonly maxRowsPerFile: number;
  /** Those of the configuration; absent: only the default. */
  readonly destinations?: readonly string[] | undefined;
  /** Id of the journal that numbers the values; asked for with each batch. */
  readonly journalId: () => string;
  readonly onStep: OnStep;
  readonly onOutageEnded?: LaneBackupsOptions['onOutageEnded'];
  readonly onRejected?: LaneBackupsOptions['onRejected'];
  readonly clock: Clock;
  readonly log: Logger;
}

/** A kind of which there is no file may be absent. */
export type PendingByKind = Readonly<Partial<Record<BackupKind, PendingCount>>>;

/**
 * The CSV files of all destinations: writes what Oracle did not take, and knows what lies there. Each destination's own
 * stand in its `lane`; the directory, the names in it and the messages that could not be decoded are common to all. All
 * calls may overlap.
 */
export class Backups {
  readonly #options: BackupsOptions;
  readonly folder: BackupFolder;
  /** Where a person has sent the rows of files. */
  readonly redirects: Redirects;
  readonly #catalog = new Catalog();
  readonly #lanes = new Map<string, LaneBackups>();
  readonly #filesOptions: Omit<LaneBackupsOptions, 'destination'>;
  readonly #messages: RollingFiles;
  readonly #directory: BackupDirectory;
  readonly #undecodable: Undecodable;

  constructor(options: BackupsOptions) {
    this.#options = options;
    this.folder = options.folder;
    this.redirects = new Redirects(options.folder);
    this.#filesOptions = {
      ...options,
      catalog: this.#catalog,
      takeName: (kind, atMs) => this.#directory.takeName(kind, atMs),
      onGone: (name) => this.#directory.drop(name),
    };
    this.#messages = new RollingFiles({
      ...this.#filesOptions,
      destination: DEFAULT_DESTINATION,
      onBegin: () => Promise.resolve(),
    });
    this.#directory = new BackupDirectory({
      ...options,
      catalog: this.#catalog,
      checkOpenFiles: async (isThere) => {
        await this.#messages.check(isThere);
        await Promise.all([...this.#lanes.values()].map((lane) => lane.checkOpenFiles(isThere)));
      },
      onGone: (name) => {
        this.redirects.gone(name);
        for (const lane of this.#lanes.values()) lane.gone(name);
      },
    });
    this.#undecodable = new Undecodable({
      ...options,
      append: (records, reason) => this.#messages.of('undecodable').append(records, reason),
    });
  }

  /**
   * The files of one destination, which the configuration need not know: always the same object. Absent: the default's.
   */
  lane(destination = DEFAULT_DESTINATION): LaneBackups {
    let lane = this.#lanes.get(destination);
    if (lane === undefined) {
      lane = new LaneBackups({ ...this.#filesOptions, destination });
      this.#lanes.set(destination, lane);
    }
    return lane;
  }

  /** All destinations that rows in files are for, also those that the configuration does not know; in no order. */
  destinations(): readonly string[] {
    const files = this.#catalog.all().filter(({ kind }) => kind !== 'undecodable');
    return [...new Set(files.map(({ destination }) => destination))];
  }

  /**
   * Makes the directory, seals what a crash left open and reads each file through once. A file that can't be read is
   * listed with its problem. When that takes more than a quarter of a second (a long outage leaves gigabytes), it
   * resolves and reads on beside the work: what was not read yet is listed with no rows, but with whom they are for.
   * Throws the system error when the directory can't be made or listed, or a backup can't be sealed, or begun to be
   * read.
   */
  async start(): Promise<void> {
    await this.#directory.recover();
    for (const { destination, kind, name } of this.#catalog.all()) {
      if (kind === 'backup') this.lane(destination).found(name);
    }
    await this.redirects.load();
    await this.#directory.start();
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

  /** Those files, oldest first. */
  filesWhere(isWanted: (file: BackupFileInfo) => boolean): readonly BackupFileInfo[] {
    return this.#catalog.all().filter(isWanted).sort(compareFiles);
  }

  /** The oldest of those files; undefined: there is none. */
  oldestWhere(isWanted: (file: BackupFileInfo) => boolean): BackupFileInfo | undefined {
    return this.#catalog.oldestWhere(isWanted);
  }

  file(name: string): BackupFileInfo | undefined {
    return this.#catalog.get(name);
  }

  /** The file of that name as it is spoken of outside; undefined when there is none. */
  facts(name: string): FileFacts | undefined {
    const info = this.#catalog.get(name);
    return info === undefined ? undefined : fileFacts(info, this.#outlook(info));
  }

  /** The name of the destination that the file's rows go to. */
  targetOf(info: BackupFileInfo): string {
    return targetOf(info, this.redirects.of(info.name));
  }

  /** Files that nobody replays until a person says where their rows go, oldest first. */
  homeless(): readonly BackupFileInfo[] {
    return this.filesWhere((info) => this.#outlook(info).hint !== undefined);
  }

  pending(kind: BackupKind): PendingCount {
    return this.#catalog.pending(kind);
  }

  /** What waits for each destination that rows go to, by kind; messages are nobody's. */
  pendingByDestination(): ReadonlyMap<string, PendingByKind> {
    const found = new Map<string, Partial<Record<BackupKind, PendingCount>>>();
    for (const file of this.#catalog.all()) {
      const { kind, rows } = file;
      if (kind === 'undecodable') continue;
      const target = this.targetOf(file);
      const kinds = found.get(target) ?? {};
      const { files, rows: before } = kinds[kind] ?? { files: 0, rows: 0 };
      kinds[kind] = { files: files + 1, rows: before + rows };
      found.set(target, kinds);
    }
    return found;
  }

  /** Where the file lies. */
  path(name: string): string {
    return this.folder.path(name);
  }

  /**
   * Passes over messages in `addUndecodable` from then on that an earlier run put into an undecodable file and that
   * stand behind `after`: the journal gives them again when the checkpoint was behind. Throws as `LaneBackups.recall`.
   */
  async recallUndecodable(journalId: string, after: Place): Promise<void> {
    assertRecovered(this.#catalog.all());
    const names = this.#catalog.all().flatMap(({ kind, name }) => (kind === 'undecodable' ? [name] : []));
    const paths = await presentPaths(this.folder, names);
    const { fileSystem } = this.folder;
    this.#undecodable.passOver(await undecodableNumbers(fileSystem, paths, journalId, after.messageNo));
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
   * All rows of the file go to the destination `to` from now on. Resolves when that is durable. Nobody may be replaying
   * it. Throws UnknownFileError, and as `Redirects.set`.
   */
  async redirect(name: string, to: string): Promise<void> {
    const file = this.#catalog.get(name);
    if (file === undefined) throw new UnknownFileError(name);
    await this.redirects.set(name, file.destination, to);
    this.#catalog.tell(name);
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
    if (file?.state !== 'open' || file.problem !== undefined) return;
    if (file.kind === 'undecodable') await this.#messages.of(file.kind).seal();
    else await this.lane(file.destination).seal(file.kind);
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

  /**
   * Puts the file `by` of the folder, which is durable, in the place of a sealed one: a crash leaves one of the two.
   * Nobody may be replaying it. Throws UnknownFileError for a name that is not one of a sealed file, and the system
   * error of the disk, ENOENT for a `by` that is not there.
   */
  replace(name: string, by: string): Promise<void> {
    return this.#directory.inTurn(async () => {
      if (this.#catalog.get(name)?.state !== 'sealed') throw new UnknownFileError(name);
      const { fileSystem } = this.folder;
      await fileSystem.rename(this.path(by), this.path(name));
      this.#catalog.put((await scanFile(fileSystem, this.path(name), name, 'sealed')).info);
      await this.folder.sync();
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
    await Promise.all([this.#messages, ...this.#lanes.values()].map((files) => files.close()));
    await this.#directory.settled();
  }

  #outlook(info: BackupFileInfo): FileOutlook {
    return fileOutlook(info, this.redirects.of(info.name), this.#options.destinations ?? [DEFAULT_DESTINATION]);
  }
}
