import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { TagValues } from '../../../src/core/tag-values.ts';
import { TagBuffer, type OnFull } from '../../../src/buffer/tag-buffer.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { idsOf, sampleValues } from './sample-values.ts';

const never = new AbortController().signal;

function createBuffer(capacity: number, onFull: OnFull = 'wait'): { buffer: TagBuffer; clock: FakeClock } {
  const clock = new FakeClock();
  return { buffer: new TagBuffer({ capacity, onFull, clock }), clock };
}

/** Whether a promise is settled yet, by way of a flag that it sets. */
function watch(promise: Promise<void>): { readonly settled: boolean } {
  const state = { settled: false };
  void promise.then(() => {
    state.settled = true;
    return undefined;
  });
  return state;
}

function take(buffer: TagBuffer, max: number): number[] {
  const into = new TagValues(max);
  const count = buffer.take(into, max);
  const ids = idsOf(into);
  expect(ids).toHaveLength(count);
  return ids;
}

describe('TagBuffer', () => {
  it('gives values back in order and whole', () => {
    const { buffer } = createBuffer(5);
    expect(buffer.append(sampleValues([1, 2, 3, 4]), 0)).toBe(4);
    expect(take(buffer, 3)).toStrictEqual([1, 2, 3]);
    expect(buffer.append(sampleValues([5, 6, 7]), 0)).toBe(3);
    expect(buffer.size).toBe(4);
    expect(take(buffer, 10)).toStrictEqual([4, 5, 6, 7]);
    expect(take(buffer, 10)).toStrictEqual([]);
  });

  it('takes what fits when it is to wait', () => {
    const { buffer } = createBuffer(3);
    const values = sampleValues([1, 2, 3, 4, 5]);
    expect(buffer.append(values, 0)).toBe(3);
    expect(buffer.append(values, 3)).toBe(0);
    expect(take(buffer, 1)).toStrictEqual([1]);
    expect(buffer.append(values, 3)).toBe(1);
    expect(take(buffer, 9)).toStrictEqual([2, 3, 4]);
    expect(buffer.evicted).toBe(0);
  });

  it('drops the oldest when it is to', () => {
    const { buffer } = createBuffer(3, 'dropOldest');
    expect(buffer.append(sampleValues([1, 2]), 0)).toBe(2);
    expect(buffer.append(sampleValues([0, 3, 4]), 1)).toBe(2);
    expect(buffer.evicted).toBe(1);
    expect(buffer.append(sampleValues([5, 6, 7, 8, 9]), 0)).toBe(5);
    expect(buffer.evicted).toBe(6);
    expect(take(buffer, 9)).toStrictEqual([7, 8, 9]);
  });

  it.each<OnFull>(['wait', 'dropOldest'])('behaves like a list (%s)', (onFull) => {
    const step = fc.oneof(fc.record({ append: fc.nat(12), from: fc.nat(3) }), fc.record({ take: fc.nat(10) }));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.array(step, { maxLength: 60 }), (capacity, steps) => {
        const { buffer } = createBuffer(capacity, onFull);
        let model: number[] = [];
        let nextId = 1;
        let evicted = 0;
        for (const each of steps) {
          let outcome: number | number[];
          let expected: number | number[];
          if ('take' in each) {
            outcome = take(buffer, each.take);
            expected = model.splice(0, each.take);
          } else {
            const ids = Array.from({ length: each.append }, () => nextId++);
            const offered = ids.slice(each.from);
            const accepted = onFull === 'wait' ? offered.slice(0, capacity - model.length) : offered;
            outcome = buffer.append(sampleValues(ids), each.from);
            expected = accepted.length;
            model.push(...accepted);
            evicted += Math.max(0, model.length - capacity);
            model = model.slice(-capacity);
          }
          expect(outcome).toStrictEqual(expected);
          expect([buffer.size, buffer.evicted]).toStrictEqual([model.length, evicted]);
        }
        expect(take(buffer, capacity)).toStrictEqual(model);
      }),
    );
  });

  it('keeps nothing alive that has been taken', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const { buffer } = createBuffer(4);
    const tags = passThrough(buffer);
    // A WeakRef holds its object until the end of the turn that made it.
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    expect(tags.map((tag) => tag.deref())).toStrictEqual(tags.map(() => undefined));
  });

  it('takes a few megabytes for a hundred thousand values', () => {
    const before = process.memoryUsage();
    const { buffer } = createBuffer(100_000);
    const after = process.memoryUsage();
    const bytes = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
    expect(buffer.capacity).toBe(100_000);
    expect(bytes).toBeLessThan(10_000_000);
  });

  it('refuses a capacity of none and a list that is too small', () => {
    expect(() => createBuffer(0)).toThrow(RangeError);
    const { buffer } = createBuffer(3);
    buffer.append(sampleValues([1, 2, 3]), 0);
    expect(() => buffer.take(new TagValues(2), 3)).toThrow(RangeError);
  });
});

