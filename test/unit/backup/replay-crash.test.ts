import { describe, expect, it } from 'vitest';

import { LossyDisk } from '../../support/lossy-filesystem.ts';
import { until } from '../../support/until.ts';
import { FakeOracle } from './fake-oracle.ts';
import { DOWN, JOURNAL } from './running-backups.ts';
import { createLife, numbered, type Life } from './running-replay.ts';

const DIR = '/backup';
const ROWS = 7;

interface World {
  readonly disk: LossyDisk;
  readonly oracle: FakeOracle;
}

/** Two backups on disk, one with a bad value and one with a refused one, and nothing in the database. */
async function prepare(random: () => number): Promise<World> {
  const disk = new LossyDisk(random);
  const oracle = new FakeOracle();
  oracle.refusedTag = 'PLC01.D1';
  const { backups } = createLife(DIR, disk.mount(), oracle);
  await backups.start();
  const first = numbered(1, 4);
  first.numbers[3] = Number.POSITIVE_INFINITY;
  await backups.backUp(first, DOWN);
  await backups.endOutage();
  await backups.backUp(numbered(5, 3), DOWN);
  await backups.stop();
  return { disk, oracle };
}

/**
 * One process: replays until nothing is left, or until it dies at the given disk or database operation. True: it came
 * to its end.
 */
async function live({ disk, oracle }: World, diesAt: number, die: () => void): Promise<boolean> {
  let operations = 0;
  let isDead = false;
  const tick = (): Promise<void> | undefined => {
    if (isDead) return new Promise(() => {});
    operations += 1;
    if (operations !== diesAt) return undefined;
    isDead = true;
    die();
    return new Promise(() => {});
  };
  disk.before = tick;
  oracle.before = tick;
  const life = createLife(DIR, disk.mount(), oracle, { batchSize: 3 });
  let isStarted = false;
  const start = async (): Promise<void> => {
    await life.backups.start();
    isStarted = true;
    life.replay.start();
  };
  void start();
  const isDone = (): boolean => isStarted && life.backups.pending('backup').files === 0 && oracle.ledger.size === 0;
  await until('the process is done or dead', async () => {
    await life.clock.advance(2000);
    return isDead || isDone();
  });
  if (isDead) return false;
  disk.before = () => {};
  oracle.before = () => {};
  await stop(life);
  return true;
}

async function stop({ backups, replay }: Life): Promise<void> {
  await replay.stop();
  await backups.stop();
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

/** Reproducible chance. */
function chances(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
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
        const world = await prepare(chances(operation));
        isThrough = await live(world, operation, () => cut(world.disk));
        // The second process dies too, somewhere else.
        if (!isThrough) await live(world, 1 + ((operation * 7) % 60), () => cut(world.disk));
        if (!isThrough) await live(world, 0, () => {});
        const written = world.oracle.numbers().sort((a, b) => a - b);
        expect([operation, written]).toEqual([operation, [1, 3, 5, 7]]);
        expect([operation, await rejectedNumbers(world)]).toEqual([operation, [2, 4, 6]]);
        expect(world.oracle.ledger.size).toBe(0);
      }
      expect(operation).toBeGreaterThan(ROWS * 8);
    },
    60_000,
  );
});
