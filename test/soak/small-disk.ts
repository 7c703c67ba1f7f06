import { execFile } from 'node:child_process';
import { appendFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { systemErrorCode } from '../../src/core/errors.ts';

const run = promisify(execFile);

/** Room for the bridge's files that can be taken away. */
export interface SmallDisk {
  readonly directory: string;
  /** How it is taken away, for the report. */
  readonly how: string;
  /** Nothing more can be written; `pid` is the bridge's process. */
  fill(pid: number): Promise<void>;
  free(pid: number): Promise<void>;
  dispose(): Promise<void>;
}

const DISK_MEGABYTES = 192;
const MEGABYTE = Buffer.alloc(1_048_576, 'x');
const BLOCK = Buffer.alloc(4096, 'x');

/**
 * A filesystem in memory, which a large file fills. Where none may be mounted: a limit on the size of the process's
 * files, which the system refuses to write beyond with EFBIG, as a quota does with EDQUOT [prlimit(1)].
 */
export async function makeSmallDisk(parent: string, mayMount: boolean): Promise<SmallDisk> {
  const directory = join(parent, 'disk');
  await mkdir(directory);
  if (!mayMount) return limitedFiles(directory);
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MEGABYTES}m`, 'tmpfs', directory]);
  } catch {
    return limitedFiles(directory);
  }
  const ballast = join(directory, 'ballast');
  return {
    directory,
    how: `a filesystem of ${DISK_MEGABYTES} MiB, filled up`,
    fill: async () => {
      for (const piece of [MEGABYTE, BLOCK]) await untilFull(() => appendFile(ballast, piece));
    },
    free: () => rm(ballast, { force: true }),
    dispose: async () => void (await run('umount', ['-l', directory])),
  };
}

function limitedFiles(directory: string): SmallDisk {
  const limit = async (pid: number, soft: string): Promise<void> => {
    await run('prlimit', ['--pid', String(pid), `--fsize=${soft}:unlimited`]);
  };
  return {
    directory,
    how: 'no file may grow (RLIMIT_FSIZE), as no filesystem may be mounted',
    fill: (pid) => limit(pid, '1'),
    free: (pid) => limit(pid, 'unlimited'),
    dispose: () => Promise.resolve(),
  };
}

async function untilFull(write: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await write();
    } catch (error) {
      if (systemErrorCode(error) === 'ENOSPC') return;
      throw error;
    }
  }
}
