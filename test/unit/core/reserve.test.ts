import { beforeEach, describe, expect, it } from 'vitest';

import { replaceFile } from '../../../src/core/durable-file.ts';
import type { FileSystem } from '../../../src/core/filesystem.ts';
import { Reserve } from '../../../src/core/reserve.ts';
import { LossyDisk, seededRandom } from '../../support/lossy-filesystem.ts';

const RESERVE_BYTES = 1_000;
const SMALL = 'x'.repeat(100);
const LARGE = Buffer.alloc(300);

let disk: LossyDisk;
let files: FileSystem;

beforeEach(async () => {
  disk = new LossyDisk(seededRandom(1));
  files = disk.mount();
  for (const directory of ['/journal', '/backup']) await files.makeDirectory(directory);
});

async function fillUp(): Promise<void> {
  const file = await files.create('/backup/others');
  await file.append(Buffer.alloc(5_000));
  disk.capacityBytes = disk.usedBytes;
}

const names = (directory = '/backup'): Promise<string[]> => files.list(directory);
const note = (path = '/backup/note'): Promise<void> => replaceFile(files, path, SMALL);

describe('a reserve', () => {
  it('is made once, and is as large as it should be after whatever was left of it', async () => {
    await (await files.create('/backup/reserve.bin')).append(Buffer.alloc(10));
    const reserve = new Reserve('/backup', RESERVE_BYTES, files);
    expect(reserve.isKept).toBe(false);
    await Promise.all([reserve.keep(), reserve.keep()]);
    expect(reserve.isKept).toBe(true);
    expect(await files.size('/backup/reserve.bin')).toBe(RESERVE_BYTES);
    for (const operation of ['create', 'append', 'truncate'] as const) disk.fail(operation, 'EIO');
    await new Reserve('/backup', RESERVE_BYTES, files).keep();
  });

  it('survives a power cut', async () => {
    await new Reserve('/backup', RESERVE_BYTES, files).keep();
    disk.crash();
    files = disk.mount();
    expect(await files.size('/backup/reserve.bin')).toBe(RESERVE_BYTES);
  });

  it('survives a power cut, too, where a process that was killed had written it and not synced', async () => {
    await (await files.create('/backup/reserve.bin')).append(Buffer.alloc(RESERVE_BYTES));
    await new Reserve('/backup', RESERVE_BYTES, files).keep();
    disk.crash();
    files = disk.mount();
    expect(await files.size('/backup/reserve.bin')).toBe(RESERVE_BYTES);
  });

  it('leaves nothing behind where there is no room for it', async () => {
    await fillUp();
    disk.capacityBytes += RESERVE_BYTES - 1;
    const reserve = new Reserve('/backup', RESERVE_BYTES, files);
    await expect(reserve.keep()).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(await files.size('/backup/reserve.bin')).toBe(0);
    expect(reserve.isKept).toBe(false);
  });

  it('gives some of its room to a small file on a full disk, and is made whole again when there is some', async () => {
    const reserve = new Reserve('/backup', RESERVE_BYTES, files);
    await reserve.keep();
    await fillUp();
    await expect(note()).rejects.toMatchObject({ code: 'ENOSPC' });
    await reserve.spendOn(() => note());
    expect(await names()).toEqual(['note', 'others', 'reserve.bin']);
    expect(reserve.isKept).toBe(false);
    const left = await files.size('/backup/reserve.bin');
    expect(left).toBeGreaterThan(RESERVE_BYTES / 2);
    await expect(reserve.keep()).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(await files.size('/backup/reserve.bin')).toBe(left);
    await files.remove('/backup/others');
    await reserve.keep();
    expect(await files.size('/backup/reserve.bin')).toBe(RESERVE_BYTES);
  });

  it('serves small files until nothing is left of it', async () => {
    const reserve = new Reserve('/backup', RESERVE_BYTES, files);
    await reserve.keep();
    await fillUp();
    let written = 0;
    const write = async (): Promise<void> => {
      for (; ; written += 1) await reserve.spendOn(() => note(`/backup/note-${written}`));
    };
    await expect(write()).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(written).toBe(RESERVE_BYTES / SMALL.length);
  });

  it('is not given for what fails for another reason', async () => {
    const reserve = new Reserve('/backup', RESERVE_BYTES, files);
    await reserve.keep();
    disk.fail('create', 'EIO');
    await expect(reserve.spendOn(() => note())).rejects.toMatchObject({ code: 'EIO' });
    expect(await names()).toEqual(['reserve.bin']);
  });

  it('given by an earlier process is there for the next one', async () => {
    await new Reserve('/backup', RESERVE_BYTES, files).keep();
    await fillUp();
    await new Reserve('/backup', RESERVE_BYTES, files).spendOn(() => note());
    expect(await names()).toContain('note');
  });

  it('is one for two directories on one disk: what one of them gives up, the other does not fill', async () => {
    const journal = new Reserve('/journal', RESERVE_BYTES, files);
    const backup = new Reserve('/backup', RESERVE_BYTES, files, journal);
    await backup.keep();
    expect([await names('/journal'), await names()]).toEqual([['reserve.bin'], []]);
    await journal.keep();
    await fillUp();
    await backup.spendOn(() => note());
    expect(journal.isKept).toBe(false);
    await expect(journal.keep()).rejects.toMatchObject({ code: 'ENOSPC' });
  });

  it('is one each on disks of their own', async () => {
    const onTwoDisks: FileSystem = { ...files, device: (path) => Promise.resolve(path === '/journal' ? 1 : 2) };
    const journal = new Reserve('/journal', RESERVE_BYTES, onTwoDisks);
    const backup = new Reserve('/backup', RESERVE_BYTES, onTwoDisks, journal);
    for (const reserve of [journal, backup]) await reserve.keep();
    expect([await names('/journal'), await names()]).toEqual([['reserve.bin'], ['reserve.bin']]);
  });

  it('of no bytes changes nothing', async () => {
    const none = new Reserve('/backup', 0, files);
    expect(none.isKept).toBe(true);
    await none.keep();
    await fillUp();
    await expect(none.spendOn(() => note())).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(await names()).toContain('others');
    await expect(files.create('/backup/large').then((file) => file.append(LARGE))).rejects.toThrow('ENOSPC');
  });
});
