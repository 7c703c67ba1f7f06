import mqtt, { type MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { BridgeProcess } from '../support/bridge-process.ts';
import { mosquittoMissing, startMosquitto, type RunningMosquitto } from '../support/mosquitto.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';
import { createTables, readRows } from '../support/tag-table.ts';
import { until } from '../support/until.ts';

const BASE = 'mqtt-oracle-bridge/test-bridge';

describe.skipIf(mosquittoMissing !== undefined)('every value once', () => {
  let broker: RunningMosquitto;
  let standin: Standin;
  let bridge: BridgeProcess;
  let publisher: MqttClient;
  let published = 0;

  beforeEach(async () => {
    published = 0;
    broker = await startMosquitto({ config: ['max_queued_messages 0'] });
    standin = await startStandin();
    await createTables(standin);
    publisher = await mqtt.connectAsync(broker.url);
    await startBridge();
  });

  afterEach(async () => {
    await publisher.endAsync(true);
    await bridge.dispose();
    standin.stop();
    await broker.stop();
  });

  async function startBridge(directory?: string): Promise<void> {
    bridge = await BridgeProcess.start({
      config: {
        mqtt: { url: broker.url, subscriptions: [{ topic: 'plc/+/tags', format: 'polling' }] },
        oracle: { connectString: standin.connectString, user: 'bridge', password: 'secret' },
        writer: { retry: { attempts: 1, initialDelayMs: 200, factor: 1 } },
        backup: { probeIntervalMs: 200 },
      },
      ...(directory === undefined ? {} : { directory }),
    });
    await bridge.untilStatus('the broker', ({ mqtt: { connected } }) => connected);
    await bridge.untilSubscribed();
  }

  async function killBridge(): Promise<void> {
    await bridge.end('SIGKILL');
    await startBridge(bridge.directory);
  }

  /** Messages of ten values each, of tags that no other message has. */
  async function publish(messages: number): Promise<void> {
    const sent = Array.from({ length: messages }, () => {
      const tags = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`D${published + i}`, published + i]));
      published += 10;
      const payload = JSON.stringify({ plc_code: 'P', tag_values: tags });
      return publisher.publishAsync('plc/P/tags', payload, { qos: 1 });
    });
    await Promise.all(sent);
  }

  async function expectEachOnce(): Promise<void> {
    await until('all rows', async () => (await readRows(standin)).length >= published, 40_000);
    await bridge.untilStatus('all to be settled', ({ journal, backups }) => {
      return journal.messages === 0 && backups.pendingFiles === 0;
    });
    const names = (await readRows(standin)).map(({ name }) => name);
    expect(names).toHaveLength(published);
    expect(new Set(names).size).toBe(published);
    expect((await bridge.status()).audit.balanced).toBe(true);
  }

  it('over kill -9 with values in memory', async () => {
    standin.faults.add({ on: 'execute', sql: 'INSERT INTO "TAG_DATA"', delayMs: 300, times: Infinity });
    await publish(300);
    await killBridge();
    await publish(300);
    await killBridge();
    standin.faults.clear();
    await publish(10);
    await expectEachOnce();
    const { counters } = await bridge.status();
    expect(counters.valuesReceived).toBe(published);
  });

  it.each(['before', 'after'] as const)('over a connection that is cut %s the commit', async (reset) => {
    const fault = standin.faults.add({ on: 'commit', sql: 'TAG_DATA', reset, nth: 2, times: 3 });
    for (let i = 0; i < 10; i += 1) {
      await publish(60);
      await bridge.untilStatus('the values', ({ counters }) => counters.valuesReceived === published);
    }
    await expectEachOnce();
    expect(fault.hits).toBe(3);
  });

  it.each(['commit', 'rollback'] as const)('over a session that ends with a late %s', async (outcome) => {
    standin.faults.add({ on: 'commit', sql: 'TAG_DATA', late: { outcome, afterMs: 2000 } });
    await publish(20);
    await until('the cut', () => bridge.find('oracle does not take a batch: trying again') !== undefined);
    await publish(20);
    await expectEachOnce();
  });

  it('over an outage: backed up, announced, replayed, cleared', async () => {
    const notices = new Map<string, string>();
    publisher.on('message', (topic, payload) => void notices.set(topic, payload.toString()));
    await publisher.subscribeAsync(`${BASE}/recovery/+`, { qos: 1 });
    standin.close();
    standin.kill();
    await publish(100);
    await bridge.untilStatus('the backup', ({ backups }) => backups.pendingRows === 1000);
    await until('the notice', () => [...notices.values()].some((text) => text.includes('"open"')));
    await standin.open();
    await bridge.untilStatus('oracle to be back', ({ oracle }) => oracle.state === 'connected');
    await publish(100);
    await expectEachOnce();
    // Rows are seen once they are committed, which the bridge knows a little later.
    await bridge.untilStatus('the replay to be counted', ({ counters }) => counters.valuesReplayed === 1000);
    expect((await bridge.status()).counters.valuesBackedUp).toBe(1000);
    await until('the notice to be cleared', () => [...notices.values()].every((text) => text === ''));
    // What is kept of its replay goes last.
    await until('the files to be gone', async () => (await bridge.backupFiles()).size === 0);
    const streams = (): Promise<readonly unknown[]> =>
      standin.engine.query('SELECT stream FROM mqtt_bridge_ledger', 'BRIDGE');
    await until('the ledger to have no replay', async () => (await streams()).length === 1);
  });

  it('over an outage that began with a commit whose answer was lost, and kill -9 in it', async () => {
    const cut = standin.faults.add({ on: 'commit', sql: 'TAG_DATA', reset: 'after' });
    await publish(50);
    await until('the cut', () => cut.hits === 1);
    standin.close();
    standin.kill();
    await bridge.untilStatus('the backup', ({ backups }) => backups.pendingRows > 0);
    await publish(50);
    await killBridge();
    await publish(50);
    await standin.open();
    await expectEachOnce();
  });
});