describe('waiting for values', () => {
  it('ends when there are enough', async () => {
    const { buffer, clock } = createBuffer(10);
    const ready = watch(buffer.whenReady(3, 500, never));
    buffer.append(sampleValues([1, 2]), 0);
    await clock.advance(0);
    expect(ready.settled).toBe(false);
    buffer.append(sampleValues([3]), 0);
    await clock.advance(0);
    expect(ready.settled).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends at once when there are enough already', async () => {
    const { buffer, clock } = createBuffer(10);
    buffer.append(sampleValues([1, 2, 3]), 0);
    const ready = watch(buffer.whenReady(3, 500, never));
    await clock.advance(0);
    expect(ready.settled).toBe(true);
  });

  it('ends when the oldest has waited long enough, however long the wait', async () => {
    const { buffer, clock } = createBuffer(10);
    const ready = watch(buffer.whenReady(3, 500, never));
    await clock.advance(10_000);
    buffer.append(sampleValues([1]), 0);
    await clock.advance(300);
    buffer.append(sampleValues([2]), 0);
    await clock.advance(199);
    expect(ready.settled).toBe(false);
    expect(buffer.oldestAgeMs).toBe(499);
    await clock.advance(1);
    expect(ready.settled).toBe(true);
    expect(take(buffer, 1)).toStrictEqual([1]);
    expect(buffer.oldestAgeMs).toBe(200);
  });

  it('counts the age of the oldest from its coming, not from the wait', async () => {
    const { buffer, clock } = createBuffer(10);
    buffer.append(sampleValues([1]), 0);
    await clock.advance(400);
    const ready = watch(buffer.whenReady(3, 500, never));
    await clock.advance(99);
    expect(ready.settled).toBe(false);
    await clock.advance(1);
    expect(ready.settled).toBe(true);
  });

  it('counts the age of the value that is the oldest now', async () => {
    const { buffer, clock } = createBuffer(2);
    buffer.append(sampleValues([1]), 0);
    const ready = watch(buffer.whenReady(2, 500, never));
    await clock.advance(0);
    expect(take(buffer, 1)).toStrictEqual([1]);
    await clock.advance(400);
    buffer.append(sampleValues([2]), 0);
    await clock.advance(499);
    expect(ready.settled).toBe(false);
    await clock.advance(1);
    expect(ready.settled).toBe(true);
  });

  it('knows the age of values around the end of the ring', async () => {
    const { buffer, clock } = createBuffer(3);
    buffer.append(sampleValues([1, 2]), 0);
    take(buffer, 2);
    await clock.advance(100);
    buffer.append(sampleValues([3, 4, 5]), 0);
    await clock.advance(50);
    const ages = [3, 4, 5].map((id) => {
      const ageMs = buffer.oldestAgeMs;
      expect(take(buffer, 1)).toStrictEqual([id]);
      return ageMs;
    });
    expect(ages).toStrictEqual([50, 50, 50]);
  });

  it('does not wait for more than fits', async () => {
    const { buffer, clock } = createBuffer(2);
    const ready = watch(buffer.whenReady(500, 1_000_000, never));
    buffer.append(sampleValues([1, 2]), 0);
    await clock.advance(0);
    expect(ready.settled).toBe(true);
  });

  it('ends on abort and leaves no timer behind', async () => {
    const { buffer, clock } = createBuffer(10);
    const abort = new AbortController();
    buffer.append(sampleValues([1]), 0);
    const ready = watch(buffer.whenReady(3, 500, abort.signal));
    await clock.advance(0);
    expect(clock.pendingTimers).toBe(1);
    abort.abort();
    await clock.advance(0);
    expect(ready.settled).toBe(true);
    expect(clock.pendingTimers).toBe(0);
    const again = watch(buffer.whenReady(3, 500, abort.signal));
    await clock.advance(0);
    expect(again.settled).toBe(true);
  });

  it('once flushed goes on with any value, but not with none', async () => {
    const { buffer, clock } = createBuffer(10);
    buffer.append(sampleValues([1]), 0);
    const first = watch(buffer.whenReady(3, 500, never));
    buffer.flush();
    await clock.advance(0);
    expect(first.settled).toBe(true);
    take(buffer, 3);
    const second = watch(buffer.whenReady(3, 500, never));
    await clock.advance(10_000);
    expect(second.settled).toBe(false);
    buffer.append(sampleValues([2]), 0);
    await clock.advance(0);
    expect(second.settled).toBe(true);
  });

  it('is for one', async () => {
    const { buffer } = createBuffer(10);
    const abort = new AbortController();
    const first = buffer.whenReady(3, 500, abort.signal);
    await expect(buffer.whenReady(3, 500, abort.signal)).rejects.toThrow('only one');
    abort.abort();
    await first;
  });
});

describe('waiting for room', () => {
  it('ends when something is taken, or on abort', async () => {
    const { buffer, clock } = createBuffer(2);
    const abort = new AbortController();
    await buffer.whenRoom(abort.signal);
    buffer.append(sampleValues([1, 2]), 0);
    const room = watch(buffer.whenRoom(abort.signal));
    await clock.advance(1_000);
    expect(room.settled).toBe(false);
    take(buffer, 1);
    await clock.advance(0);
    expect(room.settled).toBe(true);

    buffer.append(sampleValues([3]), 0);
    const more = watch(buffer.whenRoom(abort.signal));
    abort.abort();
    await clock.advance(0);
    expect(more.settled).toBe(true);
  });
});

/** Sends values around the ring and gives weak references to their tags. */
function passThrough(buffer: TagBuffer): WeakRef<object>[] {
  const refs: WeakRef<object>[] = [];
  for (let round = 0; round < 3; round += 1) {
    const values = sampleValues([round, round + 10, round + 20]);
    refs.push(...values.tags.slice(0, 3).map((tag) => new WeakRef(tag)));
    buffer.append(values, 0);
    take(buffer, 3);
  }
  return refs;
}
