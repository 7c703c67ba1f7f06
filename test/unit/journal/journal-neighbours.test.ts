import { describe, expect, it } from 'vitest';

import { delivery, SampleJournal, takeAll } from './sample-journal.ts';

describe('what others know of the messages of a journal', () => {
  it('says of a message that the broker had kept it, from memory and, after a crash, from disk', async () => {
    const sample = new SampleJournal();
    const journal = await sample.open();
    journal.append(delivery('kept', [], { retain: true }));
    journal.append(delivery('published'));
    await journal.whenIdle();
    const retained = (await takeAll(journal)).map((message) => message.retained);
    expect(retained).toEqual([true, false]);
    sample.disk.crash();
    const next = await sample.open();
    expect((await takeAll(next)).map((message) => message.retained)).toEqual([true, false]);
    await next.close();
  });

  it('writes no checkpoint before what must be durable before it is', async () => {
    const sample = new SampleJournal();
    const order: string[] = [];
    let refuses = true;
    const journal = await sample.open({
      companions: [
        {
          save: () => {
            order.push('before');
            return refuses ? Promise.reject(new Error('refused')) : Promise.resolve();
          },
        },
      ],
    });
    await sample.fill(journal, 'a');
    sample.disk.before = (operation) => {
      if (operation === 'rename') order.push('checkpoint');
    };
    await expect(journal.saveCheckpoint()).rejects.toThrow('refused');
    refuses = false;
    await journal.saveCheckpoint();
    expect(order).toEqual(['before', 'before', 'checkpoint']);
    await journal.close();
  });
});
