import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { EXIT } from '../../src/cli/exit-codes.ts';
import { loadConfig } from '../../src/config/load.ts';
import { missingTool, ROOT, run } from './tools.ts';

const NAME = 'mqtt-oracle-bridge.service';
const UNIT = readFileSync(join(ROOT, 'deploy/systemd', NAME), 'utf8');
const DROP_IN = readFileSync(join(ROOT, 'deploy/systemd/mqtt-password.conf'), 'utf8');

/** All values of a key, in order. */
const values = (text: string, key: string): string[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith(`${key}=`))
    .map((line) => line.slice(key.length + 1));

const only = (key: string): string => {
  const found = values(UNIT, key);
  if (found.length !== 1) throw new Error(`${key}= stands ${found.length} times in the unit`);
  return found[0]!;
};

describe('the unit', () => {
  it('lets a drain end before it is killed', () => {
    const { bridge, oracle } = loadConfig({ files: [], env: {}, flags: {}, need: 'any' });
    // See HANG_MARGIN_MS in src/cli/commands/run.ts: it counts once for the drain and once for the stop.
    const hangMs = oracle.callTimeoutMs + 10_000;
    expect(Number(only('TimeoutStopSec')) * 1000).toBeGreaterThan(bridge.drainTimeoutMs + 2 * hangMs);
  });

  it('is not started again after what only a person can mend, and is after all else', () => {
    expect(only('Restart')).toBe('on-failure');
    const prevented = only('RestartPreventExitStatus').split(' ').map(Number);
    expect(prevented).toEqual([EXIT.usage, EXIT.configNotFound, EXIT.config]);
  });

  it('does not loop on a wrong configuration: the check before the start does not count', () => {
    expect(only('ExecStartPre')).toMatch(/^-\S+\/node \S+\/main\.js check --config \S+$/);
    expect(only('ExecStart').replace(' run ', ' check ')).toBe(only('ExecStartPre').slice(1));
  });

  it('hands passwords over as credentials, under names that the configuration knows', () => {
    for (const text of [UNIT, DROP_IN]) {
      const credentials = values(text, 'LoadCredential').map((each) => each.split(':')[0]);
      const named = values(text, 'Environment').flatMap((each) => /^(\w+_FILE)=%d\/(\S+)$/.exec(each)?.slice(1) ?? []);
      expect(named).toEqual([expect.stringMatching(/^BRIDGE_/), credentials[0]]);
      const directory = mkdtempSync(join(tmpdir(), 'credentials-'));
      const file = join(directory, 'secret');
      writeFileSync(file, 'from a file\n');
      const config = loadConfig({ files: [], env: { [named[0]!]: file }, flags: {}, need: 'any' });
      rmSync(directory, { recursive: true });
      expect([config.oracle.password, config.mqtt.password]).toContain('from a file');
    }
    expect(UNIT).not.toMatch(/PASSWORD=/);
  });

  it('keeps what it writes from others', () => {
    const expected = { StateDirectoryMode: '0700', UMask: '0077', LimitCORE: '0', NoNewPrivileges: 'yes' };
    expect(Object.fromEntries(Object.keys(expected).map((key) => [key, only(key)]))).toEqual(expected);
  });
});

const missing = missingTool('systemd-analyze');

describe.skipIf(missing !== undefined)(
  `the unit, as systemd reads it${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    let directory: string;
    let file: string;

    beforeAll(() => {
      directory = mkdtempSync(join(tmpdir(), 'unit-'));
      file = join(directory, NAME);
      writeFileSync(file, UNIT.replaceAll('/usr/bin/node', process.execPath));
    });

    afterAll(() => rmSync(directory, { recursive: true, force: true }));

    it('has no mistakes', async () => {
      expect(await run('systemd-analyze', ['verify', file])).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    });

    it('is exposed by 2.5 or less of 10', async () => {
      const { exitCode, stdout, stderr } = await run('systemd-analyze', [
        'security',
        '--offline=true',
        '--threshold=25',
        '--no-pager',
        file,
      ]);
      expect({ exitCode, verdict: stdout.split('\n').find((line) => line.includes('Overall')) ?? stderr }).toEqual({
        exitCode: 0,
        verdict: expect.stringMatching(/: (?:[01]\.\d|2\.[0-5]) /),
      });
    });

    it('would be told of a mistake', async () => {
      const bad = join(directory, 'bad.service');
      writeFileSync(
        bad,
        UNIT.replaceAll('/usr/bin/node', process.execPath).replace('WatchdogSec=60', 'WatchdogSec=soon'),
      );
      const { stderr } = await run('systemd-analyze', ['verify', bad]);
      expect(stderr).toContain('soon');
    });
  },
);
