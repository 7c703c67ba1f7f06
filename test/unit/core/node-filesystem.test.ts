import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { nodeFileSystem as disk } from '../../../src/core/node-filesystem.ts';

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
