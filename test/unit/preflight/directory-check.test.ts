import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Config } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { systemClock, type Clock } from '../../../src/core/clock.ts';
import type { FileSystem } from '../../../src/core/filesystem.ts';
import { nodeFileSystem } from '../../../src/core/node-filesystem.ts';
import { checkDirectories } from '../../../src/preflight/directory-check.ts';
import type { Finding } from '../../../src/preflight/finding.ts';

let directory = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bridge-directories-'));
});

afterEach(() => rm(directory, { recursive: true }));

function config(more: Readonly<Record<string, string>> = {}): Config {
  const flags = { 'journal.dir': join(directory, 'a/journal'), 'backup.dir': join(directory, 'a/backup'), ...more };
  return loadConfig({ files: [], env: {}, flags, need: 'any' });
}

async function check(
  settings: Config,
  fileSystem: FileSystem = nodeFileSystem,
  clock: Clock = systemClock,
): Promise<(subject: string) => Finding | undefined> {
  const findings = await checkDirectories(settings, fileSystem, clock);
  return (subject) => findings.find((finding) => finding.subject === subject);
}

function failingSync(code: string): FileSystem {
  const error = Object.assign(new Error(`${code}: the disk does not like it`), { code });
  return {
    ...nodeFileSystem,
    create: async (path) => {
      const file = await nodeFileSystem.create(path);
      return {
        append: (...buffers) => file.append(...buffers),
        sync: () => Promise.reject(error),
        close: () => file.close(),
      };
    },
  };
}

describe('the check of the directories', () => {
  it('finds that they can be made, and leaves nothing behind', async () => {
    const about = await check(config());
    for (const key of ['journal.dir', 'backup.dir']) {
      expect(about(key)).toMatchObject({ verdict: 'ok', text: expect.stringContaining('can be made') as string });
      expect(about(`${key} sync`)?.text).toMatch(/^\d+(?:\.\d+)? ms, the median of 9/);
    }
    expect(about('filesystems')?.text).toContain('on one');
    expect(await readdir(directory)).toEqual([]);
  });

  it('leaves alone what is there, the lock of a running bridge among it', async () => {
    const settings = config();
    await mkdir(settings.journal.dir, { recursive: true, mode: 0o700 });
    await writeFile(join(settings.journal.dir, 'lock'), 'held');
    const about = await check(settings);
    expect(about('journal.dir')).toMatchObject({ verdict: 'ok', text: expect.stringContaining('mode 0700') as string });
    expect(await readdir(settings.journal.dir)).toEqual(['lock']);
  });

  it('warns when others can read the values', async () => {
    const settings = config();
    await mkdir(settings.backup.dir, { recursive: true });
    await chmod(settings.backup.dir, 0o755);
    const about = await check(settings);
    expect(about('backup.dir')).toMatchObject({ verdict: 'warning', remedy: [`chmod 700 ${settings.backup.dir}`] });
  });

  it('says what is in the way, and looks at the other one', async () => {
    await writeFile(join(directory, 'a'), 'a file');
    const settings = config({ 'backup.dir': join(directory, 'b') });
    const about = await check(settings);
    expect(about('journal.dir')).toMatchObject({
      verdict: 'failed',
      remedy: [expect.stringContaining('a file is in the way')],
    });
    expect(about('backup.dir')).toMatchObject({ verdict: 'ok' });
  });

  it.each([
    ['ENOSPC', 'the disk is full'],
    ['EROFS', 'mounted read-only'],
    ['EACCES', 'install -d -m 700 -o USER'],
    ['EIO', 'name a directory on a local disk'],
  ])('says what to do about %s, and cleans up', async (code, remedy) => {
    const about = await check(config(), failingSync(code));
    expect(about('journal.dir')).toMatchObject({ verdict: 'failed', remedy: [expect.stringContaining(remedy)] });
    expect(about('journal.dir')?.text).toContain(code);
    expect(await readdir(directory)).toEqual([]);
  });

  it('warns of a slow sync and of too little room', async () => {
    let nowMs = 0;
    const slow: Clock = { ...systemClock, monotonic: () => (nowMs += 50) };
    const about = await check(config({ 'journal.maxBytes': '1099511627776' }), nodeFileSystem, slow);
    expect(about('journal.dir sync')).toMatchObject({ verdict: 'warning', text: '50 ms, the median of 9, is slow' });
    expect(about('journal.dir room')).toMatchObject({ verdict: 'warning' });
  });
});
