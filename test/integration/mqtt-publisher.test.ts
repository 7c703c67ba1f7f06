import mqtt from 'mqtt';
import { afterEach, describe, expect, test } from 'vitest';

import { systemClock } from '../../src/core/clock.ts';
import { MqttPublisher } from '../../src/mqtt/publisher.ts';
import { startAedes } from '../support/aedes.ts';
import { mosquittoMissing, startMosquitto } from '../support/mosquitto.ts';
import { BROKERS, NO_TLS, Opened, publish } from '../support/mqtt-clients.ts';
import { startMqttTap } from '../support/mqtt-tap.ts';
import { startRawBroker } from '../support/raw-broker.ts';
import { RecordingLogger } from '../support/recording-logger.ts';
import { until } from '../support/until.ts';

const STATE = 'bridge/test/state';
const ONLINE = '{"state":"online"}';
const OFFLINE = '{"state":"offline"}';

const opened = new Opened();
afterEach(() => opened.close());

function createPublisher(url: string, protocolVersion: 4 | 5 = 4) {
  const log = new RecordingLogger();
  const publisher = new MqttPublisher({
    url,
    clientId: 'bridge-under-test',
    username: '',
    password: '',
    protocolVersion,
    keepaliveSeconds: 30,
    tls: NO_TLS,
    stateTopic: STATE,
    log,
    clock: systemClock,
  });
  return { log, publisher: opened.add(publisher, (running) => running.stop()) };
}

/** All that is published under `filter`, as `topic payload` with ` retained` for what the broker had kept. */
async function watch(url: string, filter = '#'): Promise<string[]> {
  const seen: string[] = [];
  const client = opened.add(await mqtt.connectAsync(url), (running) => running.endAsync());
  client.on('message', (topic, payload, { retain }) => {
    seen.push(`${topic} ${payload.toString()}${retain ? ' retained' : ''}`);
  });
  await client.subscribeAsync(filter, { qos: 1 });
  return seen;
}

for (const { name, skip, start, version } of BROKERS) {
  describe.skipIf(skip)(`publishing to ${name}`, () => {
    const open = async () => {
      const broker = opened.add(await start(), (running) => running.stop());
      const tap = opened.add(await startMqttTap(broker.url), (running) => running.stop());
      return { broker, tap, seen: await watch(broker.url), ...createPublisher(tap.url, version) };
    };

    test('says online on connect, and the broker says offline when the connection breaks', async () => {
      const { broker, publisher, seen, tap } = await open();
      let connects = 0;
      publisher.onConnect(() => {
        connects += 1;
      });
      await publisher.start();
      await until('the first connect', () => connects === 1);
      tap.cut();
      await until('the second connect', () => connects === 2);
      await until('all three states', () => seen.length === 3);
      expect(seen).toEqual([`${STATE} ${ONLINE}`, `${STATE} ${OFFLINE}`, `${STATE} ${ONLINE}`]);
      const kept = await watch(broker.url);
      await until('the kept state', () => kept.length === 1);
      expect(kept).toEqual([`${STATE} ${ONLINE} retained`]);
    });

    test('says offline itself, once, when it is stopped', async () => {
      const { broker, publisher, seen, tap } = await open();
      await publisher.start();
      await until('the connection', () => seen.length === 1);
      await publisher.stop();
      await publisher.stop();
      expect(publisher.connected).toBe(false);
      expect(tap.count('disconnect')).toBe(1);
      await publish(broker.url, 'mark', ['end']);
      await until('the mark', () => seen.includes('mark end'));
      expect(seen).toEqual([`${STATE} ${ONLINE}`, `${STATE} ${OFFLINE}`, 'mark end']);
    });

    test('has published what it says it has, retained or not, text or bytes', async () => {
      const { broker, publisher } = await open();
      await publisher.start();
      await until('the connection', () => publisher.connected);
      await Promise.all([
        publisher.publish('bridge/test/a', 'kept', { retain: true }),
        publisher.publish('bridge/test/b', Buffer.from('cleared'), { retain: true }),
        publisher.publish('bridge/test/b', '', { retain: true }),
        publisher.publish('bridge/test/c', 'passing', { retain: false }),
      ]);
      const kept = await watch(broker.url, 'bridge/test/+');
      await until('two kept messages', () => kept.length === 2);
      expect(kept.toSorted()).toEqual(['bridge/test/a kept retained', `${STATE} ${ONLINE} retained`]);
    });

    test('listens over a broken connection, to what was kept first', async () => {
      const { broker, publisher, tap } = await open();
      await publish(broker.url, 'bridge/test/recovery/1', ['one'], { retain: true });
      const heard: string[] = [];
      publisher.subscribe('bridge/test/recovery/+', (topic, payload, retain) => {
        heard.push(`${topic} ${payload.toString()} ${retain}`);
      });
      await publisher.start();
      await until('the kept message', () => heard.length === 1);
      tap.cut();
      await until('the kept message again', () => heard.length === 2);
      await publisher.publish('bridge/test/recovery/2', 'two', { retain: false });
      await publisher.publish('bridge/test/other', 'not asked for', { retain: false });
      await until('the live message', () => heard.length === 3);
      const kept = 'bridge/test/recovery/1 one true';
      expect(heard).toEqual([kept, kept, 'bridge/test/recovery/2 two false']);
    });
  });
}

