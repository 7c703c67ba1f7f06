import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { headerLine, ROW_COLUMNS } from '../../../src/backup/csv/row-format.ts';
import { BackupFolder } from '../../../src/backup/files/folder.ts';
import { SkipStamps } from '../../../src/backup/written/skip-stamps.ts';
import type { FileSystem } from '../../../src/core/filesystem.ts';
import { nodeFileSystem } from '../../../src/core/node-filesystem.ts';
import { LossyDisk, seededRandom } from '../../support/lossy-filesystem.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';
import { FaultyFileSystem } from './faulty-filesystem.ts';
import { temporaryDirectory } from './temporary-directory.ts';

const JOURNAL = 'journal-of-ours';

function placeOf(messageNo: number) {
  return { messageNo, valueNo: 0 };
}

function stampsIn(dir: string, fileSystem: FileSystem = nodeFileSystem): SkipStamps {
  const folder = new BackupFolder(dir, fileSystem);
  return new SkipStamps({ folder, journalId: () => JOURNAL, log: new RecordingLogger() });
}

/** A file as a run leaves it behind, with a row for each message. */
async function backUp(dir: string, stamps: SkipStamps, file: string, messages: readonly number[]): Promise<void> {
  const rows = messages.map((messageNo) => {
    const row: Record<string, string> = { journal: JOURNAL, message_no: String(messageNo), value_no: '0' };
    return headerLine(ROW_COLUMNS.map((column) => row[column] ?? ''));
  });
  await writeFile(join(dir, file), headerLine(ROW_COLUMNS) + rows.join(''));
  await stamps.grew(file, placeOf(messages[0]!), placeOf(messages.at(-1)!));
}

