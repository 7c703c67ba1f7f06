import type { Clock } from '../core/clock.ts';
import { DatabaseError, InternalError, LEDGER_MOVED } from '../core/errors.ts';
import type { LedgerSession } from '../core/ledger-session.ts';
import { comparePlaces, laterPlace, ORIGIN, type Place } from '../core/place.ts';
import type { RefusedRow } from '../core/refused-row.ts';
import { placeKeyOf, placeOf, placeOfKey, type TagValues } from '../core/tag-values.ts';
import { LedgerCursor, type LedgerCursorOptions } from './ledger-cursor.ts';

/**
 * How values came to their end: `written` by this call, or found to be in Oracle by reading the ledger; `alreadyThere`
 * when the table had their rows, by their key, before this call; `rejected`, so durably in a CSV; `repeated` when they
 * had come to that end, and were counted, before.
 */
export type SettledAs = 'written' | 'alreadyThere' | 'rejected' | 'repeated';

/**
 * What became of a list of values: all `settled`; `stopped` by the signal before they were sent; or why the database
 * did not take them. The list holds those that are not settled.
 */
export type WriteOutcome = 'settled' | 'stopped' | DatabaseError;

export interface LedgerStreamOptions extends Omit<LedgerCursorOptions, 'session'> {
  readonly session: LedgerSession;
  /** Finds values that must not be sent, in order. */
  readonly checkRows: (values: TagValues) => readonly RefusedRow[];
  /** Puts rows, all held or none, into their CSV. Durable when it resolves; throws the system error of the disk. */
  readonly reject: (values: TagValues, rows: readonly RefusedRow[]) => Promise<void>;
  /** Places, as `placeKeyOf`, whose values an earlier run rejected. */
  readonly rejected?: ReadonlySet<string>;
  /** Called before each attempt: throws as long as nothing may be sent. */
  readonly beforeSending: () => Promise<void>;
  /** Called in the same step as values are taken out of their list. */
  readonly onSettled: (as: SettledAs, count: number) => void;
  /** A write was committed; `values` are those that were taken, perhaps none. Their list is emptied after this. */
  readonly onCommitted: (values: TagValues, latencyMs: number) => void;
  /** An attempt failed, because of the database. */
  readonly onFailed: (error: DatabaseError) => void;
  readonly clock: Clock;
}

/** How often in a row a moved place is read again and the batch tried at once. */
const MAX_MOVES = 3;

/**
 * Writes one stream of values exactly once: those of live data, or rows of one backup. There may be any number of
 * streams side by side, each with its own row of the ledger; of one stream one list is written at a time.
 *
 * An attempt to write:
 *
 *     beforeSending ─▶ place known, or read ─▶ leave out what Oracle has ─▶ reject what must not be sent
 *       ─▶ rows and the ledger's move in one transaction ─▶ refused rows durable ─▶ commit
 *
 * | it ends with                        | then the place is     | and the values                                  |
 * | ----------------------------------- | --------------------- | ----------------------------------------------- |
 * | a commit                            | what the session says | are settled                                     |
 * | LEDGER_MOVED                        | unknown: it is read   | are tried again at once, three times in a row   |
 * | an error whose outcome is unknown   | unknown: it is read   | are left out later, as far as the place says so |
 * | an error of one row (`spoilsBatch`) | as it was             | are halved (`isolate`)                          |
 * | any other error, or a disk's        | as it was             | stay                                            |
 *
 * Rows that were refused in an attempt that failed afterwards are in the rejected CSV, and are not tried again with the
 * rest.
 */
export class LedgerStream {
  readonly #options: LedgerStreamOptions;
  readonly #cursor: LedgerCursor;
  readonly #rejected: Set<string>;
  #rejectedThrough: Place;

  constructor(options: LedgerStreamOptions) {
    this.#options = options;
    this.#cursor = new LedgerCursor(options);
    this.#rejected = new Set(options.rejected);
    this.#rejectedThrough = [...this.#rejected].map(placeOfKey).reduce(laterPlace, ORIGIN);
  }

