import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { NoticeMemory } from '../../../src/notices/notice-memory.ts';
import { nodeFileSystem } from '../../../src/core/node-filesystem.ts';

import { LossyDisk, seededRandom } from '../../support/lossy-filesystem.ts';
import { FaultyFileSystem } from '../backup/faulty-filesystem.ts';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'notice-memory-'));
  path = join(directory, 'notices.json');
});

afterEach(() => rm(directory, { recursive: true }));

describe('NoticeMemory', () => {
  it('remembers over a restart, and forgets', async () => {
    const memory = new NoticeMemory(nodeFileSystem, path);
    expect(await memory.topics()).toEqual([]);
    await Promise.all(['a', 'b', 'c', 'b'].map((topic) => memory.remember(topic)));
    await memory.forget('a');
    expect(await new NoticeMemory(nodeFileSystem, path).topics()).toEqual(['b', 'c']);
    await memory.forget('nothing of that name');
    expect(await memory.topics()).toEqual(['b', 'c']);
  });

  it('has on disk what it said it remembers, whatever a power cut takes', async () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const disk = new LossyDisk(seededRandom(seed));
      const memory = new NoticeMemory(disk.mount(), '/d/notices.json');
      const said: string[] = [];
      const all = Array.from({ length: 10 }, (_, i) => memory.remember(`t${i}`).then(() => said.push(`t${i}`)));
      await all[seed % 10];
      void Array.from({ length: seed % 4 }, (_, i) => memory.remember(`later ${i}`));
      disk.crash();
      const known = await new NoticeMemory(disk.mount(), '/d/notices.json').topics();
      expect(said.length).toBeGreaterThan(0);
      expect(said.filter((topic) => !known.includes(topic))).toEqual([]);
    }
  });

  it('writes the file only when the set changes, and once for many changes at a time', async () => {
    const disk = new FaultyFileSystem();
    const memory = new NoticeMemory(disk, path);
    await Promise.all(Array.from({ length: 100 }, (_, i) => memory.remember(`t${i}`)));
    const renames = (): number => disk.calls.filter((call) => call === 'rename').length;
    expect(renames()).toBeLessThanOrEqual(2);
    const before = renames();
    await memory.remember('t7');
    expect(renames()).toBe(before);
  });

  it('throws when the disk takes nothing, and makes up for it with the next change', async () => {
    const disk = new FaultyFileSystem();
    const memory = new NoticeMemory(disk, path);
    disk.fail('sync', 'ENOSPC');
    await expect(memory.remember('a')).rejects.toThrow('ENOSPC');
    await memory.remember('a');
    expect(await new NoticeMemory(nodeFileSystem, path).topics()).toEqual(['a']);
  });

  it.each(['', '{', '[]', '{"topics":[1]}', '{"topics":[""]}', 'null'])(
    'takes a file with %j for nothing known',
    async (text) => {
      await writeFile(path, text);
      const memory = new NoticeMemory(nodeFileSystem, path);
      expect(await memory.topics()).toEqual([]);
      await memory.remember('a');
      expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ topics: ['a'] });
    },
  );
});
