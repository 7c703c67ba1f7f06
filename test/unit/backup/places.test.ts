import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import type { Backups } from '../../../src/backup/backups.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { until } from '../../support/until.ts';
import { FaultyFileSystem } from './faulty-filesystem.ts';
import { DOWN, FIRST_FILE, JOURNAL, numbersIn, REFUSED, startBackups, type RunningBackups } from './running-backups.ts';
import { numbered } from './running-replay.ts';

const SECOND_FILE = 'backup_20251102_143000_2.csv';

function at(messageNo: number) {
  return { messageNo, valueNo: 0 };
}

async function outage(
  { backups }: Pick<RunningBackups, 'backups'>,
  ...batches: readonly [number, number][]
): Promise<void> {
  for (const [from, count] of batches) await backups.lane().backUp(numbered(from, count), DOWN);
  await backups.lane().endOutage();
}

/** The files that were uncertain until now: a certain commit tells their names. */
function filesInDoubt(backups: Backups): string[] {
  const names: string[] = [];
  const stopListening = backups.onChange((name) => names.push(name));
  backups.lane().outcomeCertain();
  stopListening();
  return names;
}

describe('the last place of a journal in its backups', () => {
  it('is that of the last row, rejected rows and other journals aside', async () => {
    const life = await startBackups();
    const { backups } = life;
    expect(await backups.lane().lastPlace(JOURNAL)).toBeUndefined();
    await outage(life, [1, 3]);
    await backups.lane().reject(numbered(9, 1), [{ index: 0, reason: REFUSED }]);
    expect(await backups.lane().lastPlace(JOURNAL)).toEqual(at(3));
    expect(await backups.lane().lastPlace('another')).toBeUndefined();
  });

  it('is found in a file that the clock made older', async () => {
    const life = await startBackups();
    await outage(life, [1, 3]);
    await life.backups.stop();
    const earlier = new FakeClock(Date.UTC(2025, 10, 1));
    const next = await startBackups({ dir: life.dir, clock: earlier });
    await outage(next, [4, 2]);
    expect(await next.backups.lane().lastPlace(JOURNAL)).toEqual(at(5));
  });

  it('is read in the latest file alone: of the others a start has read how they begin, little of each', async () => {
    const life = await startBackups();
    const rows = 1000;
    for (const from of [1, 1 + rows, 1 + 2 * rows]) await outage(life, [from, rows]);
    await life.backups.stop();
    const disk = new FaultyFileSystem();
    const asked: number[] = [];
    disk.beforeRead = (bytes) => void asked.push(bytes);
    const next = await startBackups({ dir: life.dir, disk });
    expect(asked.slice(0, 3)).toEqual([4096, 4096, 4096]);
    await until('the files to be read', () => next.backups.pending('backup').rows === 3 * rows);
    asked.length = 0;
    expect(await next.backups.lane().lastPlace(JOURNAL)).toEqual(at(3 * rows));
    expect(asked).toHaveLength(2); // the file, and its end
  });
});

describe('a skip stamp', () => {
  it('is durable beside the file, and a later one only raises it', async () => {
    const life = await startBackups();
    const { backups, dir } = life;
    await outage(life, [1, 3], [4, 3]);
    await backups.lane().stampSkip(at(3));
    await backups.lane().stampSkip(at(2));
    const text = await readFile(join(dir, `${FIRST_FILE}.skip`), 'utf8');
    expect(JSON.parse(text)).toEqual({ journal: JOURNAL, messageNo: 3, valueNo: 0 });
    await backups.lane().stampSkip(at(4));
    expect(await backups.lane().skipStamp(FIRST_FILE)).toEqual({ journal: JOURNAL, messageNo: 4, valueNo: 0 });
  });

  it('goes with its file, and when that is missing', async () => {
    const life = await startBackups();
    await outage(life, [1, 3]);
    await life.backups.lane().stampSkip(at(2));
    await life.backups.discard(FIRST_FILE);
    expect(await readdir(life.dir)).toEqual([]);
    await writeFile(join(life.dir, `${FIRST_FILE}.skip`), '{}');
    await startBackups({ dir: life.dir });
    expect(await readdir(life.dir)).toEqual([]);
  });

  it('is not raised over rows that were never sent: those of an outage before values that were written', async () => {
    const life = await startBackups();
    await life.backups.lane().stampSkip(at(0));
    await outage(life, [1, 3]);
    await life.backups.lane().stampSkip(at(7));
    expect(await life.backups.lane().skipStamp(FIRST_FILE)).toMatchObject(at(0));
  });

  it('is put on all rows that were backed up before the ledger could be read', async () => {
    const life = await startBackups();
    await outage(life, [1, 3]);
    await life.backups.lane().stampSkip(at(7));
    expect(await life.backups.lane().skipStamp(FIRST_FILE)).toMatchObject(at(7));
  });

  it('after a restart is raised only on the file that has the place among its rows', async () => {
    const life = await startBackups();
    await life.backups.lane().stampSkip(at(0));
    await outage(life, [1, 3]);
    await outage(life, [10, 3]);
    await outage(life, [20, 3]);
    await life.backups.stop();
    expect(filesInDoubt((await startBackups({ dir: life.dir })).backups)).toHaveLength(3);
    const { backups } = await startBackups({ dir: life.dir });
    await backups.lane().stampSkip(at(5));
    await (await startBackups({ dir: life.dir, journal: 'another' })).backups.lane().stampSkip(at(11));
    await backups.lane().stampSkip(at(11));
    const stamps = await Promise.all(backups.files().map(({ name }) => backups.lane().skipStamp(name)));
    expect(stamps.map((stamp) => stamp?.messageNo)).toEqual([0, 11, 0]);
  });

  it('is thrown back by a disk that refuses', async () => {
    const life = await startBackups();
    await outage(life, [1, 3]);
    life.disk.fail('sync', 'EIO');
    await expect(life.backups.lane().stampSkip(at(2))).rejects.toMatchObject({ code: 'EIO' });
    await life.backups.lane().stampSkip(at(2));
    expect(await life.backups.lane().skipStamp(FIRST_FILE)).toMatchObject(at(2));
  });
});

describe('a file is uncertain', () => {
  it('from its first row, or from the start, until a commit is certain', async () => {
    const life = await startBackups();
    const { backups } = life;
    await outage(life, [1, 2]);
    expect(filesInDoubt(backups)).toEqual([FIRST_FILE]);
    expect(filesInDoubt(backups)).toEqual([]);
    await outage(life, [3, 2]);
    expect(filesInDoubt(backups)).toEqual([SECOND_FILE]);
    await outage(life, [5, 2]);
    await backups.discard('backup_20251102_143000_3.csv');
    expect(filesInDoubt(backups)).toEqual([]);
  });
});

describe('rows of the next outage', () => {
  it('never go into a file of the last one, though it could not be sealed', async () => {
    const life = await startBackups();
    const { backups, clock, dir, disk } = life;
    await backups.lane().backUp(numbered(1, 2), DOWN);
    disk.fail('rename', 'EIO', 1);
    await backups.lane().endOutage();
    await outage(life, [3, 2]);
    await until('the first file is sealed', async () => {
      await clock.advance(30_000);
      return backups.file(FIRST_FILE)?.state === 'sealed';
    });
    expect(backups.files().map(({ name, state }) => [name, state])).toEqual([
      [FIRST_FILE, 'sealed'],
      [SECOND_FILE, 'sealed'],
    ]);
    expect(await numbersIn(dir, FIRST_FILE)).toEqual([1, 2]);
    expect(await numbersIn(dir, SECOND_FILE)).toEqual([3, 4]);
  });
});
