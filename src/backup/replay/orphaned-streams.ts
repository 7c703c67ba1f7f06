import { systemErrorCode } from '../../core/errors.ts';
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
 *
 * What an earlier run left is listed before the first file of this run is replayed: a file that this run takes away is
 * not in the folder either, and its streams are needed until it is durably gone.
 */
export class OrphanedStreams {
  readonly #parts: OrphanedStreamsParts;
  /** Left by an earlier run, and not read yet; undefined: not listed yet. */
  #unread: readonly string[] | undefined;
  #problem: unknown;
  readonly #files: string[] = [];

  constructor(parts: OrphanedStreamsParts) {
    this.#parts = parts;
  }

  /** Nothing is left to look for, nor to forget. */
  get isEmpty(): boolean {
    return this.#unread?.length === 0 && this.#files.length === 0;
  }

  /**
   * Looks for what an earlier run left, and again for what the disk did not give the last time. Throws the system error
   * of the disk when it does not list the folder; a note that can't be read waits for the next call.
   */
  async find(): Promise<void> {
    this.#unread ??= orphanedNotes(await this.#parts.backups.folder.list());
    const unread: string[] = [];
    for (const file of this.#unread) if (!(await this.#claim(file))) unread.push(file);
    this.#unread = unread;
  }

  add(file: string): void {
    this.#files.push(file);
  }

  /**
   * Forgets all of them whose notes can be read. Throws DatabaseError and the system error of the disk; what is left
   * then is forgotten by the next call.
   */
  async forget(): Promise<void> {
    const { backups, session } = this.#parts;
    await this.find();
    while (this.#files.length > 0) {
      const file = this.#files[0]!;
      for (const stream of Object.values((await readNote(backups.folder, file))?.streams ?? {})) {
        await session(stream).forget();
      }
      await backups.folder.removeStreams(file);
      this.#files.shift();
    }
  }

  /** Throws why a note could not be read the last time, if one could not. */
  assertAllRead(): void {
    if ((this.#unread ?? []).length > 0) throw this.#problem;
  }

  /** False: whose the note is could not be read. */
  async #claim(file: string): Promise<boolean> {
    const { backups, isOurs } = this.#parts;
    try {
      const note = await readNote(backups.folder, file);
      if (note !== undefined && isOurs(note.to ?? note.destination)) this.#files.push(file);
      return true;
    } catch (error) {
      this.#problem = error;
      const isDisks = systemErrorCode(error) !== undefined;
      return !isDisks && !isOurs(undefined);
    }
  }
}