describe.skipIf(mosquittoMissing !== undefined)('a broker that takes less', () => {
  const open = async (version: 4 | 5, config: readonly string[], files: Readonly<Record<string, string>> = {}) => {
    const broker = opened.add(await startMosquitto({ config, files }), (running) => running.stop());
    const created = createPublisher(broker.url, version);
    let connects = 0;
    created.publisher.onConnect(() => (connects += 1));
    await created.publisher.start();
    return { broker, connects: () => connects, ...created };
  };
  /** Until the connection takes it, or it is clear that it never will. */
  const publishOn = async (publisher: MqttPublisher, topic: string, payload: string): Promise<string> => {
    let outcome = 'not connected to the broker';
    await until('an outcome', async () => {
      await publisher.publish(topic, payload, { retain: true }).then(
        () => (outcome = 'taken'),
        (error: Error) => (outcome = error.message),
      );
      return outcome === 'taken' || outcome === 'it ends the connection' || outcome.includes('bytes');
    });
    return outcome;
  };

  test('than a large notice: that is not sent, and all others are', async () => {
    const { connects, log, publisher } = await open(5, ['max_packet_size 2000']);
    await until('the connection', () => connects() === 1);
    expect(await publishOn(publisher, 'bridge/test/large', 'x'.repeat(2000))).toContain('2027 bytes are more');
    expect(await publishOn(publisher, 'bridge/test/small', 'x'.repeat(1000))).toBe('taken');
    expect(connects()).toBe(1);
    const { notTaken, problems } = publisher.health;
    expect(notTaken).toBe(1);
    expect(problems).toEqual([
      {
        problem:
          'The broker does not take the notice bridge/test/large: it is of 2027 bytes, and the broker takes 2000.',
        remedy: expect.stringContaining('notices.inlineCsvMaxBytes'),
      },
    ]);
    expect(log.messages().filter((message) => message === 'a notice is not taken')).toHaveLength(1);
    expect(await publishOn(publisher, 'bridge/test/large', '')).toBe('taken');
    expect(publisher.health.problems).toEqual([]);
  });

  test('than what it did not say (MQTT 3.1.1): the connection is not made anew for ever', async () => {
    const { connects, publisher } = await open(4, ['max_packet_size 2000']);
    await until('the connection', () => connects() === 1);
    expect(await publishOn(publisher, 'bridge/test/large', 'x'.repeat(2000))).toBe('it ends the connection');
    const before = connects();
    expect(await publishOn(publisher, 'bridge/test/small', 'x')).toBe('taken');
    expect(await publishOn(publisher, 'bridge/test/large', 'x'.repeat(2000))).toBe('it ends the connection');
    expect([connects(), publisher.health.notTaken]).toEqual([before, 1]);
    expect(publisher.health.problems[0]?.remedy).toContain('bridge/test/large');
  }, 60_000);

  test.each([4, 5] as const)(
    'than retained messages (%d): they go out as they can, and that is told',
    async (version) => {
      const { broker, connects, publisher } = await open(version, ['retain_available false']);
      await until('the connection', () => connects() === 1, 30_000);
      const seen = await watch(broker.url, 'bridge/test/+');
      expect(await publishOn(publisher, 'bridge/test/notice', 'passing')).toBe('taken');
      expect(await publishOn(publisher, 'bridge/test/notice', '')).toBe('taken');
      await until('the notice', () => seen.length === 1);
      expect(seen).toEqual(['bridge/test/notice passing']);
      expect(publisher.health).toMatchObject({
        connected: true,
        problems: [{ problem: expect.stringContaining('keeps no retained messages') as string }],
      });
    },
    60_000,
  );

  test.each([4, 5] as const)(
    'than QoS 1 (%d): they go out at 0',
    async (version) => {
      const { connects, publisher } = await open(version, ['max_qos 0']);
      await until('the connection', () => connects() === 1, 60_000);
      expect(await publishOn(publisher, 'bridge/test/notice', 'x')).toBe('taken');
      expect([connects(), publisher.health.notTaken]).toEqual([1, 0]);
    },
    90_000,
  );

  test('than it has rights for: what is refused is told until it is taken', async () => {
    const acl = `topic readwrite ${STATE}\n`;
    const { connects, publisher } = await open(5, ['acl_file {dir}/acl'], { acl });
    await until('the connection', () => connects() === 1);
    await expect(publisher.publish('bridge/test/notice', 'x', { retain: true })).rejects.toThrow('Not authorized');
    const { connected, notTaken, problems } = publisher.health;
    expect({ connected, notTaken, connects: connects() }).toEqual({ connected: true, notTaken: 1, connects: 1 });
    expect(problems[0]?.problem).toContain('bridge/test/notice: Not authorized (0x87)');
    expect(problems[0]?.remedy).toContain('Allow this user to publish to bridge/test/notice');
    await expect(publisher.publish('bridge/test/notice', '', { retain: true })).rejects.toThrow('Not authorized');
    expect(publisher.health.problems).toEqual([]);
  });

  test('than a large notice, and keeps none: with its file the problem goes', async () => {
    const { connects, publisher } = await open(5, ['max_packet_size 2000', 'retain_available false']);
    await until('the connection', () => connects() === 1);
    expect(await publishOn(publisher, 'bridge/test/large', 'x'.repeat(2000))).toContain('bytes are more');
    expect(publisher.health.notTaken).toBe(1);
    await publisher.publish('bridge/test/large', '', { retain: true });
    expect(publisher.health.notTaken).toBe(0);
  });
});

