import { beforeEach, describe, expect, it } from 'vitest';

import { createCounters, type Counters } from '../../../src/core/counters.ts';
import { DatabaseError, type DatabaseErrorKind, type Reason } from '../../../src/core/errors.ts';
import { copyValues, type TagValues } from '../../../src/core/tag-values.ts';
import { BatchWriter } from '../../../src/writer/batch-writer.ts';
import type { BadRow } from '../../../src/writer/row-check.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { valuesOf } from '../../support/values.ts';

function failure(kind: DatabaseErrorKind, code = 'ORA-99999'): DatabaseError {
  return new DatabaseError(kind, code, `${code}: made to fail`);
}

/** Values by their numbers, in the order they were offered. */
class FakeSource {
  closed = false;
  readonly #waiting: number[] = [];
  #wake: () => void = () => {};

  offer(...numbers: number[]): void {
    this.#waiting.push(...numbers);
    this.#wake();
  }

  close(): void {
    this.closed = true;
    this.#wake();
  }

  async whenReady(_count: number, _maxWaitMs: number, signal: AbortSignal): Promise<void> {
    if (this.#waiting.length > 0 || this.closed || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#wake = (): void => {
        signal.removeEventListener('abort', this.#wake);
        resolve();
      };
      signal.addEventListener('abort', this.#wake);
    });
  }

  take(into: TagValues, max: number): number {
    const taken = valuesOf(...this.#waiting.splice(0, max));
    into.clear();
    copyValues(taken, 0, into, 0, taken.length);
    into.length = taken.length;
    return taken.length;
  }
}

/** Errors are taken from the front of `plan`, one a call; then all is well, but for rows whose value is in `refuses`. */
class FakeDatabase {
  plan: (DatabaseError | undefined)[] = [];
  probes = 0;
  probeError: DatabaseError | undefined;
  readonly refuses = new Set<number>();
  readonly breaksBatch = new Set<number>();
  readonly committed: number[] = [];
  readonly calls: number[][] = [];

  async write(values: TagValues, beforeCommit: (refused: readonly BadRow[]) => Promise<void>): Promise<void> {
    const numbers = [...values.numbers.subarray(0, values.length)];
    this.calls.push(numbers);
    const error = this.plan.shift();
    if (error !== undefined) throw error;
    if (numbers.some((number) => this.breaksBatch.has(number))) throw failure('mistake', 'NJS-011');
    const refused = numbers.flatMap((number, index) =>
      this.refuses.has(number) ? [{ index, reason: { code: 'ORA-00001', message: 'unique' } }] : [],
    );
    if (refused.length > 0) await beforeCommit(refused);
    this.committed.push(...numbers.filter((number) => !this.refuses.has(number)));
  }

  async probe(): Promise<void> {
    this.probes += 1;
    if (this.probeError !== undefined) throw this.probeError;
  }
}

class FakeBackup {
  readonly backedUp: [number, string][] = [];
  readonly rejected: [number, string][] = [];
  outagesEnded = 0;
  diskError: Error | undefined;

  async backUp(values: TagValues, reason: Reason): Promise<void> {
    if (this.diskError !== undefined) throw this.diskError;
    for (let i = 0; i < values.length; i += 1) this.backedUp.push([values.numbers[i]!, reason.code]);
  }

  async reject(values: TagValues, rows: readonly BadRow[]): Promise<void> {
    if (this.diskError !== undefined) throw this.diskError;
    for (const { index, reason } of rows) this.rejected.push([values.numbers[index]!, reason.code]);
  }

