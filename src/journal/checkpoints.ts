import { sleep, type Clock } from '../core/clock.ts';
import { createCounters, type Counters } from '../core/counters.ts';
import { RepeatedError, type Logger } from '../core/logger.ts';
import { comparePlaces, laterPlace, ORIGIN, type Place } from '../core/place.ts';
import type { SessionKnowledge, Journal } from './journal.ts';
import { OpenFiltered } from './open-filtered.ts';

export interface CheckpointsOptions {
  readonly journal: Journal;
  /** The live counters; read when a checkpoint is saved. */
  readonly counters: Counters;
  /** Where the ledger is known to be; undefined: it is not known yet. */
  readonly ledgerPlace: () => Place | undefined;
  readonly broker: () => SessionKnowledge;
  /** No value is between two stages in the middle of a batch. */
  readonly isBetweenBatches: () => boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

const CHECKPOINT_EVERY_MS = 1000;
const SETTLING_POLL_MS = 20;

/**
 * When checkpoints are saved, and with which counters: those of values fit the settled place, as what lies behind it is
 * counted again after a crash; the others are of now. Values that were left out never come to the writer, so theirs is
 * counted by messages: those that are wholly settled are not read again.
 */
export class Checkpoints {
  readonly #options: CheckpointsOptions;
  readonly #fails: RepeatedError;
  #savedAtMs = 0;
  #watermark: Place = ORIGIN;
  /** Up to here files that were found at the start say that values are settled; the checkpoint may not say so yet. */
  #foundSettled: Place = ORIGIN;
  /** The counters as they were at the watermark. */
  #settledCounters: Counters = createCounters();
  readonly #openFiltered = new OpenFiltered();

  constructor(options: CheckpointsOptions) {
    this.#options = options;
    this.#fails = new RepeatedError(options.log, options.clock, 'checkpoint could not be saved', 'warn');
  }

  /**
   * The counters are those of the checkpoint that was found at the start, `counted` its place; files say that more is
   * settled.
   */
  resume(counted: Place, settled: Place): void {
    this.#watermark = counted;
    this.#foundSettled = settled;
    this.#settledCounters = { ...this.#options.counters };
  }

  /**
   * Every value up to and including the place is settled. To be called between two batches, where the counters fit the
   * place.
   */
  settled(place: Place): void {
    const { clock, counters, journal } = this.#options;
    this.#watermark = place;
    this.#settledCounters = { ...counters };
    journal.settledThrough(place);
    if (clock.monotonic() - this.#savedAtMs >= CHECKPOINT_EVERY_MS) void this.tryToSave();
  }

  /** So many values of the message were left out, and counted in the same step. */
  filtered(messageNo: number, values: number): void {
    this.#openFiltered.note(messageNo, values);
  }

  /**
   * Saves one a second while no batch is under way: for the last batch before a silence, and for messages that have no
   * values.
   */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#options.clock, CHECKPOINT_EVERY_MS, signal);
      if (!signal.aborted && this.#options.isBetweenBatches()) await this.tryToSave();
    }
  }

  /**
   * Resolves when a crash can't bring again from the journal what is settled now, nor what stands up to `through`, for
   * a file that is to be taken away.
   * Throws the system error of the disk; on abort it saves what there is.
   */
  async saveSettled(signal: AbortSignal, through = ORIGIN): Promise<void> {
    const place = laterPlace(laterPlace(this.#watermark, this.#foundSettled), through);
    const { journal } = this.#options;
    // What the journal has lost never settles: it is enough that nothing in it is open.
    const isOpen = (): boolean => journal.status.messages > 0 && comparePlaces(journal.settledPlace, place) < 0;
    while (isOpen() && !signal.aborted) {
      await sleep(this.#options.clock, SETTLING_POLL_MS, signal);
    }
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

  #save(): Promise<void> {
    const { broker, clock, counters, journal, ledgerPlace } = this.#options;
    this.#savedAtMs = clock.monotonic();
    const { valuesWritten, valuesBackedUp, valuesRejected, valuesDropped } = this.#settledCounters;
    const valuesFiltered = counters.valuesFiltered - this.#openFiltered.behind(journal.settledNo);
    const valuesReceived = valuesWritten + valuesBackedUp + valuesRejected + valuesDropped + valuesFiltered;
    const settled = { valuesReceived, valuesWritten, valuesBackedUp, valuesRejected, valuesDropped, valuesFiltered };
    return journal.saveCheckpoint({ ...counters, ...settled }, ledgerPlace(), broker());
  }
}
