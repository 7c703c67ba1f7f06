import { describe, expect, it } from 'vitest';

import type { Delivery, Release } from '../../../src/core/message.ts';
import type { Journal } from '../../../src/journal/journal.ts';
import { encodeCheckpoint, readCheckpoint } from '../../../src/journal/checkpoint-file.ts';
import { delivery, DIRECTORY, SampleJournal, takeAll, texts } from './sample-journal.ts';

const never = new AbortController().signal;

/** Whether the delivery is taken for one that came before; its values have no time. */
function holds(journal: Journal, delivered: Delivery): boolean {
  return journal.judgeQos2(delivered, 'marked', () => false).verdict === 'repeated';
}

function exact(text: string, packetId: number, connection = 0): Delivery {
  return delivery(text, [], { qos: 2, packetId, connection });
}

/** Resolves when the release is acknowledged. */
function release(journal: Journal, packetId: number): Promise<void> {
  return new Promise((resolve) => {
    const released: Release = { packetId, connection: 0, acknowledge: resolve };
    journal.release(released);
  });
}

async function crashed(sample: SampleJournal): Promise<Journal> {
  sample.disk.crash();
  return sample.open();
}

describe('packet ids of QoS 2', () => {
  it('are held from PUBLISH on, before the message is durable, and over a crash', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open();
    expect(holds(journal, exact('a', 7))).toBe(false);
    journal.append(exact('a', 7));
    expect(holds(journal, exact('a', 7))).toBe(true);
    await journal.whenIdle();
    const again = await crashed(sample);
    expect([holds(again, exact('a', 7)), holds(again, exact('a', 8))]).toEqual([true, false]);
    expect(texts(await takeAll(again))).toEqual(['a']);
  });

  it('are not held over a crash by a message that was not durable', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open();
    const { before } = sample.disk;
    sample.disk.before = (operation) => {
      if (operation === 'append') throw Object.assign(new Error('EIO'), { code: 'EIO' });
    };
    journal.append(exact('a', 7));
    await sample.clock.advance(10);
    expect(holds(journal, exact('a', 7))).toBe(true);
    sample.disk.before = before;
    expect(holds(await crashed(sample), exact('a', 7))).toBe(false);
  });

  it('are released for good once that is acknowledged, and not before', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open();
    journal.append(exact('a', 7));
    await journal.whenIdle();
    let isReleased = false;
    const released = release(journal, 7).then(() => (isReleased = true));
    expect([isReleased, holds(journal, exact('a', 7))]).toEqual([false, true]);
    await released;
    expect(holds(journal, exact('a', 7))).toBe(false);
    journal.append(exact('b', 8));
    await journal.whenIdle();
    const again = await crashed(sample);
    expect([holds(again, exact('a', 7)), holds(again, exact('b', 8))]).toEqual([false, true]);
    expect(texts(await again.take(never))).toEqual(['a', 'b']);
  });

  it.each([7, 9])(
    'are not held by a message that went with the power, though the checkpoint has them: as %i',
    async (id) => {
      const hadIt = new Set<boolean>();
      for (let seed = 1; seed <= 20; seed += 1) {
        const sample = new SampleJournal(seed);
        const journal = await sample.open({ sync: 'never' });
        journal.append(exact('a', 7));
        await journal.whenIdle();
        await journal.saveCheckpoint();
        sample.disk.crash();
        const again = await sample.open({ sync: 'never' });
        const isThere = texts(await takeAll(again)).includes('a');
        hadIt.add(isThere);
        expect(again.judgeQos2(exact('a', id, 1), 'marked', () => true).verdict).toBe(isThere ? 'repeated' : 'new');
      }
      expect(hadIt).toEqual(new Set([true, false]));
    },
  );

  it('are held by a message that is settled, whose record is gone', async () => {
    const sample = new SampleJournal();
    const options = { segmentBytes: 150 };
    const journal = await sample.open(options);
    journal.append(exact('a', 7));
    for (let i = 0; i < 10; i += 1) {
      journal.append(exact(`more ${i}`, 100 + i));
      await journal.whenIdle();
    }
    for (const message of await takeAll(journal)) journal.done(message, 0);
    await journal.saveCheckpoint();
    await journal.saveCheckpoint();
    const again = await crashed(sample);
    expect((await again.recentRecords()).some(({ payload }) => String(payload) === 'a')).toBe(false);
    expect(holds(again, exact('a', 7, 1))).toBe(true);
  });

  it('are looked for in the whole journal where a checkpoint of old says nothing of them', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open();
    journal.append(exact('a', 7));
    await journal.whenIdle();
    for (const message of await takeAll(journal)) journal.done(message, 0);
    await journal.saveCheckpoint();
    const content = await readCheckpoint(DIRECTORY, sample.files);
    if (typeof content === 'string') throw new Error(content);
    const { held: _held, ...ofOld } = content;
    await sample.replace('checkpoint.json', Buffer.from(encodeCheckpoint(ofOld)));
    const again = await crashed(sample);
    expect(again.uncounted).toBe(0);
    expect(holds(again, exact('a', 7, 1))).toBe(true);
  });

  it('need no disk to be released when they are not held', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open();
    const before = journal.status;
    await release(journal, 7);
    expect(journal.status).toEqual(before);
  });

  it('stay held when the segments of their messages are gone', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open({ segmentBytes: 200 });
    journal.append(exact('a', 7));
    await journal.whenIdle();
    for (let i = 0; i < 20; i += 1) {
      journal.append(exact(`more ${i}`, 100 + i));
      await journal.whenIdle();
      await release(journal, 100 + i);
    }
    let open = 21;
    while (open > 0) {
      for (const message of await journal.take(never)) {
        journal.done(message, 0);
        open -= 1;
      }
    }
    await journal.saveCheckpoint();
    expect((await sample.segmentNames()).length).toBeLessThan(6);
    const again = await crashed(sample);
    expect([holds(again, exact('a', 7)), holds(again, exact('more 19', 119))]).toEqual([true, false]);
  });

  it('mean nothing any more in another session of the broker', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open();
    journal.append(exact('a', 7));
    await journal.whenIdle();
    journal.append(exact('late', 9));
    journal.beginSession(1);
    expect(holds(journal, exact('a', 7))).toBe(false);
    await journal.saveCheckpoint();
    journal.append(exact('b', 8, 1));
    await journal.whenIdle();
    const again = await crashed(sample);
    const held = [exact('a', 7), exact('late', 9), exact('b', 8)].map((each) => holds(again, each));
    expect(held).toEqual([false, false, true]);
  });

  it.each(['unmarked', 'unknown'] as const)(
    'leave a doubt where it bears no mark (%s), as Moquette gives a held id to a new message; none where it has a time',
    async (marking) => {
      const sample = new SampleJournal();
      const journal = await sample.open();
      journal.append(exact('a', 7));
      await journal.whenIdle();
      expect(journal.judgeQos2(exact('a', 7), marking, () => false).verdict).toBe('maybe repeated');
      expect(journal.judgeQos2(exact('a', 7), marking, () => true).verdict).toBe('repeated');
      expect(holds(journal, exact('a', 7))).toBe(true);
    },
  );

  it.each(['interval', 'never'] as const)(
    'leave a doubt after a start where sync is %s: a release may be lost',
    async (sync) => {
      const sample = new SampleJournal();
      const journal = await sample.open({ sync: 'always' });
      journal.append(exact('a', 7));
      await journal.whenIdle();
      sample.disk.crash();
      const again = await sample.open({ sync });
      const judged = (hasOwnTime: boolean): string =>
        again.judgeQos2(exact('a', 7), 'marked', () => hasOwnTime).verdict;
      expect([judged(true), judged(false)]).toEqual(['repeated', 'maybe repeated']);
      again.append(exact('a', 7));
      await again.whenIdle();
      expect(judged(false)).toBe('repeated');
    },
  );

  it('do not hold another message: the broker has forgotten the first', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open();
    journal.append(exact('a', 7));
    await journal.whenIdle();
    expect(holds(journal, exact('b', 7))).toBe(false);
    journal.append(exact('b', 7));
    await journal.whenIdle();
    expect([holds(journal, exact('a', 7)), holds(journal, exact('b', 7))]).toEqual([false, true]);
  });

  it('under another id after a break: one with a time is known by its content, one without is in doubt', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open();
    journal.append(exact('a', 7));
    journal.append(exact('b', 8));
    await journal.whenIdle();
    expect(holds(journal, exact('c', 9))).toBe(false);
    const judge = (journalNow: Journal, text: string, packetId: number, hasTime: boolean): string =>
      journalNow.judgeQos2(exact(text, packetId, 1), 'marked', () => hasTime).verdict;
    expect(judge(journal, 'a', 100, true)).toBe('repeated');
    expect(judge(journal, 'a', 100, true)).toBe('repeated');
    expect(judge(journal, 'a', 101, true)).toBe('new');
    expect(judge(journal, 'b', 102, false)).toBe('maybe repeated');
    expect(judge(journal, 'b', 103, false)).toBe('new');
    await release(journal, 100);
    expect(holds(journal, exact('a', 100, 1))).toBe(false);
  });

  it('are not missed by a connection that has brought their release', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open();
    journal.append(exact('a', 7));
    await journal.whenIdle();
    expect(journal.judgeQos2(exact('x', 1, 1), 'marked', () => true).verdict).toBe('new');
    void release(journal, 7);
    expect(journal.judgeQos2(exact('a', 9, 1), 'marked', () => true).verdict).toBe('new');
    await journal.whenIdle();
  });

  it('are not held again because the segment of their release is gone and that of their message is kept', async () => {
    const sample = new SampleJournal();
    const options = { segmentBytes: 150, redeliverable: 100 };
    const journal = await sample.open(options);
    journal.append(delivery('at qos 1', []));
    journal.append(exact('a', 7));
    await journal.whenIdle();
    await release(journal, 7);
    for (let i = 0; i < 20; i += 1) {
      journal.append(exact(`more ${i}`, 100 + i));
      await journal.whenIdle();
      await release(journal, 100 + i);
    }
    for (let open = 22; open > 0;) {
      for (const message of await journal.take(never)) {
        journal.done(message, 0);
        open -= 1;
      }
    }
    await journal.saveCheckpoint();
    const names = await sample.segmentNames();
    expect([names[0], names.length < 8]).toEqual(['segment-0000000016777216.log', true]);
    expect(holds(await crashed(sample), exact('a', 7))).toBe(false);
  });

  describe('of a broker that gives all of them other ones on each connection', () => {
    const hasNoTime = (): boolean => false;
    const hasTime = (): boolean => true;

    it('are in doubt once another message took theirs, also when they come again a connection later', async () => {
      const sample = new SampleJournal();
      const journal = await sample.open();
      journal.append(exact('a', 7, 0));
      await journal.whenIdle();
      expect(journal.judgeQos2(exact('b', 7, 1), 'marked', hasNoTime).verdict).toBe('new');
      journal.append(exact('b', 7, 1));
      await journal.whenIdle();
      expect(journal.judgeQos2(exact('a', 9, 2), 'marked', hasNoTime).verdict).toBe('maybe repeated');
      expect(journal.judgeQos2(exact('a', 10, 2), 'marked', hasNoTime).verdict).toBe('new');
    });

    it('are not lost because the one that they took is known again under a third', async () => {
      const sample = new SampleJournal();
      const journal = await sample.open();
      for (const [text, packetId] of [
        ['untimed', 1],
        ['s', 2],
        ['t', 3],
      ] as const)
        journal.append(exact(text, packetId, 0));
      await journal.whenIdle();
      expect(journal.judgeQos2(exact('untimed', 3, 1), 'marked', hasNoTime).verdict).toBe('maybe repeated');
      journal.append(exact('untimed', 3, 1));
      await journal.whenIdle();
      expect(journal.judgeQos2(exact('s', 1, 1), 'marked', hasTime).verdict).toBe('repeated');
      expect(journal.judgeQos2(exact('t', 4, 1), 'marked', hasTime).verdict).toBe('repeated');
      expect(journal.judgeQos2(exact('untimed', 5, 2), 'marked', hasNoTime).verdict).toBe('maybe repeated');
    });

    it('are not held over a crash by those that wait for the disk and change ids with one another', async () => {
      const sample = new SampleJournal();
      const journal = await sample.open();
      const { before } = sample.disk;
      sample.disk.before = (operation) => {
        if (operation === 'append') throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
      };
      journal.append(exact('a', 4, 0));
      journal.append(exact('b', 5, 0));
      await sample.clock.advance(10);
      expect(journal.judgeQos2(exact('a', 5, 1), 'marked', hasTime).verdict).toBe('repeated');
      expect(journal.judgeQos2(exact('b', 4, 1), 'marked', hasTime).verdict).toBe('repeated');
      sample.disk.before = before;
      await journal.saveCheckpoint();
      const again = await crashed(sample);
      expect(again.judgeQos2(exact('b', 4, 0), 'marked', hasTime).verdict).toBe('new');
      expect(again.judgeQos2(exact('a', 5, 0), 'marked', hasTime).verdict).toBe('new');
    });
  });
});
