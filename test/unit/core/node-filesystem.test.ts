import { chmod, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { findExposed, nodeFileSystem as disk } from '../../../src/core/node-filesystem.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'node-filesystem-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const at = (name: string): string => join(directory, name);
const modeOf = async (path: string): Promise<number> => (await stat(path)).mode % 0o1000;

async function write(name: string, ...texts: string[]): Promise<void> {
  const file = await disk.create(at(name));
  await file.append(...texts.map((text) => Buffer.from(text)));
  await file.sync();
  await file.close();
}

describe('nodeFileSystem', () => {
  it('creates directories, those above too, for its user alone, and bears those that exist', async () => {
    await disk.makeDirectory(at('a/b'));
    await disk.makeDirectory(at('a/b'));
    expect([await modeOf(at('a')), await modeOf(at('a/b'))]).toEqual([0o700, 0o700]);
  });

  it('creates files for its user alone', async () => {
    await write('file', 'x');
    expect(await modeOf(at('file'))).toBe(0o600);
  });

  it.each([0o000, 0o002, 0o022, 0o077])('does so under a umask of %o', async (umask) => {
    const before = process.umask(umask);
    try {
      await disk.makeDirectory(at('x/y'));
      await write('x/y/file', 'x');
    } finally {
      process.umask(before);
    }
    expect(await Promise.all(['x', 'x/y', 'x/y/file'].map((name) => modeOf(at(name))))).toEqual([0o700, 0o700, 0o600]);
  });

  it('takes from others what it opens and what was copied back too wide', async () => {
    await write('file', 'x');
    await chmod(at('file'), 0o664);
    await (await disk.openAppend(at('file'))).close();
    expect(await modeOf(at('file'))).toBe(0o600);
  });

  it('leaves the mode of a directory that it did not make', async () => {
    await mkdir(at('shared'));
    await chmod(at('shared'), 0o755);
    await disk.makeDirectory(at('shared'));
    expect(await modeOf(at('shared'))).toBe(0o755);
  });

  it('appends to no file that a link leads to', async () => {
    await write('victim', 'x');
    await symlink(at('victim'), at('link'));
    await expect(disk.openAppend(at('link'))).rejects.toMatchObject({ code: 'ELOOP' });
    await symlink(at('none'), at('dangling'));
    await expect(disk.create(at('dangling'))).rejects.toMatchObject({ code: 'EEXIST' });
  });

  it('never takes over a file that exists', async () => {
    await write('file', 'first');
    await expect(disk.create(at('file'))).rejects.toMatchObject({ code: 'EEXIST' });
    expect(String(await disk.read(at('file')))).toBe('first');
  });

  it('appends several buffers in order, empty ones among them, and goes on at the end', async () => {
    await write('file', 'one ', '', 'two ');
    const file = await disk.openAppend(at('file'));
    await file.append(Buffer.from('three '));
    await file.append();
    await file.append(Buffer.from('four'));
    await file.close();
    expect(String(await disk.read(at('file')))).toBe('one two three four');
    expect(await disk.size(at('file'))).toBe(18);
  });

  it('appends a view of a larger buffer as the view alone', async () => {
    const file = await disk.create(at('file'));
    await file.append(Buffer.from('abcdef').subarray(2, 4), new Uint8Array([33]));
    await file.close();
    expect(String(await disk.read(at('file')))).toBe('cd!');
  });

  it('appends more than one write of the kernel takes', async () => {
    const file = await disk.create(at('file'));
    const megabytes = Buffer.alloc(8_000_000, 'x');
    await file.append(megabytes, Buffer.from('end'));
    await file.close();
    expect(await disk.size(at('file'))).toBe(8_000_003);
    expect(String(await disk.readRange(at('file'), 7_999_999, 10))).toBe('xend');
  });

  it('does not create what it should open', async () => {
    await expect(disk.openAppend(at('none'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await disk.list(directory)).toEqual([]);
  });

  it.each([
    [0, 3, 'abc'],
    [2, 2, 'cd'],
    [4, 100, 'ef'],
    [6, 1, ''],
    [100, 1, ''],
    [2, 0, ''],
  ])('reads from %i at most %i bytes: %j', async (start, length, expected) => {
    await write('file', 'abcdef');
    expect(String(await disk.readRange(at('file'), start, length))).toBe(expected);
  });

  it('lists names in order', async () => {
    for (const name of ['c', 'a', 'B', '10', '9']) await writeFile(at(name), '');
    expect(await disk.list(directory)).toEqual(['10', '9', 'B', 'a', 'c']);
  });

  it('cuts a file, and appends behind the cut', async () => {
    await write('file', 'abcdef');
    await disk.truncate(at('file'), 2);
    const file = await disk.openAppend(at('file'));
    await file.append(Buffer.from('!'));
    await file.close();
    expect(String(await disk.read(at('file')))).toBe('ab!');
  });

  it('renames, removes and syncs a directory', async () => {
    await write('one', 'x');
    await disk.rename(at('one'), at('two'));
    await disk.syncDirectory(directory);
    expect(await disk.list(directory)).toEqual(['two']);
    await disk.remove(at('two'));
    expect(await disk.list(directory)).toEqual([]);
  });

  it.each([
    ['read', (path: string) => disk.read(path)],
    ['readRange', (path: string) => disk.readRange(path, 0, 1)],
    ['size', (path: string) => disk.size(path)],
    ['truncate', (path: string) => disk.truncate(path, 0)],
    ['rename', (path: string) => disk.rename(path, `${path}2`)],
    ['remove', (path: string) => disk.remove(path)],
    ['list', (path: string) => disk.list(path)],
    ['syncDirectory', (path: string) => disk.syncDirectory(path)],
  ])('%s says ENOENT for what is not there', async (_name, act) => {
    await expect(act(at('none'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('fails to append after it was closed', async () => {
    const file = await disk.create(at('file'));
    await file.close();
    await expect(file.append(Buffer.from('x'))).rejects.toThrow(/closed|EBADF/);
  });

  it('says that the disk is full', async () => {
    const file = await disk.openAppend('/dev/full');
    await expect(file.append(Buffer.from('x'))).rejects.toMatchObject({ code: 'ENOSPC' });
    await file.close();
  });
});

describe('findExposed', () => {
  it('names the directory and the files that others may read or the group may change', async () => {
    await mkdir(at('data'));
    const modes = { own: 0o600, group: 0o640, all: 0o644, written: 0o660, run: 0o601 };
    for (const [name, mode] of Object.entries(modes)) {
      await writeFile(at(`data/${name}`), '');
      await chmod(at(`data/${name}`), mode);
    }
    await symlink('/etc/passwd', at('data/link'));
    await chmod(at('data'), 0o755);
    expect(await findExposed(at('data'))).toEqual([
      { path: at('data'), mode: '755' },
      { path: at('data/all'), mode: '644' },
      { path: at('data/run'), mode: '601' },
      { path: at('data/written'), mode: '660' },
    ]);
    await chmod(at('data'), 0o750);
    for (const name of ['all', 'run', 'written']) await chmod(at(`data/${name}`), 0o600);
    expect(await findExposed(at('data'))).toEqual([]);
  });

  it('throws what the disk says of a directory that is not there', async () => {
    await expect(findExposed(at('none'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
