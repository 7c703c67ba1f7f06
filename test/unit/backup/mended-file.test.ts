import { describe, expect, it } from 'vitest';

import { writeNewFile } from '../../../src/core/durable-file.ts';
import { LossyDisk, seededRandom } from '../../support/lossy-filesystem.ts';
import { DIR, live, stop, type Deeds, type World } from './cut-replay.ts';
import { FakeOracle } from './fake-oracle.ts';
import { REFUSED } from './running-backups.ts';
import { createLife, numbered, type Life } from './running-replay.ts';

/** Three refused rows in a sealed file, and what a person makes of them: other values under the same numbers. */
async function prepare(random: () => number): Promise<World & { readonly file: string }> {
  const disk = new LossyDisk(random);
  const oracle = new FakeOracle();
  const { backups } = createLife(DIR, disk.mount(), oracle);
  await backups.start();
  const rows = [0, 1, 2].map((index) => ({ index, reason: REFUSED }));
  await backups.lane().reject(numbered(1, 3), rows);
  await backups.stop();
  return { disk, oracle, file: backups.files()[0]!.name };
}

const BY = 'mended.7.rewrite';

/** Makes what `replace` puts in the place of the file; gives its name. */
async function mend({ backups }: Life, file: string): Promise<string> {
  const { folder } = backups;
  const text = (await backups.read(file)).toString().replaceAll(/^(PLC01\.D\d,)(\d),/gm, '$110$2,');
  await writeNewFile(folder.fileSystem, folder.path(`${file}.${BY}`), Buffer.from(text));
  await folder.sync();
  return `${file}.${BY}`;
}

async function isMended({ backups }: Life, file: string): Promise<boolean> {
  return (await backups.read(file)).includes('D0,101,');
}

/** One process: the file is mended unless it is, where that is asked for, and replayed. */
function mendsAndReplays(file: string, isMending = true): Deeds {
  return {
    start: async (life) => {
      const { backups, replay } = life;
      replay.start();
      if (backups.file(file) === undefined) return;
      if (isMending && !(await isMended(life, file))) {
        const by = await mend(life, file);
        await replay.beforeReplay(file, () => backups.replace(file, by));
      }
      await replay.request(file);
    },
    isDone: ({ backups }) => backups.file(file) === undefined,
  };
}

describe('a file that takes the place of one with rejected rows', () => {
  it('is replayed once, and the other never, with a kill or a power cut at any operation', async () => {
    for (const how of ['kill', 'crash'] as const) {
      for (let diesAt = 1; ; diesAt += 1) {
        const world = await prepare(seededRandom(diesAt));
        const { disk, file, oracle } = world;
        const isThrough = await live(world, diesAt, () => disk[how](), mendsAndReplays(file));
        if (!isThrough) await live(world, 0, () => {}, mendsAndReplays(file));
        expect([how, diesAt, oracle.numbers()]).toEqual([how, diesAt, [101, 102, 103]]);
        if (isThrough) break;
      }
    }
  }, 60_000);

  it('leaves the one or the other for who does not mend it again', async () => {
    const outcomes = new Set<string>();
    for (let diesAt = 1; ; diesAt += 1) {
      const world = await prepare(seededRandom(diesAt));
      const { disk, file, oracle } = world;
      const isThrough = await live(world, diesAt, () => disk.crash(), mendsAndReplays(file));
      if (!isThrough) await live(world, 0, () => {}, mendsAndReplays(file, false));
      outcomes.add(oracle.numbers().join());
      if (isThrough) break;
    }
    expect([...outcomes].toSorted()).toEqual(['1,2,3', '101,102,103']);
  }, 60_000);

  it('is told with its own digest, and comes too late once rows may have been sent', async () => {
    const { disk, file, oracle } = await prepare(seededRandom(1));
    const life = createLife(DIR, disk.mount(), oracle);
    const { backups, replay } = life;
    await backups.start();
    const before = backups.file(file)!;
    const by = await mend(life, file);
    await replay.beforeReplay(file, () => backups.replace(file, by));
    expect(backups.file(file)).toMatchObject({ state: 'sealed', rows: 3, destination: 'default' });
    expect(backups.file(file)!.sha256).not.toBe(before.sha256);
    await expect(backups.replace(file, 'nowhere')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(backups.replace('nowhere.csv', by)).rejects.toThrow('no such backup file: nowhere.csv');
    await backups.folder.writeSidecar(`${file}.replay`, { streams: { 'journal/journal00001': 'replay/x' } });
    let isCalled = false;
    const work = (): Promise<void> => Promise.resolve().then(() => void (isCalled = true));
    await expect(replay.beforeReplay(file, work)).rejects.toThrow('its replay has begun, and rows of it may be in');
    expect(isCalled).toBe(false);
    await stop(life);
  });

  it('keeps a replay of the file from beginning meanwhile', async () => {
    const { disk, file, oracle } = await prepare(seededRandom(1));
    const life = createLife(DIR, disk.mount(), oracle);
    const { backups, clock, replay } = life;
    await backups.start();
    replay.start();
    let end = (): void => {};
    const changing = replay.beforeReplay(file, () => new Promise((resolve) => (end = resolve)));
    await clock.advance(1000);
    await expect(replay.request(file)).rejects.toThrow('another request is just being taken');
    await expect(replay.beforeReplay(file, () => Promise.resolve())).rejects.toThrow('another request');
    await clock.advance(60_000);
    expect(oracle.numbers()).toEqual([]);
    end();
    await changing;
    await stop(life);
  });
});
