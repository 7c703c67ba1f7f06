import { describe, expect, it } from 'vitest';

import { BrokerSession } from '../../src/broker-session.ts';
import { createCounters, type Counters } from '../../src/core/counters.ts';
import type { Delivery } from '../../src/core/message.ts';
import { noStep } from '../../src/core/steps.ts';
import { TagValues } from '../../src/core/tag-values.ts';
import type { LaneTakenUp } from '../../src/lanes/lane.ts';
import { findInFiles, takeUp } from '../../src/resume.ts';
import { Storage, type StorageConfig } from '../../src/storage.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { LossyDisk, seededRandom } from '../support/lossy-filesystem.ts';
import { RecordingLogger } from '../support/recording-logger.ts';
import { TABLE_OPTIONS } from '../support/tag-table.ts';
import { RECEIVED_AT_MS } from '../support/values.ts';
import { delivery, takeAll } from './journal/sample-journal.ts';
import { batchesOf } from '../support/batches.ts';

const REASON = { code: 'ORA-12541', message: 'no listener' };
const config: StorageConfig = {
  journal: { dir: '/journal', maxBytes: 1_000_000, segmentBytes: 10_000, sync: 'always' },
  backup: { dir: '/backup', maxRowsPerFile: 1000 },
  mqtt: { receiveMaximum: 10, subscriptions: [] },
  tagName: '{plc}.{tag}',
  writer: batchesOf(100),
  oracle: { ...TABLE_OPTIONS, destinations: {} },
};

class Sample {
  readonly disk = new LossyDisk(seededRandom(1));
  readonly counters: Counters = createCounters();

  /** What a new process finds on the disk. */
  storage(): Storage {
    return new Storage(config, {
      clock: new FakeClock(),
      fileSystem: this.disk.mount(),
      lock: { acquire: () => Promise.resolve(), release: () => Promise.resolve() },
      replaySession: () => {
        throw new Error('nothing is replayed');
      },
      maxTextBytes: 4000,
      reserveBytes: 0,
      log: new RecordingLogger(),
      onStep: noStep,
    });
  }

  async takeUp(): Promise<LaneTakenUp & { session: BrokerSession; destinations: string[] }> {
    const storage = this.storage();
    const journal = await storage.open();
    const session = new BrokerSession({ journal, maxInFlight: 10, hasOwnTime: () => true });
    const { backups } = storage;
    const destinations = ['default', 'alarms'];
    const taken = await takeUp({ journal, backups, counters: this.counters, session, destinations });
    return { ...taken.get('default')!, session, destinations: [...taken.keys()] };
  }
}

function oneOf(messageNo: number): TagValues {
  const values = new TagValues(1);
  values.push({ plcCode: 'PLC01', address: 'D1', name: 'PLC01.D1' }, 1, null, RECEIVED_AT_MS, 'GOOD');
  values.stamp(messageNo, RECEIVED_AT_MS);
  return values;
}

/**
 * A process that settled three of its four messages, of a value each, and was killed: the first is in the checkpoint,
 * the second in a backup, the third in a file of rejected rows.
 */
async function killed() {
  const sample = new Sample();
  const storage = sample.storage();
  const journal = await storage.open();
  for (const [i, text] of ['a', 'b', 'c', 'd'].entries()) journal.append(delivery(text, [], { packetId: i + 1 }));
  await journal.whenIdle();
  const messages = await takeAll(journal);
  for (const message of messages) journal.done(message, 1);
  const places = messages.map(({ number }) => ({ messageNo: number, valueNo: 0 }));
  journal.settledThrough(places[0]!);
  const known = { acknowledgedThrough: places[1]!.messageNo, idsCountOn: true, setsDuplicate: true, keepsIds: true };
  await journal.saveCheckpoint(() => ({
    counters: { valuesWritten: 1, messagesReceived: 2 },
    ledger: places[0]!,
    broker: known,
  }));
  await storage.backups.lane().backUp(oneOf(places[1]!.messageNo), REASON);
  await storage.backups.lane().reject(oneOf(places[2]!.messageNo), [{ index: 0, reason: REASON }]);
  sample.disk.kill();
  return { sample, places, known };
}

function again(text: string, packetId: number): Delivery {
  return delivery(text, [], { packetId, duplicate: true });
}

describe('takeUp', () => {
  it('finds nothing in empty directories', async () => {
    const sample = new Sample();
    const { places, settledByFiles, session } = await sample.takeUp();
    const origin = { messageNo: 0, valueNo: 0 };
    expect(places).toMatchObject({ counted: origin, settled: origin, ledger: origin, rejected: new Set() });
    expect(settledByFiles).toEqual(origin);
    expect(session.judge(again('a', 1))).toBe('new');
  });

  it('counts the messages that came after the checkpoint, settled or not', async () => {
    const sample = new Sample();
    const journal = await sample.storage().open();
    const append = async (...texts: string[]): Promise<void> => {
      for (const text of texts) journal.append(delivery(text));
      await journal.whenIdle();
    };
    await append('a', 'b');
    await journal.saveCheckpoint(() => ({ counters: { messagesReceived: 2 } }));
    await append('c', 'd', 'e');
    for (const message of await takeAll(journal)) journal.done(message, 0);
    sample.disk.kill();
    await sample.takeUp();
    expect(sample.counters.messagesReceived).toBe(5);
  });

  it('goes on behind the checkpoint, and behind what CSV files hold beyond it', async () => {
    const { sample, places } = await killed();
    const { places: found, settledByFiles } = await sample.takeUp();
    expect(found).toMatchObject({ counted: places[0], settled: places[1], ledger: places[0] });
    expect(found.rejected).toEqual(new Set([`${places[2]!.messageNo}/0`]));
    expect(found.recovered.messageNo).toBe(places[3]!.messageNo);
    expect(settledByFiles).toEqual(places[2]);
  });

  it('goes on with the counters of the checkpoint, and with what was known of the session', async () => {
    const { sample, known } = await killed();
    const { session } = await sample.takeUp();
    expect(sample.counters).toMatchObject({ messagesReceived: 2, messagesUndecodable: 0 });
    expect(session.knowledge).toEqual(known);
  });

  it('knows again what the broker may deliver again', async () => {
    const { sample } = await killed();
    const { session } = await sample.takeUp();
    expect([session.judge(again('d', 4)), session.judge(again('e', 5))]).toEqual(['repeated', 'new']);
  });
});

describe('findInFiles', () => {
  it('asks the files for nothing that the journal does not give again', async () => {
    const { sample, places } = await killed();
    const storage = sample.storage();
    const journal = await storage.open();
    for (const message of await takeAll(journal)) journal.done(message, 0);
    expect(await findInFiles(journal, storage.backups, 'default')).toEqual({
      backedUp: places[1],
      isBehind: true,
      rejected: new Set(),
    });
  });
});
