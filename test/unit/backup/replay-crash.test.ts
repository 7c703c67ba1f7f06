import { copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { nodeFileSystem } from '../../../src/core/node-filesystem.ts';
import { until } from '../../support/until.ts';
import { LossyDisk, seededRandom } from '../../support/lossy-filesystem.ts';
import { DIR, live, type Deeds, type World } from './cut-replay.ts';
import { FakeOracle } from './fake-oracle.ts';
import { FaultyFileSystem } from './faulty-filesystem.ts';
import { DOWN, JOURNAL } from './running-backups.ts';
import { createLife, numbered } from './running-replay.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const ROWS = 7;

/** Two backups on disk, one with a bad value and one with a refused one, and nothing in the database. */
async function prepare(random: () => number): Promise<World> {
  const disk = new LossyDisk(random);
  const oracle = new FakeOracle();
  oracle.refusedTag = 'PLC01.D1';
  const { backups } = createLife(DIR, disk.mount(), oracle);
  await backups.start();
  const first = numbered(1, 4);
  first.numbers[3] = Number.POSITIVE_INFINITY;
  await backups.lane().backUp(first, DOWN);
  await backups.lane().endOutage();
  await backups.lane().backUp(numbered(5, 3), DOWN);
  await backups.stop();
  return { disk, oracle };
}

/** One process, which replays until nothing is left. */
const REPLAYS: Deeds = {
  start: ({ replay }) => replay.start(),
  isDone: ({ backups }) => backups.pending('backup').files === 0,
};

/** The same, while a person asks for the rejected rows that are there, first of all. */
function asks(): Deeds {
  const asked: string[] = [];
  return {
    start: async ({ backups, replay }) => {
      for (const { kind, name } of backups.files()) {
        if (kind !== 'rejected') continue;
        await replay.request(name);
        asked.push(name);
      }
      replay.start();
    },
    isDone: ({ backups, replay }) =>
      backups.pending('backup').files === 0 && asked.every((file) => replay.requestState(file)?.state === 'done'),
  };
}

async function rejectedNumbers({ disk, oracle }: World): Promise<number[]> {
  disk.before = () => {};
  const { backups } = createLife(DIR, disk.mount(), oracle);
  await backups.start();
  const numbers: number[] = [];
  for (const { kind, name } of backups.files()) {
    expect(kind).toBe('rejected');
    const text = (await backups.read(name)).toString();
    const places = [...text.matchAll(new RegExp(`,${JOURNAL},(\\d+),0,`, 'g'))];
    numbers.push(...places.map((match) => Number(match[1])));
  }
  await backups.stop();
  return numbers.sort((a, b) => a - b);
}

describe('a replay that is cut at any operation of the disk or the database', () => {
  it.each([
    ['by a kill', (disk: LossyDisk) => disk.kill()],
    ['with the power', (disk: LossyDisk) => disk.crash()],
  ])(
    '%s writes each row once and leaves nothing behind',
    async (_how, cut) => {
      let isThrough = false;
      let operation = 1;
      for (; !isThrough; operation += 1) {
        const world = await prepare(seededRandom(operation));
        isThrough = await live(world, operation, () => cut(world.disk), REPLAYS);
        // The second process dies too, somewhere else.
        if (!isThrough) await live(world, 1 + ((operation * 7) % 60), () => cut(world.disk), REPLAYS);
        if (!isThrough) await live(world, 0, () => {}, REPLAYS);
        const written = world.oracle.numbers().sort((a, b) => a - b);
        expect([operation, written]).toEqual([operation, [1, 3, 5, 7]]);
        expect([operation, await rejectedNumbers(world)]).toEqual([operation, [2, 4, 6]]);
        expect(world.oracle.ledger.size).toBe(0);
      }
      expect(operation).toBeGreaterThan(ROWS * 8);
    },
    60_000,
  );

  it('writes each row once, too, where a person asks for the rejected rows before the backup is through', async () => {
    let operation = 1;
    for (; ; operation += 1) {
      const world = await prepare(seededRandom(operation));
      if (await live(world, operation, () => world.disk.kill(), REPLAYS)) break;
      world.oracle.refusedTag = undefined;
      await live(world, 0, () => {}, asks());
      // A refused row that was durable in no file when the process died is written by the backup's replay.
      const written = world.oracle.numbers().sort((a, b) => a - b);
      expect([operation, written]).toEqual([operation, [1, 2, 3, 5, 6, 7]]);
      expect([operation, await rejectedNumbers(world)]).toEqual([operation, [4]]);
    }
    expect(operation).toBeGreaterThan(ROWS * 8);
  }, 60_000);
});

describe('a replay whose refused row a disk refuses as well', () => {
  it('has what is left of it cut off, before the database takes the row all the same', async () => {
    const dir = await temporaryDirectory();
    const disk = new FaultyFileSystem();
    const oracle = new FakeOracle();
    oracle.refusedTag = 'PLC01.D2';
    const { backups, clock, log, replay } = createLife(dir, disk, oracle);
    await backups.start();
    await backups.lane().backUp(numbered(1, 3), DOWN);
    await backups.lane().endOutage();
    oracle.before = (call) => {
      if (call !== 'write') return;
      oracle.before = () => {};
      disk.fail('sync', 'EIO');
      disk.fail('truncate', 'EIO', 2);
    };
    replay.start();
    await until('the refusal', () => log.messages().includes('backup file could not be replayed'));
    oracle.refusedTag = undefined;
    await until('the rows', async () => {
      await clock.advance(1000);
      return backups.pending('backup').files === 0;
    });
    expect(oracle.numbers()).toEqual([1, 2, 3]);
    // A process that ends now leaves all files as they are.
    const copy = await temporaryDirectory();
    for (const name of await readdir(dir)) await copyFile(join(dir, name), join(copy, name));
    await replay.stop();
    await backups.stop();
    const again = createLife(copy, nodeFileSystem, oracle);
    await again.backups.start();
    expect(again.backups.files()).toEqual([]);
    await again.backups.stop();
  });
});
