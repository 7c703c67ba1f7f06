import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { ifThere, syncFile, withSynced, writeNewFile } from './durable-file.ts';
import { lacksRoom } from './errors.ts';
import type { FileSystem } from './filesystem.ts';
import { OneAtATime } from './one-at-a-time.ts';

export const RESERVE_BYTES = 1_048_576;
const NAME = 'reserve.bin';
const PARTS = 16;

/**
 * Room on a full disk for the small files that lead out of it.
 *
 * A disk that is full of backups can only be freed by replaying them, and that needs a stamp, a note and a checkpoint
 * to be written first. So while there is room a file is kept that holds some. Rows and messages are written only while
 * it is whole; a small file that finds no room gets some of the reserve's, a part at a time, and then nothing large is
 * written until it could be made whole again.
 */
export class Reserve {
  readonly #path: string;
  readonly #directory: string;
  readonly #bytes: number;
  readonly #fileSystem: FileSystem;
  readonly #neighbour: Reserve | undefined;
  /** Who keeps the room: the neighbour when both are on one disk. Undefined before that was found out. */
  #keeper: Reserve | undefined;
  #isWhole = false;
  readonly #turns = new OneAtATime();

  /**
   * `bytes`: 0 turns the reserve off. With a neighbour on the same disk there is one reserve for both: else what the
   * one gives up the other would fill.
   */
  constructor(directory: string, bytes: number, fileSystem: FileSystem, neighbour?: Reserve) {
    this.#directory = directory;
    this.#path = join(directory, NAME);
    this.#bytes = bytes;
    this.#fileSystem = fileSystem;
    this.#neighbour = neighbour;
  }

  /** How large a file may be that is given room of the reserve: something has to be left for the others. */
  get mostForOne(): number {
    return Math.floor(this.#bytes / 2);
  }

  /** The reserve is whole, as far as is known. */
  get isKept(): boolean {
    return this.#bytes === 0 || (this.#keeper !== undefined && this.#keeper.#isWhole);
  }

  /**
   * Before rows or messages are written: makes the reserve whole. Throws the system error of the disk: there is no
   * room.
   */
  async keep(): Promise<void> {
    if (this.isKept) return;
    const keeper = await this.#findKeeper();
    await keeper.#turns.run(async () => {
      if (!keeper.#isWhole) await keeper.#makeWhole();
      keeper.#isWhole = true;
    });
  }

  /**
   * Does `work`, which writes something small and can be repeated from its beginning; with the reserve's room when it
   * finds none.
   */
  async spendOn<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (this.#bytes === 0 || !lacksRoom(error)) throw error;
        const keeper = await this.#findKeeper();
        if (!(await keeper.#turns.run(() => keeper.#giveUpPart()))) throw error;
      }
    }
  }

  async #findKeeper(): Promise<Reserve> {
    const neighbour = this.#neighbour;
    if (this.#keeper === undefined) {
      const isShared =
        neighbour !== undefined &&
        (await this.#fileSystem.device(this.#directory)) === (await this.#fileSystem.device(neighbour.#directory));
      this.#keeper = isShared ? neighbour : this;
    }
    return this.#keeper;
  }

  async #makeWhole(): Promise<void> {
    const size = await ifThere(this.#fileSystem.size(this.#path));
    // Random bytes are nothing that a file system could store in less.
    const missing = randomBytes(Math.max(0, this.#bytes - (size ?? 0)));
    try {
      // An earlier process may have been killed before it had synced what is there.
      if (missing.length === 0) await syncFile(this.#fileSystem, this.#path);
      else if (size === undefined) await writeNewFile(this.#fileSystem, this.#path, missing);
      else await withSynced(this.#fileSystem.openAppend(this.#path), (file) => file.append(missing));
      await this.#fileSystem.syncDirectory(this.#directory);
    } catch (error) {
      await this.#shrinkTo(size ?? 0).catch(() => {});
      throw error;
    }
  }

  /** Makes room by a part of the reserve. False when nothing is left of the reserve. */
  async #giveUpPart(): Promise<boolean> {
    this.#isWhole = false;
    const size = (await ifThere(this.#fileSystem.size(this.#path))) ?? 0;
    if (size === 0) return false;
    await this.#shrinkTo(Math.max(0, size - Math.ceil(this.#bytes / PARTS)));
    return true;
  }

  async #shrinkTo(size: number): Promise<void> {
    await this.#fileSystem.truncate(this.#path, size);
    await syncFile(this.#fileSystem, this.#path);
  }
}
