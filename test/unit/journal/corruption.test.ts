import { describe, expect, it } from 'vitest';

import { HEADER_BYTES } from '../../../src/journal/segment.ts';
import { DIRECTORY, SampleJournal, takeAll, texts } from './sample-journal.ts';

import { frameAt, LEFT, ALL, without, edit, flip, drop, CASES } from './corruption-cases.ts';

describe('a journal recovers when', () => {
  it.each(CASES)('$name', async ({ damage, recovered, logged, setAside = [] }) => {
    const sample = new SampleJournal();
    await sample.leave(...LEFT);
    const before = await sample.open();
    const { id } = before;
    const greatest = (await takeAll(before)).at(-1)!.number;
    await before.close();
    await damage(sample);
    sample.log.entries.length = 0;

    const journal = await sample.open();
    expect(journal.id).toBe(id);
    expect(journal.status.messages).toBe(recovered.length);
    const problems = sample.log.entries.filter(({ level }) => level === 'warn' || level === 'error');
    const messages = problems.map(({ message }) => message);
    expect(messages.length > 0).toBe(logged !== undefined);
    expect([...messages, undefined]).toContain(logged);
    const names = await sample.files.list(DIRECTORY);
    expect(names.filter((name) => name.startsWith('damaged'))).toEqual(setAside);
    expect(names).not.toContain('checkpoint.json.tmp');

    await sample.fill(journal, 'new1');
    const taken = await takeAll(journal);
    expect(texts(taken)).toEqual([...recovered, 'new1']);
    expect(taken.at(-1)!.number).toBeGreaterThan(greatest);
    expect(taken.every(({ number }, i) => i === 0 || number > taken[i - 1]!.number)).toBe(true);
    await journal.close();

    sample.disk.crash();
    const again = await sample.open();
    expect(texts(await takeAll(again))).toEqual([...recovered, 'new1']);
    await again.close();
  });

  it('its newest segment was deleted: the checkpoint keeps numbers from repeating', async () => {
    const sample = new SampleJournal();
    await sample.leave(['a-00'], ['b-00']);
    const journal = await sample.open();
    await sample.fill(journal, 'c-00');
    const greatest = (await takeAll(journal)).at(-1)!.number;
    await journal.saveCheckpoint();
    await journal.close();
    await drop(3)(sample);
    const again = await sample.open();
    await sample.fill(again, 'd-00');
    const taken = await takeAll(again);
    expect(texts(taken)).toEqual(['a-00', 'b-00', 'd-00']);
    expect(taken.at(-1)!.number).toBeGreaterThan(greatest);
    await again.close();
  });

  it('its checkpoint is ahead of the data', async () => {
    const sample = new SampleJournal();
    await sample.leave(['a-00'], ['b-00']);
    const journal = await sample.open();
    for (const message of await takeAll(journal)) journal.done(message, 0);
    await journal.saveCheckpoint(() => ({ counters: { count: 5 } }));
    const { settledPlace } = journal;
    await journal.close();
    await drop(2)(sample);
    const again = await sample.open();
    expect(sample.log.messages('error')).toContain(
      'the newest part of the journal is missing: its checkpoint is ahead of it',
    );
    expect(again.checkpoint).toMatchObject({ place: settledPlace, counters: { count: 5 } });
    expect(again.status.messages).toBe(0);
    await sample.fill(again, 'c-00');
    const [message] = await takeAll(again);
    expect(message!.number).toBeGreaterThan(settledPlace.messageNo);
    await again.close();
  });

  it('only its checkpoint is left: the id and the numbers go on', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open();
    await sample.fill(journal, 'a-00');
    const [message] = await takeAll(journal);
    await journal.saveCheckpoint();
    await journal.close();
    await drop(1)(sample);
    const again = await sample.open();
    expect(again.id).toBe(journal.id);
    await sample.fill(again, 'b-00');
    const [next] = await takeAll(again);
    expect(next!.number).toBeGreaterThan(message!.number);
    await again.close();
  });

  it('its checkpoint is lost: all that is there is given again', async () => {
    const sample = new SampleJournal();
    await sample.leave(['a-00'], ['b-00']);
    const journal = await sample.open();
    for (const message of await takeAll(journal)) journal.done(message, 0);
    await journal.saveCheckpoint();
    await journal.close();
    await sample.files.remove(`${DIRECTORY}/checkpoint.json`);
    const again = await sample.open();
    expect(again.id).toBe(journal.id);
    expect(again.checkpoint).toBeUndefined();
    expect(texts(await takeAll(again))).toEqual(['a-00', 'b-00']);
    await again.close();
  });

  it('all of it is gone: it is another journal', async () => {
    const sample = new SampleJournal();
    await sample.leave(['a-00']);
    const journal = await sample.open();
    await journal.close();
    await drop(1)(sample);
    sample.clock.random = () => 0.7;
    const again = await sample.open();
    expect(again.id).not.toBe(journal.id);
    expect(again.id).toMatch(/^[a-z2-9]{12}$/);
    await again.close();
  });

  it('bytes rot after it was opened: the intact messages behind them are given', async () => {
    const sample = new SampleJournal();
    await sample.leave(...LEFT);
    const journal = await sample.open();
    await flip(2, frameAt(1) + 12)(sample);
    const taken: string[] = [];
    while (taken.length < ALL.length - 1) taken.push(...texts(await journal.take(new AbortController().signal)));
    expect(taken).toEqual(without('b-01'));
    expect(sample.log.messages('error')).toEqual(['bytes of the journal were damaged after they were written']);
    await journal.close();
  });
});

describe('a journal does not open, and changes nothing, when', () => {
  it('a segment was written by a later version of the format', async () => {
    const sample = new SampleJournal();
    await sample.leave(...LEFT);
    const { crc32 } = await import('node:zlib');
    await edit(3, (bytes) => {
      bytes.writeUInt32LE(2, 8);
      bytes.writeUInt32LE(crc32(bytes.subarray(0, HEADER_BYTES - 4)), HEADER_BYTES - 4);
      return bytes;
    })(sample);
    await expect(sample.open()).rejects.toThrow(/later version/);
  });

  it('the disk can not be read', async () => {
    const sample = new SampleJournal();
    await sample.leave(...LEFT);
    sample.disk.fail('read', 'EIO');
    await expect(sample.open()).rejects.toMatchObject({ code: 'EIO' });
    const journal = await sample.open();
    expect(texts(await takeAll(journal))).toEqual(ALL);
    await journal.close();
  });
});
