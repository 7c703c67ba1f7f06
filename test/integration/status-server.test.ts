import { mkdtemp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import mqtt, { type MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { ListedFile } from '../../src/backup/replay/listing.ts';
import type { Sample } from '../../src/ops/history.ts';
import type { RefusalsAnswer } from '../../src/ops/refusals.ts';
import type { Status } from '../../src/ops/status.ts';
import { startAedes } from '../support/aedes.ts';
import { BridgeProcess } from '../support/bridge-process.ts';
import { EventReader } from '../support/event-reader.ts';
import { startStandin } from '../support/standin/standin.ts';
import { createTables } from '../support/tag-table.ts';
import { until } from '../support/until.ts';

const TOKEN = 'the-token-of-this-test';
const PASSWORD = 'the-password-of-this-test';
const FILE = 'backup_20251102_143000.csv';
const CSV =
  'tag_name,tag_value,timestamp,quality,insertion_attempt_time\r\n' +
  'PLC01.D0,1,2025-11-02T14:30:00.000Z,GOOD,2025-11-02T14:30:00.000Z\r\n';
const NOTICE = `mqtt-oracle-bridge/test-bridge/recovery/${FILE}`;

let broker: Awaited<ReturnType<typeof startAedes>>;
let client: MqttClient;
let bridge: BridgeProcess | undefined;
const cleanups: (() => unknown)[] = [];

beforeEach(async () => {
  broker = await startAedes();
  client = await mqtt.connectAsync(broker.url);
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
  await client.endAsync(true);
  await bridge?.dispose();
  await broker.stop();
});

type Section = Record<string, unknown>;

/** With a database that is not there, unless one is given. */
async function start(change: { directory?: string; oracle?: Section; http?: Section } = {}): Promise<string> {
  const oracle = { connectString: '127.0.0.1:1/none', user: 'bridge', password: PASSWORD, ...change.oracle };
  bridge = await BridgeProcess.start({
    ...(change.directory === undefined ? {} : { directory: change.directory }),
    config: {
      mqtt: { url: broker.url, subscriptions: [{ topic: 'plc/+/tags', format: 'polling' }] },
      oracle,
      http: { port: 0, token: TOKEN, ...change.http },
    },
  });
  return String(bridge.find('bridge started')?.['http']);
}

async function directoryWithBackup(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'bridge-test-'));
  await mkdir(join(directory, 'backup'));
  await writeFile(join(directory, 'backup', FILE), CSV);
  return directory;
}

async function openEvents(url: string): Promise<EventReader> {
  const reader = await EventReader.open(`${url}/api/events`);
  cleanups.push(() => reader.close());
  return reader;
}

function discard(url: string, file: string, headers: Readonly<Record<string, string>>): Promise<Response> {
  return fetch(`${url}/api/backups/${file}/discard`, { method: 'POST', headers: { ...headers } });
}

const right = { authorization: `Bearer ${TOKEN}` };