describe('a broker that goes and comes back', () => {
  test.each([4, 5] as const)(
    'gets retained notices again (%d), whatever closed connections meanwhile',
    async (version) => {
      const broker = opened.add(await startRawBroker(), (running) => running.stop());
      const { publisher } = createPublisher(broker.url, version);
      await publisher.start();
      await until('the first state', () => broker.published.length === 1);
      let closed = 0;
      broker.manners.connect = () => {
        closed += 1;
        return closed <= 3 ? 'close' : 'accept';
      };
      broker.cut();
      await until('the next state', () => broker.published.length === 2, 30_000);
      expect(broker.published.map(({ retain, qos }) => ({ retain, qos }))).toEqual([
        { retain: true, qos: 1 },
        { retain: true, qos: 1 },
      ]);
      expect(publisher.health.problems).toEqual([]);
    },
    60_000,
  );

  test('is told the state on each connection, though it ended some with it', async () => {
    const broker = opened.add(await startRawBroker(), (running) => running.stop());
    let ended = 0;
    broker.manners.published = () => {
      ended += 1;
      return ended <= 3 ? 'disconnect' : 'deliver';
    };
    const { publisher } = createPublisher(broker.url, 4);
    await publisher.start();
    await until('the fourth state', () => ended === 4 && publisher.connected, 60_000);
    expect(publisher.health).toEqual({ connected: true, notTaken: 0, problems: [] });
  }, 90_000);
});

describe('a publisher without a connection', () => {
  test('refuses to publish at once, and starts to listen later', async () => {
    const broker = opened.add(await startAedes(), (running) => running.stop());
    const { publisher } = createPublisher(broker.url);
    await expect(publisher.publish('a', 'b', { retain: false })).rejects.toThrow('not connected');
    await publisher.start();
    await until('the connection', () => publisher.connected);
    const heard: string[] = [];
    publisher.subscribe('later', (_topic, payload) => heard.push(payload.toString()));
    await publish(broker.url, 'later', ['heard'], { retain: true });
    await until('the message', () => heard.length === 1);
  });

  test('stops before it was started, and while the broker is absent', async () => {
    const tap = await startMqttTap('mqtt://127.0.0.1:1');
    await tap.stop();
    await createPublisher(tap.url).publisher.stop();
    const { log, publisher } = createPublisher(tap.url);
    await publisher.start();
    await until('a failed attempt', () => log.messages().includes('broker not reachable'));
    await publisher.stop();
    expect(publisher.connected).toBe(false);
  });

  test('rejects what the broker had not acknowledged when the connection broke', async () => {
    let isStuck = false;
    const broker = opened.add(
      await startAedes({
        authorizePublish: (_client, { topic }, callback) => {
          if (topic === 'stuck') isStuck = true;
          else callback(null);
        },
      }),
      (running) => running.stop(),
    );
    const { publisher } = createPublisher(broker.url);
    await publisher.start();
    await until('the connection', () => publisher.connected);
    const waiting = Promise.allSettled([
      publisher.publish('stuck', '1', { retain: true }),
      publisher.publish('behind', '2', { retain: true }),
    ]);
    await until('the broker to have it', () => isStuck);
    broker.cutConnections();
    expect((await waiting).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  test('falls back to MQTT 3.1.1 on a broker that refuses 5', async () => {
    const broker = opened.add(await startAedes(), (running) => running.stop());
    const { log, publisher } = createPublisher(broker.url, 5);
    await publisher.start();
    await until('the connection', () => publisher.connected);
    expect(log.messages('warn')).toEqual(['broker does not take mqtt 5, using 3.1.1']);
  });
});
