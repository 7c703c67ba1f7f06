import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

import { describe, expect, it } from 'vitest';

import { until } from '../support/until.ts';

const PARENT = `
import { spawn } from 'node:child_process';
import { tieToThisProcess } from './test/support/tied-process.ts';
const child = spawn('sleep', ['600'], { stdio: 'ignore' });
tieToThisProcess(child);
console.log(child.pid);
process.stdin.once('data', () => child.kill()).unref();
child.once('exit', () => console.log('over'));
`;

/** Its leader ends at once, and leaves one of the group behind. */
const GROUP_PARENT = `
import { spawn } from 'node:child_process';
import { tieGroupToThisProcess } from './test/support/tied-process.ts';
const leader = spawn('sh', ['-c', 'sleep 600 & echo $!'], { detached: true, stdio: ['pipe', 'pipe', 'ignore'] });
tieGroupToThisProcess(leader);
leader.stdout.once('data', (pid) => leader.once('exit', () => console.log(Number(pid))));
setInterval(() => {}, 1000);
`;

/** A zombie, whom nobody may wait for in a container, is gone [proc(5), /proc/pid/stat]. */
function isThere(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat[stat.lastIndexOf(')') + 2] !== 'Z';
  } catch {
    return false;
  }
}

describe.skipIf(process.platform !== 'linux')('a process that is tied to another', () => {
  async function start(script: string): Promise<{ parent: ChildProcess; lines: AsyncIterator<string>; pid: number }> {
    const args = ['--import', 'tsx', '--input-type=module', '-e', script];
    const parent = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: parent.stdout })[Symbol.asyncIterator]();
    return { parent, lines, pid: Number((await lines.next()).value) };
  }

  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('ends when that one ends by %s', async (signal) => {
    const { parent, pid } = await start(PARENT);
    expect(isThere(pid)).toBe(true);
    parent.kill(signal);
    await until('the child’s end', () => !isThere(pid));
  });

  it('ends as one of a group, whose leader is gone', async () => {
    const { parent, pid } = await start(GROUP_PARENT);
    expect(isThere(pid)).toBe(true);
    parent.kill('SIGKILL');
    await until('the end of the group', () => !isThere(pid));
  });

  it('keeps that one from ending no longer than it runs itself', async () => {
    const { lines, parent, pid } = await start(PARENT);
    const exited = once(parent, 'exit');
    parent.stdin!.write('end\n');
    expect((await lines.next()).value).toBe('over');
    expect(await exited).toEqual([0, null]);
    expect(isThere(pid)).toBe(false);
  });
});
