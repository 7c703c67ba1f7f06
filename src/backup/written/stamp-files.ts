import { DEFAULT_DESTINATION, destinationField } from '../../core/destination.ts';
import { removeIfThere, TEMPORARY_SUFFIX } from '../../core/durable-file.ts';
import type { Place } from '../../core/place.ts';
import { SKIP_SUFFIX } from '../files/file-name.ts';
import type { BackupFolder } from '../files/folder.ts';

/** Rows of this journal at or before the place are in Oracle already. */
export interface SkipStamp extends Place {
  readonly journal: string;
}

const TO_COME = { toCome: true };

/** A person has changed whom the file's rows are for: places of another destination's ledger say nothing of them. */
export class ForeignStampError extends Error {
  constructor(file: string, was: string, is: string) {
    super(
      `its rows are for ${is} now and were for ${was}, whose ledger alone says what of them is in Oracle: ` +
        `put ${was} back into the column destination of ${file}, and replay it with --to ${is}`,
    );
  }
}

/** The stamps on disk: for each backup that has one, a small JSON file `<file>.csv.skip`. Calls must not overlap. */
export class StampFiles {
  readonly #folder: BackupFolder;
  readonly #destination: string;
  /** A stamp may have its name although the disk refused to keep the name: seeing the stamp says nothing then. */
  #hasDoubtfulNames = false;

  constructor(folder: BackupFolder, destination: string) {
    this.#folder = folder;
    this.#destination = destination;
  }

  /** Durable when it resolves. Throws the system error of the disk; then the former stamp is there, or this one. */
  write(file: string, { journal, messageNo, valueNo }: SkipStamp): Promise<void> {
    return this.#replace(file, { journal, messageNo, valueNo });
  }

  /** Says that a stamp is to come, and keeps the room that it will need, perhaps on a full disk. Throws as `write`. */
  announce(file: string): Promise<void> {
    return this.#replace(file, TO_COME);
  }

  /**
   * The file's stamp, which no power cut can take away; undefined when there is none, or one is to come. Throws the
   * system error of the disk, ForeignStampError, and an Error for a stamp that can't be read.
   */
  async read(file: string): Promise<SkipStamp | undefined> {
    if (this.#hasDoubtfulNames) await this.#folder.sync();
    this.#hasDoubtfulNames = false;
    const content = await this.#folder.readSidecar(file + SKIP_SUFFIX);
    if (content === undefined) return undefined;
    const { destination = DEFAULT_DESTINATION, ...stamp } = content as { readonly destination?: string };
    if (destination !== this.#destination) throw new ForeignStampError(file, destination, this.#destination);
    const { journal, messageNo, valueNo, toCome } = stamp as Partial<SkipStamp & typeof TO_COME>;
    if (toCome === true) return undefined;
    if (typeof journal === 'string' && typeof messageNo === 'number' && typeof valueNo === 'number') {
      return { journal, messageNo, valueNo };
    }
    throw new Error(`${file}${SKIP_SUFFIX} does not say up to which place rows are in Oracle`);
  }

  /** As far as the disk lets it; what stays is removed by the next start. Never throws. */
  async remove(file: string): Promise<void> {
    const path = this.#folder.path(file + SKIP_SUFFIX);
    for (const each of [path, path + TEMPORARY_SUFFIX]) {
      await removeIfThere(this.#folder.fileSystem, each).catch(() => {});
    }
  }

  async #replace(file: string, content: object): Promise<void> {
    this.#hasDoubtfulNames = true;
    await this.#folder.writeSidecar(file + SKIP_SUFFIX, { ...content, ...destinationField(this.#destination) });
    this.#hasDoubtfulNames = false; // it syncs all names of the folder
  }
}
