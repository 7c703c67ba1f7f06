import type { Clock } from '../core/clock.ts';
import type { Reason } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Message } from '../core/message.ts';
import type { Records } from './files/backup-file.ts';
import { TimeRange } from './files/file-info.ts';
import { GroupCommit } from './group-commit.ts';
import { encodeUndecodable, shortReason } from './csv/row-format.ts';

export interface UndecodableOptions {
  readonly append: (records: Records, reason: Reason) => Promise<unknown>;
  /** Id of the journal that numbers the messages. */
  readonly journalId: () => string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Puts each message that no format can read into the CSV, once, also when the journal gives it again after a crash. */
export class Undecodable {
  readonly #options: UndecodableOptions;
  readonly #commit: GroupCommit;
  #known: ReadonlySet<number> = new Set();
  #knownThrough = 0;

  constructor(options: UndecodableOptions) {
    this.#options = options;
    this.#commit = new GroupCommit(options.append, options.clock, options.log);
  }

  /** Messages of these numbers are in a file already. */
  passOver(numbers: ReadonlySet<number>): void {
    this.#known = numbers;
    for (const number of numbers) this.#knownThrough = Math.max(this.#knownThrough, number);
  }

  /** A message of that number is passed over. */
  isKnown(number: number): boolean {
    return number <= this.#knownThrough && this.#known.has(number);
  }

  /** The greatest number that is passed over; 0: none is. */
  get knownThrough(): number {
    return this.#knownThrough;
  }

  /** Resolves when the message is durable, however long the disk refuses; throws only when `stop` comes first. */
  async add(message: Message, reason: Reason): Promise<void> {
    if (this.isKnown(message.number)) return;
    const times = new TimeRange();
    times.add(message.receivedAtMs);
    const buffers = encodeUndecodable(message, reason, this.#options.journalId());
    await this.#commit.add({ buffers, rows: 1, times }, shortReason(reason));
  }

  /** Tries what waits once more, then gives it up. */
  stop(): Promise<void> {
    return this.#commit.stop();
  }
}
