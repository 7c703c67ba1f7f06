import { describe, expect, it } from 'vitest';

import { sumOf } from '../../../src/core/counters.ts';
import { InternalError } from '../../../src/core/errors.ts';
import { MAX_VALUE_NO } from '../../../src/core/limits.ts';
import { ORIGIN, type Place } from '../../../src/core/place.ts';
import { noStep } from '../../../src/core/steps.ts';
import type { TagValues } from '../../../src/core/tag-values.ts';
import type { LaneRecord, LaneRecords } from '../../../src/journal/checkpoint-file.ts';
import { Lanes, type LanesOptions } from '../../../src/lanes/lanes.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { valuesOf } from '../../support/values.ts';
import { FakeBackup, FakeDatabase, failure } from '../writer/running-writer.ts';

const PLACES = { counted: ORIGIN, settled: ORIGIN, recovered: ORIGIN, ledger: ORIGIN, rejected: new Set<string>() };

/** Lanes whose writers are never set to work. */
function lanesOpenedAt(settledThrough: { readonly messageNo: number; readonly valueNo: number }): Lanes {
  const log = new RecordingLogger();
  const clock = new FakeClock();
  const lanes = new Lanes({
    destinations: ['default'],
    buffer: { capacity: 10, onFull: 'wait' },
    takeUpNothing: () => ({ places: PLACES, settledByFiles: ORIGIN }),
    writerOptions: () => ({ batchSize: 1, intervalMs: 1 }) as unknown as ReturnType<LanesOptions['writerOptions']>,
    writerParts: () => ({ clock, log }) as unknown as ReturnType<LanesOptions['writerParts']>,
    clock,
    log,
  });
  lanes.open(new Map(), {}, settledThrough);
  return lanes;
}

describe('how far messages are expanded', () => {
  it('goes to the end of a message of which an earlier run had settled a part', () => {
    const lanes = lanesOpenedAt({ messageNo: 7, valueNo: 1 });
    lanes.expanded(7);
    expect(lanes.settledThrough).toEqual({ messageNo: 7, valueNo: MAX_VALUE_NO });
  });

  it('never goes back, when a message that can not be decoded is done late', () => {
    const lanes = lanesOpenedAt(ORIGIN);
    lanes.expanded(9);
    lanes.expanded(8);
    expect(lanes.settledThrough).toEqual({ messageNo: 9, valueNo: MAX_VALUE_NO });
  });
});

const at = (messageNo: number, valueNo = 0): Place => ({ messageNo, valueNo });

function message(messageNo: number, ...numbers: number[]): TagValues {
  const values = valuesOf(...numbers);
  values.stamp(messageNo, 0);
  return values;
}

function record(place: Place, counters: Readonly<Record<string, number>>): LaneRecord {
  return { place, counters, ledger: place };
}

/** Lanes over databases in memory that are set to work by `start`. */
class RunningLanes {
  readonly clock = new FakeClock();
  readonly databases = new Map<string, FakeDatabase>();
  readonly backups = new Map<string, FakeBackup>();
  readonly lanes: Lanes;
  readonly #stop = new AbortController();
  settlings = 0;
  running: Promise<void> = Promise.resolve();

  constructor(destinations: readonly string[], records: LaneRecords = {}, settledThrough = ORIGIN) {
    const log = new RecordingLogger();
    this.lanes = new Lanes({
      destinations,
      buffer: { capacity: 4, onFull: 'wait' },
      takeUpNothing: (known) => {
        const place = known?.place ?? ORIGIN;
        return { places: { ...PLACES, counted: place, settled: place }, settledByFiles: place };
      },
      writerOptions: () => ({
        batchSize: 2,
        maxBatchSize: 2,
        intervalMs: 0,
        retry: { attempts: 3, initialDelayMs: 1000, factor: 2 },
        probeIntervalMs: 5000,
        rowCheck: { maxTextBytes: 4000, valueType: 'binary_double', hasTextColumn: true },
      }),
      writerParts: (destination) => ({
        database: this.database(destination),
        backup: this.backup(destination),
        onWritten: () => {},
        onError: () => {},
        onSettled: () => (this.settlings += 1),
        onLedgerAhead: () => {},
        onUp: () => {},
        onStep: noStep,
        clock: this.clock,
        log,
      }),
      clock: this.clock,
      log,
    });
    this.lanes.open(new Map(), records, settledThrough);
  }

