import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import mqtt from 'mqtt';
import { afterEach, describe, expect, test } from 'vitest';

import { BROKERS, numbered, Opened, publish, type SourceUnderTest } from '../support/mqtt-clients.ts';
import { startMqttTap } from '../support/mqtt-tap.ts';
import { until } from '../support/until.ts';

const TOPIC = 'plc/PLC01/tags';
const SUBSCRIPTIONS = [
  { topic: 'plc/+/tags', qos: 1 },
  { topic: 'plant/#', qos: 1 },
] as const;

const opened = new Opened();
afterEach(() => opened.close());

const subscribed = ({ log }: SourceUnderTest, times = 1) =>
  until('the subscription', () => log.messages().filter((message) => message === 'subscribed').length === times);

/** As another client with the same id and no wish for a session does. */
async function endSession(url: string, protocolVersion: 4 | 5): Promise<void> {
  const client = await mqtt.connectAsync(url, { clientId: 'bridge-under-test', clean: true, protocolVersion });
  await client.endAsync();
}

for (const { name, skip, start, version } of BROKERS) {
  describe.skipIf(skip)(`the session on ${name}`, () => {
    const openBroker = async () => {
      const broker = opened.add(await start(), (running) => running.stop());
      const tap = opened.add(await startMqttTap(broker.url), (running) => running.stop());
      return { broker, tap, directory: await opened.directory() };
    };

    test('outlives the process: what came meanwhile is delivered, and nothing is subscribed again', async () => {
      const { broker, directory, tap } = await openBroker();
      const before = opened.source(tap.url, directory, { protocolVersion: version });
      await before.source.start();
      await subscribed(before);
      await before.source.stop();
      expect(before.source.status.connected).toBe(false);
      await publish(broker.url, TOPIC, numbered(0, 10));
      const after = opened.source(tap.url, directory, { protocolVersion: version });
      await after.source.start();
      await until('the messages', () => after.deliveries.length >= 10);
      await after.source.stop();
      expect(after.source.status).toMatchObject({ sessionPresent: true, connects: 1, unacknowledged: 0 });
      expect(after.payloads().toSorted()).toEqual(numbered(0, 10));
      expect(tap.count('subscribe')).toBe(1);
    });

    test('loses the topics that the configuration dropped and gets those that are new', async () => {
      const { broker, directory, tap } = await openBroker();
      const before = opened.source(tap.url, directory, { protocolVersion: version, subscriptions: SUBSCRIPTIONS });
      await before.source.start();
      await subscribed(before);
      await before.source.stop();
      const after = opened.source(tap.url, directory, {
        protocolVersion: version,
        subscriptions: [SUBSCRIPTIONS[0], { topic: 'line/+', qos: 1 }],
      });
      await after.source.start();
      await subscribed(after);
      expect(tap.count('unsubscribe')).toBe(1);
      expect(after.log.entries).toContainEqual({
        level: 'info',
        message: 'unsubscribed',
        fields: { topics: ['plant/#'] },
      });
      await publish(broker.url, 'plant/a', ['dropped']);
      await publish(broker.url, 'line/a', ['new']);
      await publish(broker.url, TOPIC, ['kept']);
      await until('two messages', () => after.deliveries.length === 2);
      expect(after.payloads().toSorted()).toEqual(['kept', 'new']);
    });

    test('is subscribed anew where nothing is remembered', async () => {
      const { directory, tap } = await openBroker();
      const before = opened.source(tap.url, directory, { protocolVersion: version });
      await before.source.start();
      await subscribed(before);
      await before.source.stop();
      await writeFile(join(directory, 'subscriptions.json'), '{"session":"bri');
      const after = opened.source(tap.url, directory, { protocolVersion: version });
      await after.source.start();
      await subscribed(after);
      expect(after.source.status).toMatchObject({ sessionPresent: true, subscriptionProblems: [] });
      expect(tap.count('subscribe')).toBe(2);
    });

    test('is remembered by topic and QoS, without what the configuration says besides', async () => {
      const { directory, tap } = await openBroker();
      const [topic, other] = ['plc/+/+', 'line/+'];
      const configured = { qos: 1, format: 'scalar', plcCode: '{2}', tagAddress: '{3}' } as const;
      const subscriptions = [{ topic, ...configured }];
      const under = opened.source(tap.url, directory, { protocolVersion: version, subscriptions });
      await under.source.start();
      await subscribed(under);
      under.source.subscribe([...subscriptions, { topic: other, ...configured }]);
      await until('both subscriptions', () => tap.count('subscribe') === 2);
      await under.source.stop();
      const file = JSON.parse(await readFile(join(directory, 'subscriptions.json'), 'utf8')) as object;
      const known = [topic, other].map((each) => ({ topic: each, qos: 1, confirmed: true }));
      expect(file).toEqual({ session: expect.any(String) as string, subscriptions: known });
    });

    test('is not subscribed before its beginning is noted', async () => {
      const { directory, tap } = await openBroker();
      let note = (): void => {};
      const onNewSession = (): Promise<void> => new Promise((resolve) => (note = resolve));
      const under = opened.source(tap.url, directory, { protocolVersion: version, onNewSession });
      await under.source.start();
      await until('the connection', () => under.source.status.connected);
      expect(tap.count('subscribe')).toBe(0);
      note();
      await subscribed(under);
      expect(tap.count('subscribe')).toBe(1);
    });

    test('is subscribed though the process died when it had just begun in the place of another', async () => {
      const { broker, directory, tap } = await openBroker();
      const first = opened.source(tap.url, directory, { protocolVersion: version });
      await first.source.start();
      await subscribed(first);
      await first.source.stop();
      await endSession(broker.url, version);
      const died = opened.source(tap.url, directory, {
        protocolVersion: version,
        onNewSession: () => Promise.reject(new Error('killed')),
      });
      await died.source.start();
      await until('the new session', () => died.source.status.connected);
      await died.source.stop();
      const after = opened.source(tap.url, directory, { protocolVersion: version });
      await after.source.start();
      await subscribed(after);
      expect(tap.count('subscribe')).toBe(2);
    });

    test('brings retained messages marked as such', async () => {
      const { broker, directory } = await openBroker();
      await publish(broker.url, TOPIC, ['kept'], { retain: true });
      const under = opened.source(broker.url, directory, { protocolVersion: version });
      await under.source.start();
      await until('the retained message', () => under.deliveries.length === 1);
      await publish(broker.url, TOPIC, ['live'], { retain: true });
      await until('the live message', () => under.deliveries.length === 2);
      expect(under.deliveries.map(({ retain, topic }) => [topic, retain])).toEqual([
        [TOPIC, true],
        [TOPIC, false],
      ]);
    });
  });
}
