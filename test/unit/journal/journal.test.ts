import { describe, expect, it } from 'vitest';

import { delivery, SampleJournal, takeAll, texts } from './sample-journal.ts';

const never = new AbortController().signal;

describe('Journal', () => {
  it('acknowledges in order, after the sync, and gives what is durable in order', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open();
    const operations: string[] = [];
    sample.disk.before = (operation) => void operations.push(`${operation} ${sample.acknowledged.length}`);
    for (const text of ['a', 'b', 'c']) journal.append(delivery(text, sample.acknowledged));
    expect(sample.acknowledged).toEqual([]);
    await journal.whenIdle();
    expect(sample.acknowledged).toEqual(['a', 'b', 'c']);
    expect(operations.slice(-2)).toEqual(['append 0', 'sync 0']);
    expect(sample.steps).toEqual(['appended', 'synced', 'acknowledged']);
    const messages = await journal.take(never);
    expect(texts(messages)).toEqual(['a', 'b', 'c']);
    expect(messages.map(({ number }) => number - 2 ** 24)).toEqual([0, 1, 2]);
    expect(messages[0]).toMatchObject({ topic: 'plant/line/tag', receivedAtMs: 1_762_000_000_123 });
    await journal.close();
  });

  it('writes and syncs once for all that came in meanwhile', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open();
    await sample.fill(journal, 'first');
    let syncs = 0;
    sample.disk.before = (operation) => {
      if (operation !== 'sync') return;
      syncs += 1;
      if (syncs === 1) for (let i = 0; i < 50; i += 1) journal.append(delivery(`${i}`, sample.acknowledged));
    };
    await sample.fill(journal, 'second');
    await journal.whenIdle();
    expect(sample.acknowledged).toHaveLength(52);
    expect(syncs).toBe(2);
    await journal.close();
  });

  it('gives after a restart what was not settled, with the same numbers, and new messages greater ones', async () => {
    const sample = new SampleJournal();
    const first = await sample.open();
    await sample.fill(first, 'a', 'b', 'c');
    const before = await takeAll(first);
    first.done(before[0]!, 2);
    first.settledThrough({ messageNo: before[0]!.number, valueNo: 1 });
    const ledger = { messageNo: before[0]!.number, valueNo: 0 };
    const broker = { acknowledgedThrough: before[1]!.number, idsCountOn: true, setsDuplicate: true, keepsIds: true };
    await first.saveCheckpoint(() => ({ counters: { valuesWritten: 2 }, ledger, broker }));
    await first.close();
    const second = await sample.open();
    expect(second.id).toBe(first.id);
    expect(second.checkpoint).toEqual({
      place: { messageNo: before[0]!.number, valueNo: 1 },
      counters: { valuesWritten: 2 },
      knowsLanes: false,
      lanes: {
        default: { place: { messageNo: before[0]!.number, valueNo: 1 }, counters: { valuesWritten: 2 }, ledger },
      },
      broker,
    });
    expect(second.settledPlace).toEqual({ messageNo: before[0]!.number, valueNo: 1 });
    expect(second.status.messages).toBe(2);
    await sample.fill(second, 'd');
    const after = await takeAll(second);
    expect(texts(after)).toEqual(['b', 'c', 'd']);
    expect(after.slice(0, 2).map(({ number }) => number)).toEqual(before.slice(1).map(({ number }) => number));
    expect(after[2]!.number).toBeGreaterThan(before[2]!.number);
    await second.close();
  });

  it('gives a partly settled message again', async () => {
    const sample = new SampleJournal();
    const first = await sample.open();
    await sample.fill(first, 'a', 'b');
    const [a] = await takeAll(first);
    first.done(a!, 3);
    first.settledThrough({ messageNo: a!.number, valueNo: 1 });
    await first.saveCheckpoint();
    await first.close();
    const second = await sample.open();
    expect(second.settledPlace).toEqual({ messageNo: a!.number, valueNo: 1 });
    expect(texts(await takeAll(second))).toEqual(['a', 'b']);
    await second.close();
  });

  it('ends take when it is closed or aborted, and gives no more', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open();
    const abort = new AbortController();
    const aborted = journal.take(abort.signal);
    abort.abort();
    expect(await aborted).toEqual([]);
    const closed = journal.take(never);
    await journal.close();
    expect(await closed).toEqual([]);
    expect(await journal.take(never)).toEqual([]);
    await expect(journal.saveCheckpoint()).rejects.toThrow('closed');
  });

  it('reads from disk what does not fit into memory, in order, and comes back to memory', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open({ maxBytes: 200_000_000, segmentBytes: 8_000_000 });
    const filler = 'x'.repeat(3_000_000);
    const expected: string[] = [];
    for (let i = 0; i < 12; i += 1) {
      await sample.fill(journal, `${i} ${filler}`);
      expected.push(`${i}`);
    }
    const taken: string[] = [];
    for (let i = 12; i < 20; i += 1) {
      taken.push(...texts(await journal.take(never)).map((text) => text.split(' ')[0]!));
      await sample.fill(journal, `${i} ${filler}`);
      expected.push(`${i}`);
    }
    while (taken.length < 20) taken.push(...texts(await journal.take(never)).map((text) => text.split(' ')[0]!));
    expect(taken).toEqual(expected);
    let reads = 0;
    sample.disk.before = (operation) => {
      if (operation === 'readRange') reads += 1;
    };
    const small = journal.take(never);
    await sample.fill(journal, 'small');
    expect(texts(await small)).toEqual(['small']);
    expect(reads).toBe(0);
    await journal.close();
  });

  it('begins a segment when one is full, and removes settled ones but the newest two', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open({ segmentBytes: 1000 });
    const payload = 'x'.repeat(400);
    for (let i = 0; i < 10; i += 1) await sample.fill(journal, payload);
    expect(await sample.segmentNames()).toHaveLength(5);
    const messages = await takeAll(journal);
    for (const message of messages) journal.done(message, 1);
    journal.settledThrough({ messageNo: messages.at(-3)!.number, valueNo: 0 });
    await journal.saveCheckpoint();
    const left = await sample.segmentNames();
    expect(left.length).toBeGreaterThanOrEqual(2);
    expect(left.length).toBeLessThan(5);
    journal.settledThrough({ messageNo: messages.at(-1)!.number, valueNo: 0 });
    await journal.saveCheckpoint();
    expect((await sample.segmentNames()).length).toBeGreaterThanOrEqual(2);
    expect(journal.status).toMatchObject({ messages: 0, state: 'ok' });
    await journal.close();
  });

  it('tells the recent messages with what identifies them, settled ones too', async () => {
    const sample = new SampleJournal();
    const first = await sample.open();
    first.append(delivery('a', [], { packetId: 7, connection: 1 }));
    first.append(delivery('b', [], { packetId: undefined, qos: 0, connection: 2 }));
    await first.whenIdle();
    const [a, b] = await takeAll(first);
    first.done(a!, 0);
    first.done(b!, 0);
    await first.saveCheckpoint();
    await first.close();
    const second = await sample.open();
    second.append(delivery('c', [], { packetId: 9, connection: 1 }));
    await second.whenIdle();
    expect(await second.recentRecords()).toMatchObject([
      { ...a, packetId: 7, qos: 1 },
      { ...b, packetId: undefined, qos: 0 },
    ]);
    await second.close();
    const third = await sample.open();
    const connections = (await third.recentRecords()).map(({ connection }) => connection);
    expect(connections).toHaveLength(3);
    expect(connections[2]).toBeGreaterThan(connections[1]!);
    await third.close();
  });

  it('gives numbers above one that somebody else knows', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open();
    await sample.fill(journal, 'a');
    journal.raiseNumbers(9 * 2 ** 24 + 5);
    await sample.fill(journal, 'b');
    const [, b] = await takeAll(journal);
    expect(b!.number).toBe(10 * 2 ** 24);
    await journal.close();
  });

  it('serves concurrent checkpoints together, each durable when it resolves', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open();
    let renames = 0;
    sample.disk.before = (operation) => {
      if (operation === 'rename') renames += 1;
    };
    await Promise.all([1, 2, 3, 4].map((count) => journal.saveCheckpoint(() => ({ counters: { count } }))));
    expect(renames).toBe(2);
    sample.disk.crash();
    const second = await sample.open();
    expect(second.checkpoint?.counters).toEqual({ count: 4 });
    await second.close();
  });
});

