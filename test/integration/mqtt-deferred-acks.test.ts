import { afterEach, describe, expect, test } from 'vitest';

import { BROKERS, numbered, Opened, publish } from '../support/mqtt-clients.ts';
import { mosquittoMissing, startMosquitto } from '../support/mosquitto.ts';
import { startMqttTap } from '../support/mqtt-tap.ts';
import { until } from '../support/until.ts';

const TOPIC = 'plc/PLC01/tags';

const opened = new Opened();
afterEach(() => opened.close());

for (const { name, skip, start, version } of BROKERS) {
  describe.skipIf(skip)(`acknowledging on ${name}`, () => {
    const open = async (options: Parameters<Opened['source']>[2] = {}) => {
      const broker = opened.add(await start(), (running) => running.stop());
      const tap = opened.add(await startMqttTap(broker.url), (running) => running.stop());
      const under = opened.source(tap.url, await opened.directory(), {
        protocolVersion: version,
        hold: true,
        ...options,
      });
      await under.source.start();
      await until('the subscription', () => under.log.messages().includes('subscribed'));
      return { broker, tap, ...under };
    };
    const pubacks = (tap: Awaited<ReturnType<typeof startMqttTap>>): number[] =>
      tap.sent.filter(({ type }) => type === 'puback').map(({ packetId }) => packetId);

    test('nothing is acknowledged before it is safe, and exactly the rest comes again on the next connection', async () => {
      const { broker, deliveries, payloads, source, tap } = await open();
      await publish(broker.url, TOPIC, numbered(0, 10));
      await until('ten messages', () => deliveries.length === 10);
      expect(tap.count('puback')).toBe(0);
      expect(source.status.unacknowledged).toBe(10);
      const acknowledged = new Set(payloads().slice(0, 4));
      for (const delivery of deliveries.slice(0, 4)) delivery.acknowledge();
      await until('four acks', () => tap.count('puback') === 4);
      tap.cut();
      await until('the others again', () => deliveries.length === 16);
      await publish(broker.url, TOPIC, ['last']);
      await until('the last', () => payloads().includes('last'));
      const again = payloads().slice(10, -1);
      expect(again.toSorted()).toEqual(numbered(0, 10).filter((payload) => !acknowledged.has(payload)));
      expect(source.status).toMatchObject({ connects: 2, sessionPresent: true, protocolVersion: version });
    });

    test('acks go out in the order of arrival, whatever the order in which messages become safe', async () => {
      const { broker, deliveries, tap } = await open();
      await publish(broker.url, TOPIC, numbered(0, 5));
      await until('five messages', () => deliveries.length === 5);
      for (const delivery of deliveries.slice(1).reverse()) delivery.acknowledge();
      await publish(broker.url, TOPIC, ['5']);
      await until('a sixth message', () => deliveries.length === 6);
      expect(tap.count('puback')).toBe(0);
      deliveries[0]!.acknowledge();
      deliveries[0]!.acknowledge();
      await until('five acks', () => tap.count('puback') === 5);
      expect(pubacks(tap)).toEqual(deliveries.slice(0, 5).map(({ packetId }) => packetId));
    });

    test('never more than the limit are unacknowledged, however many the broker sends', async () => {
      let most = 0;
      const { broker, deliveries, source } = await open({
        receiveMaximum: 8,
        onReceive: () => {
          most = Math.max(most, source.status.unacknowledged);
        },
      });
      const publishing = publish(broker.url, TOPIC, numbered(0, 200));
      for (let i = 0; i < 200; i += 1) {
        const delivery = await until(`message ${i}`, () => deliveries[i]);
        delivery.acknowledge();
        most = Math.max(most, source.status.unacknowledged);
        if (i === 0) await until('a full window', () => source.status.unacknowledged === 8);
      }
      await publishing;
      expect(most).toBe(8);
      await until('all acknowledged', () => source.status.unacknowledged === 0);
      expect(source.status.connects).toBe(1);
    });

    test('deliveries of a lost connection count against the limit until they are acknowledged', async () => {
      const { broker, deliveries, source, tap } = await open({ receiveMaximum: 4 });
      await publish(broker.url, TOPIC, numbered(0, 6));
      await until('the limit', () => deliveries.length === 4);
      tap.cut();
      await until('the next connection', () => source.status.connects === 2);
      await publish(broker.url, TOPIC, ['6']);
      expect(deliveries).toHaveLength(4);
      for (let i = 0; i < 11; i += 1) {
        const delivery = await until(`delivery ${i}`, () => deliveries[i]);
        expect(source.status.unacknowledged).toBeLessThanOrEqual(4);
        delivery.acknowledge();
      }
      await until('all acks', () => tap.count('puback') === 7);
      expect(deliveries).toHaveLength(11);
    });

    test('the connection survives a hold of three times the keepalive', async () => {
      const { broker, deliveries, source, tap } = await open({ receiveMaximum: 2, keepaliveSeconds: 1 });
      await publish(broker.url, TOPIC, numbered(0, 5));
      await until('the limit', () => deliveries.length === 2);
      const pings = tap.count('pingreq');
      await until('three seconds of pings', () => tap.count('pingreq') >= pings + 6);
      expect(deliveries).toHaveLength(2);
      for (let i = 0; i < 5; i += 1) (await until(`message ${i}`, () => deliveries[i])).acknowledge();
      await until('all acks', () => tap.count('puback') === 5);
      expect(source.status.connects).toBe(1);
    });

    test('messages at QoS 0 count against the limit and need no answer', async () => {
      const { broker, deliveries, source, tap } = await open({
        receiveMaximum: 3,
        subscriptions: [{ topic: TOPIC, qos: 0 }],
      });
      await publish(broker.url, TOPIC, numbered(0, 10));
      await until('the limit', () => deliveries.length === 3);
      expect(source.status.unacknowledged).toBe(3);
      for (let i = 0; i < 10; i += 1) {
        const delivery = await until(`message ${i}`, () => deliveries[i]);
        expect(delivery).toMatchObject({ qos: 0, packetId: undefined });
        delivery.acknowledge();
      }
      expect(source.status.unacknowledged).toBe(0);
      expect(tap.count('puback')).toBe(0);
    });

    test('after a pause nothing more is taken, acks still go out, and what was not taken comes on the next start', async () => {
      const { broker, deliveries, source, tap } = await open();
      await publish(broker.url, TOPIC, numbered(0, 3));
      await until('three messages', () => deliveries.length === 3);
      source.pause();
      await publish(broker.url, TOPIC, numbered(3, 6));
      for (const delivery of deliveries) delivery.acknowledge();
      await until('three acks', () => tap.count('puback') === 3);
      await source.stop();
      expect(deliveries).toHaveLength(3);
      const next = opened.source(tap.url, await opened.directory(), { protocolVersion: version });
      await next.source.start();
      await until('the others', () => next.deliveries.length === 3);
      expect(next.payloads().toSorted()).toEqual(numbered(3, 6));
    });

    test('acks given just before the stop reach the broker', async () => {
      const { broker, deliveries, source, tap } = await open();
      await publish(broker.url, TOPIC, numbered(0, 20));
      await until('all messages', () => deliveries.length === 20);
      for (const delivery of deliveries) delivery.acknowledge();
      await source.stop();
      await source.stop();
      expect(tap.sent.slice(-21).map(({ type }) => type)).toEqual([
        ...Array.from({ length: 20 }, () => 'puback'),
        'disconnect',
      ]);
    });
  });
}

