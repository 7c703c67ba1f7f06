import { sleep, type Clock } from '../core/clock.ts';
import { sumOf, type MessageCounters } from '../core/counters.ts';
import { DEFAULT_DESTINATION } from '../core/destination.ts';
import { RepeatedError, type Logger } from '../core/logger.ts';
import { comparePlaces, ORIGIN, type Place } from '../core/place.ts';
import type { LaneRecords } from './checkpoint-file.ts';
import type { CheckpointFacts } from './checkpoint-writer.ts';
import type { SessionKnowledge, Journal } from './journal.ts';

/** The lanes, as far as checkpoints go. */
export interface LanesProgress {
  /** Up to here every value of every lane is settled. */
  readonly settledThrough: Place;
  /** How far each lane is, at this moment. `settledNo`: messages up to this one are not read again. */
  records(settledNo: number): LaneRecords;
  /** A file of this destination holds values, up to `through` at least, that the journal could still give again. */
  isOpen(destination: string, through: Place): boolean;
}

export interface CheckpointsOptions {
  readonly journal: Journal;
  /** The live counters of messages. */
  readonly counters: MessageCounters;
  readonly lanes: LanesProgress;
  readonly broker: () => SessionKnowledge;
  readonly clock: Clock;
  readonly log: Logger;
}

const CHECKPOINT_EVERY_MS = 1000;
const SETTLING_POLL_MS = 20;

/**
 * When checkpoints are saved, and with which counters: those of values fit the place of their lane (lane-progress.ts);
 * those of messages are of now.
 */
export class Checkpoints {
  readonly #options: CheckpointsOptions;
  readonly #fails: RepeatedError;
  #savedAtMs = 0;

  constructor(options: CheckpointsOptions) {
    this.#options = options;
    this.#fails = new RepeatedError(options.log, options.clock, 'checkpoint could not be saved', 'warn');
  }

  /** Values of some lane have come to their end. */
  settled(): void {
    const { clock } = this.#options;
    this.#tellJournal();
    if (clock.monotonic() - this.#savedAtMs >= CHECKPOINT_EVERY_MS) void this.tryToSave();
  }

  /** Saves one a second: for the last batch before a silence, and for messages that have no values. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#options.clock, CHECKPOINT_EVERY_MS, signal);
      if (!signal.aborted) await this.tryToSave();
    }
  }

  /**
   * Resolves when a crash can't bring again what is settled of a destination now, nor what stands up to `through`, for
   * a file that is to be taken away. Throws the system error of the disk; on abort it saves what there is.
   */
  async saveSettled(destination: string, signal: AbortSignal, through = ORIGIN): Promise<void> {
    const { journal, lanes } = this.#options;
    // What the journal has lost never settles: it is enough that nothing in it is open.
    await this.#until(() => journal.status.messages === 0 || !lanes.isOpen(destination, through), signal);
    await this.#save();
  }

  /** The same for a file of messages: they are not read again, up to this one and up to what is settled now. */
  async saveSettledMessages(signal: AbortSignal, messageNo = 0): Promise<void> {
    const { journal, lanes } = this.#options;
    const place = { ...lanes.settledThrough };
    const through = place.messageNo < messageNo ? { messageNo, valueNo: 0 } : place;
    await this.#until(() => journal.status.messages === 0 || comparePlaces(journal.settledPlace, through) >= 0, signal);
    await this.#save();
  }

  /** Tries until it is saved. Throws when aborted before. */
  async saveInTheEnd(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (await this.tryToSave()) return;
      await sleep(this.#options.clock, CHECKPOINT_EVERY_MS, signal);
    }
    throw new Error('stopped before the checkpoint was saved');
  }

  /** False when the disk refuses, which is logged. */
  async tryToSave(): Promise<boolean> {
    try {
      await this.#save();
      this.#fails.over();
      return true;
    } catch (error) {
      this.#fails.report({ error });
      return false;
    }
  }

  async #until(isSo: () => boolean, signal: AbortSignal): Promise<void> {
    while (!isSo() && !signal.aborted) await sleep(this.#options.clock, SETTLING_POLL_MS, signal);
  }

  #tellJournal(): void {
    const { journal, lanes } = this.#options;
    journal.settledThrough(lanes.settledThrough);
  }

  #save(): Promise<void> {
    const { clock, journal } = this.#options;
    this.#savedAtMs = clock.monotonic();
    return journal.saveCheckpoint(() => this.#factsOfNow());
  }

  #factsOfNow(): CheckpointFacts {
    const { broker, counters, journal } = this.#options;
    this.#tellJournal();
    const lanes = this.#options.lanes.records(journal.settledNo);
    const values = sumOf(Object.values(lanes).map(({ counters: counted }) => counted));
    const ledger = lanes[DEFAULT_DESTINATION]?.ledger ?? ORIGIN;
    return { counters: { ...counters, ...values }, ledger, lanes, broker: broker() };
  }
}