describe('Journal on a disk that refuses', () => {
  it.each([
    ['append', 'EIO', 'failing'],
    ['sync', 'EIO', 'failing'],
    ['append', 'ENOSPC', 'full'],
    ['create', 'ENOSPC', 'full'],
    ['syncDirectory', 'EIO', 'failing'],
  ] as const)('holds what %s refuses with %s, is %s, and goes on by itself', async (operation, code, state) => {
    const sample = new SampleJournal();
    const journal = await sample.open();
    if (operation === 'append' || operation === 'sync') await sample.fill(journal, 'a');
    sample.disk.fail(operation, code);
    journal.append(delivery('b', sample.acknowledged));
    await sample.clock.advance(0);
    expect(journal.status.state).toBe(state);
    expect(journal.status.fullBy).toBe(state === 'full' ? 'disk' : undefined);
    expect(sample.acknowledged).not.toContain('b');
    journal.append(delivery('c', sample.acknowledged));
    await sample.clock.advance(1000);
    expect(journal.status.state).toBe('ok');
    expect(journal.status).not.toHaveProperty('fullBy');
    expect(sample.acknowledged.slice(-2)).toEqual(['b', 'c']);
    expect(sample.log.messages('error')).toHaveLength(1);
    expect(sample.log.messages('info')).toContain('journal takes messages again');
    const all = texts(await takeAll(journal));
    sample.disk.crash();
    const second = await sample.open();
    expect(texts(await takeAll(second))).toEqual(all);
    await second.close();
  });

  it('acknowledges nothing beyond maxBytes and goes on when segments are removed', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open({ maxBytes: 8000, segmentBytes: 2000 });
    const payload = 'x'.repeat(900);
    for (let i = 0; i < 20; i += 1) journal.append(delivery(`${i} ${payload}`, sample.acknowledged));
    await sample.clock.advance(0);
    expect(journal.status.state).toBe('full');
    expect(journal.status.bytes).toBeLessThanOrEqual(8000);
    const count = sample.acknowledged.length;
    expect(count).toBeGreaterThan(3);
    expect(count).toBeLessThan(20);
    for (let round = 0; round < 20 && sample.acknowledged.length < 20; round += 1) {
      const messages = await journal.take(never);
      for (const message of messages) journal.done(message, 0);
      await journal.saveCheckpoint();
      await sample.clock.advance(0);
      expect(journal.status.bytes).toBeLessThanOrEqual(8000);
    }
    expect(sample.acknowledged).toHaveLength(20);
    expect(journal.status.state).toBe('ok');
    await journal.close();
  });

  it('takes a message that is larger than maxBytes when all else is settled', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open({ maxBytes: 5000, segmentBytes: 1000 });
    await sample.fill(journal, 'x'.repeat(9000));
    expect(sample.acknowledged).toHaveLength(1);
    await journal.close();
  });

  it('makes room on a full disk before it writes the checkpoint', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open({ segmentBytes: 1000 });
    for (let i = 0; i < 10; i += 1) await sample.fill(journal, 'x'.repeat(900));
    for (const message of await takeAll(journal)) journal.done(message, 0);
    sample.disk.capacityBytes = sample.disk.usedBytes;
    await journal.saveCheckpoint(() => ({ counters: { a: 1 } }));
    expect(sample.disk.usedBytes).toBeLessThan(5000);
    await journal.close();
  });

  it('closes although the disk refuses, and leaves unacknowledged what it refused', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open();
    sample.disk.fail('append', 'EIO', 1000);
    journal.append(delivery('a', sample.acknowledged));
    const idle = journal.whenIdle().catch((error: unknown) => String(error));
    await sample.clock.advance(5000);
    await journal.close();
    expect(await idle).toContain('closed');
    expect(sample.acknowledged).toEqual([]);
  });

  it('never writes again what a failed sync left in doubt beside its second copy', async () => {
    for (let seed = 0; seed < 30; seed += 1) {
      const sample = new SampleJournal(seed);
      const journal = await sample.open();
      await sample.fill(journal, 'a');
      sample.disk.fail('sync', 'EIO');
      journal.append(delivery('b', sample.acknowledged));
      await sample.clock.advance(1000);
      expect(sample.acknowledged).toEqual(['a', 'b']);
      sample.disk.crash();
      const second = await sample.open();
      expect(texts(await takeAll(second))).toEqual(['a', 'b']);
      await second.close();
    }
  });
});

