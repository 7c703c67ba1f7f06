import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import mqtt from 'mqtt';
import { afterEach, describe, expect, test } from 'vitest';

import type { SourceOptions } from '../../src/mqtt/source.ts';
import { probeTopicOf } from '../../src/mqtt/session/starvation.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { mosquittoMissing, startMosquitto } from '../support/mosquitto.ts';
import { numbered, Opened, publish, type SourceUnderTest } from '../support/mqtt-clients.ts';
import { startRawBroker, type Manners, type RawBroker } from '../support/raw-broker.ts';
import { until } from '../support/until.ts';

const TOPIC = 'plc/PLC01/tags';
const PROBE = probeTopicOf('mqtt-oracle-bridge/gateway.01', 'bridge-under-test');
const QUICK: Partial<SourceOptions> = { probeTopic: PROBE, starvationTiming: { silenceMs: 50, answerMs: 300 } };
const STARVED = 'the session is starved';
const WHY_NOT = 'a session that gets nothing any more is not noticed: no probe of it';

const opened = new Opened();
afterEach(() => opened.close());

const open = async (manners: Partial<Manners> = {}): Promise<RawBroker> =>
  opened.add(await startRawBroker(manners), (broker) => broker.stop());

const remembered = (directory: string, wanted: Readonly<Record<string, unknown>>) =>
  until('the memory', async () => {
    const text = await readFile(join(directory, 'broker.json'), 'utf8').catch(() => '{}');
    const file = JSON.parse(text) as Readonly<Record<string, unknown>>;
    return Object.entries(wanted).every(([name, value]) => file[name] === value);
  });

const told = ({ log }: SourceUnderTest, message: string) => log.entries.filter((entry) => entry.message === message);

/** Started, and its first probe is back. */
async function startOn(
  broker: RawBroker,
  directory: string,
  options: Partial<SourceOptions> & { readonly hold?: boolean } = {},
): Promise<SourceUnderTest> {
  const under = opened.source(broker.url, directory, { ...QUICK, ...options });
  await under.source.start();
  await remembered(directory, { returnsProbes: true });
  return under;
}

describe('a broker that counts what was under way at a break as never acknowledged', () => {
  test('gives the session all it kept after a larger receive maximum was asked for, after a restart too', async () => {
    const broker = await open({ leaks: true });
    const directory = await opened.directory();
    const under = await startOn(broker, directory, { receiveMaximum: 5, hold: true });
    for (const payload of numbered(0, 20)) broker.publish(TOPIC, payload);
    await until('as many as may be under way', () => under.deliveries.length === 5);
    broker.cut();
    await until('the next connection', () => under.source.status.connects === 2);
    expect(under.source.status).toMatchObject({ connected: true, sessionPresent: true, unacknowledged: 5 });
    // As the bridge does when they are on disk: only from then on is the silence the broker's.
    const acknowledge = (): void => under.deliveries.forEach((delivery) => delivery.acknowledge());
    acknowledge();
    await until('all messages', () => {
      acknowledge();
      return new Set(under.payloads()).size === 20;
    });
    expect(broker.connects.map(({ receiveMaximum }) => receiveMaximum)).toEqual([5, 5, 65_535]);
    expect(told(under, STARVED)).toMatchObject([{ level: 'warn', fields: { next: 'receive maximum 65535' } }]);
    expect(under.source.status).toMatchObject({
      sessionsStarved: 1,
      starvedMeasure: 'receiveMaximum',
      sessionsLost: 0,
    });
    expect(under.deliveries.every(({ topic }) => topic === TOPIC)).toBe(true);
    // The one that the test cut, and not the one that the bridge ended.
    expect(told(under, 'connection to the broker lost')).toHaveLength(1);
    await under.source.stop();
    const after = await startOn(broker, directory, { receiveMaximum: 5 });
    await until('the connection', () => after.source.status.connected);
    expect(broker.connects.at(-1)).toEqual({ version: 5, receiveMaximum: 65_535 });
    expect(after.source.status).toMatchObject({ sessionsStarved: 1 });
  });

  test('is spoken to in 3.1.1 when that does not help, and after a restart from the beginning', async () => {
    const broker = await open();
    const directory = await opened.directory();
    const under = await startOn(broker, directory);
    broker.manners.starves = (version) => version === 5;
    broker.publish(TOPIC, 'withheld');
    await until('the message', () => under.payloads().includes('withheld'));
    expect(broker.connects).toEqual([
      { version: 5, receiveMaximum: 100 },
      { version: 5, receiveMaximum: 65_535 },
      { version: 4, receiveMaximum: undefined },
    ]);
    expect(under.source.status).toMatchObject({ protocolVersion: 4, sessionsStarved: 2, starvedMeasure: 'mqtt311' });
    expect(under.log.messages('warn')).not.toContain('broker does not take mqtt 5, using 3.1.1');
    await remembered(directory, { measure: 'mqtt311', version: 5, sessionsStarved: 2 });
    await under.source.stop();
    const after = await startOn(broker, directory);
    await until('the connection', () => after.source.status.connected);
    expect(broker.connects.at(-1)?.version).toBe(4);
    expect(broker.connects).toHaveLength(4);
  });

  test('is left alone when nothing helps, until it delivers again', async () => {
    const broker = await open();
    const directory = await opened.directory();
    const under = await startOn(broker, directory, { protocolVersion: 4 });
    broker.manners.starves = () => true;
    await until('the problem', () => under.source.status.starvedMeasure === 'none');
    const asked = broker.published.length;
    await until('further probes', () => broker.published.length > asked + 1);
    expect(broker.connects).toHaveLength(1);
    expect(told(under, STARVED)).toHaveLength(1);
    broker.manners.starves = () => false;
    broker.deliver();
    await until('the end of it', () => under.log.messages('info').includes('the session gets messages again'));
    expect(under.source.status).not.toHaveProperty('starvedMeasure');
    expect(under.source.status).toMatchObject({ sessionsStarved: 1 });
  });
});

