import { array, assert, asyncProperty, constantFrom, integer, oneof, record, constant } from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Message } from '../../../src/core/message.ts';
import { Reserve } from '../../../src/core/reserve.ts';
import { RetainedMemory } from '../../../src/payload/retained-memory.ts';
import { LossyDisk, seededRandom } from '../../support/lossy-filesystem.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

const PATH = '/journal/retained.log';
const JOURNAL = 'k3q9w2';

function memoryOn(disk: LossyDisk, maxTopics?: number): { memory: RetainedMemory; log: RecordingLogger } {
  const fileSystem = disk.mount();
  const log = new RecordingLogger();
  const reserve = new Reserve('/journal', 0, fileSystem);
  const limit = maxTopics === undefined ? {} : { maxTopics };
  return { memory: new RetainedMemory({ path: PATH, reserve, fileSystem, log, ...limit }), log };
}

async function started(disk: LossyDisk, lastNo = 1000, journal = JOURNAL, maxTopics?: number): Promise<RetainedMemory> {
  await disk.mount().makeDirectory('/journal');
  const { memory } = memoryOn(disk, maxTopics);
  await memory.start(journal, lastNo);
  return memory;
}

const message = (number: number, topic: string, payload: string, retained = false): Message => ({
  number,
  topic,
  payload: Buffer.from(payload),
  receivedAtMs: 0,
  retained,
});
const live = (number: number, topic: string, payload: string): Message => message(number, topic, payload);
const kept = (number: number, topic: string, payload: string): Message => message(number, topic, payload, true);

const disk = (): LossyDisk => new LossyDisk(seededRandom(1));

describe('what is known of the messages that are stored', () => {
  it('is the bytes of the last one of each topic', async () => {
    const memory = await started(disk());
    memory.note(kept(1, 'a', '12.5'));
    memory.note(live(2, 'b', '12.5'));
    expect(memory.has(kept(3, 'a', '12.5'))).toBe(true);
    expect(memory.has(kept(3, 'a', '12.6'))).toBe(false);
    expect(memory.has(kept(3, 'b', '12.5'))).toBe(true);
    expect(memory.has(kept(3, 'c', '12.5'))).toBe(false);
    memory.note(live(4, 'a', '12.6'));
    expect(memory.has(kept(5, 'a', '12.5'))).toBe(false);
    await memory.save();
    expect(memory.has(kept(5, 'a', '12.6'))).toBe(true);
    memory.forget('a');
    expect(memory.has(kept(6, 'a', '12.6'))).toBe(false);
  });

  it('does not take a message for a repetition of itself, or of a later one', async () => {
    const on = disk();
    const memory = await started(on);
    memory.note(kept(5, 'a', '1'));
    await memory.save();
    on.crash();
    const next = await started(on);
    expect(next.has(kept(5, 'a', '1'))).toBe(false);
    expect(next.has(kept(4, 'a', '1'))).toBe(false);
    expect(next.has(kept(6, 'a', '1'))).toBe(true);
  });

  it('is known after a crash of what was kept, and not of what came since', async () => {
    const on = disk();
    const memory = await started(on);
    memory.note(kept(1, 'stays', 'A'));
    memory.note(kept(2, 'goes on', 'A'));
    memory.note(live(3, 'live', 'A'));
    await memory.save();
    memory.note(live(4, 'goes on', 'B'));
    await memory.save();
    on.crash();
    const next = await started(on);
    expect(next.has(kept(9, 'stays', 'A'))).toBe(true);
    expect(next.has(kept(9, 'goes on', 'A'))).toBe(false);
    expect(next.has(kept(9, 'goes on', 'B'))).toBe(false);
    expect(next.has(kept(9, 'live', 'A'))).toBe(false);
  });

  it('is all known after a clean stop', async () => {
    const on = disk();
    const memory = await started(on);
    memory.note(kept(1, 'a', 'A'));
    memory.note(live(2, 'a', 'B'));
    memory.note(live(3, 'b', 'C'));
    memory.note(live(4, 'c', 'D'));
    memory.forget('c');
    await memory.stop();
    on.crash();
    const next = await started(on);
    expect(next.has(kept(9, 'a', 'B'))).toBe(true);
    expect(next.has(kept(9, 'a', 'A'))).toBe(false);
    expect(next.has(kept(9, 'b', 'C'))).toBe(true);
    expect(next.has(kept(9, 'c', 'D'))).toBe(false);
  });

  it('writes nothing where nothing was kept, and a topic once however often it changes', async () => {
    const on = disk();
    const memory = await started(on);
    let writes = 0;
    on.before = (operation) => {
      if (operation === 'append') writes += 1;
    };
    memory.note(live(1, 'a', 'A'));
    await memory.save();
    expect(writes).toBe(0);
    memory.note(kept(2, 'a', 'A'));
    await memory.save();
    expect(writes).toBe(1);
    for (let number = 3; number < 10; number += 1) {
      memory.note(live(number, 'a', `B${number}`));
      await memory.save();
    }
    expect(writes).toBe(2);
    // The same bytes again leave true what the file says.
    memory.note(kept(10, 'b', 'B'));
    await memory.save();
    memory.note(live(11, 'b', 'B'));
    await memory.save();
    expect(writes).toBe(3);
  });

  it('is nothing for another journal, of messages that the journal has lost, and of a damaged file', async () => {
    const on = disk();
    const memory = await started(on);
    memory.note(kept(5, 'a', 'A'));
    await memory.stop();
    on.crash();
    expect((await started(on, 4)).has(kept(9, 'a', 'A'))).toBe(false);

    const other = disk();
    const first = await started(other);
    first.note(kept(5, 'a', 'A'));
    await first.stop();
    expect((await started(other, 9, 'z8z8z8')).has(kept(9, 'a', 'A'))).toBe(false);

    const damaged = disk();
    const before = await started(damaged);
    before.note(kept(5, 'a', 'A'));
    await before.stop();
    const fileSystem = damaged.mount();
    const file = await fileSystem.openAppend(PATH);
    await file.append(Buffer.from('no line\n["b"]\n'));
    await file.sync();
    const { log, memory: after } = memoryOn(damaged);
    await after.start(JOURNAL, 9);
    expect(after.has(kept(9, 'a', 'A'))).toBe(false);
    expect(log.messages('warn')).toHaveLength(1);
  });

  it('keeps what stands before a torn line', async () => {
    const on = disk();
    const memory = await started(on);
    memory.note(kept(5, 'a', 'A'));
    await memory.stop();
    const file = await on.mount().openAppend(PATH);
    await file.append(Buffer.from('["b","di'));
    await file.sync();
    const next = await started(on);
    expect(next.has(kept(9, 'a', 'A'))).toBe(true);
    next.note(kept(10, 'c', 'C'));
    await next.save();
    on.crash();
    expect((await started(on)).has(kept(11, 'c', 'C'))).toBe(true);
  });

  it('takes the file away where the disk refuses, and lets the checkpoint go on', async () => {
    const on = disk();
    const memory = await started(on);
    memory.note(kept(1, 'a', 'A'));
    await memory.save();
    memory.note(live(2, 'a', 'B'));
    on.fail('append', 'ENOSPC');
    await memory.save();
    on.crash();
    expect((await started(on)).has(kept(9, 'a', 'A'))).toBe(false);
  });

  it('has a limit, beyond which topics are stored again', async () => {
    const on = disk();
    const memory = await started(on, 1000, JOURNAL, 10);
    for (let n = 0; n < 20; n += 1) memory.note(kept(n + 1, `t${n}`, 'A'));
    memory.note(kept(30, 't'.repeat(1001), 'A'));
    const known = Array.from({ length: 20 }, (_, n) => memory.has(kept(99, `t${n}`, 'A')));
    expect(known.filter(Boolean)).toHaveLength(10);
    expect(memory.has(kept(99, 't'.repeat(1001), 'A'))).toBe(false);
    await memory.stop();
    const next = await started(on, 1000, JOURNAL, 10);
    // The newest nine, so that there is room for another.
    expect(Array.from({ length: 10 }, (_, n) => next.has(kept(99, `t${n}`, 'A'))).filter(Boolean)).toHaveLength(9);
    next.note(kept(100, 'new', 'A'));
    expect(next.has(kept(101, 'new', 'A'))).toBe(true);
  });

  it('does not grow with the times that a topic was kept', async () => {
    const on = disk();
    const memory = await started(on);
    for (let n = 1; n < 500; n += 1) {
      memory.note(kept(n, 'a', `A${n}`));
      await memory.save();
    }
    expect(await on.mount().size(PATH)).toBeLessThan(1000);
  });
});

