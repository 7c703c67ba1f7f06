import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import mqtt, { type MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { BridgeProcess } from '../support/bridge-process.ts';
import { mosquittoMissing, startMosquitto } from '../support/mosquitto.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';
import { countRows, createTables, readRows } from '../support/tag-table.ts';
import { until } from '../support/until.ts';

const LEVELS = ['debug', 'info'];

type Settings = Record<string, Record<string, unknown>>;

const PASSWORD = 'secret';
const POLLING = { topic: 'plc/+/tags', format: 'polling' };
const SCALAR = { topic: 'plant/+/+', format: 'scalar', plcCode: '{2}', tagAddress: '{3}' };
const RELOADED = 'configuration reloaded';
const REFUSED = 'configuration not reloaded: the bridge runs on as it was';

let broker: Awaited<ReturnType<typeof startMosquitto>>;
let standin: Standin;
let bridge: BridgeProcess;
let publisher: MqttClient;

describe.skipIf(mosquittoMissing !== undefined)('SIGHUP', () => {
  beforeEach(async () => {
    broker = await startMosquitto({ config: ['max_queued_messages 0'] });
    standin = await startStandin();
    await createTables(standin);
    publisher = await mqtt.connectAsync(broker.url);
  });

  afterEach(async () => {
    await publisher?.endAsync(true);
    await bridge?.dispose();
    standin.stop();
    await broker.stop();
  });

  async function start(more: Settings = {}): Promise<void> {
    const oracle = { connectString: standin.connectString, user: 'bridge', password: PASSWORD };
    const mqttSettings = { url: broker.url, subscriptions: [POLLING] };
    bridge = await BridgeProcess.start({ config: { mqtt: mqttSettings, oracle, log: { level: 'info' }, ...more } });
    await bridge.untilSubscribed();
  }

  const configFile = (): string => join(bridge.directory, 'bridge.json');
  const count = (message: string): number => bridge.log.filter((entry) => entry['message'] === message).length;
  const last = (message: string): unknown => bridge.log.findLast((entry) => entry['message'] === message);

  /** Lays the keys over the configuration file, sends the signal and waits for the answer. */
  async function reload(changes: Settings, answer = RELOADED): Promise<unknown> {
    const config = JSON.parse(await readFile(configFile(), 'utf8')) as Settings;
    for (const [section, keys] of Object.entries(changes)) config[section] = { ...config[section], ...keys };
    return reloadText(JSON.stringify(config), answer);
  }

  async function reloadText(text: string, answer: string): Promise<unknown> {
    await writeFile(configFile(), text);
    const before = count(answer);
    process.kill(bridge.pid, 'SIGHUP');
    await until(answer, () => count(answer) > before);
    return last(answer);
  }

  const publish = (topic: string, payload: string): Promise<unknown> =>
    publisher.publishAsync(topic, payload, { qos: 1 });
  const polling = (tag: string, value: number): string =>
    JSON.stringify({ plc_code: 'P', tag_values: { [tag]: value } });
  const names = async (): Promise<string[]> => (await readRows(standin)).map(({ name }) => name).toSorted();

  it('subscribes to what is new, and unsubscribes from what is gone', async () => {
    await start();
    const line = await reload({ mqtt: { subscriptions: [POLLING, SCALAR] } });
    expect(line).toMatchObject({ applied: { 'mqtt.subscriptions': 'added plant/+/+' }, needRestart: [] });
    await until('the second subscription', () => count('subscribed') === 2);
    await publish('plant/L1/D1', '12.5');
    await publish('plc/1/tags', polling('D2', 2));
    await until('both values', async () => (await countRows(standin)) === 2);

    await reload({ mqtt: { subscriptions: [SCALAR] } });
    await until('the unsubscription', () => count('unsubscribed') === 1);
    await publish('plc/1/tags', polling('D3', 3));
    await publish('plant/L1/D4', '4');
    await until('the value of the topic that is left', async () => (await countRows(standin)) === 3);
    expect(await names()).toEqual(['L1.D1', 'L1.D4', 'P.D2']);
    const { audit, counters } = await bridge.status();
    expect([audit.balanced, counters.messagesUndecodable]).toEqual([true, 0]);
    const complaints = bridge.log.filter(({ level }) => level === 'warn' || level === 'error');
    expect(complaints).toEqual([]);
  });

  it('reads by the former subscription what it had let in before', async () => {
    await start({ buffer: { capacity: 2 }, writer: { batchSize: 2 } });
    await bridge.untilStatus('oracle', ({ oracle }) => oracle.state === 'connected');
    // Behind a batch of two that Oracle does not answer and two values in the buffer, messages wait in the journal.
    standin.blackHole(true);
    await Promise.all(Array.from({ length: 20 }, (_, i) => publish('plc/1/tags', polling(`D${i}`, i))));
    await bridge.untilStatus(
      'the journal to hold them',
      ({ journal, buffer }) => journal.messages === 20 && buffer.size === 2,
    );
    await reload({ mqtt: { subscriptions: [SCALAR] } });
    standin.blackHole(false);
    await until('all of them', async () => (await countRows(standin)) === 20, 30_000);
    expect((await bridge.status()).counters.messagesUndecodable).toBe(0);
  });

  it('reads what comes later by a changed format', async () => {
    await start();
    const topic = 'plc/+/tags';
    const changed = { topic, format: 'scalar', plcCode: '{2}', tagAddress: '{3}' };
    expect(await reload({ mqtt: { subscriptions: [changed] } })).toMatchObject({
      applied: { 'mqtt.subscriptions': `changed ${topic}` },
    });
    await publish('plc/L7/tags', '7');
    await until('the value', async () => (await countRows(standin)) === 1);
    expect(await names()).toEqual(['L7.tags']);
    expect(count('subscribed')).toBe(1);
  });

  it('takes a corrected password over, and tries it at once', async () => {
    await start({ oracle: { connectString: standin.connectString, user: 'bridge', password: 'wrong' } });
    await publish('plc/1/tags', polling('D1', 1));
    await bridge.untilStatus('the outage', ({ oracle }) => oracle.state === 'down');
    expect(await reload({ oracle: { password: PASSWORD } })).toMatchObject({
      applied: { 'oracle.password': 'changed' },
    });
    await publish('plc/1/tags', polling('D2', 2));
    await until('the values', async () => (await countRows(standin)) === 2);
    expect(standin.stats.logons.map(({ accepted }) => accepted).slice(0, 2)).toEqual([false, true]);
    expect(JSON.stringify(bridge.log)).not.toMatch(/"wrong"|"secret"/);
  });

  it('needs no signal for a password that stands in a file of its own', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'bridge-secret-'));
    const file = join(directory, 'password');
    await writeFile(file, 'wrong\n');
    const oracle = { connectString: standin.connectString, user: 'bridge' };
    bridge = await BridgeProcess.start({
      config: { mqtt: { url: broker.url, subscriptions: [POLLING] }, oracle },
      env: { BRIDGE_ORACLE_PASSWORD_FILE: file },
    });
    await bridge.untilSubscribed();
    await publish('plc/1/tags', polling('D1', 1));
    await bridge.untilStatus('the outage', ({ oracle: { state } }) => state === 'down');
    const REFUSED_FILE = 'changed file of a secret is not taken over: the bridge goes on with what it has';
    await writeFile(file, Buffer.from('p\xe4ss', 'latin1'));
    await until('the refusal', () => count(REFUSED_FILE) === 1);
    expect(last(REFUSED_FILE)).toMatchObject({
      key: 'oracle.password',
      problem: expect.stringContaining('UTF-8') as string,
    });
    await writeFile(`${file}.new`, `${PASSWORD}\n`);
    await rename(`${file}.new`, file);
    await until('the new secret', () => count('secrets taken over') === 1);
    await publish('plc/1/tags', polling('D2', 2));
    await until('the values', async () => (await countRows(standin)) === 2, 30_000);
    expect(last('secrets taken over')).toMatchObject({ keys: ['oracle.password'] });
    expect(standin.stats.logons.map(({ accepted }) => accepted).slice(0, 2)).toEqual([false, true]);
    await rm(directory, { recursive: true });
  });

  it('applies the level of the log and the size of a batch, and names what needs a restart', async () => {
    await start();
    const line = await reload({
      log: { level: 'debug', format: 'text' },
      writer: { batchSize: 7 },
      oracle: { password: 'another-one', user: 'another-user' },
    });
    expect(line).toMatchObject({
      applied: { 'log.level': '"info" → "debug"', 'writer.batchSize': '500 → 7', 'oracle.password': 'changed' },
      needRestart: ['oracle.user', 'log.format'],
    });
    expect(bridge.log.filter(({ message }) => message === 'key needs a restart: kept as it was')).toMatchObject([
      { level: 'warn', key: 'oracle.user' },
      { level: 'warn', key: 'log.format' },
    ]);
    expect(JSON.stringify(bridge.log)).not.toContain('another-one');
    await publish(
      'plc/1/tags',
      JSON.stringify({
        plc_code: 'P',
        tag_values: Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`D${i}`, i])),
      }),
    );
    await until('all values', async () => (await countRows(standin)) === 70);
    expect((await bridge.status()).rolling.avgBatchSize).toBeLessThanOrEqual(35);
    await reload({ log: { level: 'error', format: 'json' } });
    await reloadText('{', REFUSED);
    expect(bridge.log.at(-1)).toMatchObject({ level: 'error' });
  });

  it('refuses a wrong configuration as a whole, says all that is wrong, and runs on', async () => {
    await start();
    await reload({ log: { level: 'loud' }, writer: { batchSize: 0 }, mqtt: { subscriptions: [SCALAR] } }, REFUSED);
    await until('both errors', () => count(REFUSED) === 2);
    expect(bridge.log.filter(({ message }) => message === REFUSED)).toMatchObject([
      { key: 'writer.batchSize', problem: expect.stringContaining('must be') as string },
      { key: 'log.level', problem: expect.stringContaining('must be') as string },
    ]);
    await reloadText('{ "log": ', REFUSED);
    expect(count(RELOADED)).toBe(0);
    await publish('plc/1/tags', polling('D1', 1));
    await until('the value', async () => (await countRows(standin)) === 1);
    expect(await bridge.end()).toBe(0);
  });

  it('loses and doubles nothing of a topic that stays, while all else changes again and again', async () => {
    await start();
    let published = 0;
    const stopping = new AbortController();
    const flow = (async () => {
      while (!stopping.signal.aborted) {
        await publish('plc/1/tags', polling(`D${published}`, published));
        published += 1;
      }
    })();
    for (let turn = 1; turn <= 10; turn += 1) {
      const qos = turn % 3 === 0 ? 0 : 1;
      const subscriptions = turn % 2 === 0 ? [POLLING] : [{ ...SCALAR, qos }, POLLING];
      const writer = { batchSize: 1 + 10 * turn, intervalMs: 10 * turn };
      await reload({
        mqtt: { subscriptions },
        writer,
        backup: { replay: turn % 2 === 0 },
        log: { level: LEVELS[turn % 2] },
      });
    }
    stopping.abort();
    await flow;
    await until('all values', async () => (await countRows(standin)) >= published, 30_000);
    expect(new Set(await names()).size).toBe(published);
    expect(await countRows(standin)).toBe(published);
    const { audit } = await bridge.untilStatus('the end', ({ audit: { pending } }) => pending === 0);
    expect(audit.balanced).toBe(true);
    expect(await bridge.end()).toBe(0);
  });
});
