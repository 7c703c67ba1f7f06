import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import mqtt, { type MqttClient } from 'mqtt';
import { afterEach, describe, expect, it } from 'vitest';

import { Backups } from '../../src/backup/backups.ts';
import { BackupFolder } from '../../src/backup/files/folder.ts';
import { NoticeMemory } from '../../src/notices/notice-memory.ts';
import { Notices } from '../../src/notices/notices.ts';
import { systemClock } from '../../src/core/clock.ts';
import { nodeFileSystem } from '../../src/core/node-filesystem.ts';
import { noStep } from '../../src/core/steps.ts';
import { MqttPublisher } from '../../src/mqtt/publisher.ts';
import { startAedes } from '../support/aedes.ts';
import { mosquittoMissing, startMosquitto } from '../support/mosquitto.ts';
import { RecordingLogger } from '../support/recording-logger.ts';
import { until } from '../support/until.ts';
import { valuesOf } from '../support/values.ts';

const BASE = 'plant/bridge';
const DOWN = { code: 'ORA-12514', message: 'service is not registered' };

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Running {
  readonly backups: Backups;
  readonly dir: string;
  readonly log: RecordingLogger;
  stop(): Promise<void>;
}

async function directory(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'backup-notices-'));
  cleanups.push(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** `memoryDir` outlives the bridge, as its journal's directory does. */
async function startBridge(
  url: string,
  protocolVersion: 4 | 5,
  inlineCsvMaxBytes = 65_536,
  memoryDir?: string,
): Promise<Running> {
  const dir = await directory();
  const log = new RecordingLogger();
  const shared = { clock: systemClock, log };
  const backups = new Backups({
    folder: new BackupFolder(dir, nodeFileSystem),
    maxRowsPerFile: 1000,
    journalId: () => 'journal00001',
    onStep: noStep,
    ...shared,
  });
  await backups.start();
  const publisher = new MqttPublisher({
    ...shared,
    url,
    clientId: 'bridge',
    username: '',
    password: '',
    protocolVersion,
    keepaliveSeconds: 30,
    tls: { ca: '', cert: '', key: '', rejectUnauthorized: true },
    stateTopic: `${BASE}/state`,
  });
  const health = (): unknown => ({ rows: backups.pending('backup').rows });
  const memory = new NoticeMemory(nodeFileSystem, join(memoryDir ?? join(dir, 'memory'), 'notices.json'));
  const settings = { baseTopic: BASE, bridgeId: 'b1', inlineCsvMaxBytes, memory, health };
  const notices = new Notices({ publisher, backups, ...settings, ...shared });
  await publisher.start();
  notices.start();
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= (async () => {
      await backups.stop();
      await notices.stop();
      await publisher.stop();
    })();
    return stopped;
  };
  cleanups.push(stop);
  return { backups, dir, log, stop };
}

/** What the broker retains below the base topic, as a client of its own sees it. */
class Observer {
  readonly retained = new Map<string, string>();
  readonly #client: MqttClient;

  constructor(client: MqttClient) {
    this.#client = client;
    client.on('message', (topic, payload) => {
      if (payload.length === 0) this.retained.delete(topic);
      else this.retained.set(topic, payload.toString());
    });
  }

  static async start(url: string): Promise<Observer> {
    const client = await mqtt.connectAsync(url);
    cleanups.push(() => client.endAsync());
    const observer = new Observer(client);
    await client.subscribeAsync(`${BASE}/#`, { qos: 1 });
    return observer;
  }

  async retain(topic: string, payload: string): Promise<void> {
    await this.#client.publishAsync(`${BASE}/${topic}`, payload, { qos: 1, retain: true });
  }

  notice(file: string): Record<string, unknown> | undefined {
    const text = this.retained.get(`${BASE}/recovery/${file}`);
    return text === undefined ? undefined : (JSON.parse(text) as Record<string, unknown>);
  }

  topics(): string[] {
    return [...this.retained.keys()].map((topic) => topic.slice(BASE.length + 1)).sort();
  }
}

interface Broker {
  readonly url: string;
  stop(): Promise<unknown>;
}

const BROKERS: readonly (readonly [string, 4 | 5, () => Promise<Broker>])[] = [
  ['aedes', 4, () => startAedes()],
  ...(mosquittoMissing === undefined ? [['mosquitto', 5, () => startMosquitto()] as const] : []),
];

