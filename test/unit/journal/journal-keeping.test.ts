import { getEventListeners } from 'node:events';

import { describe, expect, it } from 'vitest';

import type { Delivery } from '../../../src/core/message.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { delivery, SampleJournal, takeAll, texts } from './sample-journal.ts';

/** Signals that Node makes abort with this one: it keeps a trace of each, for as long as this one lives. */
function dependants(signal: AbortSignal): number {
  const symbol = Object.getOwnPropertySymbols(signal).find(({ description }) => description === 'kDependantSignals');
  const known = symbol === undefined ? undefined : (Reflect.get(signal, symbol) as { size: number } | undefined);
  return known?.size ?? 0;
}

describe('what a journal keeps', () => {
  it('leaves nothing behind at the signal of whoever takes', async () => {
    const { signal } = new AbortController();
    const control = new AbortController();
    AbortSignal.any([control.signal]);
    expect(dependants(control.signal)).toBe(1);
    const sample = new SampleJournal();
    const journal = await sample.open();
    for (const text of ['a', 'b', 'c']) {
      const taken = journal.take(signal);
      await sample.fill(journal, text);
      expect(texts(await taken)).toEqual([text]);
    }
    expect(dependants(signal)).toBe(0);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    await journal.close();
  });

  it.each([
    ['as many settled ones as the broker may send again', 20_000, 6],
    ['no more than fit into half of its room', 4_000, 4],
  ])('keeps %s', async (_what, maxBytes, least) => {
    const sample = new SampleJournal();
    const journal = await sample.open({ segmentBytes: 1000, maxBytes, redeliverable: 6 });
    for (let i = 0; i < 20; i += 1) {
      await sample.fill(journal, 'x'.repeat(400));
      for (const message of await takeAll(journal)) journal.done(message, 0);
      await journal.saveCheckpoint();
    }
    const active = 2;
    expect((await sample.segmentNames()).length).toBe(least / 2 + active / 2);
    await journal.close();
    const again = await sample.open({ redeliverable: 6 });
    expect(await again.recentRecords()).toHaveLength(least + active);
    await again.close();
  });

  it.each([
    [
      'all whose acknowledgement is not proven, though they are more than the broker was to have under way',
      0,
      20_000,
      20,
    ],
    ['no more of them than fit into half of its room', 0, 4_000, 4],
    ['none of them once it is proven', Number.MAX_SAFE_INTEGER, 20_000, 4],
  ])('keeps %s', async (_what, acknowledgedThrough, maxBytes, least) => {
    const sample = new SampleJournal();
    const broker = { acknowledgedThrough, idsCountOn: false, setsDuplicate: true, keepsIds: true };
    const journal = await sample.open({ segmentBytes: 1000, maxBytes, redeliverable: 1 });
    for (let i = 0; i < 20; i += 1) {
      await sample.fill(journal, 'x'.repeat(400));
      for (const message of await takeAll(journal)) journal.done(message, 0);
      await journal.saveCheckpoint(() => ({ counters: {}, broker }));
    }
    await journal.close();
    const again = await sample.open({ redeliverable: 1 });
    const kept = (await again.recentRecords()).length;
    const active = 2;
    expect(kept).toBeGreaterThanOrEqual(least);
    expect(kept).toBeLessThanOrEqual(least + active);
    await again.close();
  });

  it.each<[string, Partial<Delivery>]>([
    ['messages at QoS 0', { qos: 0, packetId: undefined }],
    ['what may be one of them once more', { isMaybeRepeated: true }],
  ])('does not count %s among those that the broker may send again', async (_what, more) => {
    const sample = new SampleJournal();
    const fill = async (journal: Journal, count: number): Promise<void> => {
      for (let i = 0; i < count; i += 1) {
        journal.append(delivery((i % 2 === 0 ? 'a' : 'b').repeat(400), sample.acknowledged, i % 2 === 0 ? {} : more));
        await journal.whenIdle();
        for (const message of await takeAll(journal)) journal.done(message, 0);
        await journal.saveCheckpoint();
      }
    };
    const options = { segmentBytes: 1000, maxBytes: 20_000, redeliverable: 6 };
    const journal = await sample.open(options);
    await fill(journal, 20);
    await journal.close();
    // One that has read its segments from disk counts as one that wrote them.
    const next = await sample.open(options);
    await fill(next, 4);
    await next.close();
    const again = await sample.open(options);
    const kept = (await again.recentRecords()).filter(({ payload }) => String(payload).startsWith('a'));
    expect(kept.length).toBeGreaterThanOrEqual(6);
    expect(kept.length).toBeLessThan(12);
    await again.close();
  });

  it('syncs at its interval what is written, though the next message waits for room', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open({ sync: 'interval', segmentBytes: 300, maxBytes: 1200 });
    const syncs: number[] = [];
    sample.disk.before = (operation) => {
      if (operation === 'sync') syncs.push(sample.clock.monotonic());
    };
    for (let i = 0; i < 12; i += 1) journal.append(delivery(`${i}`.padEnd(100, 'x'), sample.acknowledged));
    await sample.clock.advance(10);
    expect(journal.status).toMatchObject({ state: 'full', fullBy: 'maxBytes' });
    expect(journal.status.held).toBeGreaterThan(0);
    const before = syncs.length;
    await sample.clock.advance(200);
    expect(syncs.length).toBe(before + 1);
    await journal.close();
  });

  it('counts nothing as durable because a sync succeeds that follows one of an earlier process which did not', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const sample = new SampleJournal(seed);
      const first = await sample.open();
      await sample.fill(first, 'a');
      sample.disk.fail('sync', 'EIO');
      first.append(delivery('b', sample.acknowledged));
      await first.close();
      expect(sample.acknowledged).toEqual(['a']);
      sample.disk.kill();
      const given = texts(await takeAll(await sample.open()));
      sample.disk.crash();
      const third = await sample.open();
      expect(texts(await takeAll(third))).toEqual(given);
      await third.close();
    }
  });

  it('waits with a commit for as many as the last one acknowledged, which come one behind the other', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open();
    await sample.fill(journal, 'a', 'b', 'c');
    let syncs = 0;
    sample.disk.before = (operation) => void (syncs += operation === 'sync' ? 1 : 0);
    for (const text of ['d', 'e', 'f']) {
      journal.append(delivery(text, sample.acknowledged));
      await sample.clock.turn();
    }
    await journal.whenIdle();
    expect([syncs, sample.acknowledged.length]).toEqual([1, 6]);
    await sample.fill(journal, 'g');
    await journal.close();
  });
});
