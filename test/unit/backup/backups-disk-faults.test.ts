import { createHash } from 'node:crypto';
import { copyFile, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { until } from '../../support/until.ts';
import type { FaultyFileSystem } from './faulty-filesystem.ts';
import { DOWN, FIRST_FILE, MALFORMED, message, numbersIn, REFUSED, sequence, startBackups } from './running-backups.ts';
import { temporaryDirectory } from './temporary-directory.ts';

describe('a disk that refuses', () => {
  it.each([
    ['is full in the middle of a batch', (disk: FaultyFileSystem) => (disk.spaceLeftBytes = 100), 'ENOSPC'],
    ['fails to sync', (disk: FaultyFileSystem) => disk.fail('sync', 'EIO'), 'EIO'],
    ['fails to write', (disk: FaultyFileSystem) => disk.fail('append', 'EIO'), 'EIO'],
  ])('leaves nothing of a batch when it %s', async (_how, breakDisk, code) => {
    const { backups, dir, disk } = await startBackups();
    await backups.lane().backUp(sequence(1, 2), DOWN);
    const before = await readFile(join(dir, `${FIRST_FILE}.open`));
    breakDisk(disk);
    await expect(backups.lane().backUp(sequence(3, 2), DOWN)).rejects.toMatchObject({ code });
    expect(await readFile(join(dir, `${FIRST_FILE}.open`))).toEqual(before);
    expect(backups.pending('backup').rows).toBe(2);

    disk.heal();
    await backups.lane().backUp(sequence(3, 2), DOWN);
    await backups.lane().endOutage();
    expect(await numbersIn(dir, FIRST_FILE)).toEqual([1, 2, 3, 4]);
    const content = await readFile(join(dir, FIRST_FILE));
    expect(backups.file(FIRST_FILE)?.sha256).toBe(createHash('sha256').update(content).digest('hex'));
  });

  it('leaves nothing of a batch either when it could not be cut off at once', async () => {
    const { backups, dir, disk } = await startBackups();
    await backups.lane().backUp(sequence(1, 2), DOWN);
    disk.fail('sync', 'EIO');
    disk.fail('truncate', 'EIO', 2);
    await expect(backups.lane().backUp(sequence(3, 2), DOWN)).rejects.toMatchObject({ code: 'EIO' });
    await expect(backups.lane().backUp(sequence(3, 2), DOWN)).rejects.toMatchObject({ code: 'EIO' });
    await backups.lane().endOutage();
    expect(await numbersIn(dir, FIRST_FILE)).toEqual([1, 2]);
  });

  it.each(['create', 'append', 'sync', 'syncDirectory'] as const)(
    'leaves no file without rows when the first %s fails',
    async (operation) => {
      const { backups, dir, disk } = await startBackups();
      disk.fail(operation, 'ENOSPC');
      await expect(backups.lane().backUp(sequence(1, 2), DOWN)).rejects.toMatchObject({ code: 'ENOSPC' });
      expect(backups.files()).toEqual([]);
      await backups.lane().endOutage();
      expect(await readdir(dir)).toEqual([]);
      await backups.lane().backUp(sequence(1, 2), DOWN);
      await backups.lane().endOutage();
      expect(await numbersIn(dir, backups.files()[0]!.name)).toEqual([1, 2]);
    },
  );

  it('seals a file by its age, too, whose first rows it had refused after the file was made', async () => {
    const { backups, clock, disk } = await startBackups();
    const reject = () => backups.lane().reject(sequence(1, 1), [{ index: 0, reason: REFUSED }]);
    disk.fail('sync', 'EIO');
    disk.fail('truncate', 'EIO');
    await expect(reject()).rejects.toMatchObject({ code: 'EIO' });
    await reject();
    expect(backups.files()).toMatchObject([{ state: 'open', rows: 1 }]);
    await clock.advance(3_600_000);
    await until('it is sealed', () => backups.files()[0]?.state === 'sealed');
  });

  it.each(['rename', 'syncDirectory'] as const)('is asked again to seal after a failed %s', async (operation) => {
    const { backups, clock, dir, disk, log } = await startBackups();
    await backups.lane().backUp(sequence(1, 2), DOWN);
    disk.fail(operation, 'EIO');
    await backups.lane().endOutage();
    expect(log.messages('error')).toEqual(['backup file could not be sealed']);
    expect(backups.files()[0]?.state).toBe('open');
    await clock.advance(30_000);
    await until('the file is sealed', () => backups.files()[0]?.state === 'sealed');
    expect(await readdir(dir)).toEqual([FIRST_FILE, `${FIRST_FILE}.skip`]);
  });

  it('owes to the disk that rows of a failed append are cut off, before they may be written elsewhere', async () => {
    const { backups, dir, disk } = await startBackups();
    await backups.lane().backUp(sequence(1, 1), DOWN);
    disk.fail('sync', 'EIO');
    disk.fail('truncate', 'EIO', 2);
    await expect(backups.lane().backUp(sequence(2, 1), DOWN)).rejects.toThrow('EIO');
    await expect(backups.lane().flushStamps()).rejects.toThrow('EIO');
    await backups.lane().flushStamps();
    await backups.stop();
    const again = await startBackups({ dir });
    expect(again.backups.pending('backup').rows).toBe(1);
  });

  it('cuts off rows of a failed append before they go into another file, as the first one was to be sealed', async () => {
    const { backups, dir, disk } = await startBackups();
    await backups.lane().backUp(sequence(1, 1), DOWN);
    disk.fail('sync', 'EIO');
    disk.fail('truncate', 'EIO', 3);
    await expect(backups.lane().backUp(sequence(2, 1), DOWN)).rejects.toThrow('EIO');
    await backups.seal(FIRST_FILE);
    await expect(backups.lane().backUp(sequence(2, 1), DOWN)).rejects.toThrow('EIO');
    await backups.lane().backUp(sequence(2, 1), DOWN);
    // A process that ends now leaves both files as they are.
    const copy = await temporaryDirectory();
    for (const name of await readdir(dir)) await copyFile(join(dir, name), join(copy, name));
    const again = await startBackups({ dir: copy });
    expect(again.backups.files().map(({ rows }) => rows)).toEqual([1, 1]);
  });

  it('seals a file after 30 s, too, when another one that may grow for an hour was begun meanwhile', async () => {
    const { backups, clock, dir, disk } = await startBackups();
    const reject = (from: number) => backups.lane().reject(sequence(from, 1), [{ index: 0, reason: REFUSED }]);
    await reject(1);
    disk.fail('rename', 'EIO');
    await backups.seal(backups.files()[0]!.name);
    await reject(2);
    await clock.advance(30_000);
    await until('the first is sealed', () => backups.files()[0]?.state === 'sealed');
    expect(backups.files().map(({ state }) => state)).toEqual(['sealed', 'open']);
    expect(await numbersIn(dir, 'rejected_20251102_143000.csv')).toEqual([1]);
  });

  it('takes the next outage into another file while a rename is not yet durable', async () => {
    const { backups, dir, disk } = await startBackups();
    await backups.lane().backUp(sequence(1, 2), DOWN);
    disk.fail('syncDirectory', 'EIO');
    await backups.lane().endOutage();
    await backups.lane().backUp(sequence(3, 2), DOWN);
    await backups.lane().endOutage();
    expect(await numbersIn(dir, FIRST_FILE)).toEqual([1, 2]);
    expect(await numbersIn(dir, 'backup_20251102_143000_2.csv')).toEqual([3, 4]);
  });

  it('does not make the bridge replace a file that somebody put in the way', async () => {
    const { backups, dir, log } = await startBackups();
    await backups.lane().backUp(sequence(1, 2), DOWN);
    await writeFile(join(dir, FIRST_FILE), 'precious');
    await backups.lane().endOutage();
    expect(log.messages('error')).toEqual(['backup file could not be sealed']);
    expect(await readFile(join(dir, FIRST_FILE), 'utf8')).toBe('precious');
    await rm(join(dir, FIRST_FILE));
  });
});

describe('undecodable messages', () => {
  it('that come while a sync runs go together with the next', async () => {
    const { backups, disk } = await startBackups();
    let release = (): void => {};
    disk.beforeSync = () => new Promise((resolve) => (release = resolve));
    const first = backups.addUndecodable(message(1), MALFORMED);
    await until('the first sync runs', () => disk.calls.includes('append'));
    const others = [2, 3, 4].map((number) => backups.addUndecodable(message(number), MALFORMED));
    disk.beforeSync = () => Promise.resolve();
    release();
    await Promise.all([first, ...others]);
    expect(disk.calls.filter((call) => call === 'sync')).toHaveLength(2);
    expect(backups.pending('undecodable')).toEqual({ files: 1, rows: 4 });
  });

  it('wait for a disk that refuses, which is logged once', async () => {
    const { backups, clock, disk, log } = await startBackups();
    disk.spaceLeftBytes = 0;
    let isDurable = false;
    const added = backups.addUndecodable(message(1), MALFORMED).then(() => (isDurable = true));
    await until('the disk refused', () => log.messages('error').length > 0);
    await clock.advance(20_000);
    expect(isDurable).toBe(false);
    expect(log.messages('error')).toEqual(['backup directory takes no data']);
    disk.heal();
    await until('the next try has come', async () => {
      await clock.advance(15_000);
      return isDurable;
    });
    await added;
    expect(backups.pending('undecodable').rows).toBe(1);
  });

  it('are given up by a stop that the disk outlasts', async () => {
    const { backups, disk, log } = await startBackups();
    disk.spaceLeftBytes = 0;
    const added = backups.addUndecodable(message(1), MALFORMED);
    const refused = added.catch(String);
    await until('the disk refused', () => log.messages('error').length > 0);
    await backups.stop();
    expect(await refused).toContain('before the stop');
    await expect(backups.addUndecodable(message(2), MALFORMED)).rejects.toThrow('stopping');
  });
});
