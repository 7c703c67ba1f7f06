import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { removeIfThere, replaceFile } from '../../../src/core/durable-file.ts';
import type { FileSystem } from '../../../src/core/filesystem.ts';
import { REWRITE_SUFFIX, rewriteFile } from '../../../src/core/rewrite-file.ts';
import { LossyDisk, seededRandom } from '../../support/lossy-filesystem.ts';

const DIRECTORY = '/files';
const PATH = '/files/a.json';
const OLD = 'old '.repeat(100);
const NEW = 'new '.repeat(80);

async function diskWithOld(seed: number): Promise<LossyDisk> {
  const disk = new LossyDisk(seededRandom(seed));
  await disk.mount().makeDirectory(DIRECTORY);
  await replaceFile(disk.mount(), PATH, OLD);
  return disk;
}

/** Starts `work`, and has the power go at its `at`-th operation. True: it came to its end before. */
async function untilPowerCut(disk: LossyDisk, at: number, work: (files: FileSystem) => Promise<void>) {
  let left = at;
  const died = new Promise<boolean>((resolve) => {
    disk.before = () => {
      left -= 1;
      if (left === 0) resolve(false);
      return left <= 0 ? new Promise(() => {}) : undefined;
    };
  });
  const isDone = await Promise.race([work(disk.mount()).then(() => true), died]);
  disk.before = () => {};
  disk.crash();
  return isDone;
}

const text = async (disk: LossyDisk): Promise<string> => (await disk.mount().read(PATH)).toString();

describe('a small file that is replaced', () => {
  it('is the old one or the new one after a power cut at any moment, and the new one once that was said', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 12 }), async (seed, at) => {
        const disk = await diskWithOld(seed);
        const isDone = await untilPowerCut(disk, at, (files) => replaceFile(files, PATH, NEW));
        expect(isDone ? [NEW] : [OLD, NEW]).toContain(await text(disk));
        await replaceFile(disk.mount(), PATH, 'again');
        expect(await text(disk)).toBe('again');
      }),
    );
  });

  it('stays the old one when the disk refuses', async () => {
    for (const operation of ['create', 'append', 'sync', 'rename'] as const) {
      const disk = await diskWithOld(1);
      disk.fail(operation, 'EIO');
      await expect(replaceFile(disk.mount(), PATH, NEW)).rejects.toMatchObject({ code: 'EIO' });
      expect(await text(disk)).toBe(OLD);
    }
  });
});

describe('a file of an earlier process that is rewritten', () => {
  it('is durable as it was read, up to the size, whatever a failed sync has made of it before', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 1, max: 14 }), fc.nat(NEW.length), async (seed, at, cut) => {
        const disk = await diskWithOld(seed);
        const before = await disk.mount().openAppend(PATH);
        await before.append(Buffer.from(NEW));
        disk.fail('sync', 'EIO');
        await expect(before.sync()).rejects.toThrow('EIO');
        disk.kill();
        const size = OLD.length + cut;
        const isDone = await untilPowerCut(disk, at, (files) => rewriteFile(files, PATH, size));
        const promised = (OLD + NEW).slice(0, isDone ? size : OLD.length);
        expect((await text(disk)).slice(0, isDone ? undefined : OLD.length)).toBe(promised);
      }),
    );
  });

  it('is cut where it lies when a full disk does not hold it twice', async () => {
    const disk = await diskWithOld(1);
    disk.capacityBytes = OLD.length + 10;
    await rewriteFile(disk.mount(), PATH, 100);
    expect(await text(disk)).toBe(OLD.slice(0, 100));
    expect(await disk.mount().list(DIRECTORY)).not.toContain(`a.json${REWRITE_SUFFIX}`);
  });
});

describe('a file that may not be there', () => {
  it('is removed all the same; what else the disk says is thrown', async () => {
    const disk = await diskWithOld(1);
    await removeIfThere(disk.mount(), PATH);
    await removeIfThere(disk.mount(), PATH);
    disk.fail('remove', 'EIO');
    await expect(removeIfThere(disk.mount(), PATH)).rejects.toMatchObject({ code: 'EIO' });
  });
});