describe('no evidence, and so nothing is done, when', () => {
  test('the broker does not grant the subscription', async () => {
    const broker = await open({ grant: (topic) => (topic === PROBE ? 0x80 : 1) });
    const under = opened.source(broker.url, await opened.directory(), QUICK);
    await under.source.start();
    await until('the reason', () => told(under, WHY_NOT).length === 1);
    broker.publish(TOPIC, 'a');
    await until('the message', () => under.deliveries.length === 1);
    expect(under.source.status).toMatchObject({ subscriptionProblems: [], sessionsStarved: 0 });
    expect(broker.published).toEqual([]);
    expect(under.log.messages('error')).toEqual([]);
  });

  test('the broker has never brought a probe back', async () => {
    const broker = await open({ published: () => 'drop' });
    const under = opened.source(broker.url, await opened.directory(), QUICK);
    await under.source.start();
    await until('the reason', () => told(under, WHY_NOT).length === 1);
    expect(broker.published).toHaveLength(1);
    broker.cut();
    await until('the first probe of the next connection', () => broker.published.length === 2);
    broker.publish(TOPIC, 'a');
    await until('the message', () => under.deliveries.length === 1);
    expect(under.source.status).toMatchObject({ connects: 2, sessionsStarved: 0 });
    expect(told(under, WHY_NOT)).toHaveLength(1);
  });

  test('the broker ends the connection at a probe: after three times there is none', async () => {
    const broker = await open({ published: () => 'disconnect' });
    const clock = new FakeClock();
    const under = opened.source(broker.url, await opened.directory(), { ...QUICK, clock });
    await under.source.start();
    for (const delayMs of [1000, 2000, 2500]) {
      await until('the wait', () => clock.delaysMs[0] === delayMs);
      await clock.advance(delayMs);
    }
    await until('the reason', () => told(under, WHY_NOT).length === 1);
    expect(under.source.status).toMatchObject({ connected: true, connects: 4 });
    expect(broker.published).toHaveLength(3);
    const stopped = under.source.stop();
    await clock.advance(2000);
    await stopped;
  });

  test('we owe an acknowledgement', async () => {
    const broker = await open();
    const clock = new FakeClock();
    const directory = await opened.directory();
    const { starvationTiming, ...usual } = QUICK;
    expect(starvationTiming).toBeDefined();
    const under = opened.source(broker.url, directory, { ...usual, clock, hold: true });
    await under.source.start();
    await remembered(directory, { returnsProbes: true });
    await clock.advance(10_000);
    broker.publish(TOPIC, 'a');
    await until('the message', () => under.deliveries.length === 1);
    await clock.advance(600_000);
    expect(broker.published).toHaveLength(1);
    under.deliveries[0]!.acknowledge();
    await clock.advance(60_000);
    await until('a probe', () => broker.published.length >= 2);
    const stopped = under.source.stop();
    await clock.advance(2000);
    await stopped;
  });
});

describe.skipIf(mosquittoMissing !== undefined).each([5, 4] as const)(
  'on mosquitto with version %i',
  (protocolVersion) => {
    test('a silent session is asked now and then, and nobody sees the probes', async () => {
      const broker = opened.add(await startMosquitto(), (running) => running.stop());
      const watcher = opened.add(await mqtt.connectAsync(broker.url), (client) => client.endAsync());
      let probes = 0;
      watcher.on('message', (topic) => {
        if (topic === PROBE) probes += 1;
      });
      await watcher.subscribeAsync('mqtt-oracle-bridge/#', { qos: 1 });
      const directory = await opened.directory();
      const options = { ...QUICK, protocolVersion, starvationTiming: { silenceMs: 100, answerMs: 1000 } };
      const under = opened.source(broker.url, directory, options);
      await under.source.start();
      await until('some probes', () => probes >= 4, 20_000);
      expect(under.source.status).toMatchObject({ connects: 1, sessionsStarved: 0, unacknowledged: 0 });
      expect(under.deliveries).toEqual([]);
      await under.source.stop();
      // Of another life of the session, or of nobody.
      await publish(broker.url, PROBE, ['of another process']);
      await publish(broker.url, TOPIC, ['a']);
      const after = opened.source(broker.url, directory, options);
      await after.source.start();
      await until('the message', () => after.deliveries.length === 1);
      await until('the acknowledgements', () => after.source.status.unacknowledged === 0);
      expect(after.payloads()).toEqual(['a']);
    });
  },
);

test('the topic of the probes has neither wildcards nor a dot of the client id in it', () => {
  expect(probeTopicOf('base', 'gateway-01_a')).toBe('base/probe/gateway-01_a');
  expect(probeTopicOf('base', 'a.b+c/#*ä')).toBe('base/probe/a%2eb%2Bc%2F%23%2a%C3%A4');
});
