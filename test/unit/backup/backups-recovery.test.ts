import { readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { ORIGIN } from '../../../src/core/place.ts';
import type { Backups } from '../../../src/backup/backups.ts';
import { LossyDisk, seededRandom } from '../../support/lossy-filesystem.ts';
import { until } from '../../support/until.ts';
import { valuesOf } from '../../support/values.ts';
import { FakeOracle } from './fake-oracle.ts';
import { FaultyFileSystem } from './faulty-filesystem.ts';
import { DOWN, FIRST_FILE, JOURNAL, REFUSED, startBackups } from './running-backups.ts';
import { createLife } from './running-replay.ts';
import { temporaryDirectory } from './temporary-directory.ts';

describe('after a crash', () => {
  async function crashed(content: Buffer | string, name = FIRST_FILE): Promise<string> {
    const dir = await temporaryDirectory();
    await writeFile(join(dir, `${name}.open`), content);
    return dir;
  }

  async function wholeFile(): Promise<Buffer> {
    const { backups } = await startBackups();
    await backups.lane().backUp(valuesOf(1, 'two\nlines', 3), DOWN);
    return backups.read(FIRST_FILE);
  }

  it('a torn last record is cut off, wherever it broke', async () => {
    const content = await wholeFile();
    const secondRow = content.indexOf('PLC01.D1');
    const thirdRow = content.indexOf('PLC01.D2');
    const ends = [
      secondRow,
      thirdRow - 2,
      thirdRow - 1,
      thirdRow,
      thirdRow + 1,
      content.length - 2,
      content.length - 1,
    ];
    for (let end = secondRow; end < content.length; end += 13) ends.push(end);
    for (const end of ends) {
      const dir = await crashed(content.subarray(0, end));
      const { backups } = await startBackups({ dir });
      const rows = end >= thirdRow ? 2 : 1;
      expect(backups.files()).toMatchObject([{ name: FIRST_FILE, state: 'sealed', rows, problem: undefined }]);
      expect(await readFile(join(dir, FIRST_FILE))).toEqual(content.subarray(0, rows === 2 ? thirdRow : secondRow));
    }
  });

  it('a record with zeros in it, as a power cut leaves them, is none, wherever they are', async () => {
    const content = await wholeFile();
    const thirdRow = content.indexOf('PLC01.D2');
    for (let at = thirdRow; at < content.length; at += 7) {
      const torn = Buffer.from(content);
      torn.fill(0, at, Math.min(at + 8, content.length));
      const { backups } = await startBackups({ dir: await crashed(torn) });
      expect(backups.files()).toMatchObject([{ name: FIRST_FILE, state: 'sealed', rows: 2 }]);
      expect(await backups.read(FIRST_FILE)).toEqual(content.subarray(0, thirdRow));
    }
  });

  it('a file without a whole row is removed', async () => {
    const content = await wholeFile();
    for (const end of [0, 10, content.indexOf('\n') + 1, content.indexOf('\n') + 20]) {
      const dir = await crashed(content.subarray(0, end));
      const { backups } = await startBackups({ dir });
      expect(backups.files()).toEqual([]);
      expect(await readdir(dir)).toEqual([]);
    }
  });

  it('bytes that are no rows are set aside, and the rows before them kept', async () => {
    const garbage = Buffer.concat([Buffer.alloc(100), Buffer.from('\r\nrest')]);
    const dir = await crashed(Buffer.concat([await wholeFile(), garbage]));
    const { backups, log } = await startBackups({ dir });
    expect(await readdir(dir)).toEqual([FIRST_FILE, `${FIRST_FILE}.damaged`]);
    expect(await readFile(join(dir, `${FIRST_FILE}.damaged`))).toEqual(garbage);
    expect(backups.files()).toMatchObject([{ rows: 3, problem: undefined }]);
    expect(log.messages('error')).toEqual(['backup file was damaged']);
  });

  it('a recovered file leaves alone a sealed one of its name', async () => {
    const content = await wholeFile();
    const dir = await crashed(content);
    await writeFile(join(dir, FIRST_FILE), content);
    const { backups } = await startBackups({ dir });
    expect(backups.files().map(({ name }) => name)).toEqual([FIRST_FILE, 'backup_20251102_143000_2.csv']);
  });

  it('there is no start while a backup can not be sealed: its rows would come from the journal as well', async () => {
    const dir = await crashed(await wholeFile());
    const disk = new FaultyFileSystem();
    disk.fail('sync', 'EIO');
    await expect(startBackups({ dir, disk })).rejects.toMatchObject({ code: 'EIO' });
    const { backups } = await startBackups({ dir, disk });
    expect(backups.files()).toMatchObject([{ name: FIRST_FILE, state: 'sealed', rows: 3 }]);
  });

  it('a rejected file that could not be sealed at the start is sealed later', async () => {
    const { backups: before, dir } = await startBackups();
    await before.lane().reject(valuesOf(1, 2), [{ index: 0, reason: REFUSED }]);
    await before.stop();
    const [name] = before.files().map((file) => file.name);
    await rename(join(dir, name!), join(dir, `${name}.open`));
    const disk = new FaultyFileSystem();
    disk.fail('sync', 'EIO', 2);
    const { backups, log } = await startBackups({ dir, disk });
    expect(backups.files()).toMatchObject([{ name, state: 'open', rows: 0, problem: 'EIO: on demand of the test' }]);
    // Its rows may not be on disk: nothing that the journal gives again may be passed over because of them.
    await expect(backups.lane().recall(JOURNAL, ORIGIN)).rejects.toThrow(`${name} could not be recovered: EIO`);
    await backups.rescan();
    expect((await backups.lane().recall(JOURNAL, ORIGIN)).size).toBe(1);
    expect(backups.files()).toMatchObject([{ name, state: 'sealed', rows: 1, problem: undefined }]);
    expect(log.messages('error')).toEqual(['backup file of an earlier run could not be recovered']);
  });

  it('what a killed run had not made durable is, before anything is built on it', async () => {
    const stamp = { messageNo: 1, valueNo: 0 };
    const lost: number[] = [];
    for (let seed = 1; seed <= 20; seed += 1) {
      const disk = new LossyDisk(seededRandom(seed));
      const start = async (): Promise<Backups> => {
        const { backups } = createLife('/backup', disk.mount(), new FakeOracle());
        await backups.start();
        return backups;
      };
      const killed = await start();
      await killed.lane().backUp(valuesOf(1), DOWN);
      await killed.lane().endOutage();
      disk.before = (operation) => (operation === 'syncDirectory' ? new Promise(() => {}) : undefined);
      void killed.lane().stampSkip(stamp);
      await until('the stamp to have its name', async () => {
        const names = await disk.mount().list('/backup');
        return names.includes(`${FIRST_FILE}.skip`);
      });
      disk.before = () => {};
      const next = await start();
      expect(await next.lane().skipStamp(FIRST_FILE)).toMatchObject(stamp);
      disk.crash();
      if ((await (await start()).lane().skipStamp(FIRST_FILE)) === undefined) lost.push(seed);
    }
    expect(lost).toEqual([]);
  });

  it('what was half discarded goes for good', async () => {
    const dir = await temporaryDirectory();
    await writeFile(join(dir, `${FIRST_FILE}.discarded`), 'x');
    await startBackups({ dir });
    expect(await readdir(dir)).toEqual([]);
  });
});
