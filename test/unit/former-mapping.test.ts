import { describe, expect, it } from 'vitest';

import { fillSubscription } from '../../src/config/kinds/subscription-fields.ts';
import { Reserve } from '../../src/core/reserve.ts';
import { TagValues } from '../../src/core/tag-values.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { MessageReading, type Subscriptions } from '../../src/message-reading.ts';
import { FormatMemory } from '../../src/payload/format-memory.ts';
import { DIRECTORY, SampleJournal } from './journal/sample-journal.ts';

const ROWS = [
  { tag: 'a', value: '/v' },
  { tag: 'b', value: '/v', to: 'alarms' },
];
const BEFORE = [{ topic: 'plant/#', qos: 1, format: 'json', json: { rows: ROWS }, to: 'energy' }];
const AFTER = [{ topic: 'plant/#', qos: 1, format: 'scalar', plcCode: 'P', tagAddress: '{2}' }];

function readingOf(sample: SampleJournal, subscriptions: readonly object[]): MessageReading {
  const { clock, files: fileSystem, log } = sample;
  const reserve = new Reserve(DIRECTORY, 0, fileSystem);
  return new MessageReading((subscriptions as unknown as Subscriptions).map(fillSubscription), '{tag}', {
    keeps: { origin: false, qualityCode: false },
    journalDir: DIRECTORY,
    reserve,
    formatMemory: new FormatMemory({ dir: `${DIRECTORY}/formats`, maxBytes: 1000, reserve, fileSystem, log }),
    fileSystem,
    sendCommand: () => Promise.resolve(),
    inject: () => {},
    clock,
    logOf: () => log,
  });
}

async function started(
  sample: SampleJournal,
  journal: Journal,
  subscriptions: readonly object[],
): Promise<MessageReading> {
  const reading = readingOf(sample, subscriptions);
  await reading.start(journal, new AbortController().signal);
  await reading.noted();
  return reading;
}

describe('the reading of messages that an earlier run has left', () => {
  it('knows the destinations that rows of a former mapping are for, and gives them these', async () => {
    const sample = new SampleJournal();
    const earlier = await sample.open();
    const before = await started(sample, earlier, BEFORE);
    await sample.fill(earlier, '{"v":7}');
    await before.stop();
    await earlier.close();

    const journal = await sample.open();
    const reading = await started(sample, journal, AFTER);
    expect(new Set(reading.destinations)).toEqual(new Set(['energy', 'alarms', 'default']));
    const values = new TagValues(4);
    const message = { number: 1, topic: 'plant/x', payload: Buffer.from('{"v":7}'), receivedAtMs: 0 };
    expect(reading.decode(message, values)).toBeUndefined();
    expect([values.destinationOf(0), values.destinationOf(1)]).toEqual(['energy', 'alarms']);
    await reading.stop();
    await journal.close();
  });
});