describe('Journal with sync', () => {
  it('interval acknowledges after the write and syncs within 200 ms', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open({ sync: 'interval' });
    let syncs = 0;
    await sample.fill(journal, 'a');
    sample.disk.before = (operation) => {
      if (operation === 'sync') syncs += 1;
    };
    await sample.fill(journal, 'b');
    expect(syncs).toBe(0);
    await sample.clock.advance(200);
    expect(syncs).toBe(1);
    await sample.clock.advance(1000);
    expect(syncs).toBe(1);
    sample.disk.crash();
    const second = await sample.open();
    expect(texts(await takeAll(second))).toEqual(['a', 'b']);
    await second.close();
  });

  it.each(['interval', 'never'] as const)('%s loses nothing when only the process dies', async (sync) => {
    const sample = new SampleJournal();
    await sample.fill(await sample.open({ sync }), 'a', 'b');
    sample.disk.kill();
    const second = await sample.open({ sync });
    expect(texts(await takeAll(second))).toEqual(['a', 'b']);
    await second.close();
  });

  it('interval reports a sync that failed and goes on in another segment', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open({ sync: 'interval' });
    await sample.fill(journal, 'a');
    sample.disk.fail('sync', 'EIO');
    await sample.clock.advance(200);
    expect(journal.status.state).toBe('failing');
    journal.append(delivery('b', sample.acknowledged));
    await sample.clock.advance(1000);
    expect(journal.status.state).toBe('ok');
    expect(sample.acknowledged).toEqual(['a', 'b']);
    expect(texts(await takeAll(journal))).toEqual(['a', 'b']);
    await journal.close();
  });

  it('knows after a crash which messages are of the present session of the broker', async () => {
    const sample = new SampleJournal();
    const first = await sample.open();
    first.append(delivery('old', [], { connection: 0 }));
    first.beginSession(3);
    first.append(delivery('new', [], { connection: 3 }));
    await first.whenIdle();
    await first.saveCheckpoint();
    const second = await sample.open();
    const records = await second.recentRecords();
    expect(records.map((record) => [record.payload.toString(), second.isOfSession(record)])).toEqual([
      ['old', false],
      ['new', true],
    ]);
    second.append(delivery('later', [], { connection: 0 }));
    await second.whenIdle();
    const third = await sample.open();
    const later = (await third.recentRecords()).at(-1)!;
    expect(third.isOfSession(later)).toBe(true);
  });

  it('counts a connection on though the session that began with it brought no message', async () => {
    const sample = new SampleJournal();
    const first = await sample.open();
    await sample.fill(first, 'a');
    first.beginSession(7);
    await first.saveCheckpoint();
    await first.close();
    const second = await sample.open();
    await sample.fill(second, 'b');
    await second.close();
    const third = await sample.open();
    expect((await third.recentRecords()).map((record) => third.isOfSession(record))).toEqual([false, true]);
  });
});
