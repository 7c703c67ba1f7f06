import { describe, expect, it } from 'vitest';

import type { Delivery } from '../../../src/core/message.ts';
import { IntakeQueue } from '../../../src/journal/intake-queue.ts';
import { FakeClock } from '../../support/fake-clock.ts';

function delivery(topic: string, acknowledged: string[]): Delivery {
  return {
    topic,
    payload: Buffer.from('1'),
    qos: 1,
    retain: false,
    duplicate: false,
    packetId: 1,
    receivedAtMs: 0,
    acknowledge: () => void acknowledged.push(topic),
  };
}

describe('IntakeQueue', () => {
  it('hands messages on in order and acknowledges those that are done, no others', async () => {
    const acknowledged: string[] = [];
    const queue = new IntakeQueue(new FakeClock());
    for (const topic of ['a', 'b', 'c']) queue.append(delivery(topic, acknowledged));
    const messages = await queue.take(new AbortController().signal);
    expect(messages.map(({ topic }) => topic)).toEqual(['a', 'b', 'c']);
    expect(acknowledged).toEqual([]);
    queue.done(messages[1]!);
    expect(acknowledged).toEqual(['b']);
    expect(queue.size).toBe(2);
  });

  it('gives each message a number above all before, of an earlier run too', async () => {
    const clock = new FakeClock();
    const numbers: number[] = [];
    for (let run = 0; run < 3; run += 1) {
      const queue = new IntakeQueue(clock);
      for (let i = 0; i < 100; i += 1) queue.append(delivery('a', []));
      const messages = await queue.take(new AbortController().signal);
      numbers.push(...messages.map(({ number }) => number));
      await clock.advance(1);
    }
    expect(new Set(numbers).size).toBe(300);
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    expect(numbers.every(Number.isSafeInteger)).toBe(true);
  });

  it('gives what is there and then ends, once closed', async () => {
    const queue = new IntakeQueue(new FakeClock());
    const { signal } = new AbortController();
    queue.append(delivery('a', []));
    queue.close();
    expect(await queue.take(signal)).toHaveLength(1);
    expect(await queue.take(signal)).toEqual([]);
    const waiting = new IntakeQueue(new FakeClock());
    const taken = waiting.take(signal);
    waiting.close();
    expect(await taken).toEqual([]);
  });

  it('waits for a message, and no longer once it is aborted', async () => {
    const queue = new IntakeQueue(new FakeClock());
    const stop = new AbortController();
    const waiting = queue.take(stop.signal);
    queue.append(delivery('a', []));
    expect(await waiting).toHaveLength(1);
    const aborted = queue.take(stop.signal);
    stop.abort();
    expect(await aborted).toEqual([]);
    expect(await queue.take(stop.signal)).toEqual([]);
  });
});
