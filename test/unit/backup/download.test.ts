import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { openDownload } from '../../../src/backup/files/download.ts';
import { nodeFileSystem } from '../../../src/core/node-filesystem.ts';
import { DOWN, FIRST_FILE, sequence, startBackups } from './running-backups.ts';

async function contentOf(chunks: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts).toString();
}

describe('the download of a backup', () => {
  it('gives a sealed file as it is, in parts', async () => {
    const { backups } = await startBackups();
    await backups.lane().backUp(sequence(0, 20_000), DOWN);
    await backups.lane().endOutage();
    const download = await openDownload(nodeFileSystem, backups, FIRST_FILE);
    const content = (await backups.read(FIRST_FILE)).toString();
    expect(content.length).toBeGreaterThan(1_000_000);
    expect(download?.bytes).toBe(Buffer.byteLength(content));
    expect((await contentOf(download!.chunks)) === content).toBe(true);
  });

  it('gives what is durable of an open file, though it grows and is sealed meanwhile', async () => {
    const { backups } = await startBackups();
    await backups.lane().backUp(sequence(0, 10_000), DOWN);
    const download = await openDownload(nodeFileSystem, backups, FIRST_FILE);
    const content = (await backups.read(FIRST_FILE)).toString();
    await backups.lane().backUp(sequence(10_000, 10), DOWN);
    const parts: Buffer[] = [];
    for await (const chunk of download!.chunks) {
      parts.push(chunk);
      await backups.lane().endOutage();
    }
    expect(parts.length).toBeGreaterThan(1);
    expect(Buffer.concat(parts).toString() === content).toBe(true);
  });

  it('finds a file that was sealed a moment before the catalog knows it', async () => {
    const { backups, dir } = await startBackups();
    await backups.lane().backUp(sequence(0, 5), DOWN);
    const download = await openDownload(nodeFileSystem, backups, FIRST_FILE);
    await rename(join(dir, `${FIRST_FILE}.open`), join(dir, FIRST_FILE));
    expect(Buffer.byteLength(await contentOf(download!.chunks))).toBe(download!.bytes);
    await rename(join(dir, FIRST_FILE), join(dir, `${FIRST_FILE}.open`));
  });

  it('breaks off when the file is taken away or becomes shorter', async () => {
    const { backups, dir } = await startBackups();
    await backups.lane().backUp(sequence(0, 5), DOWN);
    await backups.lane().endOutage();
    const shorter = await openDownload(nodeFileSystem, backups, FIRST_FILE);
    await writeFile(join(dir, FIRST_FILE), '');
    await expect(contentOf(shorter!.chunks)).rejects.toThrow(`${FIRST_FILE} has become shorter while it was read`);
    const gone = await openDownload(nodeFileSystem, backups, FIRST_FILE);
    await rm(join(dir, FIRST_FILE));
    await expect(contentOf(gone!.chunks)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.each(['nowhere.csv', '../backup/x.csv', '/etc/passwd', 'notes.txt', `${FIRST_FILE}.open`, '', '..'])(
    'knows no "%s"',
    async (name) => {
      const { backups, dir } = await startBackups();
      await writeFile(join(dir, 'notes.txt'), 'mine');
      await backups.lane().backUp(sequence(0, 5), DOWN);
      expect(await openDownload(nodeFileSystem, backups, name)).toBeUndefined();
    },
  );
});
