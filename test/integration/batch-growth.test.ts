import mqtt, { type MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { BridgeProcess } from '../support/bridge-process.ts';
import { mosquittoMissing, startMosquitto, type RunningMosquitto } from '../support/mosquitto.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';
import { countRows, createTables, readRows } from '../support/tag-table.ts';
import { until } from '../support/until.ts';

const TAGS = 50;
const MESSAGES = 200;
const BATCH_SIZE = 100;
const MAX_BATCH_SIZE = 2000;
/** A tenth of a second a batch, so that values wait on a fast machine and on a slow one. */
const LATENCY_MS = 50;
const PATIENCE_MS = 60_000;

describe.skipIf(mosquittoMissing !== undefined)('10,000 values that wait for a database behind a long line', () => {
  let broker: RunningMosquitto;
  let standin: Standin;
  let bridge: BridgeProcess;
  let publisher: MqttClient;

  beforeEach(async () => {
    broker = await startMosquitto({ config: ['max_queued_messages 0'] });
    standin = await startStandin({ latencyMs: LATENCY_MS });
    await createTables(standin);
    publisher = await mqtt.connectAsync(broker.url);
    bridge = await start();
  });

  afterEach(async () => {
    await publisher?.endAsync(true);
    await bridge?.dispose();
    standin.stop();
    await broker.stop();
  });

  function start(directory?: string): Promise<BridgeProcess> {
    return BridgeProcess.start({
      ...(directory === undefined ? {} : { directory }),
      config: {
        mqtt: { url: broker.url, subscriptions: [{ topic: 'plc/+/tags', format: 'polling' }] },
        oracle: { connectString: standin.connectString, user: 'bridge', password: 'secret' },
        writer: {
          batchSize: BATCH_SIZE,
          maxBatchSize: MAX_BATCH_SIZE,
          retry: { attempts: 0, initialDelayMs: 1, factor: 1 },
        },
        backup: { probeIntervalMs: 500 },
      },
    });
  }

  async function publish(): Promise<void> {
    const payloads = Array.from({ length: MESSAGES }, (_, message) => {
      const tags = Object.fromEntries(Array.from({ length: TAGS }, (__, tag) => [`D${tag}_${message}`, message]));
      return JSON.stringify({ timestamp: new Date().toISOString(), plc_code: 'PLC01', tag_values: tags });
    });
    await Promise.all(payloads.map((payload) => publisher.publishAsync('plc/PLC01/tags', payload, { qos: 1 })));
  }

  async function expectAllOnce(): Promise<void> {
    await until('all rows', async () => (await countRows(standin)) >= MESSAGES * TAGS, PATIENCE_MS);
    const rows = await readRows(standin);
    expect(rows).toHaveLength(MESSAGES * TAGS);
    expect(new Set(rows.map(({ name }) => name)).size).toBe(MESSAGES * TAGS);
  }

  it('go out in batches that grow, from the broker', async () => {
    await bridge.untilSubscribed();
    expect(await bridge.end()).toBe(0);
    await publish();
    const before = standin.stats.commits;
    bridge = await start(bridge.directory);
    await expectAllOnce();
    expect(standin.stats.commits - before).toBeLessThan((MESSAGES * TAGS) / BATCH_SIZE / 2);
    const { rolling } = await bridge.untilStatus('the audit', ({ audit }) => audit.pending === 0);
    expect(rolling.avgBatchSize).toBeGreaterThan(2 * BATCH_SIZE);
  }, 90_000);

  it('go out in batches that grow, from a backup', async () => {
    await bridge.untilSubscribed();
    standin.close();
    standin.kill();
    await publish();
    const isBackedUp = await bridge.untilStatus(
      'the backup',
      ({ backups }) => backups.pendingRows === MESSAGES * TAGS,
      PATIENCE_MS,
    );
    expect(isBackedUp.counters.valuesBackedUp).toBe(MESSAGES * TAGS);
    const before = standin.stats.commits;
    await standin.open();
    await expectAllOnce();
    expect(standin.stats.commits - before).toBeLessThan((MESSAGES * TAGS) / BATCH_SIZE / 2);
  }, 90_000);
});
