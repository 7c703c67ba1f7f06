import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { nodeFileSystem } from '../../../src/core/node-filesystem.ts';
import type { FileSystem } from '../../../src/core/filesystem.ts';
import type { MqttFacts } from '../../../src/ops/collect-status.ts';
import { OutageFile } from '../../../src/ops/outage-file.ts';
import { Outages } from '../../../src/ops/outages.ts';
import type { DiskStatus, JournalStatus } from '../../../src/ops/status.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { LossyDisk, seededRandom } from '../../support/lossy-filesystem.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { until } from '../../support/until.ts';
import { FaultyFileSystem } from '../backup/faulty-filesystem.ts';
import { madeUpDestination } from './made-up-sources.ts';

const NO_LISTENER = { code: 'ORA-12541', message: 'ORA-12541: no listener\n  at db:1521' };

/** A bridge whose neighbours a test takes away, and its history of that. */
class Plant {
  readonly clock: FakeClock;
  readonly log = new RecordingLogger();
  mqtt: MqttFacts = { connected: true, protocolVersion: 5, unackedMessages: 0, subscriptionProblems: [] };
  journal: JournalStatus = { bytes: 0, maxBytes: 1, messages: 0, state: 'ok' };
  disks: readonly DiskStatus[] = [];
  destinations = [madeUpDestination('default'), madeUpDestination('alarms')];
  readonly outages: Outages;
  readonly file: OutageFile;

  constructor(fileSystem: FileSystem, path: string, clock = new FakeClock()) {
    this.clock = clock;
    this.file = new OutageFile({ fileSystem, path, clock, log: this.log });
    const sources = {
      mqtt: () => this.mqtt,
      journal: () => this.journal,
      disks: () => this.disks,
      destinations: () => this.destinations,
    };
    this.outages = new Outages({ sources: () => sources, file: this.file, clock });
  }

  /** Reads what an earlier one left, and has looked once. */
  async start(): Promise<this> {
    this.outages.start();
    await until('the first look', () => this.clock.pendingTimers > 0);
    return this;
  }

  oracle(state: 'connected' | 'retrying' | 'down', backedUp = 0, reason = NO_LISTENER): void {
    const [first, ...others] = this.destinations;
    const { counters, sinceMs, state: before } = first!;
    const facts = {
      state,
      reason: state === 'connected' ? undefined : reason,
      sinceMs: state === before ? sinceMs : this.clock.now(),
      counters: { ...counters, valuesBackedUp: counters.valuesBackedUp + backedUp },
    };
    this.destinations = [madeUpDestination('default', facts), ...others];
  }

  /** Moves time on, second by second, and waits for what is written. */
  async pass(seconds: number): Promise<void> {
    await this.clock.advance(seconds * 1000);
    await this.file.settled();
  }
}

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'outages-'));
  path = join(directory, 'outages.json');
});

afterEach(() => rm(directory, { recursive: true }));

const start = (more: { clock?: FakeClock; fileSystem?: FileSystem } = {}): Promise<Plant> =>
  new Plant(more.fileSystem ?? nodeFileSystem, path, more.clock).start();

