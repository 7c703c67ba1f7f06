import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { BackupFolder } from '../../../src/backup/files/folder.ts';
import { scanBackups } from '../../../src/backup/files/scan.ts';
import { nodeFileSystem } from '../../../src/core/node-filesystem.ts';
import { ORIGIN } from '../../../src/core/place.ts';
import { placeKeyOf, placeOf } from '../../../src/core/tag-values.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { until } from '../../support/until.ts';
import {
  DOWN,
  FIRST_FILE,
  JOURNAL,
  MALFORMED,
  message,
  numbersIn,
  REFUSED,
  sequence,
  startBackups,
} from './running-backups.ts';
import { FaultyFileSystem } from './faulty-filesystem.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const HOUR_MS = 3_600_000;

describe('an outage', () => {
  it('makes one file, sealed when it ends, for the owner alone', async () => {
    const { backups, dir } = await startBackups();
    await backups.lane().backUp(sequence(1, 3), DOWN);
    await backups.lane().backUp(sequence(4, 2), { code: 'ORA-03113', message: 'other' });
    expect(await readdir(dir)).toEqual([`${FIRST_FILE}.open`, `${FIRST_FILE}.skip`]);
    expect(backups.files()).toMatchObject([
      { name: FIRST_FILE, state: 'open', rows: 5, reason: DOWN, sha256: undefined },
    ]);
    expect(backups.pending('backup').files).toBe(1);

    await backups.lane().endOutage();
    expect(await readdir(dir)).toEqual([FIRST_FILE, `${FIRST_FILE}.skip`]);
    const content = await readFile(join(dir, FIRST_FILE));
    expect(backups.files()).toMatchObject([
      {
        state: 'sealed',
        rows: 5,
        bytes: content.length,
        sha256: createHash('sha256').update(content).digest('hex'),
        firstTimestampMs: Date.UTC(2025, 10, 2, 14, 30, 25, 123),
        createdAtMs: Date.UTC(2025, 10, 2, 14, 30),
      },
    ]);
    expect(await backups.read(FIRST_FILE)).toEqual(content);
    expect(await numbersIn(dir, FIRST_FILE)).toEqual([1, 2, 3, 4, 5]);
    expect((await stat(join(dir, FIRST_FILE))).mode & 0o777).toBe(0o600);
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
  });

  it('is known after a restart exactly as before', async () => {
    const first = await startBackups();
    await first.backups.lane().backUp(sequence(1, 3), DOWN);
    await first.backups.lane().reject(sequence(1, 3), [{ index: 1, reason: REFUSED }]);
    await first.backups.addUndecodable(message(5), MALFORMED);
    await first.backups.stop();
    const second = await startBackups({ dir: first.dir });
    expect(second.backups.files()).toHaveLength(3);
    expect(second.backups.files()).toEqual(first.backups.files());
    expect(await scanBackups(new BackupFolder(first.dir, nodeFileSystem))).toEqual(first.backups.files());
  });

  it('goes on in a second file when the first is full, and no batch is torn over two', async () => {
    const { backups, dir } = await startBackups({ maxRowsPerFile: 10 });
    for (const from of [0, 4, 8, 12]) await backups.lane().backUp(sequence(from, 4), DOWN);
    await backups.lane().backUp(sequence(16, 10), DOWN);
    expect(backups.files().map(({ name, rows, state }) => ({ name, rows, state }))).toEqual([
      { name: FIRST_FILE, rows: 8, state: 'sealed' },
      { name: 'backup_20251102_143000_2.csv', rows: 8, state: 'sealed' },
      { name: 'backup_20251102_143000_3.csv', rows: 10, state: 'sealed' },
    ]);
    expect(await numbersIn(dir, 'backup_20251102_143000_2.csv')).toEqual([8, 9, 10, 11, 12, 13, 14, 15]);
    expect(backups.pending('backup').rows).toBe(26);
  });

  it('takes overlapping batches one after the other', async () => {
    const { backups, dir } = await startBackups();
    await Promise.all([0, 2, 4, 6].map((from) => backups.lane().backUp(sequence(from, 2), DOWN)));
    await backups.lane().endOutage();
    expect(await numbersIn(dir, FIRST_FILE)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('never takes the name of a file that is there in any form, or was', async () => {
    const dir = await temporaryDirectory();
    await writeFile(join(dir, `${FIRST_FILE}.damaged`), 'x');
    const { backups } = await startBackups({ dir });
    await backups.lane().backUp(sequence(1, 1), DOWN);
    await backups.lane().endOutage();
    await backups.discard('backup_20251102_143000_2.csv');
    await backups.lane().backUp(sequence(1, 1), DOWN);
    expect(backups.files().map(({ name }) => name)).toEqual(['backup_20251102_143000_3.csv']);
  });
});

describe('rejected rows', () => {
  it('go to a file of their own, sealed when it is an hour old', async () => {
    const { backups, clock, dir } = await startBackups();
    await backups.lane().reject(sequence(1, 5), [
      { index: 1, reason: REFUSED },
      { index: 3, reason: { code: 'ORA-12899', message: 'too long' } },
    ]);
    expect(backups.pending('rejected')).toEqual({ files: 1, rows: 2 });
    expect(backups.pending('backup').files).toBe(0);
    await clock.advance(HOUR_MS - 1);
    expect(backups.files()[0]?.state).toBe('open');
    await clock.advance(1);
    await until('the file is sealed', () => backups.files()[0]?.state === 'sealed');
    expect(await numbersIn(dir, 'rejected_20251102_143000.csv')).toEqual([2, 4]);
  });
});

describe('the directory', () => {
  it('lists a file that can not be read with its problem', async () => {
    const dir = await temporaryDirectory();
    await writeFile(join(dir, 'backup_20240101_000000.csv'), 'no,header\r\n1,2\r\n');
    await mkdir(join(dir, 'folder.csv'));
    await writeFile(join(dir, 'notes.txt'), 'x');
    const { backups } = await startBackups({ dir });
    expect(backups.files()).toMatchObject([
      { name: 'folder.csv', problem: expect.stringContaining('EISDIR') as string },
      { name: 'backup_20240101_000000.csv', problem: 'line 1, column tag_name: the column is missing', rows: 0 },
    ]);
  });

  it('is followed when a person brings, changes and takes away files', async () => {
    const { backups, clock, dir } = await startBackups();
    await backups.lane().backUp(sequence(1, 2), DOWN);
    await backups.lane().endOutage();
    const changes: string[] = [];
    backups.onChange((name) => changes.push(name));
    await copyFile(join(dir, FIRST_FILE), join(dir, 'copy.csv'));
    await backups.rescan();
    expect(backups.file('copy.csv')).toMatchObject({ kind: 'backup', rows: 2, reason: DOWN });
    await backups.rescan();
    expect(changes).toEqual(['copy.csv']);
    const content = await readFile(join(dir, 'copy.csv'), 'utf8');
    await writeFile(join(dir, 'copy.csv'), content + content.slice(content.indexOf('\n') + 1));
    await backups.rescan();
    expect(backups.file('copy.csv')?.rows).toBe(4);
    await rm(join(dir, FIRST_FILE));
    await clock.advance(60_000);
    await until('the minute’s look has noticed', () => backups.file(FIRST_FILE) === undefined);
    expect(changes).toEqual(['copy.csv', 'copy.csv', FIRST_FILE]);
  });

  it('that loses its open file does not take rows into nothing', async () => {
    const { backups, dir, log } = await startBackups();
    await backups.lane().backUp(sequence(1, 2), DOWN);
    await rm(join(dir, `${FIRST_FILE}.open`));
    await backups.rescan();
    expect(backups.files()).toEqual([]);
    expect(log.messages('error')).toEqual(['backup file vanished while it was open']);
    await backups.lane().backUp(sequence(3, 2), DOWN);
    expect(backups.pending('backup').rows).toBe(2);
  });

  it('gives up a sealed file when a person discards it, and no other', async () => {
    const { backups, dir } = await startBackups();
    await backups.lane().backUp(sequence(1, 2), DOWN);
    await expect(backups.discard(FIRST_FILE)).rejects.toThrow('no such backup file');
    await backups.lane().endOutage();
    for (const name of ['../secret.csv', '/etc/passwd', `${FIRST_FILE}.open`, '', 'x\0.csv']) {
      await expect(backups.discard(name)).rejects.toThrow('no such backup file');
      await expect(backups.read(name)).rejects.toThrow('no such backup file');
    }
    await backups.discard(FIRST_FILE);
    expect(await readdir(dir)).toEqual([]);
    expect(backups.files()).toEqual([]);
  });

  it('is scanned for others without a change to its open files', async () => {
    const { backups, dir } = await startBackups();
    await backups.lane().backUp(sequence(1, 2), DOWN);
    const path = join(dir, `${FIRST_FILE}.open`);
    const torn = Buffer.concat([await readFile(path), Buffer.from('PLC01.D9,1')]);
    await writeFile(path, torn);
    expect(await scanBackups(new BackupFolder(dir, nodeFileSystem))).toMatchObject([
      { name: FIRST_FILE, state: 'open', rows: 2 },
    ]);
    expect(await readFile(path)).toEqual(torn);
    expect(await scanBackups(new BackupFolder(join(dir, 'nowhere'), nodeFileSystem))).toEqual([]);
  });

  it('that takes long to read does not hold the start up', async () => {
    const first = await startBackups();
    await first.backups.lane().backUp(sequence(1, 3), DOWN);
    await first.backups.stop();
    let release = (): void => {};
    const disk = new FaultyFileSystem();
    let reads = 0;
    // The first read is for the first row: whom a file is for is known, however long that takes.
    disk.beforeRead = () => ((reads += 1) === 1 ? Promise.resolve() : new Promise((resolve) => (release = resolve)));
    const clock = new FakeClock();
    const starting = startBackups({ dir: first.dir, disk, clock });
    await until('it reads', () => clock.pendingTimers > 0);
    await clock.advance(5_000);
    const { backups } = await starting;
    expect(backups.files()).toMatchObject([{ name: FIRST_FILE, rows: 0, problem: 'not read yet' }]);
    disk.beforeRead = () => Promise.resolve();
    release();
    await until('it has been read', () => backups.pending('backup').rows === 3);
    expect(backups.files()).toEqual(first.backups.files());
  });

  it('that can not be made fails the start', async () => {
    const parent = await temporaryDirectory();
    await writeFile(join(parent, 'file'), '');
    await chmod(parent, 0o700);
    await expect(startBackups({ dir: join(parent, 'file', 'backup') })).rejects.toMatchObject({ code: 'ENOTDIR' });
  });
});

describe('what an earlier run put apart', () => {
  it('is recalled behind a place, and its undecodable messages are not put apart again', async () => {
    const first = await startBackups();
    await first.backups.lane().reject(sequence(1, 5), [
      { index: 1, reason: REFUSED },
      { index: 3, reason: REFUSED },
    ]);
    await first.backups.addUndecodable(message(7), MALFORMED);
    await first.backups.stop();
    const { backups, dir } = await startBackups({ dir: first.dir });
    const values = sequence(1, 5);
    await backups.recallUndecodable(JOURNAL, placeOf(values, 1));
    expect(await backups.lane().recall(JOURNAL, placeOf(values, 1))).toEqual(new Set([placeKeyOf(values, 3)]));
    await backups.addUndecodable(message(7), MALFORMED);
    await backups.addUndecodable(message(8), MALFORMED);
    await backups.stop();
    expect(backups.pending('undecodable').rows).toBe(2);
    expect(await backups.lane().recall('anotherone23', ORIGIN)).toEqual(new Set());
    expect((await readdir(dir)).filter((name) => name.startsWith('undecodable'))).toHaveLength(2);
  });
});
