import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import mqtt, { type MqttClient } from 'mqtt';

import { startAedes } from '../support/aedes.ts';
import { BridgeProcess } from '../support/bridge-process.ts';
import { mosquittoMissing, startMosquitto, type RunningMosquitto } from '../support/mosquitto.ts';
import { sparkplugPayload, type MetricParts } from '../support/sparkplug-encoder.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';
import { createTables, readRows } from '../support/tag-table.ts';
import { until } from '../support/until.ts';

const TIME_MS = 1_700_000_000_000;
const HUGE = 13_680_225_828_817_153_340n;

describe.skipIf(mosquittoMissing !== undefined)('the bridge as a host application', () => {
  let broker: RunningMosquitto;
  let standin: Standin;
  let bridge: BridgeProcess;
  let node: MqttClient;
  const heard: { topic: string; text: string }[] = [];

  async function startBridge(
    directory?: string,
    more: Readonly<Record<string, Record<string, unknown>>> = {},
  ): Promise<void> {
    bridge = await BridgeProcess.start({
      ...(directory === undefined ? {} : { directory }),
      config: {
        mqtt: {
          url: broker.url,
          subscriptions: [{ topic: 'spBv1.0/#', format: 'sparkplugB', sparkplug: { hostId: 'plant-host' } }],
        },
        writer: { intervalMs: 50 },
        ...more,
        oracle: { connectString: standin.connectString, user: 'bridge', password: 'secret', ...more['oracle'] },
      },
    });
    await bridge.untilStatus('the bridge to be connected', ({ mqtt: { connected } }) => connected);
    // The second one finds the session as it was.
    if (directory === undefined) await until('the subscription', () => bridge.find('subscribed') !== undefined);
  }

  beforeEach(async () => {
    heard.length = 0;
    broker = await startMosquitto();
    standin = await startStandin();
    await createTables(standin);
    node = await mqtt.connectAsync(broker.url);
    node.on('message', (topic, payload) => void heard.push({ topic, text: payload.toString('latin1') }));
    await node.subscribeAsync(['spBv1.0/+/NCMD/#', 'spBv1.0/STATE/#']);
    await startBridge();
  });

  afterEach(async () => {
    await node.endAsync(true);
    await bridge.dispose();
    standin.stop();
    await broker.stop();
  });

  const publish = (type: string, seq: number, ...metrics: readonly MetricParts[]): Promise<unknown> =>
    node.publishAsync(`spBv1.0/G/${type}`, sparkplugPayload({ timeMs: TIME_MS, seq, metrics }), { qos: 0 });

  const lastState = (): string => heard.findLast(({ topic }) => topic.startsWith('spBv1.0/STATE/'))!.text;
  const requests = (): number => heard.filter(({ topic }) => topic === 'spBv1.0/G/NCMD/N').length;

  async function untilRows(count: number): Promise<Record<string, number>> {
    const rows = await until(`${count} rows`, async () => {
      const found = await readRows(standin);
      return found.length >= count ? found : undefined;
    });
    return Object.fromEntries(rows.map(({ name, value }) => [name, value as number]));
  }

  it('reads data by births that were told before kill -9, and says by STATE whether it is there', async () => {
    await until('the host to be online', () => heard.some(({ text }) => text.includes('"online":true')));
    await publish('NBIRTH/N', 0, { name: 'bdSeq', type: 8, long: 1 }, { name: 'i8', alias: HUGE, type: 1, int: 255 });
    await publish('DBIRTH/N/D', 1, { name: 't', alias: 2, type: 10, double: 1.5 });
    await publish('DDATA/N/D', 2, { alias: 2, double: 2.5 });
    expect(await untilRows(3)).toMatchObject({ 'G/N.i8': -1, 'G/N/D.t': 2.5 });
    await bridge.untilStatus('all to be settled', ({ journal }) => journal.messages === 0);

    await bridge.end('SIGKILL');
    await until('the will', () => lastState().includes('"online":false'));
    await startBridge(bridge.directory);
    await publish('NDATA/N', 3, { alias: HUGE, int: 254 });
    await publish('DDATA/N/D', 4, { alias: 2, double: 3.5 });
    expect(await untilRows(5)).toMatchObject({ 'G/N.i8': -2, 'G/N/D.t': 3.5 });
    await until('a request for births that may have been missed', () => requests() === 1);
    await until('the host to be online again', () => lastState().includes('"online":true'));
    expect(await bridge.end()).toBe(0);
    await until('offline', () => lastState().includes('"online":false'));
  });

  it('asks for births that are missing, once, and keeps what can not be read yet', async () => {
    await publish('NDATA/N', 5, { alias: 1, int: 1 });
    await publish('NDATA/N', 6, { alias: 1, int: 2 });
    await until('a request', () => requests() === 1);
    await publish('NBIRTH/N', 0, { name: 'a', alias: 1, type: 3, int: 3 });
    expect(await untilRows(1)).toEqual({ 'G/N.a': 3 });
    const { counters } = await bridge.untilStatus('both', (status) => status.counters.messagesUndecodable === 2);
    expect([counters.messagesUndecodable, requests()]).toEqual([2, 1]);
    expect(heard.find(({ topic }) => topic.includes('NCMD'))!.text).toContain('Node Control/Rebirth');
  });

  it('says offline while its journal is full, and online when it takes messages again', async () => {
    await bridge.dispose();
    heard.length = 0;
    await startBridge(undefined, {
      oracle: { callTimeoutMs: 600_000 },
      journal: { maxBytes: 4_194_304, segmentBytes: 1_048_576 },
      buffer: { capacity: 1000 },
    });
    await until('the host to be online', () => heard.length > 0 && lastState().includes('"online":true'));
    // The database takes no answer back any more, as behind a firewall that swallows packets.
    standin.blackHole(true);
    const metrics = Array.from({ length: 2000 }, (_, i) => ({ name: `tag ${i} ${'x'.repeat(50)}`, type: 3, int: i }));
    let seq = 0;
    await bridge.untilStatus('the journal to be full', ({ journal }) => {
      seq += 1;
      void publish('NDATA/N', seq % 256, ...metrics);
      return journal.state === 'full';
    });
    await until('offline', () => lastState().includes('"online":false'));
    standin.blackHole(false);
    await bridge.untilStatus('room', ({ journal }) => journal.state === 'ok');
    await until('online', () => lastState().includes('"online":true'));
    const states = heard.filter(({ topic }) => topic.startsWith('spBv1.0/STATE/')).map(({ text }) => text);
    expect(states.map((text) => text.includes('"online":true'))).toEqual([true, false, true]);
  });
});

