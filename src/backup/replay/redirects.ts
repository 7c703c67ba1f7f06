import { ifThere } from '../../core/durable-file.ts';
import type { BackupFolder } from '../files/folder.ts';
import { presentNotes, readNote, targetsOf, writeNote } from './replay-note.ts';

/** Why the rows of a file can't go where a person wants to have them. */
export class RedirectRefusedError extends Error {}

/**
 * Where a person has sent the rows of files, whomever they are for: kept in the files' notes, so that a replay that was
 * cut off goes on to the same place. Once a row may have been sent there, or elsewhere, that can't be changed.
 */
export class Redirects {
  readonly #folder: BackupFolder;
  readonly #to = new Map<string, string>();
  readonly #changing = new Set<string>();

  constructor(folder: BackupFolder) {
    this.#folder = folder;
  }

  /** Reads what an earlier run noted. Throws the system error of the disk. */
  async load(): Promise<void> {
    for (const file of presentNotes((await ifThere(this.#folder.list())) ?? [])) {
      // A note that can't be read is its own replay's concern.
      const note = await readNote(this.#folder, file).catch(() => undefined);
      if (note?.to !== undefined) this.#to.set(file, note.to);
    }
  }

  /** Undefined: the rows go where they are for. */
  of(file: string): string | undefined {
    return this.#to.get(file);
  }

  /** Nobody may begin to replay the file now. */
  isChanging(file: string): boolean {
    return this.#changing.has(file);
  }

  /**
   * All rows of the file, which are for `destination` by the first of them, go to `to` from now on; resolves when that
   * is durable. Nobody may be replaying the file. Throws RedirectRefusedError when rows of it may have been sent
   * elsewhere, and the system error of the disk.
   */
  set(file: string, destination: string, to: string): Promise<void> {
    return this.alone(file, async () => {
      const note = await readNote(this.#folder, file);
      const begunTo = targetsOf(note);
      const other = begunTo.find((each) => each !== to);
      if (other !== undefined) throw new RedirectRefusedError(begunText(file, other));
      if (begunTo.length > 0) return;
      if (note?.to !== to) await writeNote(this.#folder, file, { streams: {}, destination, to });
      this.#to.set(file, to);
    });
  }

  /** Does `work` while nobody may begin to replay the file. Throws RedirectRefusedError when somebody else does so. */
  async alone(file: string, work: () => Promise<void>): Promise<void> {
    if (this.#changing.has(file)) throw new RedirectRefusedError(`${file}: another request is just being taken`);
    this.#changing.add(file);
    try {
      await work();
    } finally {
      this.#changing.delete(file);
    }
  }

  /** The file is gone. */
  gone(file: string): void {
    this.#to.delete(file);
  }
}

function begunText(file: string, destination: string): string {
  return (
    `${file}: rows of it may be in the table of the destination ${destination} already, to which its replay has begun: ` +
    `it can go nowhere else`
  );
}
