import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import mqtt, { type MqttClient } from 'mqtt';

import { BridgeProcess } from '../support/bridge-process.ts';
import { mosquittoMissing, startMosquitto, type RunningMosquitto } from '../support/mosquitto.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';
import { createTables, readRows } from '../support/tag-table.ts';
import { until } from '../support/until.ts';

const METADATA = 'ie/m/j/simatic/v1/s7c1/dp';
const DATA = 'ie/d/j/simatic/v1/s7c1/dp/r/PLC1/default';

function metadata(names: Readonly<Record<string, string>>): string {
  const dataPointDefinitions = Object.entries(names).map(([id, name]) => ({ name, id, dataType: 'Real' }));
  return JSON.stringify({
    connections: [{ name: 'PLC1', type: 's7', dataPoints: [{ name: 'default', topic: DATA, dataPointDefinitions }] }],
  });
}

describe.skipIf(mosquittoMissing !== undefined)('names that a retained metadata topic tells', () => {
  let broker: RunningMosquitto;
  let standin: Standin;
  let bridge: BridgeProcess;
  let connector: MqttClient;

  async function startBridge(directory?: string): Promise<void> {
    const json = { preset: 'siemens-databus' };
    bridge = await BridgeProcess.start({
      ...(directory === undefined ? {} : { directory }),
      config: {
        mqtt: {
          url: broker.url,
          subscriptions: [
            { topic: 'ie/d/j/simatic/v1/+/dp/r/+/+', format: 'json', json },
            { topic: 'ie/m/j/simatic/v1/+/dp', format: 'json', json },
          ],
        },
        oracle: { connectString: standin.connectString, user: 'bridge', password: 'secret' },
        writer: { intervalMs: 50 },
      },
    });
    await bridge.untilStatus('the bridge to be connected', ({ mqtt: { connected } }) => connected);
    await bridge.untilSubscribed();
  }

  beforeEach(async () => {
    broker = await startMosquitto();
    standin = await startStandin();
    await createTables(standin);
    connector = await mqtt.connectAsync(broker.url);
  });

  afterEach(async () => {
    await connector.endAsync(true);
    await bridge.dispose();
    standin.stop();
    await broker.stop();
  });

  const tell = (value: number): Promise<unknown> =>
    connector.publishAsync(DATA, `{"vals":[{"id":"101","val":${value},"qc":3}]}`, { qos: 1 });

  const rows = (count: number): Promise<[string, number | null][]> =>
    until(`${count} rows`, async () => {
      const found = await readRows(standin);
      return found.length >= count && found.map(({ name, value }): [string, number | null] => [name, value]);
    });

  it('hold after kill -9, when the broker has them no more, and until others are told', async () => {
    await startBridge();
    await tell(1);
    await connector.publishAsync(METADATA, metadata({ 101: 'speed' }), { qos: 1, retain: true });
    await tell(2);
    expect(await rows(2)).toEqual([
      ['PLC1.101', 1],
      ['PLC1.speed', 2],
    ]);
    await bridge.untilStatus('all to be settled', ({ journal }) => journal.messages === 0);
    await bridge.end('SIGKILL');
    await connector.publishAsync(METADATA, '', { qos: 1, retain: true });
    await tell(3);

    await startBridge(bridge.directory);
    await tell(4);
    await connector.publishAsync(METADATA, metadata({ 101: 'torque' }), { qos: 1, retain: true });
    await tell(5);
    expect((await rows(5)).slice(2)).toEqual([
      ['PLC1.speed', 3],
      ['PLC1.speed', 4],
      ['PLC1.torque', 5],
    ]);
    const { counters } = await bridge.status();
    expect(counters.messagesUndecodable).toBe(0);
  });

  it('are kept by the broker for a bridge that comes later', async () => {
    await connector.publishAsync(METADATA, metadata({ 101: 'speed' }), { qos: 1, retain: true });
    await startBridge();
    await bridge.untilStatus('the metadata', ({ counters }) => counters.messagesReceived === 1);
    await tell(1);
    expect(await rows(1)).toEqual([['PLC1.speed', 1]]);
  });
});
