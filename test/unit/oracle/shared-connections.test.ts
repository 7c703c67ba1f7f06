import type oracledb from 'oracledb';
import { beforeEach, describe, expect, it } from 'vitest';

import { DatabaseError } from '../../../src/core/errors.ts';
import type { ConnectionLender, Lease } from '../../../src/oracle/lease.ts';
import { SharedConnections } from '../../../src/oracle/shared-connections.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const QUEUE_TIMEOUT_MS = 1_000;

/** Has as many connections as anybody asks for, so that only the share holds anybody back. */
class CountingLender implements ConnectionLender {
  inUse = 0;
  mostInUse = 0;

  async use<T>(_what: string, work: (lease: Lease) => Promise<T>): Promise<T> {
    this.inUse += 1;
    this.mostInUse = Math.max(this.mostInUse, this.inUse);
    try {
      return await work({ connection: {} as oracledb.Connection, wear: () => {}, cut: () => {} });
    } finally {
      this.inUse -= 1;
    }
  }
}

/** A piece of work that lasts until the test ends it. */
interface Piece {
  readonly name: string;
  readonly over: Promise<unknown>;
  readonly end: (error?: Error) => void;
}

describe('SharedConnections', () => {
  let clock: FakeClock;
  let lender: CountingLender;
  let shared: SharedConnections;
  /** In the order in which they got their connection. */
  let begun: string[];

  function share(max: number, destinations: readonly string[]): void {
    shared = new SharedConnections({
      connections: lender,
      max,
      queueTimeoutMs: QUEUE_TIMEOUT_MS,
      destinations,
      clock,
    });
  }

  function ask(destination: string, name = destination): Piece {
    let end: Piece['end'] = () => {};
    const ended = new Promise<void>((resolve, reject) => {
      end = (error) => (error === undefined ? resolve() : reject(error));
    });
    const over = shared.for(destination).use(name, () => {
      begun.push(name);
      return ended;
    });
    over.catch(() => {});
    ended.catch(() => {});
    return { name, over, end };
  }

  beforeEach(() => {
    clock = new FakeClock();
    lender = new CountingLender();
    begun = [];
  });

  it('never lends more than there are, however many ask in the same moment', async () => {
    share(2, ['a', 'b', 'c']);
    const pieces = ['a', 'b', 'c'].map((name) => ask(name));
    await clock.advance(0);
    expect([lender.mostInUse, begun]).toEqual([2, ['a', 'b']]);
    for (const { end } of pieces) end();
    await clock.advance(0);
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('lends one that comes back to one of those who wait, not to all', async () => {
    share(1, ['a', 'b', 'c']);
    const first = ask('a');
    await clock.advance(0);
    const second = ask('b');
    ask('c');
    await clock.advance(0);
    first.end();
    await clock.advance(0);
    expect([lender.mostInUse, begun]).toEqual([1, ['a', 'b']]);
    second.end();
    await clock.advance(0);
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('leaves one for a destination that has none, when another asks twice in the same moment', async () => {
    share(3, ['a', 'b']);
    ask('a', 'a live');
    ask('a', 'a replay');
    ask('a', 'a replay of another');
    await clock.advance(0);
    expect(begun).toEqual(['a live', 'a replay']);
    ask('b');
    await clock.advance(0);
    expect(begun).toEqual(['a live', 'a replay', 'b']);
  });

  it('keeps the order in which they asked, however often they are woken in vain', async () => {
    share(1, ['a']);
    const pieces = ['1', '2', '3', '4'].map((name) => ask('a', name));
    for (const { end } of pieces) {
      await clock.advance(10);
      end();
    }
    await clock.advance(0);
    expect(begun).toEqual(['1', '2', '3', '4']);
  });

  it('gives up after the queue timeout, counted from the asking, and leaves no timer', async () => {
    share(1, ['a', 'b']);
    const first = ask('a');
    await clock.advance(0);
    const late = ask('b', 'late');
    await clock.advance(QUEUE_TIMEOUT_MS - 100);
    ask('a', 'a again');
    first.end();
    await clock.advance(0);
    expect(begun).toEqual(['a', 'late']);
    late.end();
    await clock.advance(0);
    const inVain = ask('b', 'in vain');
    await clock.advance(QUEUE_TIMEOUT_MS);
    await expect(inVain.over).rejects.toMatchObject({ kind: 'passing', code: 'POOL_BUSY', outcomeUnknown: false });
    expect([begun, clock.pendingTimers]).toEqual([['a', 'late', 'a again'], 0]);
  });

  it.each(['connection', 'passing'] as const)(
    'does not give the last one to a destination whose call failed (%s)',
    async (kind) => {
      share(2, ['a', 'b', 'c']);
      const failing = ask('a');
      await clock.advance(0);
      failing.end(new DatabaseError(kind, 'ORA-99999', 'made to fail'));
      await expect(failing.over).rejects.toThrow('made to fail');
      ask('b');
      await clock.advance(0);
      ask('a', 'a again');
      await clock.advance(0);
      ask('c');
      await clock.advance(0);
      expect(begun).toEqual(['a', 'b', 'c']);
    },
  );

  it.each([
    ['a row is refused', new DatabaseError('refused', 'ORA-00001', 'made to fail')],
    ['the caller is to blame', new Error('made to fail')],
  ])('does not hold it against a destination that %s', async (_what, error) => {
    share(2, ['a', 'b', 'c']);
    const failing = ask('a');
    await clock.advance(0);
    failing.end(error);
    await expect(failing.over).rejects.toThrow('made to fail');
    ask('b');
    ask('a', 'a again');
    await clock.advance(0);
    expect(begun).toEqual(['a', 'b', 'a again']);
  });
});
