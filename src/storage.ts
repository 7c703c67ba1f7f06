import { join } from 'node:path';

import { Backups, type BackupsOptions } from './backup/backups.ts';
import { BackupFolder } from './backup/files/folder.ts';
import { Replays, type ReplaysOptions } from './backup/replay/replays.ts';
import type { Config } from './config/config.ts';
import { destinationsOf } from './config/destinations.ts';
import type { Clock } from './core/clock.ts';
import { detailNeeds, type Destination } from './core/columns.ts';
import { DEFAULT_DESTINATION } from './core/destination.ts';
import type { FileSystem } from './core/filesystem.ts';
import type { LedgerSession } from './core/ledger-session.ts';
import type { Logger } from './core/logger.ts';
import { Reserve } from './core/reserve.ts';
import type { OnStep } from './core/steps.ts';
import type { CheckpointCompanion } from './journal/checkpoint-writer.ts';
import { JOURNAL_FILES } from './journal/file-names.ts';
import { Journal, type JournalLock } from './journal/journal.ts';
import { createDecoder } from './payload/decoder.ts';
import { FormatMemory } from './payload/format-memory.ts';
import type { BatchSizes } from './stream/batch-growth.ts';
import { checkRows, rowCheckOf, type RowCheckOptions } from './writer/row-check.ts';

export interface StorageConfig {
  readonly tagName: string;
  readonly journal: Config['journal'];
  readonly backup: Pick<Config['backup'], 'dir' | 'maxRowsPerFile'>;
  readonly mqtt: Pick<Config['mqtt'], 'receiveMaximum' | 'subscriptions'>;
  readonly writer: BatchSizes;
  readonly oracle: Parameters<typeof destinationsOf>[0];
}

export interface StorageParts {
  readonly clock: Clock;
  readonly fileSystem: FileSystem;
  readonly lock: JournalLock;
  /** `blamesRows`: as of `Refusals`. */
  readonly replaySession: (stream: string, destination: string, blamesRows?: () => boolean) => LedgerSession;
  readonly maxTextBytes: number;
  /**
   * Size of each of the two reserves, the journal's and the backups', for what leads out of a full disk; 0 turns them
   * off.
   */
  readonly reserveBytes: number;
  /** Told when an outage's file is sealed, as far as the disk lets it. */
  readonly onOutageEnded?: BackupsOptions['onOutageEnded'];
  /** Told of rejected rows that are durable. */
  readonly onRejected?: BackupsOptions['onRejected'];
  /** Who else has to be saved before each checkpoint. */
  readonly companions?: () => readonly CheckpointCompanion[];
  readonly log: Logger;
  readonly onStep: OnStep;
}

/** Names and types of some hundred thousand metrics. */
const MAX_FORMAT_MEMORY_BYTES = 64 * 1024 * 1024;

/** What a replay needs to know of the bridge around it. */
export type ReplaySurroundings = Pick<
  ReplaysOptions,
  'isOracleUp' | 'isLiveBusy' | 'isLedgerKnown' | 'beforeDelete' | 'messagesRefusal' | 'counters' | 'enabled'
>;

/**
 * The journal, the CSV files, and the replay that brings these into Oracle: made here for the running bridge and for
 * `backups replay`, so that both treat the same directories alike.
 */
export class Storage {
  readonly backups: Backups;
  /** What the formats have to know of earlier messages. */
  readonly formatMemory: FormatMemory;
  readonly #config: StorageConfig;
  readonly #parts: StorageParts;
  /** Those of the configuration, the default first. */
  readonly #destinations: readonly Destination[];
  readonly #rowChecks: ReadonlyMap<string, RowCheckOptions>;
  /** The room that leads out of a full disk, in the journal's directory. */
  readonly journalReserve: Reserve;
  #journal: Journal | undefined;
  /** How a replay reads messages. */
  #subscriptions: Config['mqtt']['subscriptions'];

  constructor(config: StorageConfig, parts: StorageParts) {
    const { backup, journal } = config;
    const { clock, fileSystem, onOutageEnded, onRejected, onStep, reserveBytes } = parts;
    this.#config = config;
    this.#parts = parts;
    this.#destinations = destinationsOf(config.oracle);
    this.#rowChecks = new Map(this.#destinations.map((each) => [each.name, rowCheckOf(each, parts.maxTextBytes)]));
    this.#subscriptions = config.mqtt.subscriptions;
    this.journalReserve = new Reserve(journal.dir, reserveBytes, fileSystem);
    this.formatMemory = new FormatMemory({
      dir: join(journal.dir, JOURNAL_FILES.formats),
      maxBytes: MAX_FORMAT_MEMORY_BYTES,
      reserve: this.journalReserve,
      fileSystem,
      log: this.#logOf('payload'),
    });
    this.backups = new Backups({
      folder: new BackupFolder(
        backup.dir,
        fileSystem,
        new Reserve(backup.dir, reserveBytes, fileSystem, this.journalReserve),
      ),
      maxRowsPerFile: backup.maxRowsPerFile,
      destinations: this.#destinations.map(({ name }) => name),
      journalId: () => this.journal.id,
      onOutageEnded,
      onRejected,
      clock,
      onStep,
      log: this.#logOf('backup'),
    });
  }

  /** What rows for the destination must be like; for one that is gone, as for the default. */
  rowCheck(destination: string): RowCheckOptions {
    return this.#rowChecks.get(destination) ?? this.#rowChecks.get(DEFAULT_DESTINATION)!;
  }

  /** Throws before it is open. */
  get journal(): Journal {
    if (this.#journal === undefined) throw new Error('the journal is not open');
    return this.#journal;
  }

  /**
   * Opens the journal, which keeps other processes out, and then reads what the formats remember, and the CSV files.
   * Throws what `Journal.open`, `FormatMemory.start` and `Backups.start` throw; `close` is to be called then, too.
   */
  async open(): Promise<Journal> {
    const { clock, companions, fileSystem, lock, onStep } = this.#parts;
    this.#journal = await Journal.open({
      ...this.#config.journal,
      redeliverable: this.#config.mqtt.receiveMaximum,
      reserve: this.journalReserve,
      companions: [this.formatMemory, ...(companions?.() ?? [])],
      fileSystem,
      lock,
      clock,
      onStep,
      log: this.#logOf('journal'),
    });
    await this.formatMemory.start(this.#journal.id, this.#journal.settledNo);
    await this.backups.start();
    return this.#journal;
  }

  /** From the next file of messages on, a replay reads them so. */
  tune(subscriptions: Config['mqtt']['subscriptions']): void {
    this.#subscriptions = subscriptions;
  }

  createReplays(surroundings: ReplaySurroundings): Replays {
    const { clock, fileSystem, onStep, replaySession } = this.#parts;
    return new Replays({
      ...surroundings,
      destinations: this.#destinations.map(({ name }) => name),
      backups: this.backups,
      session: replaySession,
      decoder: () => {
        const keeps = detailNeeds(this.#destinations);
        const decoder = createDecoder(this.#subscriptions, this.#config.tagName, { memory: this.formatMemory, keeps });
        return { decode: (message, into) => decoder.decodeAside(message, into) };
      },
      batches: this.#config.writer,
      checkRows: (values, destination) => checkRows(values, this.rowCheck(destination)),
      fileSystem,
      clock,
      onStep,
      log: this.#logOf('replay'),
    });
  }

  /**
   * Lets the next process in. Does nothing when the journal was not opened. The stages that write must have stopped
   * before.
   */
  async close(): Promise<void> {
    await this.#journal?.close();
  }

  #logOf(stage: string): Logger {
    return this.#parts.log.child({ stage });
  }
}