describe('an outage', () => {
  it('of Oracle has its destination, begin, end, reason and the rows that went to backups', async () => {
    const plant = await start();
    plant.oracle('connected', 7);
    await plant.pass(1);
    plant.oracle('retrying', 0);
    const began = new Date(plant.clock.now()).toISOString();
    await plant.pass(3);
    expect(plant.outages.all).toEqual([]);
    plant.oracle('down', 100);
    await plant.pass(10);
    const known = {
      of: 'oracle',
      destination: 'default',
      began,
      code: 'ORA-12541',
      reason: 'ORA-12541: no listener at db:1521',
    };
    expect(plant.outages.all).toEqual([{ ...known, seconds: 13, rowsBackedUp: 100 }]);
    plant.oracle('retrying', 20);
    await plant.pass(2);
    plant.oracle('connected');
    const ended = new Date(plant.clock.now()).toISOString();
    await plant.pass(5);
    expect(plant.outages.all).toEqual([{ ...known, ended, seconds: 15, rowsBackedUp: 120 }]);
  });

  it('counts the rows that went to backups before the first look saw it', async () => {
    const plant = await start();
    await plant.pass(1);
    plant.oracle('down', 500);
    await plant.pass(1);
    expect(plant.outages.all).toMatchObject([{ rowsBackedUp: 500 }]);
  });

  it('is none where a batch is taken at a further try, and one where Oracle fails for five seconds', async () => {
    const plant = await start();
    plant.oracle('retrying');
    await plant.pass(4);
    plant.oracle('connected');
    await plant.pass(4);
    expect(plant.outages.all).toEqual([]);
    plant.oracle('retrying');
    await plant.pass(6);
    expect(plant.outages.all).toMatchObject([{ seconds: 6 }]);
  });

  it('of the broker has its reason, and is none before the first attempt has met with anything', async () => {
    const plant = await start();
    plant.mqtt = { ...plant.mqtt, connected: false, reason: '', sinceMs: plant.clock.now() };
    await plant.pass(20);
    expect(plant.outages.all).toEqual([]);
    plant.mqtt = { ...plant.mqtt, reason: `mqtt://broker: ${'x'.repeat(500)}` };
    await plant.pass(1);
    plant.mqtt = { ...plant.mqtt, connected: true };
    await plant.pass(1);
    const [outage] = plant.outages.all;
    expect(outage).toMatchObject({ of: 'broker', seconds: 22 });
    expect(outage?.reason).toMatch(/^mqtt:\/\/broker: x{180,}…$/);
    expect(outage).not.toHaveProperty('rowsBackedUp');
  });

  it.each([
    [{ state: 'full', fullBy: 'disk' }, 'full', 'DISK_FULL'],
    [{ state: 'full', fullBy: 'maxBytes' }, 'ok', 'JOURNAL_FULL'],
    [{ state: 'full', fullBy: 'maxBytes' }, 'full', 'JOURNAL_FULL'],
    [{ state: 'failing' }, 'ok', 'DISK_FAILS'],
  ] as const)('of a journal that is %o on a disk that is %s is %s', async (facts, disk, code) => {
    const plant = await start();
    plant.journal = { ...plant.journal, ...facts };
    plant.disks = [{ directories: ['journal.dir'], freeBytes: 0, totalBytes: 1, state: disk }];
    await plant.pass(1);
    expect(plant.outages.all).toMatchObject([{ of: 'journal', code }]);
  });

  it('of a journal is the disk’s where that has refused, though it was found roomy before', async () => {
    const plant = await start();
    const disk: Omit<DiskStatus, 'state'> = { directories: ['journal.dir'], freeBytes: 0, totalBytes: 1 };
    const well = plant.journal;
    plant.journal = { ...well, state: 'full', fullBy: 'disk' };
    plant.disks = [{ ...disk, state: 'ok' }];
    await plant.pass(3);
    expect(plant.outages.all).toMatchObject([{ code: 'DISK_FULL', reason: 'the disk of journal.dir is full' }]);
    plant.disks = [{ ...disk, state: 'full' }];
    await plant.pass(2);
    await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' }); // there is no room for it
    plant.journal = well;
    plant.disks = [{ ...disk, state: 'ok' }];
    await plant.pass(1);
    expect(plant.outages.all).toMatchObject([{ code: 'DISK_FULL', seconds: 5 }]);
    const text = await until('the file', () => readFile(path, 'utf8').catch(() => undefined));
    expect(JSON.parse(text)).toMatchObject({ outages: [{ code: 'DISK_FULL' }] });
  });

  it('of a journal stays the journal’s where its disk is full only an hour later', async () => {
    const plant = await start();
    plant.journal = { ...plant.journal, state: 'full', fullBy: 'maxBytes' };
    await plant.pass(3600);
    plant.disks = [{ directories: ['journal.dir'], freeBytes: 0, totalBytes: 1, state: 'full' }];
    await plant.pass(10);
    expect(plant.outages.all).toMatchObject([{ code: 'JOURNAL_FULL' }]);
  });

  it('has its length by the clock that never goes back', async () => {
    const plant = await start();
    let ahead = 0;
    const { clock } = plant;
    const wall = clock.now.bind(clock);
    clock.now = () => wall() + ahead;
    plant.journal = { ...plant.journal, state: 'full' };
    await plant.pass(10);
    ahead = -7_200_000;
    await plant.pass(10);
    expect(plant.outages.all).toMatchObject([{ seconds: 19 }]);
    plant.journal = { ...plant.journal, state: 'ok' };
    await plant.pass(1);
    expect(plant.outages.all).toMatchObject([{ seconds: 20 }]);
  });
});