  /** The ledger's place as last read or set, by this run or an earlier one. */
  get lastKnown(): Place {
    return this.#cursor.lastKnown;
  }

  /** It is known what Oracle has. */
  get isCertain(): boolean {
    return this.#cursor.isCertain;
  }

  /** Whether Oracle may have values of the list (at least one) although it did not say so. */
  isInDoubt(values: TagValues): boolean {
    return this.#cursor.isInDoubt(values);
  }

  /** Asks whether a batch would be taken, and what Oracle has. Throws DatabaseError, and what `onRead` throws. */
  async probe(): Promise<void> {
    await this.#options.session.probe();
    await this.#cursor.ensure();
  }

  /**
   * Writes the values, whose places ascend, and takes out of the list what is settled. A list that could not be written
   * may be given again. Throws what `beforeSending`, `onRead` and `reject` throw, and InternalError.
   */
  async write(values: TagValues, signal: AbortSignal): Promise<WriteOutcome> {
    for (let moves = 0; ; moves += 1) {
      const outcome = await this.#attempt(values, signal);
      // Someone moved the place, probably a session of ours that outlived its connection: what it wrote is known once
      // the place is read.
      const isMoved = outcome instanceof DatabaseError && outcome.code === LEDGER_MOVED;
      if (!isMoved || moves >= MAX_MOVES || signal.aborted) return outcome;
    }
  }

  /**
   * One row spoils the list (at least one value) for the others: gives the halves, to be settled one after the other;
   * none once that row stands alone and is rejected because of `error`. Where nobody knows whether the list was
   * written, that is asked first, as a row that is in the table must not be rejected: gives the error when there is no
   * answer. Throws what `onRead` and `reject` throw; then it may be called again.
   */
  async isolate(values: TagValues, error: DatabaseError): Promise<readonly TagValues[] | DatabaseError> {
    if (error.outcomeUnknown) {
      const unanswered = await this.#leaveOutUnknown(values);
      if (unanswered !== undefined || values.length === 0) return unanswered ?? [];
    }
    if (values.length === 1) {
      const reason = { code: error.code, message: error.message };
      await this.#reject(values, [{ index: 0, reason, ...(error.isHeld ? { isHeld: true } : {}) }]);
      return [];
    }
    const middle = values.length >> 1;
    return [values.slice(0, middle), values.slice(middle, values.length)];
  }

  /** Rejects what must not be sent. Throws what `reject` throws. */
  async rejectUnfit(values: TagValues): Promise<void> {
    await this.#reject(values, this.#options.checkRows(values));
  }