describe('the bridge as a host application whose subscription the broker has not granted yet', () => {
  it('says online only when what is published then is received', async () => {
    let grant: (() => void) | undefined;
    const broker = await startAedes({
      authorizeSubscribe: (client, subscription, callback) => {
        const isIntake = client?.id === 'test-bridge' && subscription.topic === 'spBv1.0/#';
        if (isIntake) grant = () => callback(null, subscription);
        else callback(null, subscription);
      },
    });
    const states: string[] = [];
    const node = await mqtt.connectAsync(broker.url);
    node.on('message', (_topic, payload) => void states.push(payload.toString()));
    await node.subscribeAsync('spBv1.0/STATE/#');
    const bridge = await BridgeProcess.start({
      config: {
        mqtt: { url: broker.url, subscriptions: [{ topic: 'spBv1.0/#', format: 'sparkplugB' }] },
        oracle: { connectString: '127.0.0.1:1/NONE', user: 'bridge', password: 'secret' },
      },
    });
    try {
      await until('the host to be connected', () => states.length > 0 || grant !== undefined);
      await until('offline', () => states.some((text) => text.includes('"online":false')));
      expect(states.filter((text) => text.includes('"online":true'))).toEqual([]);
      grant!();
      await until('online', () => states.at(-1)?.includes('"online":true') === true);
    } finally {
      await node.endAsync(true);
      await bridge.dispose();
      await broker.stop();
    }
  });
});
