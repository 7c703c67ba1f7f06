import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { platform } from 'node:process';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { systemClock } from '../../../src/core/clock.ts';
import { nodeFileSystem } from '../../../src/core/node-filesystem.ts';
import { Reserve } from '../../../src/core/reserve.ts';
import { ProcessLock } from '../../../src/journal/process-lock.ts';
import { LossyDisk, seededRandom } from '../../support/lossy-filesystem.ts';
import { until } from '../../support/until.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'process-lock-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const lock = (): ProcessLock => new ProcessLock(nodeFileSystem, systemClock);

describe('ProcessLock', () => {
  it('keeps a directory for one, says which process has it, and gives it back', async () => {
    const first = lock();
    await first.acquire(directory);
    await expect(lock().acquire(directory)).rejects.toThrow(`${directory} is in use by process ${process.pid}`);
    await first.release();
    await first.release();
    expect(await readdir(directory)).toEqual([]);
    const second = lock();
    await second.acquire(directory);
    await second.release();
  });

  it.each([
    ['of a process that is no more', JSON.stringify({ pid: 2 ** 22 + 1, startedAt: '' })],
    ['of another process that had our id', JSON.stringify({ pid: process.pid, startedAt: 'boot/1' })],
    ['that was never written', ''],
    ['that is no lock', '[1,2'],
  ])('takes over a file %s', async (_what, text) => {
    await writeFile(join(directory, 'lock'), text);
    const own = lock();
    await own.acquire(directory);
    expect(await readdir(directory)).toEqual(['lock']);
    await own.release();
  });

  it.skipIf(platform !== 'linux')(
    'takes over that of a process that has ended and that nobody has asked for it',
    async () => {
      const parent = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
      try {
        const [line] = (await once(parent.stdout, 'data')) as [Buffer];
        const zombie = Number(String(line));
        const statOf = async (): Promise<string[]> => {
          const stat = await readFile(`/proc/${zombie}/stat`, 'utf8');
          return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        };
        await until('the end of the process', async () => (await statOf())[0] === 'Z');
        const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
        const holder = { pid: zombie, startedAt: `${boot}/${(await statOf())[19]!}`, token: '1' };
        await writeFile(join(directory, 'lock'), JSON.stringify(holder));
        const own = lock();
        await own.acquire(directory);
        expect(await readdir(directory)).toEqual(['lock']);
        await own.release();
      } finally {
        parent.kill('SIGKILL');
      }
    },
  );

  it('takes the room of the reserve where a full disk has none for it', async () => {
    const disk = new LossyDisk(seededRandom(1));
    const files = disk.mount();
    await files.makeDirectory('/journal');
    await new Reserve('/journal', 1_000_000, files).keep();
    disk.capacityBytes = disk.usedBytes;
    const own = new ProcessLock(files, systemClock);
    await own.acquire('/journal');
    expect(await files.list('/journal')).toContain('lock');
    await own.release();
    await files.remove('/journal/reserve.bin');
    disk.capacityBytes = disk.usedBytes;
    await expect(own.acquire('/journal')).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(await files.list('/journal')).toEqual([]);
  });

  it('is had by one of many that want it at once', async () => {
    await writeFile(join(directory, 'lock'), JSON.stringify({ pid: 2 ** 22 + 1, startedAt: '' }));
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => lock().acquire(directory)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});
