import mqtt, { type MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { startAedes } from '../support/aedes.ts';
import { BridgeProcess } from '../support/bridge-process.ts';
import { mosquittoMissing, startMosquitto } from '../support/mosquitto.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';
import { countRows, createTables, readRows } from '../support/tag-table.ts';
import { until } from '../support/until.ts';

const MESSAGES = 400;
const TAGS = 50;

/** The hour before and the hour after Central European clocks go back: 02:00–03:00 local time comes twice. */
const FIRST_MS = Date.parse('2025-10-26T00:00:00.000Z');
const STEP_MS = Math.floor(7_200_000 / MESSAGES);

interface Expected {
  readonly value: number;
  readonly timeMs: number;
  readonly quality: string;
}

/** Each value of the run once, by its tag name: `PLC<n>.D<m>_<message>`. */
function buildMessages(): { payloads: string[]; expected: Map<string, Expected> } {
  const expected = new Map<string, Expected>();
  const payloads = Array.from({ length: MESSAGES }, (_, message) => {
    const plcCode = `PLC${message % 3}`;
    const timeMs = FIRST_MS + message * STEP_MS;
    const tags: Record<string, unknown> = {};
    for (let tag = 0; tag < TAGS; tag += 1) {
      const value = message * 1000 + tag + 0.125;
      const isBad = tag === 7;
      tags[`D${tag}_${message}`] = isBad ? { value, quality: 'BAD' } : value;
      expected.set(`${plcCode}.D${tag}_${message}`, { value, timeMs, quality: isBad ? 'BAD' : 'GOOD' });
    }
    return JSON.stringify({ timestamp: new Date(timeMs).toISOString(), plc_code: plcCode, tag_values: tags });
  });
  return { payloads, expected };
}

const BROKERS = [
  { name: 'mosquitto', missing: mosquittoMissing, start: () => startMosquitto() },
  { name: 'aedes', missing: undefined, start: () => startAedes() },
];

describe.each(BROKERS)('20,000 values through $name', ({ missing, start }) => {
  let broker: Awaited<ReturnType<typeof start>>;
  let standin: Standin;
  let bridge: BridgeProcess;
  let publisher: MqttClient;

  beforeEach(async () => {
    broker = await start();
    standin = await startStandin();
    await createTables(standin);
  });

  afterEach(async () => {
    await publisher?.endAsync(true);
    await bridge?.dispose();
    standin.stop();
    await broker.stop();
  });

  it.skipIf(missing !== undefined).each(['UTC', 'Europe/Berlin', 'America/New_York'])(
    'reach the table once each, with value, UTC time and quality, in %s',
    async (timeZone) => {
      bridge = await BridgeProcess.start({
        timeZone,
        config: {
          mqtt: { url: broker.url, subscriptions: [{ topic: 'plc/+/tags', format: 'polling' }] },
          oracle: { connectString: standin.connectString, user: 'bridge', password: 'secret' },
        },
      });
      await bridge.untilStatus('the bridge to be connected', (status) => status.mqtt.connected);
      await bridge.untilSubscribed();
      publisher = await mqtt.connectAsync(broker.url);
      const { payloads, expected } = buildMessages();
      await Promise.all(payloads.map((payload, i) => publisher.publishAsync(`plc/${i % 3}/tags`, payload, { qos: 1 })));
      await until('all rows', async () => (await countRows(standin)) >= expected.size, 30_000);

      const rows = await readRows(standin);
      expect(rows).toHaveLength(expected.size);
      for (const { name, value, timeMs, quality } of rows) {
        expect({ name, value, timeMs, quality }).toEqual({ name, ...expected.get(name) });
        expected.delete(name);
      }
      expect(expected.size).toBe(0);

      const { counters, audit } = await bridge.untilStatus('the audit', ({ audit: { pending } }) => pending === 0);
      expect(counters).toMatchObject({ messagesReceived: MESSAGES, valuesReceived: MESSAGES * TAGS });
      expect(counters.valuesWritten).toBe(MESSAGES * TAGS);
      expect(audit.balanced).toBe(true);
      expect(await bridge.end()).toBe(0);
    },
  );
});
