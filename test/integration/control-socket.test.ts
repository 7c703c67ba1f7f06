import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import mqtt, { type MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { runCli } from '../../src/cli/cli.ts';
import { startAedes } from '../support/aedes.ts';
import { BridgeProcess } from '../support/bridge-process.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';
import { createTables } from '../support/tag-table.ts';
import { until } from '../support/until.ts';

let broker: Awaited<ReturnType<typeof startAedes>>;
let client: MqttClient;
let standin: Standin;
let bridge: BridgeProcess | undefined;

beforeEach(async () => {
  broker = await startAedes();
  client = await mqtt.connectAsync(broker.url);
  standin = await startStandin();
  await createTables(standin);
});

afterEach(async () => {
  await client.endAsync(true);
  await bridge?.dispose();
  await broker.stop();
  standin.stop();
});

type Section = Record<string, unknown>;

/** Without a token, as it is configured at first. */
async function start(change: { directory?: string; oracle?: Section; http?: Section } = {}): Promise<BridgeProcess> {
  bridge = await BridgeProcess.start({
    ...(change.directory === undefined ? {} : { directory: change.directory }),
    config: {
      mqtt: { url: broker.url, subscriptions: [{ topic: 'plc/+/tags', format: 'polling' }] },
      oracle: { connectString: standin.connectString, user: 'bridge', password: 'secret', ...change.oracle },
      http: { port: 0, ...change.http },
    },
  });
  await bridge.untilSubscribed();
  return bridge;
}

async function backups(...argv: readonly string[]) {
  let out = '';
  let err = '';
  const exitCode = await runCli(['backups', ...argv, '--config', join(bridge!.directory, 'bridge.json')], {
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    env: {},
  });
  return { exitCode, out, err };
}

async function publish(tags: Readonly<Record<string, unknown>>): Promise<void> {
  const payload = { plc_code: 'PLC01', timestamp: '2025-11-02T14:30:00Z', tag_values: tags };
  await client.publishAsync('plc/PLC01/tags', JSON.stringify(payload), { qos: 1 });
}

/** The name of the only file of the kind, once it is there. */
function nameOf(kind: string): Promise<string> {
  return until(`a ${kind} file`, async () => {
    const names = await readdir(join(bridge!.directory, 'backup')).catch((): string[] => []);
    return names.find((name) => name.startsWith(kind) && /\.csv(?:\.open)?$/.test(name))?.replace(/\.open$/, '');
  });
}

const entries = (): Promise<string[]> => readdir(join(bridge!.directory, 'backup'));
const socketOf = ({ directory }: BridgeProcess): string => join(directory, 'journal', 'control.sock');

describe('backups on the gateway, beside a running bridge without a token', () => {
  it('discards a file that is being written, which is sealed first', async () => {
    await start();
    await publish({ D0: 'x'.repeat(5000) });
    const file = await nameOf('rejected');
    expect(await entries()).toContain(`${file}.open`);
    expect(await backups('discard', file, '--yes')).toEqual({ exitCode: 0, out: `${file} was discarded.\n`, err: '' });
    expect(await entries()).toEqual([]);
    expect(bridge!.find('backup file discarded')).toMatchObject({ file, rows: 1 });
    expect(await backups('discard', file, '--yes')).toMatchObject({ exitCode: 74 });
  });

  it('has rejected rows replayed, with HTTP switched off too', async () => {
    await start({ http: { enabled: false } });
    await publish({ D0: 'x'.repeat(5000), D1: 7 });
    const file = await nameOf('rejected');
    const { exitCode, out } = await backups('replay', file);
    expect(exitCode).toBe(0);
    expect(out).toContain(`${file}: replayed\n1 row refused meanwhile: rejected_`);
  });

  it('discards what an outage has written so far, and goes on in a new file', async () => {
    standin.stop();
    await start();
    await publish({ D0: 1 });
    const file = await nameOf('backup');
    expect(await backups('discard', file, '--yes')).toMatchObject({ exitCode: 0, err: '' });
    await publish({ D0: 2 });
    const next = await nameOf('backup');
    expect(next).not.toBe(file);
  });

  it('finds the bridge again after a kill, and none after a stop', async () => {
    const first = await start();
    expect(existsSync(socketOf(first))).toBe(true);
    await first.end('SIGKILL');
    expect(existsSync(socketOf(first))).toBe(true);
    expect((await backups('replay')).out).toContain('No sealed backups to replay.');
    const second = await start({ directory: first.directory });
    expect(second.find('control socket listening')).toMatchObject({ path: socketOf(second), access: 'owner' });
    await publish({ D0: 'x'.repeat(5000) });
    const file = await nameOf('rejected');
    expect(await backups('discard', file, '--yes')).toMatchObject({ exitCode: 0 });
    expect(await second.end()).toBe(0);
    expect(existsSync(socketOf(second))).toBe(false);
  });

  it('says that a file was left open where no bridge runs to seal it', async () => {
    const killed = await start();
    await publish({ D0: 'x'.repeat(5000) });
    const file = await nameOf('rejected');
    await killed.end('SIGKILL');
    expect(await backups('discard', file, '--yes')).toMatchObject({
      exitCode: 74,
      err: expect.stringContaining('the next start seals it') as string,
    });
    expect(await entries()).toEqual([`${file}.open`]);
  });

  it('works without a socket where its path is too long, and says so', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'bridge-test-'));
    const directory = join(parent, 'x'.repeat(90));
    await mkdir(directory);
    const running = await start({ directory });
    expect(running.find('no control socket')).toMatchObject({
      error: expect.stringContaining('must be a path of at most') as string,
      remedy: expect.stringContaining('set control.socket to another path') as string,
    });
    await running.end();
  });
});
