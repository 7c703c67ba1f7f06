import type { Backups } from './backup/backups.ts';
import type { Replays } from './backup/replay/replays.ts';
import { createCounters } from './core/counters.ts';
import type { LedgerSession } from './core/ledger-session.ts';
import { noStep } from './core/steps.ts';
import { findInFiles } from './resume.ts';
import { Storage, type StorageConfig, type StorageParts } from './storage.ts';

export interface OfflineReplayParts extends Omit<
  StorageParts,
  'onRejected' | 'onOutageEnded' | 'onStep' | 'companions'
> {
  /** The session for live data of a destination, whose stream in the ledger is the journal's. */
  readonly database: (journalId: string, destination: string) => LedgerSession;
}

/**
 * The bridge was cut off before its checkpoint said what it had put into its files: values would come from the journal
 * once more.
 */
export class UnsavedCheckpointError extends Error {
  constructor() {
    super('the bridge was cut off before it noted what it had put into its files: start it, then ask it again');
    this.name = 'UnsavedCheckpointError';
  }
}

/** Replays files that a person names while no bridge runs. It holds the journal meanwhile, so that none can start. */
export class OfflineReplay {
  readonly replays: Replays;
  readonly #storage: Storage;
  readonly #parts: OfflineReplayParts;

  constructor(config: StorageConfig, parts: OfflineReplayParts) {
    this.#parts = parts;
    this.#storage = new Storage(config, { ...parts, onStep: noStep });
    const counters = createCounters();
    this.replays = this.#storage.createReplays({
      isOracleUp: () => true,
      isLiveBusy: () => false,
      isLedgerKnown: () => true,
      beforeDelete: () => Promise.resolve(),
      messagesRefusal: () => this.#messagesRefusal(),
      counters: () => counters,
      enabled: false,
    });
  }

  get backups(): Backups {
    return this.#storage.backups;
  }

  /**
   * Throws UnsavedCheckpointError, DatabaseError, the system error of the disk, and what `Journal.open` throws where a
   * bridge has the journal; `stop` is to be called then, too.
   */
  async start(): Promise<void> {
    const { backups } = this;
    const journal = await this.#storage.open();
    for (const destination of backups.destinations()) {
      const { backedUp, rejected, isBehind } = await findInFiles(journal, backups, destination);
      if (isBehind || rejected.size > 0) throw new UnsavedCheckpointError();
      if (backedUp === undefined) continue;
      const written = await this.#parts.database(journal.id, destination).readPlace();
      if (written !== undefined) await backups.lane(destination).stampSkip(written);
    }
    this.replays.start();
  }

  /** The journal would give the messages again, and a bridge would decode them. */
  #messagesRefusal(): string | undefined {
    const settledNo = this.#storage.journal.checkpoint?.place.messageNo ?? 0;
    return this.backups.setAsideThrough > settledNo ? new UnsavedCheckpointError().message : undefined;
  }

  async stop(): Promise<void> {
    await this.replays.stop();
    await this.backups.stop();
    await this.#storage.close();
  }
}
