import type { LedgerSession } from '../../core/ledger-session.ts';
import type { Backups } from '../backups.ts';
import { orphanedNotes, readNote } from './replay-note.ts';

export interface OrphanedStreamsParts {
  readonly backups: Pick<Backups, 'folder'>;
  /** Whether the streams of a replay that was this destination's are forgotten here; undefined: nobody knows whose. */
  readonly isOurs: (destination: string | undefined) => boolean;
  /** All sessions have one ledger. */
  readonly session: (stream: string) => LedgerSession;
}

/**
 * Replayed files that are gone, while the ledger still has the rows of their streams: first those rows go, then the
 * note of their names.
 */
export class OrphanedStreams {
  readonly #parts: OrphanedStreamsParts;
  #files: string[] = [];

  constructor(parts: OrphanedStreamsParts) {
    this.#parts = parts;
  }

  get isEmpty(): boolean {
    return this.#files.length === 0;
  }

  /** Looks for what an earlier run left. Throws the system error of the disk. */
  async find(): Promise<void> {
    const { backups, isOurs } = this.#parts;
    const found: string[] = [];
    for (const file of orphanedNotes(await backups.folder.list())) {
      const note = await readNote(backups.folder, file).catch(() => undefined);
      if (isOurs(note?.to ?? note?.destination)) found.push(file);
    }
    this.#files = found;
  }

  add(file: string): void {
    this.#files.push(file);
  }

  /**
   * Forgets all of them. Throws DatabaseError and the system error of the disk; what is left then is forgotten by the
   * next call.
   */
  async forget(): Promise<void> {
    const { backups, session } = this.#parts;
    while (this.#files.length > 0) {
      const file = this.#files[0]!;
      for (const stream of Object.values((await readNote(backups.folder, file))?.streams ?? {})) {
        await session(stream).forget();
      }
      await backups.folder.removeStreams(file);
      this.#files.shift();
    }
  }
}
