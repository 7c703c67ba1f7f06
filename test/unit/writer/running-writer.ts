import { createCounters } from '../../../src/core/counters.ts';
import { DatabaseError, type DatabaseErrorKind, type Reason } from '../../../src/core/errors.ts';
import type { LedgerMove, LedgerSession, Written } from '../../../src/core/ledger-session.ts';
import { ORIGIN, type Place } from '../../../src/core/place.ts';
import type { RefusedRow } from '../../../src/core/refused-row.ts';
import { noStep } from '../../../src/core/steps.ts';
import { copyValues, type TagValues } from '../../../src/core/tag-values.ts';
import { BatchWriter } from '../../../src/writer/batch-writer.ts';
import type { BatchSizes } from '../../../src/stream/batch-growth.ts';
import type { ResumePlaces } from '../../../src/writer/neighbours.ts';
import { batchesOf } from '../../support/batches.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeStore } from '../../support/fake-store.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { valuesOf } from '../../support/values.ts';

export function failure(kind: DatabaseErrorKind, code = 'ORA-99999'): DatabaseError {
  return new DatabaseError(kind, code, `${code}: made to fail`);
}

/** Each value is the only one of its message. Infinity stands for 99. */
function messageNoOf(number: number): number {
  return Number.isFinite(number) ? 1000 + number : 1099;
}

export function placeOfValue(number: number): Place {
  return { messageNo: messageNoOf(number), valueNo: 0 };
}

/** Values by their numbers, in the order they were offered. */
export class FakeSource {
  readonly #waiting: number[] = [];
  #wake: () => void = () => {};

  offer(...numbers: number[]): void {
    this.#waiting.push(...numbers);
    this.#wake();
  }

  get size(): number {
    return this.#waiting.length;
  }

  async whenReady(_count: number, _maxWaitMs: number, signal: AbortSignal): Promise<void> {
    if (this.#waiting.length > 0 || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#wake = (): void => {
        signal.removeEventListener('abort', this.#wake);
        resolve();
      };
      signal.addEventListener('abort', this.#wake);
    });
  }

  take(into: TagValues, max: number): number {
    const numbers = this.#waiting.splice(0, max);
    const taken = valuesOf(...numbers);
    for (const [i, number] of numbers.entries()) {
      taken.messageNos[i] = messageNoOf(number);
      taken.valueNos[i] = 0;
    }
    into.clear();
    copyValues(taken, 0, into, 0, taken.length);
    into.length = taken.length;
    return taken.length;
  }
}

const UNIQUE_VIOLATED: Reason = { code: 'ORA-00001', message: 'unique' };
/**
 * Errors are taken from the front of `plan`, one a call; then all is well, but for rows whose value is in `refuses`.
 */
export class FakeDatabase implements LedgerSession {
  plan: (DatabaseError | undefined)[] = [];
  probes = 0;
  probeError: DatabaseError | undefined;
  readonly refuses = new Set<number>();
  readonly breaksBatch = new Set<number>();
  /** Rows whose key is there. */
  readonly there = new Set<number>();
  readonly calls: number[][] = [];
  ledgerReads = 0;
  /** The next write hangs until it is interrupted: before anything was done, or once all is committed. */
  hangs: 'before' | 'after' | undefined;
  interrupts = 0;
  /** Each write waits for it first, where there is one. */
  slowness: (() => Promise<void>) | undefined;
  #cut: () => void = () => {};
  readonly store: FakeStore<number>;
  readonly #stream: string;

  /** `beside`: the same table and ledger, for another stream. */
  constructor(stream = 'live/J', beside?: FakeDatabase) {
    this.#stream = stream;
    this.store = beside?.store ?? this.#emptyStore();
  }

  get committed(): number[] {
    return this.store.rows;
  }

