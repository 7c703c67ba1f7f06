import { describe, expect, it } from 'vitest';

import { TagValues } from '../../src/core/tag-values.ts';
import type { Message } from '../../src/core/message.ts';
import { noStep } from '../../src/core/steps.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { MessageReading, type Subscriptions } from '../../src/message-reading.ts';
import { Storage } from '../../src/storage.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { LossyDisk, seededRandom } from '../support/lossy-filesystem.ts';
import { RecordingLogger } from '../support/recording-logger.ts';
import { TABLE_OPTIONS } from '../support/tag-table.ts';
import { delivery, takeAll } from './journal/sample-journal.ts';
import { batchesOf } from '../support/batches.ts';

const VALUE = { topic: 'a', qos: 1, format: 'scalar', plcCode: 'P', tagAddress: 'T' } as const;
const MAPPED = {
  ...VALUE,
  format: 'json',
  json: { rows: [{ each: '/', value: 'v', tag: 'T', to: 'alarms' }] },
} as const;
const toAlarms: Subscriptions = [{ ...VALUE, to: 'alarms' }];
const SIGNAL = new AbortController().signal;

/** One disk, and the processes that come one after the other. */
class Sample {
  readonly disk = new LossyDisk(seededRandom(1));

  async start(subscriptions: Subscriptions): Promise<{ journal: Journal; reading: MessageReading; clock: FakeClock }> {
    const log = new RecordingLogger();
    const [clock, fileSystem] = [new FakeClock(), this.disk.mount()];
    const storage = new Storage(
      {
        journal: { dir: '/journal', maxBytes: 1_000_000, segmentBytes: 10_000, sync: 'always' },
        backup: { dir: '/backup', maxRowsPerFile: 1000 },
        mqtt: { receiveMaximum: 10, subscriptions },
        tagName: '{plc}.{tag}',
        writer: batchesOf(100),
        oracle: { ...TABLE_OPTIONS, destinations: {} },
      },
      {
        clock,
        fileSystem,
        lock: { acquire: () => Promise.resolve(), release: () => Promise.resolve() },
        replaySession: () => {
          throw new Error('nothing is replayed');
        },
        maxTextBytes: 4000,
        reserveBytes: 0,
        log,
        onStep: noStep,
      },
    );
    const journal = await storage.open();
    const reading = new MessageReading(subscriptions, '{plc}.{tag}', {
      keeps: { origin: false, qualityCode: false },
      journalDir: '/journal',
      reserve: storage.journalReserve,
      formatMemory: storage.formatMemory,
      fileSystem,
      sendCommand: () => Promise.resolve(),
      inject: () => {},
      clock,
      logOf: () => log,
    });
    await reading.start(journal, SIGNAL);
    return { journal, reading, clock };
  }
}

async function append(journal: Journal, payload: string): Promise<void> {
  journal.append(delivery(payload, [], { topic: 'a' }));
  await journal.whenIdle();
}

/** Whom the messages of the journal are for. */
async function destinations(journal: Journal, reading: MessageReading): Promise<string[]> {
  return whomFor(reading, await takeAll(journal, { take: (signal) => reading.take(journal, signal) }));
}

function whomFor(reading: MessageReading, messages: readonly Message[]): string[] {
  return messages.map((message) => {
    const values = new TagValues(1);
    expect(reading.decode(message, values)).toBeUndefined();
    return values.destinationOf(0);
  });
}

describe('the messages that a version without destinations has left', () => {
  it.each([
    ['a subscription', toAlarms],
    ['the rows of a mapping', [MAPPED] as Subscriptions],
  ])('are for the default one, where they may be already, whatever %s says now', async (_what, subscriptions) => {
    const sample = new Sample();
    const { journal } = await sample.start([VALUE]);
    await append(journal, '{"v":1}');
    await journal.saveCheckpoint();
    await journal.close();
    await sample.disk.mount().remove('/journal/routes.json');

    const { journal: upgraded, reading } = await sample.start(subscriptions);
    await append(upgraded, '{"v":2}');
    expect(await destinations(upgraded, reading)).toEqual(['default', 'alarms']);
    await upgraded.close();

    const again = await sample.start(subscriptions);
    expect(await destinations(again.journal, again.reading)).toEqual(['default', 'alarms']);
    await again.journal.close();
  });
});

describe('an era that begins with a number that the journal has lost', () => {
  it('is forgotten, as the number may be given again', async () => {
    const sample = new Sample();
    const { journal } = await sample.start([VALUE]);
    await append(journal, '1');
    await journal.close();
    const fileSystem = sample.disk.mount();
    const path = '/journal/routes.json';
    const noted = JSON.parse((await fileSystem.read(path)).toString()) as {
      eras: { from: number; routes: object[] }[];
    };
    noted.eras.push({ from: 1e9, routes: [{ ...noted.eras[0]!.routes[0], to: 'alarms' }] });
    await fileSystem.remove(path);
    const file = await fileSystem.create(path);
    await file.append(Buffer.from(JSON.stringify(noted)));
    await file.close();

    const { journal: after, reading } = await sample.start(toAlarms);
    await append(after, '2');
    expect(await destinations(after, reading)).toEqual(['default', 'alarms']);
    await after.close();
  });
});

describe('a change that the disk refuses', () => {
  it('holds back the messages behind it, and none of those before', async () => {
    const sample = new Sample();
    const before = await sample.start([VALUE]);
    await append(before.journal, '1');
    await before.journal.close();

    sample.disk.fail('rename', 'ENOSPC');
    const { clock, journal, reading } = await sample.start(toAlarms);
    await append(journal, '2');
    expect(whomFor(reading, await reading.take(journal, SIGNAL))).toEqual(['default']);
    const next = reading.take(journal, SIGNAL);
    await clock.advance(1_000);
    expect(whomFor(reading, await next)).toEqual(['alarms']);
    await journal.close();
  });
});