  database(destination: string): FakeDatabase {
    const database = this.databases.get(destination) ?? new FakeDatabase(`live/J/${destination}`);
    this.databases.set(destination, database);
    return database;
  }

  backup(destination: string): FakeBackup {
    const backup = this.backups.get(destination) ?? new FakeBackup();
    this.backups.set(destination, backup);
    return backup;
  }

  /** Has the writers work, and waits until they have nothing to do. */
  async start(): Promise<void> {
    this.running = this.lanes.run(this.#stop.signal);
    this.running.catch(() => {});
    await this.clock.advance(1);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.clock.advance(0);
    await this.running;
  }
}

describe('lanes side by side', () => {
  it('are settled as far as the slowest of them is', async () => {
    const bench = new RunningLanes(['default', 'a']);
    const { lanes } = bench;
    await bench.start();
    bench.database('a').hangs = 'before';
    lanes.inletOf('a').begin(message(1, 1));
    lanes.inletOf('default').begin(message(1, 2));
    lanes.expanded(1);
    lanes.inletOf('default').begin(message(2, 3));
    lanes.expanded(2);
    await bench.clock.advance(1);
    expect(bench.database('default').committed).toEqual([2, 3]);
    expect([lanes.of('default')?.isIdle, lanes.of('a')?.isIdle, lanes.isIdle]).toEqual([true, false, false]);
    expect(lanes.settledThrough).toEqual(at(0, MAX_VALUE_NO));
    expect([lanes.isOpen('a', at(1)), lanes.isOpen('default', at(2))]).toEqual([true, false]);
    expect(lanes.pending).toEqual({ expander: 0, writer: 1 });
    // A destination that has no lane has nothing open.
    expect(lanes.isOpen('nobody', at(1))).toBe(false);
    bench.database('a').interrupt();
    await bench.clock.advance(1001);
    expect([bench.database('a').committed, lanes.settledThrough]).toEqual([[1], at(2, MAX_VALUE_NO)]);
    await bench.stop();
  });

  it('have places and counters of their own in the checkpoint', async () => {
    const bench = new RunningLanes(['default', 'a']);
    const { lanes } = bench;
    await bench.start();
    bench.database('a').hangs = 'before';
    lanes.inletOf('default').begin(message(1, 1, 2));
    lanes.inletOf('a').begin(message(1, 3));
    lanes.expanded(1);
    await bench.clock.advance(1);
    expect(lanes.records(0)).toMatchObject({
      default: { place: at(1, MAX_VALUE_NO), counters: { valuesReceived: 2, valuesWritten: 2 } },
      a: { place: at(0, MAX_VALUE_NO), counters: { valuesReceived: 0, valuesWritten: 0 } },
    });
    expect(sumOf(lanes.counters)).toMatchObject({ valuesReceived: 3, valuesWritten: 2 });
    bench.database('a').interrupt();
    await bench.stop();
  });

  it('give up only where they are waited for, have got nothing done for a second, and are not alone', async () => {
    for (const [destinations, isAlone] of [
      [['default'], true],
      [['default', 'a'], false],
    ] as const) {
      const bench = new RunningLanes(destinations);
      await bench.start();
      const database = bench.database('default');
      database.probeError = failure('connection');
      database.hangs = 'before';
      const inlet = bench.lanes.inletOf('default');
      // Two are with the writer, four in the buffer, one waits for room.
      inlet.begin(message(1, 1, 2));
      await bench.clock.advance(1);
      expect([inlet.begin(message(2, 3, 4, 5, 6)), inlet.begin(message(3, 7))]).toEqual([true, false]);
      await bench.clock.advance(5_000);
      expect(database.interrupts).toBe(0);
      const signal = new AbortController();
      const isIn = inlet.appendRest(signal.signal);
      await bench.clock.advance(200);
      expect(database.interrupts).toBe(isAlone ? 0 : 1);
      expect(bench.backup('default').backedUp).toHaveLength(isAlone ? 0 : 7);
      if (isAlone) database.interrupt();
      await bench.clock.advance(20_000);
      expect(await isIn).toBe(true);
      await bench.stop();
    }
  });
});

describe('a destination that nothing names any more', () => {
  const gone = record(at(3), { valuesReceived: 5, valuesWritten: 4, valuesBackedUp: 1 });
  const known = record(at(4), { valuesReceived: 2, valuesWritten: 2 });

  it('keeps its record over saves and starts, and counts in the sums', async () => {
    let records: LaneRecords = { default: known, gone };
    for (const round of [0, 1]) {
      const bench = new RunningLanes(['default'], records, at(4));
      const { lanes } = bench;
      await bench.start();
      lanes.inletOf('default').begin(message(5 + round, round));
      lanes.expanded(5 + round);
      await bench.clock.advance(1);
      expect(sumOf(lanes.counters)).toMatchObject({ valuesReceived: 8 + round, valuesWritten: 7 + round });
      expect(lanes.of('gone')).toBeUndefined();
      expect(() => lanes.countersOf('gone')).toThrow(InternalError);
      records = lanes.records(4);
      await bench.stop();
    }
    expect(records).toMatchObject({ default: { counters: { valuesReceived: 4 } }, gone });
  });

  it('goes on where it was, and counts once, when a message is for it after all', async () => {
    const bench = new RunningLanes(['default'], { default: known, gone }, at(4));
    const { lanes } = bench;
    await bench.start();
    lanes.inletOf('gone').begin(message(5, 1, 2));
    lanes.expanded(5);
    await bench.clock.advance(1);
    expect(bench.database('gone').committed).toEqual([1, 2]);
    expect(sumOf(lanes.counters)).toMatchObject({ valuesReceived: 9, valuesWritten: 8, valuesBackedUp: 1 });
    expect(lanes.records(4)).toMatchObject({ gone: { counters: { valuesReceived: 7, valuesWritten: 6 } } });
    expect(lanes.all.map(({ destination }) => destination)).toEqual(['default', 'gone']);
    await bench.stop();
  });
});

describe('a lane for a destination that nobody has heard of', () => {
  it('is set to work with the others, and makes them wait no longer than itself', async () => {
    const bench = new RunningLanes(['default']);
    const { lanes } = bench;
    lanes.inletOf('early').begin(message(1, 1));
    lanes.expanded(1);
    await bench.start();
    lanes.inletOf('late').begin(message(2, 2));
    lanes.expanded(2);
    await bench.clock.advance(1);
    expect([bench.database('early').committed, bench.database('late').committed]).toEqual([[1], [2]]);
    expect([lanes.settledThrough, lanes.isIdle, bench.settlings]).toEqual([at(2, MAX_VALUE_NO), true, 2]);
    await bench.stop();
  });

  it.each(['default', 'late'])('has the lanes end with the error of its writer at once (%s)', async (destination) => {
    const bench = new RunningLanes(['default', 'a']);
    await bench.start();
    const inlet = bench.lanes.inletOf(destination);
    inlet.begin(message(2, 1));
    await bench.clock.advance(1);
    inlet.begin(message(1, 2));
    await bench.clock.advance(1);
    await expect(bench.running).rejects.toThrow('a batch does not come behind the one before');
  });

  it('stands still when it comes after the end', async () => {
    const bench = new RunningLanes(['default']);
    await bench.start();
    await bench.stop();
    bench.lanes.inletOf('late').begin(message(1, 1));
    await bench.clock.advance(10);
    expect([bench.database('late').calls, bench.lanes.isIdle]).toEqual([[], false]);
  });
});