  /** Undefined: none is kept, as in the beginning. */
  get ledger(): Place | undefined {
    return this.store.keepsLedger ? this.store.ledger.get(this.#stream) : undefined;
  }

  set ledger(place: Place) {
    this.store.keepsLedger = true;
    this.store.ledger.set(this.#stream, place);
  }

  interrupt(): void {
    this.interrupts += 1;
    this.#cut();
  }

  async readPlace(): Promise<Place | undefined> {
    this.ledgerReads += 1;
    return this.store.readPlace(this.#stream);
  }

  async write(
    values: TagValues,
    move: LedgerMove | undefined,
    beforeCommit: (refused: readonly RefusedRow[]) => Promise<void>,
  ): Promise<Written> {
    this.calls.push([...values.numbers.subarray(0, values.length)]);
    const error = this.plan.shift();
    if (error !== undefined) throw error;
    if (this.slowness !== undefined) await this.slowness();
    const { hangs } = this;
    this.hangs = undefined;
    if (hangs === 'before') await this.#hang();
    const written = await this.store.write(this.#stream, values, move, beforeCommit);
    if (hangs === 'after') await this.#hang();
    return written;
  }

  #hang(): Promise<never> {
    return new Promise((_resolve, reject) => {
      this.#cut = () => reject(new DatabaseError('connection', 'INTERRUPTED', 'given up', { outcomeUnknown: true }));
    });
  }

  async forget(): Promise<void> {
    this.store.forget(this.#stream);
  }

  async probe(): Promise<void> {
    this.probes += 1;
    if (this.probeError !== undefined) throw this.probeError;
  }

  #emptyStore(): FakeStore<number> {
    const store = new FakeStore<number>({
      rowOf: (values, index) => values.numbers[index]!,
      refusalOf: (number) => (this.refuses.has(number) ? UNIQUE_VIOLATED : undefined),
      isThere: (number) => this.there.has(number),
      spoilsBatch: (number) => this.breaksBatch.has(number),
    });
    store.keepsLedger = false;
    return store;
  }
}

export class FakeBackup {
  readonly backedUp: [number, string][] = [];
  readonly rejected: [number, string][] = [];
  readonly stamps: Place[] = [];
  outagesEnded = 0;
  unknowns = 0;
  stampError: Error | undefined;
  diskError: Error | undefined;

  async backUp(values: TagValues, reason: Reason): Promise<void> {
    if (this.diskError !== undefined) throw this.diskError;
    for (let i = 0; i < values.length; i += 1) this.backedUp.push([values.numbers[i]!, reason.code]);
  }

  async reject(values: TagValues, rows: readonly RefusedRow[]): Promise<void> {
    if (this.diskError !== undefined) throw this.diskError;
    for (const { index, reason } of rows) this.rejected.push([values.numbers[index]!, reason.code]);
  }

  async endOutage(): Promise<void> {
    this.outagesEnded += 1;
  }

  async stampSkip(place: Place): Promise<void> {
    this.stamps.push(place);
  }

  async flushStamps(): Promise<void> {
    if (this.stampError !== undefined) throw this.stampError;
  }

  outcomeCertain(): void {}

  outcomeUnknown(): void {
    this.unknowns += 1;
  }
}

/** A writer of batches of four among neighbours that do what a test says. */
export class RunningWriter {
  readonly clock = new FakeClock();
  readonly source = new FakeSource();
  readonly database = new FakeDatabase();
  readonly backup = new FakeBackup();
  readonly counters = createCounters();
  readonly log = new RecordingLogger();
  writer!: BatchWriter;
  stop = new AbortController();
  running: Promise<void> = Promise.resolve();
  settled: Place | undefined;
  ahead: Place | undefined;
  ups = 0;

  start(resume: Partial<ResumePlaces> = {}, batches: BatchSizes = batchesOf(4)): void {
    this.writer = new BatchWriter(
      {
        ...batches,
        retry: { attempts: 3, initialDelayMs: 1000, factor: 2 },
        probeIntervalMs: 5000,
        rowCheck: { maxTextBytes: 4000, valueType: 'binary_double', hasTextColumn: true },
        resumeAfter: {
          counted: ORIGIN,
          settled: ORIGIN,
          recovered: ORIGIN,
          ledger: ORIGIN,
          rejected: new Set(),
          ...resume,
        },
      },
      {
        source: this.source,
        database: this.database,
        backup: this.backup,
        counters: this.counters,
        onWritten: () => {},
        onError: () => {},
        onSettled: (place) => (this.settled = place),
        onLedgerAhead: (place) => (this.ahead = place),
        onUp: () => (this.ups += 1),
        onStep: noStep,
        clock: this.clock,
        log: this.log,
      },
    );
    this.running = this.writer.run(this.stop.signal);
  }

  /** A writer of a later start in place of this one. */
  async restart(resume: Partial<ResumePlaces>): Promise<void> {
    this.stop.abort();
    await this.clock.advance(0);
    await this.running;
    this.stop = new AbortController();
    this.start(resume);
  }

  /** Ends the writer once all is settled. */
  async finish(): Promise<void> {
    await this.clock.advance(0);
    while (this.source.size > 0 || this.writer.pending > 0) await this.clock.advance(0);
    this.stop.abort();
    await this.running;
  }
}