  async endOutage(): Promise<void> {
    this.outagesEnded += 1;
  }
}

describe('BatchWriter', () => {
  let clock: FakeClock;
  let source: FakeSource;
  let database: FakeDatabase;
  let backup: FakeBackup;
  let counters: Counters;
  let log: RecordingLogger;
  let writer: BatchWriter;
  let stop: AbortController;
  let running: Promise<void>;

  beforeEach(() => {
    clock = new FakeClock();
    source = new FakeSource();
    database = new FakeDatabase();
    backup = new FakeBackup();
    counters = createCounters();
    log = new RecordingLogger();
    stop = new AbortController();
    writer = new BatchWriter(
      {
        batchSize: 4,
        intervalMs: 500,
        retry: { attempts: 3, initialDelayMs: 1000, factor: 2 },
        probeIntervalMs: 5000,
        rowCheck: { maxTextBytes: 4000, valueType: 'binary_double', hasTextColumn: true },
      },
      { source, database, backup, counters, onWritten: () => {}, onError: () => {}, clock, log },
    );
    running = writer.run(stop.signal);
  });

  async function finish(): Promise<void> {
    source.close();
    await clock.advance(0);
    await running;
  }

  it('writes what it takes, a batch at a time and in order', async () => {
    source.offer(1, 2, 3, 4, 5, 6);
    await finish();
    expect(database.calls).toEqual([
      [1, 2, 3, 4],
      [5, 6],
    ]);
    expect(counters.valuesWritten).toBe(6);
    expect(writer.pending).toBe(0);
    expect(writer.availability.state).toBe('connected');
  });

  it('tries a batch again after 1, 2 and 4 s, then writes it once', async () => {
    await clock.advance(0);
    database.plan = [failure('connection'), failure('passing'), failure('connection')];
    source.offer(1);
    await clock.advance(999);
    expect(database.calls).toHaveLength(1);
    expect(writer.availability.state).toBe('retrying');
    await clock.advance(1);
    expect(database.calls).toHaveLength(2);
    await clock.advance(2000);
    expect(database.calls).toHaveLength(3);
    await clock.advance(3999);
    expect(database.calls).toHaveLength(3);
    await clock.advance(1);
    expect(database.committed).toEqual([1]);
    expect(backup.backedUp).toEqual([]);
    expect(writer.availability.state).toBe('connected');
    await finish();
  });

  it('backs a batch up once its retries are spent, and the next ones at once', async () => {
    await clock.advance(0);
    database.plan = Array.from({ length: 4 }, () => failure('connection', 'NJS-503'));
    database.probeError = failure('connection', 'NJS-503');
    source.offer(1);
    await clock.advance(7000);
    expect(backup.backedUp).toEqual([[1, 'NJS-503']]);
    expect(writer.availability.state).toBe('down');
    source.offer(2, 3);
    await clock.advance(0);
    expect(backup.backedUp.map(([number]) => number)).toEqual([1, 2, 3]);
    expect(database.calls).toHaveLength(4);
    expect(counters.valuesBackedUp).toBe(3);
    await finish();
  });

  it('comes back by itself: the probe answers, the next batch is taken, one outage ends', async () => {
    await clock.advance(0);
    database.plan = Array.from({ length: 4 }, () => failure('connection'));
    database.probeError = failure('connection');
    source.offer(1);
    await clock.advance(7000);
    await clock.advance(30_000);
    expect(writer.availability.state).toBe('down');
    database.probeError = undefined;
    await clock.advance(5000);
    expect(writer.availability.state).toBe('retrying');
    source.offer(2);
    await clock.advance(0);
    expect(database.committed).toEqual([2]);
    expect(writer.availability.state).toBe('connected');
    expect(backup.outagesEnded).toBe(1);
    await finish();
  });

  it('ends an outage without traffic a probe interval after the answer', async () => {
    database.plan = [failure('configuration', 'ORA-00942')];
    source.offer(1);
    await clock.advance(0);
    expect(writer.availability.state).toBe('down');
    await clock.advance(60_000);
    expect(writer.availability.state).toBe('retrying');
    await clock.advance(5000);
    expect(writer.availability.state).toBe('connected');
    expect(backup.outagesEnded).toBe(1);
    await finish();
  });

  it('goes on with the same outage when the batch after the probe is refused, and tries that one once', async () => {
    await clock.advance(0);
    database.plan = [failure('resource', 'ORA-01653'), failure('resource', 'ORA-01653')];
    source.offer(1);
    await clock.advance(30_000);
    source.offer(2);
    await clock.advance(0);
    expect(backup.backedUp.map(([number]) => number)).toEqual([1, 2]);
    expect(writer.availability.state).toBe('down');
    expect(backup.outagesEnded).toBe(0);
    expect(log.messages('error')).toEqual(['oracle is down: batches go to the csv backup']);
    await finish();
  });

  it('does not try again what a person must mend, and asks no more than once a minute', async () => {
    await clock.advance(0);
    database.plan = [failure('configuration', 'ORA-01017')];
    database.probeError = failure('configuration', 'ORA-01017');
    const before = database.probes;
    source.offer(1);
    await clock.advance(0);
    expect(backup.backedUp).toEqual([[1, 'ORA-01017']]);
    await clock.advance(180_000);
    expect(database.probes - before).toBe(3);
    await finish();
  });

  it('rejects the rows that the database refuses and commits the others', async () => {
    database.refuses.add(2);
    source.offer(1, 2, 3);
    await finish();
    expect(database.committed).toEqual([1, 3]);
    expect(backup.rejected).toEqual([[2, 'ORA-00001']]);
    expect(counters).toMatchObject({ valuesWritten: 2, valuesRejected: 1, valuesBackedUp: 0 });
  });

  it('rejects a row that must not be bound before the database sees it', async () => {
    source.offer(1, Number.POSITIVE_INFINITY, 3);
    await finish();
    expect(database.calls).toEqual([[1, 3]]);
    expect(backup.rejected).toEqual([[Number.POSITIVE_INFINITY, 'VALUE_NOT_FINITE']]);
  });

  it('halves a batch that is refused as a whole until the bad row stands alone', async () => {
    database.breaksBatch.add(3);
    source.offer(1, 2, 3, 4);
    await finish();
    expect(database.committed).toEqual([1, 2, 4]);
    expect(backup.rejected).toEqual([[3, 'NJS-011']]);
    expect(counters).toMatchObject({ valuesWritten: 3, valuesRejected: 1 });
  });

  it('holds a batch that neither Oracle nor the disk takes, and loses nothing', async () => {
    await clock.advance(0);
    backup.diskError = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    database.plan = [failure('configuration')];
    database.probeError = failure('configuration');
    source.offer(1);
    await clock.advance(10_000);
    expect(writer.pending).toBe(1);
    expect(log.messages('error').filter((message) => message.startsWith('the disk refuses'))).toHaveLength(1);
    backup.diskError = undefined;
    await clock.advance(1000);
    expect(backup.backedUp).toHaveLength(1);
    await finish();
  });

  it('commits nothing before the rejected rows are safe on disk', async () => {
    await clock.advance(0);
    backup.diskError = new Error('no space left');
    database.refuses.add(2);
    source.offer(1, 2);
    await clock.advance(3000);
    expect(database.committed).toEqual([]);
    expect(writer.availability.state).toBe('connected');
    backup.diskError = undefined;
    await clock.advance(1000);
    expect(database.committed).toEqual([1]);
    expect(backup.rejected).toEqual([[2, 'ORA-00001']]);
    await finish();
  });

  it('backs up what is left when it is stopped, without asking the database again', async () => {
    await clock.advance(0);
    database.plan = Array.from({ length: 4 }, () => failure('connection'));
    source.offer(1);
    await clock.advance(500);
    source.offer(2);
    source.close();
    stop.abort();
    await clock.advance(0);
    await running;
    expect(backup.backedUp.map(([number]) => number)).toEqual([1, 2]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('adds up at every step of a stormy day', async () => {
    const kinds: (DatabaseErrorKind | undefined)[] = ['connection', undefined, 'passing', 'row', 'resource', 'mistake'];
    database.refuses.add(7).add(13);
    database.plan = Array.from({ length: 60 }, (_, i) => {
      const kind = kinds[(i * 7) % kinds.length];
      return kind === undefined ? undefined : failure(kind);
    });
    let offered = 0;
    for (let round = 0; round < 200; round += 1) {
      source.offer(offered, offered + 1, offered + 2);
      offered += 3;
      await clock.advance(997);
      const { valuesWritten, valuesBackedUp, valuesRejected } = counters;
      expect(database.committed).toHaveLength(valuesWritten);
      expect(backup.backedUp).toHaveLength(valuesBackedUp);
      expect(backup.rejected).toHaveLength(valuesRejected);
    }
    await clock.advance(120_000);
    await finish();
    const ends = [...database.committed, ...backup.backedUp.map(([n]) => n), ...backup.rejected.map(([n]) => n)];
    expect(ends.sort((a, b) => a - b)).toEqual(Array.from({ length: offered }, (_, i) => i));
  });
});
