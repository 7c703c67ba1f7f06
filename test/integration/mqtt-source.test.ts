import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';

import { afterEach, describe, expect, test } from 'vitest';

import { ConfigError } from '../../src/core/errors.ts';
import { startAedes } from '../support/aedes.ts';
import { CERTIFICATE, PRIVATE_KEY } from '../support/certificate.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { mosquittoMissing, startMosquitto } from '../support/mosquitto.ts';
import { NO_TLS, numbered, Opened, publish, type SourceUnderTest } from '../support/mqtt-clients.ts';
import { startMqttTap } from '../support/mqtt-tap.ts';
import { until } from '../support/until.ts';

const TOPIC = 'plc/PLC01/tags';
const SUBSCRIPTIONS = [
  { topic: 'plc/+/tags', qos: 1 },
  { topic: 'plant/#', qos: 1 },
] as const;

const CONNACK = Buffer.from([0x20, 2, 0, 0]);

const opened = new Opened();
afterEach(() => opened.close());

/** A server that is no broker, and that never ends a connection by itself. Returns its address. */
async function listen(accept: (socket: Socket) => void): Promise<string> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    accept(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  opened.add(server, async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const subscribed = ({ log }: SourceUnderTest, times = 1) =>
  until('the subscription', () => log.messages().filter((message) => message === 'subscribed').length === times);

describe.skipIf(mosquittoMissing !== undefined)('a restart of mosquitto', () => {
  test('without persistence loses the session: the topics are subscribed again and messages flow', async () => {
    const broker = opened.add(await startMosquitto(), (running) => running.stop());
    let newSessions = 0;
    const under = opened.source(broker.url, await opened.directory(), {
      onNewSession: () => {
        newSessions += 1;
        return Promise.resolve();
      },
    });
    await under.source.start();
    await subscribed(under);
    await broker.restart();
    await subscribed(under, 2);
    await publish(broker.url, TOPIC, ['after']);
    await until('the message', () => under.deliveries.length === 1);
    await until('the loss to be counted', () => under.source.status.sessionsLost === 1);
    expect(under.source.status).toMatchObject({ connected: true, connects: 2, sessionPresent: false, sessionsLost: 1 });
    expect(under.log.messages('warn')).toContain('the broker has lost the session');
    expect(newSessions).toBe(2);
    expect(under.log.messages('warn')).toContain('connection to the broker lost');
  });

  test('with persistence keeps the session: messages flow and nothing is subscribed again', async () => {
    const broker = opened.add(await startMosquitto({ persistence: true }), (running) => running.stop());
    const under = opened.source(broker.url, await opened.directory(), { hold: true });
    await under.source.start();
    await subscribed(under);
    await publish(broker.url, TOPIC, ['unacknowledged']);
    await until('the message', () => under.deliveries.length === 1);
    await broker.restart();
    await until('the message again', () => under.deliveries.length === 2);
    expect(under.deliveries[1]).toMatchObject({ duplicate: true, packetId: under.deliveries[0]!.packetId });
    await publish(broker.url, TOPIC, ['after']);
    await until('the next message', () => under.deliveries.length === 3);
    expect(under.payloads()).toEqual(['unacknowledged', 'unacknowledged', 'after']);
    expect(under.source.status).toMatchObject({ connects: 2, sessionPresent: true, sessionsLost: 0 });
    await subscribed(under, 1);
  });
});

describe('a broker that refuses', () => {
  test('MQTT 5 is spoken to in 3.1.1, with one warning', async () => {
    const broker = opened.add(await startAedes(), (running) => running.stop());
    const under = opened.source(broker.url, await opened.directory(), { protocolVersion: 5 });
    await under.source.start();
    await subscribed(under);
    broker.cutConnections();
    await until('the next connection', () => under.source.status.connects === 2);
    expect(under.source.status.protocolVersion).toBe(4);
    expect(under.log.messages('warn').filter((message) => message.includes('3.1.1'))).toHaveLength(1);
  });

  test('MQTT 5 without a word is found out in the end', async () => {
    const versions: number[] = [];
    const url = await listen((socket) => {
      socket.once('data', (connect) => {
        const version = connect[8]!;
        versions.push(version);
        if (version === 5) socket.destroy();
        else socket.write(CONNACK);
      });
    });
    const clock = new FakeClock();
    const under = opened.source(url, await opened.directory(), { clock });
    await under.source.start();
    for (const delayMs of [1000, 2000, 2500]) {
      await until('the wait', () => clock.delaysMs[0] === delayMs);
      await clock.advance(delayMs);
    }
    await until('the connection', () => under.source.status.connected);
    expect(versions).toEqual([5, 5, 5, 4]);
    expect(under.log.messages('warn')).toContain('broker does not take mqtt 5, using 3.1.1');
    const stopped = under.source.stop();
    await clock.advance(2000);
    await stopped;
  });

  test('a subscription is named, and asked again on the next connection', async () => {
    let isAllowed = false;
    const broker = opened.add(
      await startAedes({
        authorizeSubscribe: (_client, subscription, callback) =>
          callback(null, isAllowed || !subscription.topic.startsWith('plant') ? subscription : null),
      }),
      (running) => running.stop(),
    );
    const under = opened.source(broker.url, await opened.directory(), {
      protocolVersion: 4,
      subscriptions: SUBSCRIPTIONS,
    });
    await under.source.start();
    await subscribed(under);
    const problem = { topic: 'plant/#', reason: 'Unspecified error (0x80)' };
    expect(under.source.status.subscriptionProblems).toEqual([problem]);
    expect(under.source.status.subscriptions).toMatchObject([
      { topic: 'plc/+/tags', grantedQos: 1, messages: 0 },
      { topic: 'plant/#', grantedQos: undefined, messages: 0 },
    ]);
    const remedy = expect.stringMatching(/^allow this user to subscribe to plant\/# /) as string;
    const errors = under.log.entries.filter(({ level }) => level === 'error');
    expect(errors.map(({ fields }) => fields)).toEqual([{ ...problem, remedy }]);
    await publish(broker.url, TOPIC, ['granted']);
    await until('the message', () => under.deliveries.length === 1);
    isAllowed = true;
    broker.cutConnections();
    await subscribed(under, 2);
    expect(under.source.status.subscriptionProblems).toEqual([]);
    await publish(broker.url, 'plant/a', ['granted now']);
    // The first message comes again where the connection was cut before its PUBACK had arrived.
    await until('the second message', () => under.deliveries.some(({ topic }) => topic === 'plant/a'));
    const ofFirst = under.deliveries.filter(({ topic }) => topic === TOPIC).length;
    const both = { qos: 1, grantedQos: 1, lastMessageAtMs: expect.any(Number) as number };
    expect(under.source.status.subscriptions).toEqual(
      SUBSCRIPTIONS.map(({ topic }, i) => ({ topic, ...both, messages: [ofFirst, 1][i] })),
    );
  });

  test.skipIf(mosquittoMissing !== undefined)('that is granted with a lower QoS is told with that', async () => {
    const broker = opened.add(await startMosquitto({ config: ['max_qos 0'] }), (running) => running.stop());
    const under = opened.source(broker.url, await opened.directory(), { subscriptions: SUBSCRIPTIONS });
    await under.source.start();
    await subscribed(under);
    expect(under.source.status.subscriptions).toMatchObject([{ grantedQos: 0 }, { grantedQos: 0 }]);
  });

  test('the password is left alone for half a minute, then a minute', async () => {
    let attempts = 0;
    const broker = opened.add(
      await startAedes({
        authenticate: (_client, _username, password, done) => {
          attempts += 1;
          done(null, password?.toString() === 'right');
        },
      }),
      (running) => running.stop(),
    );
    const clock = new FakeClock();
    const under = opened.source(broker.url, await opened.directory(), {
      protocolVersion: 4,
      username: 'bridge',
      password: 'wrong-secret',
      clock,
    });
    await under.source.start();
    for (const [delayMs, attempt] of [
      [30_000, 2],
      [60_000, 3],
    ] as const) {
      await until('the wait', () => clock.delaysMs[0] === delayMs);
      await clock.advance(delayMs - 1);
      expect(attempts).toBe(attempt - 1);
      await clock.advance(1);
      await until('the next attempt', () => attempts === attempt);
    }
    const refused = under.log.entries.find(({ message }) => message === 'broker refuses the connection');
    expect(refused).toMatchObject({
      level: 'error',
      fields: { remedy: expect.stringContaining('mqtt.password') as string },
    });
    expect(JSON.stringify(under.log.entries)).not.toContain('wrong-secret');
    await under.source.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  test.skipIf(mosquittoMissing !== undefined)('the password by MQTT 5 says what to do too', async () => {
    const broker = opened.add(
      await startMosquitto({ config: ['allow_anonymous false', 'password_file {dir}/users'], files: { users: '' } }),
      (running) => running.stop(),
    );
    const under = opened.source(broker.url, await opened.directory(), { username: 'bridge', password: 'wrong' });
    await under.source.start();
    const entry = await until('the refusal', () => under.log.entries.find(({ level }) => level === 'error'));
    expect(entry).toMatchObject({ message: 'broker refuses the connection', fields: { reasonCode: 135 } });
    expect(under.source.status).toMatchObject({ connected: false, protocolVersion: 5, sessionPresent: undefined });
  });
});

describe('starting and stopping', () => {
  test('an absent broker is a state, tried again every 3 s or so, and no obstacle to the stop', async () => {
    const clock = new FakeClock();
    const tap = await startMqttTap('mqtt://127.0.0.1:1');
    await tap.stop();
    const under = opened.source(tap.url, await opened.directory(), { clock });
    await under.source.start();
    const startedAtMs = clock.now();
    for (const delayMs of [1000, 2000, 2500, 2500, 2500]) {
      await until('the wait', () => clock.delaysMs[0] === delayMs);
      await clock.advance(delayMs);
    }
    await until('the wait', () => clock.delaysMs[0] === 2500);
    expect(under.source.status).toMatchObject({
      connected: false,
      connects: 0,
      broker: tap.url,
      reason: expect.stringContaining(`${tap.url}: `) as string,
      sinceMs: startedAtMs,
    });
    expect(under.log.messages('warn').every((message) => message === 'broker not reachable')).toBe(true);
    expect(under.log.messages('warn').length).toBeLessThan(6);
    await under.source.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  test('a connection that is stopped leaves no timer and no socket', async () => {
    const sockets = () => process.getActiveResourcesInfo().filter((type) => type === 'TCPSocketWrap').length;
    const clock = new FakeClock();
    const broker = await startAedes();
    const atStart = sockets();
    const under = opened.source(broker.url, await opened.directory(), { protocolVersion: 4, clock, hold: true });
    await under.source.start();
    await subscribed(under);
    await publish(broker.url, TOPIC, ['unacknowledged']);
    await until('the message', () => under.deliveries.length === 1);
    await under.source.stop();
    expect(clock.pendingTimers).toBe(0);
    await broker.stop();
    await until('no socket', () => sockets() <= atStart);
  });

  test('a broker that does not let go is left after the deadline', async () => {
    const clock = new FakeClock();
    const url = await listen((socket) => void socket.once('data', () => socket.write(CONNACK)));
    const under = opened.source(url, await opened.directory(), { protocolVersion: 4, clock });
    await under.source.start();
    await until('the connection', () => under.source.status.connected);
    const stopped = under.source.stop();
    await clock.advance(2000);
    await stopped;
    expect(under.source.status.connected).toBe(false);
  });

  test('a source that was never started stops', async () => {
    const under = opened.source('mqtt://127.0.0.1:1', await opened.directory());
    await under.source.stop();
    await under.source.start();
    expect(under.source.status.connects).toBe(0);
  });

  test('a TLS file that can not be used fails the start by its name', async () => {
    const directory = await opened.directory();
    const ca = join(directory, 'ca.pem');
    const under = opened.source('mqtts://127.0.0.1:1', directory, { tls: { ...NO_TLS, ca } });
    await expect(under.source.start()).rejects.toThrow(ConfigError);
    await expect(under.source.start()).rejects.toThrow(`mqtt.tls.ca: can't use ${ca}: ENOENT`);
    await under.source.stop();
  });
});

describe.skipIf(mosquittoMissing !== undefined)('on mosquitto', () => {
  test('a TLS connection is made with the CA of the configuration, and refused without', async () => {
    const directory = await opened.directory();
    const ca = join(directory, 'ca.pem');
    await writeFile(ca, CERTIFICATE);
    const broker = opened.add(
      await startMosquitto({
        config: ['listener {port} 127.0.0.1', 'certfile {dir}/cert.pem', 'keyfile {dir}/key.pem'],
        files: { 'cert.pem': CERTIFICATE, 'key.pem': PRIVATE_KEY },
      }),
      (running) => running.stop(),
    );
    const url = broker.url.replace('mqtt:', 'mqtts:');
    const trusting = opened.source(url, directory, { tls: { ...NO_TLS, ca } });
    await trusting.source.start();
    await subscribed(trusting);
    const distrusting = opened.source(url, await opened.directory(), { clientId: 'other' });
    await distrusting.source.start();
    const entry = await until('the failure', () => distrusting.log.entries.find(({ level }) => level === 'warn'));
    expect(entry.message).toBe('broker not reachable');
    expect(String(entry.fields['error'])).toContain('certificate');
  });

  test('topic aliases of a publisher are resolved', async () => {
    const broker = opened.add(await startMosquitto(), (running) => running.stop());
    const under = opened.source(broker.url, await opened.directory());
    await under.source.start();
    await subscribed(under);
    await publish(broker.url, TOPIC, numbered(0, 5), { properties: { topicAlias: 1 } });
    await until('the messages', () => under.deliveries.length === 5);
    expect(new Set(under.deliveries.map(({ topic }) => topic))).toEqual(new Set([TOPIC]));
  });
});
