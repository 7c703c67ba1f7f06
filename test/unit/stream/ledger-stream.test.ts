import { beforeEach, describe, expect, it } from 'vitest';

import { DatabaseError, InternalError, type DatabaseErrorKind } from '../../../src/core/errors.ts';
import type { LedgerSession } from '../../../src/core/ledger-session.ts';
import { END, ORIGIN } from '../../../src/core/place.ts';
import type { RefusedRow } from '../../../src/core/refused-row.ts';
import type { TagValues } from '../../../src/core/tag-values.ts';
import { LedgerStream, spoilsBatch, type LedgerStreamOptions } from '../../../src/stream/ledger-stream.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { until } from '../../support/until.ts';
import { FakeOracle } from '../backup/fake-oracle.ts';
import { numbered } from '../backup/running-replay.ts';

const GOING_ON = new AbortController().signal;
const NOT_YET = (): void => {};
const PLACE_OF = (messageNo: number) => ({ messageNo, valueNo: 0 });

function failure(kind: DatabaseErrorKind, outcomeUnknown = false): DatabaseError {
  return new DatabaseError(kind, 'ORA-99999', 'made to fail', { outcomeUnknown });
}

describe('a ledger stream', () => {
  let oracle: FakeOracle;
  let rejected: number[];
  let settled: Record<string, number>;

  beforeEach(() => {
    oracle = new FakeOracle();
    rejected = [];
    settled = { written: 0, alreadyThere: 0, rejected: 0, repeated: 0 };
  });

  function open(name: string, options: Partial<LedgerStreamOptions> = {}): LedgerStream {
    return new LedgerStream({
      session: oracle.session(name),
      lastKnown: ORIGIN,
      resumeAfter: ORIGIN,
      recoveredThrough: END,
      countsEarlierRuns: false,
      mayComeAgain: true,
      checkRows: () => [],
      reject: async (values, rows) => void rejected.push(...rows.map(({ index }) => values.numbers[index]!)),
      beforeSending: async () => {},
      onRead: async () => {},
      onAhead: () => {},
      onSettled: (as, count) => (settled[as]! += count),
      onCommitted: () => {},
      onFailed: () => {},
      clock: new FakeClock(),
      log: new RecordingLogger(),
      ...options,
    });
  }

  it('writes beside others into one table, each with a place of its own', async () => {
    const [first, second, third] = [open('a'), open('b'), open('c')];
    await Promise.all([first.write(numbered(1, 2), GOING_ON), second.write(numbered(1, 3), GOING_ON)]);
    await Promise.all([third.write(numbered(7, 1), GOING_ON), first.write(numbered(3, 2), GOING_ON)]);
    expect(oracle.numbers().sort((a, b) => a - b)).toEqual([1, 1, 2, 2, 3, 3, 4, 7]);
    expect(Object.fromEntries(oracle.ledger)).toEqual({ a: PLACE_OF(4), b: PLACE_OF(3), c: PLACE_OF(7) });
    expect([first, second, third].map((stream) => stream.lastKnown.messageNo)).toEqual([4, 3, 7]);
  });

  it('counts once what an unanswered commit wrote, though its last row was refused and all comes again', async () => {
    const stream = open('a');
    oracle.refusedTag = 'PLC01.D2';
    let losses = 1;
    oracle.before = (call) => {
      if (call === 'committed' && losses-- > 0) throw failure('connection', true);
    };
    const values = numbered(1, 3);
    expect(await stream.write(values, GOING_ON)).toMatchObject({ outcomeUnknown: true });
    expect(values.length).toBe(2);
    expect(stream.isCertain).toBe(false);
    expect(await stream.write(values, GOING_ON)).toBe('settled');
    expect(await stream.write(numbered(1, 4), GOING_ON)).toBe('settled');
    expect(oracle.numbers()).toEqual([1, 2, 4]);
    expect(rejected).toEqual([3]);
    expect(settled).toMatchObject({ written: 3, repeated: 2 });
  });

  it.each([
    ['not counted again', false, { written: 1, repeated: 2 }],
    ['counted where the counters of that run may be lost', true, { written: 3, repeated: 0 }],
  ])('leaves out what an earlier run wrote: %s', async (_how, countsEarlierRuns, expected) => {
    await open('a').write(numbered(1, 2), GOING_ON);
    settled = { written: 0, rejected: 0, repeated: 0 };
    await open('a', { countsEarlierRuns }).write(numbered(1, 3), GOING_ON);
    expect(oracle.numbers()).toEqual([1, 2, 3]);
    expect(settled).toMatchObject(expected);
  });

  it('neither sends nor rejects again what was rejected, in this run or an earlier one', async () => {
    const stream = open('a', { rejected: new Set(['2/0']) });
    oracle.refusedTag = 'PLC01.D3';
    await stream.write(numbered(1, 4), GOING_ON);
    oracle.ledger.set('a', ORIGIN);
    await stream.write(numbered(1, 5), GOING_ON);
    expect(oracle.numbers()).toEqual([1, 3, 5]);
    expect(rejected).toEqual([4]);
  });

  it('commits nothing when the rejected rows cannot be kept, and writes all once they can', async () => {
    let isFull = true;
    const stream = open('a', {
      reject: async (values, rows) => {
        if (isFull) throw new Error('no space left');
        rejected.push(...rows.map(({ index }) => values.numbers[index]!));
      },
    });
    oracle.refusedTag = 'PLC01.D1';
    const values = numbered(1, 3);
    await expect(stream.write(values, GOING_ON)).rejects.toThrow('no space left');
    expect([oracle.numbers(), values.length]).toEqual([[], 3]);
    isFull = false;
    expect(await stream.write(values, GOING_ON)).toBe('settled');
    expect([oracle.numbers(), rejected]).toEqual([[1, 3], [2]]);
  });

  it('sets nothing apart for a call that was given up and is answered all the same', async () => {
    let answer = (): Promise<void> => Promise.resolve();
    const session: LedgerSession = {
      ...oracle.session('a'),
      write: (_values, _move, beforeCommit) => {
        answer = () => beforeCommit([{ index: 1, reason: { code: 'ORA-12899', message: 'too large' } }]);
        return Promise.reject(failure('connection', true));
      },
    };
    const values = numbered(1, 3);
    expect(await open('a', { session }).write(values, GOING_ON)).toMatchObject({ outcomeUnknown: true });
    await expect(answer()).rejects.toThrow('given up');
    expect([values.length, rejected]).toEqual([3, []]);
  });

  it('waits for rows that are being set apart when their call is given up, and tries these no more', async () => {
    let kept = NOT_YET;
    const reject = async (values: TagValues, rows: readonly RefusedRow[]): Promise<void> => {
      await new Promise<void>((resolve) => (kept = resolve));
      rejected.push(...rows.map(({ index }) => values.numbers[index]!));
    };
    const session: LedgerSession = {
      ...oracle.session('a'),
      write: async (_values, _move, beforeCommit) => {
        void beforeCommit([{ index: 1, reason: { code: 'ORA-12899', message: 'too large' } }]);
        throw failure('connection', true);
      },
    };
    const values = numbered(1, 3);
    const writing = open('a', { session, reject }).write(values, GOING_ON);
    await until('the row is being set apart', () => kept !== NOT_YET);
    expect(values.length).toBe(3);
    kept();
    expect(await writing).toMatchObject({ outcomeUnknown: true });
    expect(Array.from(values.numbers.subarray(0, values.length))).toEqual([1, 3]);
    expect([rejected, settled['rejected']]).toEqual([[2], 1]);
  });

  it('gives up a place that is moved again and again after the fourth attempt', async () => {
    let moves = 0;
    oracle.before = (call) => {
      if (call === 'write') oracle.ledger.set('a', PLACE_OF(100 + (moves += 1)));
    };
    expect(await open('a').write(numbered(200, 1), GOING_ON)).toMatchObject({ code: 'LEDGER_MOVED' });
    expect(moves).toBe(4);
  });

  it('halves what one row spoils until that row stands alone', async () => {
    const stream = open('a');
    oracle.poisonTag = 'PLC01.D2';
    const settle = async (values: TagValues): Promise<void> => {
      const outcome = await stream.write(values, GOING_ON);
      if (!(outcome instanceof DatabaseError)) return;
      expect(spoilsBatch(outcome)).toBe(true);
      const halves = await stream.isolate(values, outcome);
      if (halves instanceof DatabaseError) throw halves;
      for (const half of halves) await settle(half);
    };
    await settle(numbered(1, 5));
    expect([oracle.numbers(), rejected]).toEqual([[1, 2, 4, 5], [3]]);
    expect(oracle.ledger.get('a')).toEqual(PLACE_OF(5));
  });

  it('rejects no row that was written though the answer could not be read', async () => {
    const stream = open('a');
    oracle.before = (call) => {
      if (call === 'committed') throw failure('mistake', true);
    };
    const values = numbered(1, 1);
    const outcome = await stream.write(values, GOING_ON);
    if (!(outcome instanceof DatabaseError)) throw new Error('the write was to fail');
    let isAway = true;
    oracle.before = (call) => {
      if (call === 'read' && isAway) throw failure('connection');
    };
    expect(await stream.isolate(values, outcome)).toMatchObject({ kind: 'connection' });
    expect([values.length, rejected]).toEqual([1, []]);
    isAway = false;
    expect(await stream.isolate(values, outcome)).toEqual([]);
    expect([oracle.numbers(), rejected, settled['written'], values.length]).toEqual([[1], [], 1, 0]);
  });

  it('sends nothing once it is told to stop', async () => {
    const stopped = AbortSignal.abort();
    expect(await open('a').write(numbered(1, 1), stopped)).toBe('stopped');
    expect(oracle.writes).toBe(0);
  });

  it('does not send values whose places do not ascend', async () => {
    const values = numbered(1, 3);
    values.messageNos[2] = 2;
    await expect(open('a').write(values, GOING_ON)).rejects.toThrow(InternalError);
    expect(oracle.writes).toBe(0);
  });

  it('does not take the ledger back behind an own commit, where no value may come again', async () => {
    const stream = open('a', { mayComeAgain: false });
    await stream.write(numbered(5, 2), GOING_ON);
    await expect(stream.write(numbered(6, 2), GOING_ON)).rejects.toThrow(InternalError);
    expect(oracle.numbers()).toEqual([5, 6]);
    oracle.ledger.set('a', PLACE_OF(3)); // restored
    expect(await stream.write(numbered(7, 1), GOING_ON)).toBe('settled');
  });
});