describe('the status page of a running bridge', () => {
  it('shows what came last, what was refused and what flows', async () => {
    const standin = await startStandin();
    cleanups.push(() => standin.stop());
    await createTables(standin);
    const url = await start({ oracle: { connectString: standin.connectString, password: 'secret' } });
    await bridge!.untilSubscribed();
    const events = await openEvents(url);
    const publish = (payload: string) => client.publishAsync('plc/PLC01/tags', payload, { qos: 1 });
    const tags = { D0: 1, D1: 'RUN', D2: 'x'.repeat(5000) };
    await publish(JSON.stringify({ plc_code: 'PLC01', timestamp: '2025-11-02T14:30:00Z', tag_values: tags }));
    await publish(JSON.stringify({ plc_code: 'PLC01', timestamp: '2025-11-02T14:30:01Z', tag_values: { D0: 2 } }));
    await publish('{nonsense');

    const get = async <T>(path: string): Promise<T> => (await (await fetch(url + path)).json()) as T;
    const refusals = await until('the refusals', async () => {
      const answer = await get<RefusalsAnswer>('/api/refusals');
      return answer.rejected.length > 0 && answer.undecodable.length > 0 && answer;
    });
    expect(refusals.rejected).toMatchObject([{ tagName: 'PLC01.D2', code: 'TEXT_TOO_LONG' }]);
    expect(refusals.undecodable).toMatchObject([{ topic: 'plc/PLC01/tags', payload: '{nonsense' }]);
    expect(await get('/api/tags?search=plc01.d')).toMatchObject({
      total: 3,
      tags: [
        { tagName: 'PLC01.D0', plcCode: 'PLC01', value: 2, quality: 'GOOD', timestamp: '2025-11-02T14:30:01.000Z' },
        { value: 'RUN' },
        { tagName: 'PLC01.D2' },
      ],
    });

    const isThrough = ({ counters }: Status): boolean => counters.valuesWritten === 3;
    await until('the status', () => events.all('status').some((status) => isThrough(status as Status)));
    const flows = (sample: Sample): boolean => sample[1] > 0;
    const sample = (await until('a sample', () =>
      events.all('sample').find((each) => flows(each as Sample)),
    )) as Sample;
    expect(sample[3]).toBeGreaterThan(0);
    const history = await get<{ samples: Sample[] }>('/api/history');
    expect(history).toMatchObject({ intervalMs: 5000, capacity: { buffer: 100_000, journalBytes: 1_073_741_824 } });
    expect(history.samples).toContainEqual(sample);

    const files = await get<ListedFile[]>('/api/backups');
    const times = files.map(({ createdAt }) => Date.parse(createdAt));
    expect(times.every((timeMs) => Math.abs(Date.now() - timeMs) < 600_000)).toBe(true);
    const rejected = files.find(({ kind }) => kind === 'rejected')!.file;
    expect(events.all('backups').at(-1)).toMatchObject(files.map(({ file }) => ({ file })));
    const download = await fetch(`${url}/api/backups/${rejected}`);
    expect(download.headers.get('content-disposition')).toContain(`filename="${rejected}"`);
    expect(await download.text()).toMatch(/^tag_name,.*\r\nPLC01\.D2,.*\r\n$/s);
    const done = await discard(url, rejected, right);
    expect([done.status, await done.json()]).toEqual([200, { file: rejected }]);
    expect((await get<ListedFile[]>('/api/backups')).map(({ kind }) => kind)).toEqual(['undecodable']);

    expect(await bridge!.end()).toBe(0);
    await until('the end of the stream', () => events.isOver);
  });

  it('discards a backup for good, and its notice with it', async () => {
    const cleared: string[] = [];
    const noticed: string[] = [];
    client.on('message', (topic, payload) => void (payload.length === 0 ? cleared : noticed).push(topic));
    await client.subscribeAsync('mqtt-oracle-bridge/test-bridge/recovery/#');
    const directory = await directoryWithBackup();
    const url = await start({ directory });
    const events = await openEvents(url);
    await until('the notice', () => noticed.includes(NOTICE));

    expect((await discard(url, FILE, {})).status).toBe(401);
    expect((await discard(url, FILE, { ...right, origin: 'http://attacker.example' })).status).toBe(403);
    expect(await readdir(join(directory, 'backup'))).toEqual([FILE]);

    const done = await discard(url, FILE, { ...right, origin: url });
    expect([done.status, await done.json()]).toEqual([200, { file: FILE }]);
    expect(await readdir(join(directory, 'backup'))).toEqual([]);
    await until('the notice to be cleared', () => cleared.includes(NOTICE));
    await until('the event', () => (events.all('backups').at(-1) as object[] | undefined)?.length === 0);
    expect((await discard(url, FILE, right)).status).toBe(404);
    expect((await discard(url, encodeURIComponent(`../backup/${FILE}`), right)).status).toBe(404);

    expect(await bridge!.end('SIGKILL')).toBeNull();
    const again = await start({ directory });
    expect(await (await fetch(`${again}/api/backups`)).json()).toEqual([]);
  });

  it('does nothing without a token of its own', async () => {
    const directory = await directoryWithBackup();
    const url = await start({ directory, http: { token: '' } });
    for (const authorization of ['', 'Bearer ', 'Bearer x']) {
      expect((await discard(url, FILE, { authorization })).status).toBe(403);
    }
    expect(await readdir(join(directory, 'backup'))).toEqual([FILE]);
    expect(await bridge!.status()).toMatchObject({ actions: false });
  });

  it('tells no secret', async () => {
    const url = await start();
    await bridge!.untilStatus('the database to be missed', ({ oracle }) => oracle.reason !== undefined);
    const events = await openEvents(url);
    await events.untilCount('status', 2);
    const paths = ['status', 'history', 'tags', 'refusals', 'backups', 'backups/x.csv', 'nowhere'];
    const answers = await Promise.all(
      [...paths.map((path) => `/api/${path}`), '/metrics', '/readyz', '/healthz'].map(async (path) => {
        const response = await fetch(url + path);
        return JSON.stringify([...response.headers]) + (await response.text());
      }),
    );
    const told = answers.join('\n') + JSON.stringify(events.events) + JSON.stringify(bridge!.log);
    expect(told).toContain('"actions":true');
    expect(told).not.toContain(TOKEN);
    expect(told).not.toContain(PASSWORD);
    const { advice } = await bridge!.status();
    expect(advice[0]?.remedy).toContain('oracle.connectString');
  });
});