for (const { name, skip, start, version } of BROKERS) {
  describe.skipIf(skip)(`QoS 2 on ${name}`, () => {
    const open = async () => {
      const broker = opened.add(await start(), (running) => running.stop());
      const tap = opened.add(await startMqttTap(broker.url), (running) => running.stop());
      const under = opened.source(tap.url, await opened.directory(), {
        protocolVersion: version,
        hold: true,
        subscriptions: [{ topic: TOPIC, qos: 2 }],
      });
      await under.source.start();
      await until('the subscription', () => under.log.messages().includes('subscribed'));
      return { broker, tap, ...under };
    };

    test('many are under way at once, and each answer waits for what it answers to be safe, in order', async () => {
      const { broker, deliveries, releases, source, tap } = await open();
      const publishing = publish(broker.url, TOPIC, numbered(0, 5), { qos: 2 });
      await until('five messages', () => deliveries.length === 5);
      expect(deliveries[0]).toMatchObject({ qos: 2, duplicate: false, packetId: expect.any(Number) as number });
      expect([tap.count('pubrec'), source.status.unacknowledged]).toEqual([0, 5]);
      for (const delivery of deliveries.toReversed()) delivery.acknowledge();
      await until('the releases', () => releases.length === 5);
      expect(tap.count('pubcomp')).toBe(0);
      for (const release of releases) release.acknowledge();
      await until('all answers', () => tap.count('pubcomp') === 5);
      const ids = deliveries.map(({ packetId }) => packetId);
      const answered = (type: string): number[] =>
        tap.sent.filter((sent) => sent.type === type).map(({ packetId }) => packetId);
      // aedes releases in another order than it sent.
      const released = releases.map(({ packetId }) => packetId);
      expect([answered('pubrec'), answered('pubcomp')]).toEqual([ids, released]);
      expect(source.status.unacknowledged).toBe(0);
      await publishing;
    });

    test('what was not answered comes again: the message without PUBREC, else its PUBREL', async () => {
      const { broker, deliveries, releases, source, tap } = await open();
      await publish(broker.url, TOPIC, ['a', 'b'], { qos: 2 });
      await until('two messages', () => deliveries.length === 2);
      deliveries[0]!.acknowledge();
      await until('the release', () => releases.length === 1);
      tap.cut();
      await until('the next connection', () => source.status.connects === 2);
      await until('the message and the release again', () => deliveries.length === 3 && releases.length === 2);
      expect(deliveries[2]).toMatchObject({ packetId: deliveries[1]!.packetId, payload: Buffer.from('b') });
      expect(releases[1]!.packetId).toBe(deliveries[0]!.packetId);
      deliveries[1]!.acknowledge();
      deliveries[2]!.acknowledge();
      for (const i of [0, 1, 2]) (await until(`release ${i}`, () => releases[i])).acknowledge();
      await until('all answers', () => source.status.unacknowledged === 0);
      expect(deliveries).toHaveLength(3);
    });
  });
}

describe.skipIf(mosquittoMissing !== undefined)('acknowledgements that have arrived', () => {
  test('are proven by PINGRESP, also while nothing else comes', async () => {
    const broker = opened.add(await startMosquitto(), (running) => running.stop());
    const { log, proven, source } = opened.source(broker.url, await opened.directory());
    await source.start();
    await until('the subscription', () => log.messages().includes('subscribed'));
    await publish(broker.url, TOPIC, numbered(0, 3));
    await until('the proof', () => proven.at(-1)?.ordinal === 3);
    expect(proven.at(-1)).toEqual({ ordinal: 3, messageNo: 3 });
  });
});