  /** Leaves out what was rejected before. */
  leaveOutRejected(values: TagValues): void {
    if (this.#rejected.size === 0 || values.length === 0) return;
    if (comparePlaces(placeOf(values, 0), this.#rejectedThrough) > 0) return;
    const indexes = new Set<number>();
    for (let i = 0; i < values.length; i += 1) if (this.#rejected.has(placeKeyOf(values, i))) indexes.add(i);
    this.#takeOut(values, indexes);
  }

  /** A value is in a rejected CSV. */
  noteRejected(values: TagValues, index: number): void {
    this.#rejected.add(placeKeyOf(values, index));
    this.#rejectedThrough = laterPlace(this.#rejectedThrough, placeOf(values, index));
  }

  async #attempt(values: TagValues, signal: AbortSignal): Promise<WriteOutcome> {
    const { beforeSending } = this.#options;
    const refused = new Set<number>();
    if (values.length === 0) return 'settled';
    try {
      await beforeSending();
      await this.#cursor.ensure();
      this.leaveOutRejected(values);
      this.#leaveOutWritten(values);
      await this.rejectUnfit(values);
      if (values.length === 0) return 'settled';
      if (signal.aborted) return 'stopped';
      await this.#send(values, refused);
      return 'settled';
    } catch (thrown) {
      this.#takeOut(values, refused);
      if (!(thrown instanceof DatabaseError)) throw thrown;
      this.#options.onFailed(thrown);
      return thrown;
    }
  }

  async #send(values: TagValues, refused: Set<number>): Promise<void> {
    const { clock, onCommitted, onSettled, session } = this.#options;
    assertAscending(values);
    const startedMs = clock.monotonic();
    const move = this.#cursor.moveFor(values);
    const to = placeOf(values, values.length - 1);
    let alreadyThere = 0;
    let rejecting: Promise<void> = Promise.resolve();
    let isOver = false;
    const beforeCommit = (rows: readonly RefusedRow[]): Promise<void> => {
      // The values may be elsewhere by now.
      if (isOver) return Promise.reject(interrupted());
      return (rejecting = this.#setApart(values, rows, refused));
    };
    try {
      const written = await session.write(values, move, beforeCommit);
      alreadyThere = written.alreadyThere;
      this.#cursor.committed(to, written.reached);
    } catch (thrown) {
      // A call that is given up, as it hangs or others wait, may be answered all the same, or while rows are set apart:
      // what is in their CSV must not be tried again.
      isOver = true;
      await rejecting.catch(() => {});
      if (thrown instanceof DatabaseError) this.#cursor.failed(thrown, to);
      throw thrown;
    }
    this.#takeOut(values, refused);
    onCommitted(values, clock.monotonic() - startedMs);
    onSettled('written', values.length - alreadyThere);
    if (alreadyThere > 0) onSettled('alreadyThere', alreadyThere);
    values.clear();
  }

  /** Held rows and rejected ones go into different files. */
  async #setApart(values: TagValues, rows: readonly RefusedRow[], refused: Set<number>): Promise<void> {
    for (const group of [rows.filter(({ isHeld }) => isHeld === true), rows.filter(({ isHeld }) => isHeld !== true)]) {
      if (group.length > 0) await this.#options.reject(values, group);
      for (const { index } of group) refused.add(index);
    }
  }

  async #leaveOutUnknown(values: TagValues): Promise<DatabaseError | undefined> {
    try {
      await this.#cursor.ensure();
    } catch (thrown) {
      if (!(thrown instanceof DatabaseError)) throw thrown;
      this.#options.onFailed(thrown);
      return thrown;
    }
    this.#leaveOutWritten(values);
    return undefined;
  }

  #leaveOutWritten(values: TagValues): void {
    const { written, counted } = this.#cursor.countWritten(values);
    if (written === 0) return;
    this.#cursor.counted(placeOf(values, written - 1));
    values.removeFirst(written);
    this.#options.onSettled('repeated', counted);
    this.#options.onSettled('written', written - counted);
  }

  async #reject(values: TagValues, rows: readonly RefusedRow[]): Promise<void> {
    if (rows.length === 0) return;
    await this.#options.reject(values, rows);
    this.#takeOut(values, new Set(rows.map(({ index }) => index)));
  }

  /** These are in a rejected CSV. */
  #takeOut(values: TagValues, indexes: ReadonlySet<number>): void {
    if (indexes.size === 0) return;
    if (this.#options.mayComeAgain) for (const index of indexes) this.noteRejected(values, index);
    values.remove(indexes);
    this.#options.onSettled('rejected', indexes.size);
  }
}

function interrupted(): DatabaseError {
  return new DatabaseError('connection', 'INTERRUPTED', 'the call was given up', { outcomeUnknown: true });
}

/** The error is because of what was bound for one row: the other rows may be taken. */
export function spoilsBatch({ kind }: DatabaseError): boolean {
  return kind === 'mistake';
}

/** What is left out, and what the ledger says, is right for ascending places alone. */
function assertAscending(values: TagValues): void {
  const { length, messageNos, valueNos } = values;
  for (let i = 1; i < length; i += 1) {
    const isBehind = messageNos[i]! - messageNos[i - 1]! || valueNos[i]! - valueNos[i - 1]!;
    if (isBehind > 0) continue;
    const places = { before: placeOf(values, i - 1), after: placeOf(values, i) };
    throw new InternalError('the places of a batch do not ascend', places);
  }
}
