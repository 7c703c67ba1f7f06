import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import mqtt, { type MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { runCli } from '../../src/cli/cli.ts';
import { BridgeProcess } from '../support/bridge-process.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';
import { createTables, readRows } from '../support/tag-table.ts';
import { until } from '../support/until.ts';

let broker: Awaited<ReturnType<typeof startMosquitto>>;
let client: MqttClient;
let standin: Standin;
let bridge: BridgeProcess;

beforeEach(async () => {
  broker = await startMosquitto();
  client = await mqtt.connectAsync(broker.url);
  standin = await startStandin();
  await createTables(standin);
  bridge = await start();
});

afterEach(async () => {
  await client.endAsync(true);
  await bridge.dispose();
  standin.stop();
  await broker.stop();
});

async function start(directory?: string): Promise<BridgeProcess> {
  const started = await BridgeProcess.start({
    ...(directory === undefined ? {} : { directory }),
    config: {
      mqtt: { url: broker.url, subscriptions: [{ topic: 'plc/+/tags', format: 'polling' }] },
      oracle: { connectString: standin.connectString, user: 'bridge', password: 'secret' },
    },
  });
  await started.untilSubscribed();
  return started;
}

async function fix(...argv: readonly string[]) {
  let out = '';
  let err = '';
  const exitCode = await runCli(['backups', 'fix', ...argv, '--config', join(bridge.directory, 'bridge.json')], {
    stdout: { write: (text) => (out += text.toString()) },
    stderr: { write: (text) => (err += text.toString()) },
    env: {},
  });
  return { exitCode, out, err };
}

const entries = (): Promise<string[]> => readdir(join(bridge.directory, 'backup'));
const mendedPath = (): string => join(bridge.directory, 'mended.csv');

/** The name of the only file of the kind, once it is there. */
function nameOf(kind: string): Promise<string> {
  return until(`a ${kind} file`, async () => {
    const name = (await entries()).find((entry) => entry.startsWith(kind) && /\.csv(?:\.open)?$/.test(entry));
    return name?.replace(/\.open$/, '');
  });
}

async function publish(payload: string | object): Promise<void> {
  await client.publishAsync('plc/PLC01/tags', typeof payload === 'string' ? payload : JSON.stringify(payload), {
    qos: 1,
  });
}

/** Three rows of one message: one is written, two are refused. Gives the file that they are in. */
async function reject(): Promise<string> {
  const tags = { D0: 7, D1: 'x'.repeat(5000), D2: 'y'.repeat(5000) };
  await publish({ plc_code: 'PLC01', timestamp: '2025-11-02T14:30:00Z', tag_values: tags });
  return nameOf('rejected');
}

/** Has the file exported, changed and written to `mendedPath`. */
async function exported(file: string, change: (csv: string) => string): Promise<void> {
  const { err, exitCode, out } = await fix(file, '--out', '-');
  expect([exitCode, err]).toEqual([0, '']);
  await writeFile(mendedPath(), change(out));
}

async function written(): Promise<unknown[][]> {
  const rows = await readRows(standin);
  return rows.map(({ name, text }) => [name, text]);
}

const shorten = (csv: string): string =>
  csv.replace(/x{5000}/, 'short').replace(/(r\d_\w+),,PLC01\.D2/, '$1,drop,PLC01.D2');

describe('backups fix beside a running bridge', () => {
  it('has the rows that a person has mended written once, and the file gone', async () => {
    const file = await reject();
    await exported(file, shorten);
    expect(await entries()).toEqual([file]);
    const { err, exitCode, out } = await fix(file, '--take', mendedPath());
    expect([exitCode, err]).toEqual([0, '']);
    expect(out).toContain(`${file}: 1 row mended, 1 dropped, 0 as before\n`);
    expect(out).toContain(`${file}: replayed\n`);
    expect(await written()).toEqual([
      ['PLC01.D0', null],
      ['PLC01.D1', 'short'],
    ]);
    expect(await entries()).toEqual([]);
    expect(await fix(file, '--take', mendedPath())).toMatchObject({ exitCode: 74 });
    expect(await bridge.status()).toMatchObject({ audit: { balanced: true } });
  });

  it('changes nothing where anything of it is wrong', async () => {
    const file = await reject();
    await exported(file, (csv) => shorten(csv).replace('2025-11-02T14:30:00.000Z', 'yesterday'));
    const before = await readFile(join(bridge.directory, 'backup', file), 'utf8');
    const { err, exitCode } = await fix(file, '--take', mendedPath());
    expect(exitCode).toBe(65);
    expect(err).toContain(
      `${mendedPath()}: line 2, column timestamp: not an ISO 8601 time with a time zone: "yesterday"`,
    );
    expect(err).toContain('nothing was changed');
    expect(await entries()).toEqual([file]);
    expect(await readFile(join(bridge.directory, 'backup', file), 'utf8')).toBe(before);
  });

  it('has messages decoded with the payload that a person has mended', async () => {
    await publish('{"plc_code":"PLC01","tag_values":{"D5":5}');
    const file = await nameOf('undecodable');
    await exported(file, (csv) => csv.replace('{""D5"":5}', '{""D5"":5}}'));
    const { err, exitCode, out } = await fix(file, '--take', mendedPath());
    expect([exitCode, err]).toEqual([0, '']);
    expect(out).toContain(`${file}: 1 message mended, 0 dropped, 0 as before\n`);
    expect(await written()).toEqual([['PLC01.D5', null]]);
  });

  it('never writes over what a person may have mended, nor where it would pass for rows to replay', async () => {
    const file = await reject();
    await writeFile(mendedPath(), 'hours of work');
    expect(await fix(file, '--out', mendedPath())).toMatchObject({
      exitCode: 74,
      err: expect.stringContaining('is there already, and may have been mended') as string,
    });
    expect(await readFile(mendedPath(), 'utf8')).toBe('hours of work');
    const inside = join(bridge.directory, 'backup', 'x.csv');
    expect(await fix(file, '--out', inside)).toMatchObject({ exitCode: 64 });
    expect(await fix(file, '--out', 'a.csv', '--take', 'b.csv')).toMatchObject({ exitCode: 64 });
  });
});

describe('backups fix while no bridge runs', () => {
  it('replays by itself, and the retained notice is cleared at the next start', async () => {
    const file = await reject();
    const topic = `mqtt-oracle-bridge/test-bridge/recovery/${file}`;
    const retained = new Map<string, string>();
    client.on('message', (each, payload) => void retained.set(each, payload.toString()));
    await client.subscribeAsync([topic, `${topic}/csv`]);
    await until('the notice', () => retained.has(topic));
    await bridge.end();
    await exported(file, shorten);
    const { err, exitCode, out } = await fix(file, '--take', mendedPath());
    expect([exitCode, err]).toEqual([0, '']);
    expect(out).toContain(`${file}: replayed\n`);
    expect(await written()).toHaveLength(2);
    expect(retained.get(topic)).not.toBe('');
    bridge = await start(bridge.directory);
    await until('the notice and the CSV to be cleared', () =>
      [topic, `${topic}/csv`].every((each) => retained.get(each) === ''),
    );
  });
});
