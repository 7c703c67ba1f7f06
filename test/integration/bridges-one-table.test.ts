import mqtt, { type MqttClient } from 'mqtt';
import { afterEach, describe, expect, it } from 'vitest';

import { BridgeProcess } from '../support/bridge-process.ts';
import { mosquittoMissing, startMosquitto, type RunningMosquitto } from '../support/mosquitto.ts';
import { startStandin } from '../support/standin/standin.ts';
import { createTables, readRows } from '../support/tag-table.ts';
import { until } from '../support/until.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const MESSAGES = 100;
const TAGS = 5;

function payloadOf(number: number): string {
  const timestamp = Date.UTC(2025, 10, 2) + number * 1000;
  const tags = Object.fromEntries(Array.from({ length: TAGS }, (_, i) => [`D${i}`, number + i / 10]));
  return JSON.stringify({ timestamp, plc_code: 'PLC01', tag_values: tags });
}

async function publisherTo(broker: RunningMosquitto): Promise<MqttClient> {
  const client = await mqtt.connectAsync(broker.url, { clientId: 'publisher' });
  closers.push(() => client.endAsync());
  return client;
}

describe.skipIf(mosquittoMissing !== undefined)('two bridges without a ledger that are given the same messages', () => {
  it.each([
    ['ignore', 'UNIQUE (tag_name, timestamp)', MESSAGES * TAGS],
    ['update', 'UNIQUE (tag_name, timestamp)', MESSAGES * TAGS],
    ['update', 'PRIMARY KEY (tag_name)', TAGS],
  ] as const)('write no value twice, and balance: %s by %s', async (onDuplicate, key, rows) => {
    const broker = await startMosquitto();
    closers.push(() => broker.stop());
    const standin = await startStandin();
    closers.push(() => standin.stop());
    await createTables(standin, `ALTER TABLE tag_data ADD CONSTRAINT tag_key ${key}`);
    const bridges: BridgeProcess[] = [];
    for (const id of ['line-a', 'line-b']) {
      const bridge = await BridgeProcess.start({
        config: {
          bridge: { id },
          mqtt: { url: broker.url, subscriptions: [{ topic: 'plc/+/tags' }] },
          writer: { batchSize: 20, intervalMs: 50, retry: { attempts: 3, initialDelayMs: 20, factor: 1 } },
          oracle: {
            connectString: standin.connectString,
            user: 'bridge',
            password: 'secret',
            ledgerTable: '',
            onDuplicate,
          },
        },
      });
      closers.push(() => bridge.dispose());
      await bridge.untilSubscribed();
      await bridge.untilStatus('Oracle', ({ oracle }) => oracle.state === 'connected');
      bridges.push(bridge);
    }
    // Some commits are done, and their answers lost: both bridges write those rows once more.
    const lost = standin.faults.add({ on: 'commit', sql: 'TAG_DATA', reset: 'after', nth: 3, times: 4 });
    const publisher = await publisherTo(broker);
    for (let number = 1; number <= MESSAGES; number += 1) {
      await publisher.publishAsync('plc/PLC01/tags', payloadOf(number), { qos: 1 });
    }
    for (const bridge of bridges) {
      const { audit, counters } = await bridge.untilStatus('all to be settled', ({ counters: c, journal, backups }) => {
        return c.valuesReceived === MESSAGES * TAGS && journal.messages === 0 && backups.pendingFiles === 0;
      });
      expect(audit).toMatchObject({ balanced: true, difference: 0 });
      expect(counters).toMatchObject({ valuesRejected: 0, valuesDropped: 0 });
    }
    expect(lost.hits).toBeGreaterThan(0);
    await until('the rows', async () => (await readRows(standin)).length === rows);
    const found = await readRows(standin);
    expect(new Set(found.map(({ name, timeMs }) => `${name} ${timeMs}`)).size).toBe(rows);
    const last = found.toSorted((x, y) => x.timeMs - y.timeMs).map(({ name, value }) => [name, value] as const);
    const newest = Array.from({ length: TAGS }, (_, i) => [`PLC01.D${i}`, MESSAGES + i / 10] as const);
    expect(Object.fromEntries(last)).toEqual(Object.fromEntries(newest));
  });
});
