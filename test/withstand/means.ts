import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/*
 * What trials need of the machine, and why they can't be made where it is not there.
 */

/** Debian's package `libfaketime`, by architecture. */
export const FAKETIME =
  ['x86_64-linux-gnu', 'aarch64-linux-gnu', 'arm-linux-gnueabihf']
    .map((architecture) => `/usr/lib/${architecture}/faketime/libfaketime.so.1`)
    .find((path) => existsSync(path)) ?? '';

export const faketimeMissing = FAKETIME === '' ? 'libfaketime is not installed' : undefined;

export const needsRoot = process.getuid?.() === 0 ? undefined : 'only root may mount';

/** Of the first version of control groups: the memory of the second one is not to be had in every container. */
export const MEMORY_CGROUP = '/sys/fs/cgroup/memory';

export const memoryLimitMissing =
  needsRoot === undefined && existsSync(`${MEMORY_CGROUP}/memory.limit_in_bytes`)
    ? undefined
    : 'no memory control group (v1) may be made';

export const gccMissing = isThere('gcc') ? undefined : 'gcc is not installed';

function isThere(command: string): boolean {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
