import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import { BUILT_BRIDGE } from '../support/built-bridge.ts';
import { BridgeProcess } from '../support/bridge-process.ts';
import { mosquittoMissing, startMosquitto } from '../support/mosquitto.ts';
import { Opened, publish } from '../support/mqtt-clients.ts';
import { startStandin } from '../support/standin/standin.ts';
import { countRows, createTables } from '../support/tag-table.ts';
import { until } from '../support/until.ts';

let opened = new Opened();

afterEach(async () => {
  await opened.close();
  opened = new Opened();
});

interface Ended {
  readonly exitCode: number | null;
  readonly out: string;
  readonly err: string;
}

/** `check --connect` as a process; `during` runs once it has said its first word. */
async function checkProcess(
  file: string,
  during?: (pid: number) => void,
  more: readonly string[] = [],
): Promise<Ended> {
  const argv = [BUILT_BRIDGE, 'check', '--connect', '--config', file, ...more];
  const child = spawn(process.execPath, argv, {
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => {
    if (out === '') during?.(child.pid!);
    out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { exitCode, out, err };
}

async function configFile(config: object): Promise<string> {
  const directory = opened.add(await mkdtemp(join(tmpdir(), 'bridge-check-')), (path) => rm(path, { recursive: true }));
  const file = join(directory, 'bridge.json');
  const directories = { journal: { dir: join(directory, 'journal') }, backup: { dir: join(directory, 'backup') } };
  await writeFile(file, JSON.stringify({ ...directories, ...config }));
  return file;
}

const NOBODY = {
  mqtt: {
    url: 'mqtt://127.0.0.1:9',
    subscriptions: [{ topic: 'plant/+/+', format: 'scalar', plcCode: '{2}', tagAddress: '{3}' }],
  },
  oracle: { connectString: '127.0.0.1:9/none', user: 'bridge', password: 'secret' },
};

describe('check --connect as a process', () => {
  it.skipIf(mosquittoMissing !== undefined)(
    'exits with 0 beside a running bridge, which goes on and holds its lock',
    async () => {
      const broker = opened.add(await startMosquitto({ config: ['max_inflight_messages 1000'] }), (running) =>
        running.stop(),
      );
      const standin = opened.add(await startStandin(), (running) => Promise.resolve(running.stop()));
      await createTables(standin);
      const config = {
        mqtt: { url: broker.url },
        oracle: { connectString: standin.connectString, user: 'bridge', password: 'secret' },
      };
      const bridge = opened.add(await BridgeProcess.start({ config }), (running) => running.dispose());
      await bridge.untilStatus('the connections', ({ mqtt, oracle }) => mqtt.connected && oracle.state === 'connected');

      const { err, exitCode, out } = await checkProcess(join(bridge.directory, 'bridge.json'));
      expect(err).toBe('');
      expect(out).toMatch(/\n0 failed, \d+ warnings?, 3 unknown, \d+ ok\n$/);
      expect(exitCode).toBe(0);

      const payload = JSON.stringify({ plc_code: 'P1', tag_values: { A: 1, B: 2 } });
      await publish(broker.url, 'plc/P1/tags', [payload]);
      await until('the rows', async () => (await countRows(standin)) === 2);
      const connects = bridge.log.filter(({ message }) => message === 'connected to the broker');
      expect(connects.map(({ clientId }) => String(clientId)).toSorted()).toEqual([
        'test-bridge',
        'test-bridge-notices',
      ]);
      expect(bridge.find('connection to the broker lost')).toBeUndefined();
    },
  );

  it('exits with 69 when nobody is there, and has looked at everything', async () => {
    const { exitCode, out } = await checkProcess(await configFile(NOBODY));
    expect(exitCode).toBe(69);
    expect(out).toMatch(
      /^Broker mqtt:\/\/127\.0\.0\.1:9\n {2}✗ failed {3}connection: [^]*\nOracle 127\.0\.0\.1:9\/none\n {2}✗ failed {3}connection: [^]*\nDirectories\n {2}✓ ok {7}journal\.dir: /,
    );
    expect(out).toMatch(/\n2 failed, /);
  });

  it('exits with 78 when the configuration is wrong, and tries nothing', async () => {
    const { exitCode, out } = await checkProcess(
      await configFile({ ...NOBODY, mqtt: { ...NOBODY.mqtt, url: 'http://x' } }),
    );
    expect(exitCode).toBe(78);
    expect(out).toMatch(/^mqtt\.url: must be [^\n]*\n$/);
  });

  it('ends at once when it is told to', async () => {
    const standin = opened.add(await startStandin(), (running) => Promise.resolve(running.stop()));
    standin.blackHole(true);
    const { connectString } = standin;
    const oracle = { ...NOBODY.oracle, connectString, connectTimeoutMs: 600_000 };
    const file = await configFile({ ...NOBODY, oracle });
    const { exitCode, out } = await checkProcess(file, (pid) => process.kill(pid, 'SIGTERM'));
    expect(exitCode).toBe(69);
    expect(out).toContain('✗ failed   check: interrupted');
  });
});
