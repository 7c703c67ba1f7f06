import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { tieToThisProcess } from '../support/tied-process.ts';
import { until } from '../support/until.ts';

const REPORT = /(?<rows>\d+) in the tables of (?<published>\d+) published; oracle connected/g;
const LAST_WORD = /^(?<rows>\d+) rows in the tables of (?<published>\d+) published$/m;

describe('npm start', () => {
  let directory: string;
  let demo: ChildProcess;
  let said: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'bridge-demo-'));
    demo = spawn(process.execPath, ['--import', 'tsx', 'scripts/demo.ts', directory], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    tieToThisProcess(demo);
    said = '';
    for (const stream of [demo.stdout!, demo.stderr!]) {
      stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    }
  });

  afterEach(async () => {
    if (demo.exitCode === null) {
      const exited = once(demo, 'exit');
      demo.kill('SIGINT');
      await exited;
    }
    await rm(directory, { recursive: true });
  });

  /** How often it has told of rows. */
  function reports(): number {
    return [...said.matchAll(REPORT)].filter(({ groups }) => Number(groups!['rows']) > 0).length;
  }

  it('writes what the plant publishes, over kill -9 too, and ends with every row in the tables', async () => {
    const hasEnded = (): never | false => {
      if (demo.exitCode !== null) throw new Error(`it ended with ${demo.exitCode}: ${said}`);
      return false;
    };
    await until('rows', () => hasEnded() || reports() > 0, 40_000);
    demo.stdin!.write('k\n');
    await until('the kill', () => hasEnded() || said.includes('the bridge was killed'));
    const before = reports();
    await until('rows again', () => hasEnded() || reports() > before + 1, 40_000);
    const exited = once(demo, 'exit');
    demo.stdin!.write('q\n');
    expect(await exited).toEqual([0, null]);
    const { published, rows } = LAST_WORD.exec(said)!.groups!;
    expect(Number(rows)).toBeGreaterThan(0);
    expect(rows).toBe(published);
  }, 120_000);
});