describe('any messages, checkpoints, crashes and stops', () => {
  const topic = constantFrom('a', 'b');
  const payload = constantFrom('1', '2');
  const step = oneof(
    { weight: 6, arbitrary: record({ kind: constantFrom('live', 'kept', 'nothing' as const), topic, payload }) },
    { weight: 3, arbitrary: constant({ kind: 'checkpoint' as const }) },
    { weight: 1, arbitrary: constant({ kind: 'save' as const }) },
    { weight: 1, arbitrary: constant({ kind: 'crash' as const }) },
    { weight: 1, arbitrary: constant({ kind: 'stop' as const }) },
  );

  it('lose no value: what is passed over is what was stored last of its topic', async () => {
    await assert(
      asyncProperty(array(step, { maxLength: 40 }), integer({ min: 1, max: 1_000_000 }), async (steps, seed) => {
        const on = new LossyDisk(seededRandom(seed));
        /** What the journal has, in order. */
        const journal: (Message & { readonly hasValues: boolean })[] = [];
        let settledNo = 0;
        let memory = await started(on);
        const take = (each: (typeof journal)[number]): void => {
          const before = journal.findLast(({ number, topic: of }) => number < each.number && of === each.topic);
          const isPassedOver = each.retained === true && memory.has(each);
          const isKnown = before?.hasValues === true && before.payload.equals(each.payload);
          expect([isPassedOver, isKnown]).not.toEqual([true, false]);
          if (isPassedOver) return;
          if (each.hasValues) memory.note(each);
          else memory.forget(each.topic);
        };
        const restart = async (): Promise<void> => {
          on.crash();
          memory = await started(on, journal.at(-1)?.number ?? 0);
          for (const each of journal) if (each.number > settledNo) take(each);
        };
        for (const each of steps) {
          if (each.kind === 'checkpoint' || each.kind === 'save') await memory.save();
          if (each.kind === 'checkpoint') settledNo = journal.at(-1)?.number ?? 0;
          if (each.kind === 'stop') await memory.stop();
          if (each.kind === 'crash' || each.kind === 'stop') await restart();
          if ('topic' in each) {
            const { kind, topic: of, payload: bytes } = each;
            const next = message(journal.length + 1, of, bytes, kind === 'kept');
            journal.push({ ...next, hasValues: kind !== 'nothing' });
            take(journal.at(-1)!);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
