import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { OnFull } from '../../../src/buffer/tag-buffer.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ExpanderBench, type Content } from './expander-bench.ts';

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

describe('Expander', () => {
  it('puts the values of messages into the buffer, in order, and is done with each', async () => {
    const bench = new ExpanderBench(10);
    bench.send(2, 0, 3);
    bench.send(1);
    bench.end();
    await bench.running;
    bench.takeFromBuffer(10);
    expect(bench.taken).toStrictEqual(['1/0', '1/1', '3/0', '3/1', '3/2', '4/0']);
    expect(bench.done).toStrictEqual([1, 2, 3, 4]);
    expect(bench.counters.valuesReceived).toBe(6);
  });

  it('waits for room, and takes a message through that is larger than the buffer', async () => {
    const bench = new ExpanderBench(3);
    bench.send(2, 8, 1);
    bench.end();
    await turn();
    expect([bench.done, bench.inlet.pending, bench.buffer.size]).toStrictEqual([[1], 7, 3]);
    while (bench.taken.length < 11) {
      bench.takeFromBuffer(2);
      await turn();
    }
    await bench.running;
    expect(bench.done).toStrictEqual([1, 2, 3]);
    expect(new Set(bench.taken).size).toBe(11);
  });

  it('counts what a full buffer drops, says so at most every 30 s and again when it comes back', async () => {
    const clock = new FakeClock();
    const bench = new ExpanderBench(4, 'dropOldest', clock);
    const messages = (): number => bench.log.messages('warn').length;
    bench.send(3, 3, 9);
    await turn();
    expect([bench.counters.valuesDropped, bench.buffer.size, messages()]).toStrictEqual([11, 4, 1]);
    expect(bench.log.entries[0]).toMatchObject({
      message: 'buffer full, oldest values dropped',
      fields: { values: 2, capacity: 4 },
    });
    expect(bench.done).toStrictEqual([1, 2, 3]);
    bench.takeFromBuffer(4);
    expect(bench.taken).toStrictEqual(['3/5', '3/6', '3/7', '3/8']);
    bench.send(1, 5);
    bench.end();
    await bench.running;
    expect(messages()).toBe(2);
  });

  it('counts values that are left out, and is done with a message as of its last value that is not', async () => {
    const bench = new ExpanderBench(2);
    bench.send(['out', 'in', 'out', 'in', 'out'], ['out', 'out'], 1, ['in', 'in', 'in', 'out']);
    bench.end();
    await turn();
    expect(bench.counters).toMatchObject({ valuesReceived: 8, valuesFiltered: 5 });
    while (bench.taken.length < 6) {
      bench.takeFromBuffer(1);
      await turn();
    }
    await bench.running;
    expect(bench.taken).toStrictEqual(['1/1', '1/3', '3/0', '4/0', '4/1', '4/2']);
    expect(bench.counters).toMatchObject({ valuesReceived: 12, valuesFiltered: 6 });
    expect([...bench.doneWith]).toStrictEqual([
      [1, 4],
      [2, 0],
      [3, 1],
      [4, 3],
    ]);
    expect(bench.filtered).toStrictEqual([
      [1, 3],
      [2, 2],
      [4, 1],
    ]);
  });

  it('is done with messages that their subscription is not for, and counts them', async () => {
    const bench = new ExpanderBench(10);
    bench.send(2, 'skipped', 'skipped', 1);
    bench.end();
    await bench.running;
    bench.takeFromBuffer(10);
    expect(bench.taken).toStrictEqual(['1/0', '1/1', '4/0']);
    expect(bench.done).toStrictEqual([1, 2, 3, 4]);
    expect(bench.counters).toMatchObject({ messagesSkipped: 2, messagesUndecodable: 0, valuesReceived: 3 });
  });

  it('keeps undecodable messages aside without keeping others waiting, and is done with them when they are durable', async () => {
    const bench = new ExpanderBench(10);
    bench.send(1, 'bad', 1, 'bug', 1);
    bench.end();
    await turn();
    expect(bench.done).toStrictEqual([1, 3, 5]);
    expect(bench.settingAside.map(({ number, code }) => [number, code])).toStrictEqual([
      [2, 'BAD'],
      [4, 'INTERNAL'],
    ]);
    expect(bench.counters).toMatchObject({ messagesUndecodable: 2, valuesReceived: 3 });
    let ended = false;
    const watched = bench.running.then(() => {
      ended = true;
      return undefined;
    });
    bench.settingAside[1]?.settle();
    await turn();
    expect([bench.done, ended]).toStrictEqual([[1, 3, 5, 4], false]);
    bench.settingAside[0]?.settle();
    await watched;
    expect(bench.done).toStrictEqual([1, 3, 5, 4, 2]);
    expect(bench.log.messages()).toStrictEqual(['message can not be decoded', 'decoder failed']);
  });

  it('is never done with a message that could not be kept', async () => {
    const bench = new ExpanderBench(10);
    bench.send('bad', 1);
    await turn();
    bench.settingAside[0]?.settle(new Error('disk full'));
    bench.end();
    await bench.running;
    expect(bench.done).toStrictEqual([2]);
    expect(bench.log.messages('error')).toStrictEqual(['undecodable message could not be kept']);
  });

  it('waits when a thousand undecodable messages are not durable yet', async () => {
    const bench = new ExpanderBench(10);
    bench.send(...Array.from({ length: 1_000 }, () => 'bad' as const), 1);
    await turn();
    expect([bench.settingAside.length, bench.buffer.size]).toStrictEqual([1_000, 0]);
    bench.settingAside[500]?.settle();
    await turn();
    expect(bench.buffer.size).toBe(1);
    bench.abort();
    await bench.running;
  });

  it('stops on abort wherever it waits, and leaves what is pending', async () => {
    const full = new ExpanderBench(3);
    full.send(5, 1);
    await turn();
    full.abort();
    await full.running;
    full.checkAudit();
    expect([full.done, full.inlet.pending]).toStrictEqual([[], 2]);

    const idle = new ExpanderBench(3);
    await turn();
    idle.abort();
    await idle.running;

    const ending = new ExpanderBench(3);
    ending.send('bad');
    ending.end();
    await turn();
    ending.abort();
    await ending.running;
    expect(ending.done).toStrictEqual([]);
  });

  it('lets the event loop turn while messages are always there', async () => {
    const bench = new ExpanderBench(100_000, 'wait', systemClock);
    let doneAtTurn = 0;
    setImmediate(() => {
      doneAtTurn = bench.done.length;
    });
    for (let i = 0; i < 100; i += 1) bench.send(...Array.from({ length: 500 }, () => 1));
    bench.end();
    await bench.running;
    expect(bench.done).toHaveLength(50_000);
    expect(doneAtTurn).toBeGreaterThan(0);
    expect(doneAtTurn).toBeLessThan(20_000);
  });

  it.each<OnFull>(['wait', 'dropOldest'])('adds up at every instant, whatever happens when (%s)', async (onFull) => {
    const content = fc.oneof(fc.nat(7), fc.constantFrom<Content>('bad', 'bug'));
    const step = fc.oneof(
      fc.record({ send: fc.array(content, { minLength: 1, maxLength: 4 }) }),
      fc.record({ take: fc.integer({ min: 1, max: 6 }) }),
      fc.record({ settle: fc.nat(3), fails: fc.boolean() }),
      fc.record({ wait: fc.constant(true) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 30 }), async (capacity, steps) => {
        const bench = new ExpanderBench(capacity, onFull);
        const contents: Content[] = [];
        const failed: number[] = [];
        const settle = (index: number, fails: boolean): void => {
          for (const aside of bench.settingAside.splice(index, 1)) {
            if (fails) failed.push(aside.number);
            aside.settle(fails ? new Error('disk full') : undefined);
          }
        };
        for (const each of steps) {
          if ('send' in each) {
            contents.push(...each.send);
            bench.send(...each.send);
          } else if ('take' in each) bench.takeFromBuffer(each.take);
          else if ('settle' in each) settle(each.settle, each.fails);
          else await turn();
          bench.checkAudit();
        }
        bench.end();
        const total = contents.reduce<number>((sum, one) => sum + (typeof one === 'number' ? one : 0), 0);
        while (bench.done.length + failed.length < contents.length) {
          settle(0, false);
          bench.takeFromBuffer(3);
          await turn();
        }
        await bench.running;
        bench.takeFromBuffer(capacity);
        expect(bench.counters.valuesReceived).toBe(total);
        expect(new Set(bench.taken).size).toBe(total - bench.counters.valuesDropped);
        expect(bench.inlet.pending).toBe(0);
        expect([...bench.done, ...failed].sort((a, b) => a - b)).toStrictEqual(contents.map((_, i) => i + 1));
        expect(bench.taken).toStrictEqual(bench.taken.toSorted(byPlace));
      }),
      { numRuns: 200 },
    );
  });
});

function byPlace(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