describe.each(BROKERS)('with %s', (_name, protocolVersion, startBroker) => {
  it('a notice appears with the outage, carries the CSV when it is over, and goes with the file', async () => {
    const broker = await startBroker();
    cleanups.push(() => broker.stop());
    const observer = await Observer.start(broker.url);
    const { backups } = await startBridge(broker.url, protocolVersion);
    await backups.lane().backUp(valuesOf(1, 2), DOWN);
    const { name } = backups.files()[0]!;
    await until('the notice of the open file', () => observer.notice(name)?.['state'] === 'open');
    await backups.lane().backUp(valuesOf(3), DOWN);
    await backups.lane().endOutage();
    await until('the notice of the sealed file', () => observer.notice(name)?.['state'] === 'sealed');
    expect(observer.notice(name)).toMatchObject({ file: name, rows: 3, reason: DOWN, bridgeId: 'b1' });
    await until('the CSV', () => observer.retained.has(`${BASE}/recovery/${name}/csv`));
    expect(observer.retained.get(`${BASE}/recovery/${name}/csv`)).toBe((await backups.read(name)).toString());
    await backups.discard(name);
    await until('both are cleared', () => observer.topics().join() === 'health,state');
  });

  it('stale notices are cleared on connect, those of files are renewed, a large CSV is not published', async () => {
    const broker = await startBroker();
    cleanups.push(() => broker.stop());
    const first = await startBridge(broker.url, protocolVersion, 10);
    const observer = await Observer.start(broker.url);
    for (let i = 0; i < 500; i += 1) await observer.retain(`recovery/backup_20240101_000000_${i + 2}.csv`, '{}');
    await observer.retain('recovery/backup_20240101_000000.csv/csv', 'x');
    await first.backups.lane().backUp(valuesOf(1, 2), DOWN);
    await first.backups.lane().endOutage();
    const { name } = first.backups.files()[0]!;
    await until('the notice', () => observer.notice(name)?.['state'] === 'sealed');
    await first.stop();
    await observer.retain(`recovery/${name}`, '{"state":"wrong"}');
    await observer.retain(`recovery/${name}/csv`, 'wrong');

    const second = await startBridge(broker.url, protocolVersion, 10);
    await until('the first’s notices are cleared', () => observer.topics().join() === 'health,state');
    await second.backups.lane().backUp(valuesOf(1), DOWN);
    await second.backups.lane().endOutage();
    await until('the new notice', () => observer.notice(second.backups.files()[0]!.name)?.['rows'] === 1);
    expect(observer.topics()).toEqual(['health', `recovery/${second.backups.files()[0]!.name}`, 'state']);
  });
});

describe.skipIf(mosquittoMissing !== undefined)('a broker that restarts and forgets', () => {
  it('is told again what lies on disk', async () => {
    const broker = await startMosquitto();
    cleanups.push(() => broker.stop());
    const { backups } = await startBridge(broker.url, 5);
    await backups.lane().backUp(valuesOf(1, 2), DOWN);
    await backups.lane().endOutage();
    const { name } = backups.files()[0]!;
    const before = await Observer.start(broker.url);
    await until('the notice', () => before.notice(name) !== undefined);
    await broker.restart(async () => {
      await backups.lane().reject(valuesOf(1), [{ index: 0, reason: { code: 'ORA-00001', message: 'unique' } }]);
    });
    const after = await Observer.start(broker.url);
    const rejected = backups.files().find(({ kind }) => kind === 'rejected')!.name;
    await until(
      'both notices',
      () => after.retained.has(`${BASE}/recovery/${name}/csv`) && after.notice(rejected) !== undefined,
    );
    expect(after.notice(name)).toMatchObject({ rows: 2, state: 'sealed' });
  });
});

/** aedes, but as RabbitMQ 3.10 does: what is retained is sent to who subscribes by name, and not for a wildcard. */
async function startWithoutWildcards(): Promise<Broker> {
  const running = await startAedes();
  const { persistence } = running.broker as unknown as {
    persistence: { createRetainedStreamCombi: (patterns: readonly string[]) => unknown };
  };
  const original = persistence.createRetainedStreamCombi.bind(persistence);
  persistence.createRetainedStreamCombi = (patterns) =>
    original(patterns.filter((pattern) => !pattern.includes('+') && !pattern.includes('#')));
  return running;
}

describe('a broker that sends no retained messages for wildcards', () => {
  it('has the notices cleared of files that went while the bridge was down', async () => {
    const broker = await startWithoutWildcards();
    cleanups.push(() => broker.stop());
    const memoryDir = await directory();
    const first = await startBridge(broker.url, 4, 65_536, memoryDir);
    await first.backups.lane().backUp(valuesOf(1, 2), DOWN);
    await first.backups.lane().endOutage();
    const { name } = first.backups.files()[0]!;
    const topics = [`${BASE}/recovery/${name}`, `${BASE}/recovery/${name}/csv`];
    const retained = async (): Promise<readonly string[]> => {
      const client = await mqtt.connectAsync(broker.url);
      const seen: string[] = [];
      client.on('message', (topic) => void seen.push(topic));
      await client.subscribeAsync([...topics, `${BASE}/health`], { qos: 1 });
      await until('the health', () => seen.includes(`${BASE}/health`));
      await client.endAsync();
      return seen.filter((topic) => topics.includes(topic)).sort();
    };
    await until('both notices', async () => (await retained()).length === 2);
    expect(await retained()).toEqual(topics);
    await first.stop();

    await startBridge(broker.url, 4, 65_536, memoryDir); // the file is not there any more
    await until('both are cleared', async () => (await retained()).length === 0);
  });
});