describe('SkipStamps', () => {
  it('stamps all files that a run began before it could read the ledger, when that run reads it', async () => {
    const dir = await temporaryDirectory();
    const stamps = stampsIn(dir);
    await backUp(dir, stamps, 'a.csv', [1, 2]);
    await backUp(dir, stamps, 'b.csv', [3, 4]);
    await stamps.ledgerRead(placeOf(3));
    expect(await stamps.read('a.csv')).toEqual({ journal: JOURNAL, ...placeOf(3) });
    expect(await stamps.read('b.csv')).toEqual({ journal: JOURNAL, ...placeOf(3) });
  });

  it('stamps them when that run was killed before, too', async () => {
    const dir = await temporaryDirectory();
    const before = stampsIn(dir);
    await backUp(dir, before, 'a.csv', [1, 2]);
    await backUp(dir, before, 'b.csv', [3, 4]);
    const after = stampsIn(dir);
    for (const file of ['a.csv', 'b.csv']) after.found(file);
    await after.ledgerRead(placeOf(3));
    expect(await after.read('a.csv')).toEqual({ journal: JOURNAL, ...placeOf(3) });
  });

  it('does not take rows for written that were backed up with the ledger known, when later ones were written', async () => {
    const dir = await temporaryDirectory();
    const before = stampsIn(dir);
    await before.ledgerRead(placeOf(1));
    await backUp(dir, before, 'a.csv', [2, 3]);
    const after = stampsIn(dir);
    after.found('a.csv');
    await after.ledgerRead(placeOf(9));
    expect(await after.read('a.csv')).toEqual({ journal: JOURNAL, ...placeOf(1) });
  });

  it('knows a file that was begun while others were being stamped', async () => {
    const dir = await temporaryDirectory();
    const before = stampsIn(dir);
    await backUp(dir, before, 'a.csv', [1, 2]);
    const stamping = before.ledgerRead(placeOf(2));
    await backUp(dir, before, 'b.csv', [3, 4]);
    await stamping;
    const after = stampsIn(dir);
    for (const file of ['a.csv', 'b.csv']) after.found(file);
    await after.ledgerRead(placeOf(9));
    expect(await after.read('b.csv')).toEqual({ journal: JOURNAL, ...placeOf(2) });
  });

  it('raises a stamp to a place among the rows of its file', async () => {
    const dir = await temporaryDirectory();
    const stamps = stampsIn(dir);
    await stamps.ledgerRead(placeOf(1));
    await backUp(dir, stamps, 'a.csv', [2, 3, 4]);
    await stamps.ledgerRead(placeOf(3));
    expect(await stamps.read('a.csv')).toEqual({ journal: JOURNAL, ...placeOf(3) });
  });

  it('takes rows for written that a crash tore off a batch of unknown outcome, when the rest of it was', async () => {
    const dir = await temporaryDirectory();
    const before = stampsIn(dir);
    await before.ledgerRead(placeOf(1));
    before.outcomeUnknown();
    await before.begins('a.csv');
    await backUp(dir, before, 'a.csv', [2, 3]);
    const after = stampsIn(dir);
    after.found('a.csv');
    await after.ledgerRead(placeOf(7));
    expect(await after.read('a.csv')).toEqual({ journal: JOURNAL, ...placeOf(7) });
  });

  it('knows no stamp of an earlier file whose name is given again, as that could not be made', async () => {
    const dir = await temporaryDirectory();
    const before = stampsIn(dir);
    await before.ledgerRead(placeOf(1));
    await before.begins('a.csv');
    before.outcomeUnknown();
    await before.begins('a.csv');
    await backUp(dir, before, 'a.csv', [2, 3]);
    await before.ledgerRead(placeOf(1));
    const after = stampsIn(dir);
    after.found('a.csv');
    await after.ledgerRead(placeOf(9));
    expect(await after.read('a.csv')).toEqual({ journal: JOURNAL, ...placeOf(1) });
  });

  it('keeps the room for a stamp that is to come, which says nothing until then', async () => {
    const disk = new LossyDisk(seededRandom(1));
    await disk.mount().makeDirectory('/backup');
    const before = stampsIn('/backup', disk.mount());
    await before.begins('a.csv');
    await before.grew('a.csv', placeOf(1), placeOf(2));
    expect(await disk.mount().list('/backup')).toEqual(['a.csv.skip']);
    expect(await before.read('a.csv')).toBeUndefined();
    const after = stampsIn('/backup', disk.mount());
    after.found('a.csv');
    await after.grew('a.csv', placeOf(1), placeOf(2));
    await after.ledgerRead(placeOf(9));
    expect(await after.read('a.csv')).toEqual({ journal: JOURNAL, ...placeOf(9) });
  });

  it('does not take a stamp for durable whose name the disk refused to keep', async () => {
    const lost: number[] = [];
    for (let seed = 1; seed <= 20; seed += 1) {
      const disk = new LossyDisk(seededRandom(seed));
      await disk.mount().makeDirectory('/backup');
      const stamps = stampsIn('/backup', disk.mount());
      await stamps.grew('a.csv', placeOf(1), placeOf(2));
      disk.fail('syncDirectory', 'EIO');
      await expect(stamps.ledgerRead(placeOf(2))).rejects.toThrow('EIO');
      await stamps.ledgerRead(placeOf(2));
      disk.crash();
      if ((await stampsIn('/backup', disk.mount()).read('a.csv')) === undefined) lost.push(seed);
    }
    expect(lost).toEqual([]);
  });

  it('owes a stamp that the disk refuses, and says so until it is written', async () => {
    const dir = await temporaryDirectory();
    const disk = new FaultyFileSystem();
    const stamps = stampsIn(dir, disk);
    await stamps.begins('a.csv');
    await stamps.ledgerRead(placeOf(1));
    disk.fail('create', 'EIO');
    await backUp(dir, stamps, 'a.csv', [2, 3]);
    disk.fail('create', 'EIO');
    await expect(stamps.flush()).rejects.toThrow('EIO');
    stamps.outcomeUnknown();
    await expect(stamps.read('a.csv')).rejects.toThrow('once the ledger is read');
    await stamps.ledgerRead(placeOf(1));
    expect(await stamps.read('a.csv')).toEqual({ journal: JOURNAL, ...placeOf(1) });
  });
});
