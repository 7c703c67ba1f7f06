import { readdir } from 'node:fs/promises';

import { residentMegabytes } from '../../scripts/bench/process-figures.ts';
import type { BridgeChild } from '../crash/bridge-child.ts';
import type { Sample } from './growth.ts';

/**
 * Files that wait for a person, who does not come in a test; and the journal's segments, of which each fault of the
 * disk begins one: they stay until they are behind the last 65,535 messages, however many they are.
 */
const NOT_COUNTED = /^(?:rejected|undecodable|segment)[-_]/;

/** The bridge's process now; undefined while it does not answer. */
export async function takeSample(
  bridge: BridgeChild,
  directories: readonly string[],
  rest: Pick<Sample, 'atMs' | 'lagMs' | 'messages'>,
): Promise<Sample | undefined> {
  const metrics = await bridge.metrics();
  if (metrics === undefined) return undefined;
  const figures = metrics.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const heap = figures.find((line) => line.startsWith('nodejs_heap_size_used_bytes '));
  const files = (await Promise.all(directories.map((directory) => readdir(directory)))).flat();
  return {
    ...rest,
    residentMegabytes: (await residentMegabytes(bridge.pid)).now,
    heapMegabytes: Number(heap?.split(' ')[1]) / 1_048_576,
    descriptors: (await readdir(`/proc/${bridge.pid}/fd`)).length,
    files: files.filter((name) => !NOT_COUNTED.test(name)).length,
    series: figures.length,
  };
}
