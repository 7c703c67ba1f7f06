import { Backups } from './backup/backups.ts';
import { BackupFolder } from './backup/files/folder.ts';
import { Replay, type ReplaySession } from './backup/replay/replay.ts';
import type { Config } from './config/config.ts';
import type { Clock } from './core/clock.ts';
import { createCounters } from './core/counters.ts';
import type { FileSystem } from './core/filesystem.ts';
import type { Logger } from './core/logger.ts';
import { comparePlaces, ORIGIN } from './core/place.ts';
import { Reserve } from './core/reserve.ts';
import { noStep } from './core/steps.ts';
import { Journal, type JournalLock } from './journal/journal.ts';
import { checkRows } from './writer/row-check.ts';

export type OfflineReplayConfig = Pick<Config, 'mqtt' | 'journal' | 'backup' | 'writer' | 'oracle'>;

export interface OfflineReplayParts {
  readonly clock: Clock;
  readonly fileSystem: FileSystem;
  readonly lock: JournalLock;
  readonly session: (stream: string) => ReplaySession;
  readonly maxTextBytes: number;
  /** As the bridge's. */
  readonly reserveBytes: number;
  readonly log: Logger;
}

/** The bridge was cut off before it noted what it had put into its files: values would come from the journal once more. */
export class NotNotedError extends Error {
  constructor() {
    super('the bridge was cut off before it noted what it had put into its files: start it, then ask it again');
    this.name = 'NotNotedError';
  }
}

/** Replays files that a person names while no bridge runs. It holds the journal meanwhile, so that none can start. */
export class OfflineReplay {
  readonly backups: Backups;
  readonly replay: Replay;
  readonly #journal: Journal;
  readonly #parts: OfflineReplayParts;

  constructor(config: OfflineReplayConfig, parts: OfflineReplayParts) {
    const shared = { ...parts, onStep: noStep };
    const { backup, journal, mqtt, oracle, writer } = config;
    this.#parts = parts;
    const reserve = new Reserve(journal.dir, parts.reserveBytes, parts.fileSystem);
    this.#journal = new Journal({ ...journal, ...shared, reserve, redeliverable: mqtt.receiveMaximum });
    this.backups = new Backups({
      ...backup,
      ...shared,
      folder: new BackupFolder(
        backup.dir,
        parts.fileSystem,
        new Reserve(backup.dir, parts.reserveBytes, parts.fileSystem, reserve),
      ),
      journalId: () => this.#journal.id,
    });
    const rowCheck = {
      maxTextBytes: parts.maxTextBytes,
      valueType: oracle.valueType,
      hasTextColumn: oracle.columns.text !== '',
    };
    this.replay = new Replay({
      ...shared,
      backups: this.backups,
      isOracleUp: () => true,
      beforeDelete: () => Promise.resolve(),
      counters: createCounters(),
      enabled: false,
      batchSize: writer.batchSize,
      checkRows: (values) => checkRows(values, rowCheck),
    });
  }

  /**
   * Throws NotNotedError, DatabaseError, the system error of the disk, and what `Journal.open` throws where a bridge has the journal. To be
   * stopped then, too.
   */
  async start(): Promise<void> {
    const { backups } = this;
    const journal = this.#journal;
    await journal.open();
    await backups.start();
    const settled = journal.checkpoint?.place ?? ORIGIN;
    const backedUp = await backups.lastPlace(journal.id);
    const isBehind = backedUp !== undefined && comparePlaces(settled, backedUp) < 0;
    if (isBehind || (journal.status.messages > 0 && (await backups.recall(journal.id, settled)).size > 0)) {
      throw new NotNotedError();
    }
    const written = backedUp === undefined ? undefined : await this.#parts.session(`live/${journal.id}`).read();
    if (written !== undefined) await backups.stampSkip(written);
    this.replay.start();
  }

  async stop(): Promise<void> {
    await this.replay.stop();
    await this.backups.stop();
    await this.#journal.close();
  }
}
