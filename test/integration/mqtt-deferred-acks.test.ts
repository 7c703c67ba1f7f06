import { afterEach, describe, expect, test } from 'vitest';

import { BROKERS, numbered, Opened, publish } from '../support/mqtt-clients.ts';
import { startAedes } from '../support/aedes.ts';
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

describe('QoS 2 on a broker that does not lower it', () => {
  test('messages come one at a time and are answered when they are safe', async () => {
    const broker = opened.add(await startAedes(), (running) => running.stop());
    const tap = opened.add(await startMqttTap(broker.url), (running) => running.stop());
    const { deliveries, log, payloads, source } = opened.source(tap.url, await opened.directory(), {
      protocolVersion: 4,
      hold: true,
    });
    await source.start();
    await until('the subscription', () => log.messages().includes('subscribed'));
    await publish(broker.url, TOPIC, ['a', 'b', 'c'], { qos: 2 });
    await until('the first message', () => deliveries.length === 1);
    expect(tap.count('pubrec')).toBe(0);
    deliveries[0]!.acknowledge();
    await until('the second message', () => deliveries.length === 2);
    expect(tap.count('pubrec')).toBe(1);
    tap.cut();
    await until('the next connection', () => source.status.connects === 2);
    for (let i = 1; !payloads().slice(2).includes('c') || source.status.unacknowledged > 0; i += 1) {
      (await until(`delivery ${i}`, () => deliveries[i])).acknowledge();
    }
    expect(new Set(payloads())).toEqual(new Set(['a', 'b', 'c']));
    expect(payloads().filter((payload) => payload === 'a')).toHaveLength(1);
    expect(log.messages('warn').filter((message) => message.includes('qos 2'))).toHaveLength(1);
  });
});