describe('the history of outages', () => {
  it('has the newest first, and of each thing the last fifty, so that what flaps pushes nothing out', async () => {
    const plant = await start();
    plant.oracle('down', 1);
    await plant.pass(10);
    plant.oracle('connected');
    for (let i = 0; i < 60; i += 1) {
      plant.mqtt = { ...plant.mqtt, connected: i % 2 === 0, reason: 'closed', sinceMs: plant.clock.now() };
      await plant.pass(1);
      plant.mqtt = { ...plant.mqtt, connected: i % 2 !== 0, sinceMs: plant.clock.now() };
      await plant.pass(1);
    }
    const { all } = plant.outages;
    expect(all.filter(({ of }) => of === 'broker').length).toBeLessThanOrEqual(50);
    expect(all.at(-1)).toMatchObject({ of: 'oracle' });
    expect(all.map(({ began }) => began)).toEqual(
      all
        .map(({ began }) => began)
        .sort()
        .reverse(),
    );
  });

  it('is there after a restart, and what lasted goes on with its rows', async () => {
    const plant = await start();
    plant.oracle('down', 100);
    await plant.pass(30);
    plant.mqtt = { ...plant.mqtt, connected: false, reason: 'refused', sinceMs: plant.clock.now() };
    await plant.pass(2);
    plant.mqtt = { ...plant.mqtt, connected: true };
    await plant.pass(2);
    const before = plant.outages.all;
    await plant.clock.advance(60_000);

    const next = new Plant(nodeFileSystem, path, plant.clock);
    await plant.outages.stop();
    next.oracle('retrying', 100);
    next.oracle('down', 11);
    await next.start();
    expect(next.outages.all).toEqual([
      before[0],
      { ...before[1], seconds: before[1]!.seconds + 60, rowsBackedUp: 111, restarted: true },
    ]);
    next.oracle('connected');
    await next.pass(1);
    expect(next.outages.all[1]).toMatchObject({
      rowsBackedUp: 111,
      restarted: true,
      ended: expect.any(String) as string,
    });
    await next.outages.stop();
  });

  it('ends what lasted where the next start finds it well, or does not know it any more', async () => {
    const plant = await start();
    const down = { state: 'down', reason: NO_LISTENER, sinceMs: plant.clock.now() } as const;
    plant.destinations = [madeUpDestination('default', down), madeUpDestination('alarms', down)];
    await plant.pass(1);
    await plant.outages.stop();
    const next = new Plant(nodeFileSystem, path, plant.clock);
    next.destinations = [madeUpDestination('default'), madeUpDestination('alarms', { table: undefined })];
    await next.start();
    const ended = new Date(next.clock.now()).toISOString();
    expect(next.outages.all).toMatchObject([
      { ended, restarted: true },
      { ended, restarted: true },
    ]);
    await next.outages.stop();
  });

  it('is on disk from the moment that an outage has begun, whatever a power cut takes', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const disk = new LossyDisk(seededRandom(seed));
      const plant = await new Plant(disk.mount(), '/d/outages.json').start();
      plant.oracle('down', 5);
      await plant.pass(2);
      plant.mqtt = { ...plant.mqtt, connected: false, reason: 'cut', sinceMs: plant.clock.now() };
      await plant.clock.advance(1000);
      disk.crash();
      await plant.outages.stop();
      const next = await new Plant(disk.mount(), '/d/outages.json', plant.clock).start();
      expect(next.outages.all.map(({ of }) => of)).toContain('oracle');
    }
  });

  it('is written when something begins or ends, and not otherwise', async () => {
    const fileSystem = new FaultyFileSystem();
    const plant = await start({ fileSystem });
    const writes = (): number => fileSystem.calls.filter((call) => call === 'rename').length;
    await plant.pass(60);
    expect(writes()).toBe(0);
    plant.oracle('down', 5);
    await plant.pass(60);
    plant.oracle('down', 5);
    await plant.pass(60);
    expect(writes()).toBe(1);
    plant.oracle('connected');
    await plant.pass(60);
    expect(writes()).toBe(2);
  });

  it('leaves nothing on a disk that refuses, says so once, and is there once the disk takes it', async () => {
    const fileSystem = new FaultyFileSystem();
    const plant = await start({ fileSystem });
    fileSystem.fail('sync', 'ENOSPC', 3);
    plant.oracle('down', 5);
    await plant.pass(10);
    expect(await readdir(directory)).toEqual([]);
    await until('the disk to take it', async () => {
      await plant.pass(30);
      return (await readdir(directory)).includes('outages.json');
    });
    expect(plant.log.messages()).toEqual(['the history of outages cannot be kept, trying again']);
  });

  it('is not written while the disk is full or fails, and then at once', async () => {
    const fileSystem = new FaultyFileSystem();
    const plant = await start({ fileSystem });
    plant.journal = { ...plant.journal, state: 'failing' };
    await plant.pass(5);
    plant.journal = { ...plant.journal, state: 'full' };
    plant.disks = [{ directories: ['journal.dir'], freeBytes: 0, totalBytes: 1, state: 'full' }];
    await plant.pass(5);
    expect(fileSystem.calls).toEqual([]);
    plant.journal = { ...plant.journal, state: 'ok' };
    plant.disks = [];
    await plant.pass(1);
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ outages: [{ of: 'journal', seconds: 10 }] });
  });

  it('goes on in memory beside a disk that does not answer, and is stopped beside it', async () => {
    const fileSystem = new FaultyFileSystem();
    fileSystem.beforeSync = () => new Promise(() => {});
    const plant = await start({ fileSystem });
    plant.oracle('down', 5);
    await plant.clock.advance(5000);
    plant.oracle('connected');
    await plant.clock.advance(5000);
    expect(plant.outages.all).toHaveLength(1);
    const stopped = plant.outages.stop();
    await plant.clock.advance(2000);
    await stopped;
    expect(plant.clock.pendingTimers).toBe(0);
  });

  it.each([
    '',
    '{',
    '[]',
    'null',
    '{"outages":7}',
    '{"outages":[null,{"of":"moon","began":"2025-01-01","reason":"x"}]}',
  ])('takes a file with %j for nothing known', async (text) => {
    await writeFile(path, text);
    const plant = await start();
    expect(plant.outages.all).toEqual([]);
    await plant.outages.stop();
  });
});
