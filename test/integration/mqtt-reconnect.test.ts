import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, describe, expect, test } from 'vitest';

import { FakeClock } from '../support/fake-clock.ts';
import { Opened, type SourceUnderTest } from '../support/mqtt-clients.ts';
import { startRawBroker, type Manners, type RawBroker } from '../support/raw-broker.ts';
import { until } from '../support/until.ts';

const TOPIC = 'plc/PLC01/tags';

const opened = new Opened();
afterEach(() => opened.close());

const open = async (manners: Partial<Manners> = {}): Promise<RawBroker> =>
  opened.add(await startRawBroker(manners), (broker) => broker.stop());

const subscribed = ({ log }: SourceUnderTest, times = 1) =>
  until('the subscription', () => log.messages().filter((message) => message === 'subscribed').length === times);

const remembered = async (directory: string): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(join(directory, 'broker.json'), 'utf8')) as Record<string, unknown>;

/** Until what is remembered on disk has these members. */
const untilRemembered = (directory: string, wanted: Readonly<Record<string, unknown>>) =>
  until('the memory', async () => {
    const file = await remembered(directory).catch((): Record<string, unknown> => ({}));
    return Object.entries(wanted).every(([name, value]) => file[name] === value);
  });

/** How long each attempt without an answer may take, and the wait after it. */
const SILENT_ATTEMPTS = [
  [5000, 1000],
  [10_000, 2000],
  [15_000, 2500],
] as const;

async function stopAt(clock: FakeClock, { source }: SourceUnderTest): Promise<void> {
  const stopped = source.stop();
  await clock.advance(2000);
  await stopped;
}

describe('a list of brokers', () => {
  test('is tried in one go: where one refuses, the next has its turn without a delay', async () => {
    const [first, second] = [await open({ connect: () => 'close' }), await open()];
    const clock = new FakeClock();
    const under = opened.source([first.url, second.url], await opened.directory(), { clock, protocolVersion: 4 });
    await under.source.start();
    await subscribed(under);
    expect(under.source.status).toMatchObject({ connected: true, broker: second.url });
    expect([first.connects.length, second.connects.length]).toEqual([1, 1]);
    await stopAt(clock, under);
  });

  test('is waited for in rounds', async () => {
    const [first, second] = [await open({ connect: () => 'close' }), await open({ connect: () => 'close' })];
    const clock = new FakeClock();
    const under = opened.source([first.url, second.url], await opened.directory(), { clock, protocolVersion: 4 });
    await under.source.start();
    for (const [round, delayMs] of [1000, 2000, 2500, 2500].entries()) {
      await until('the wait', () => clock.delaysMs[0] === delayMs);
      expect([first.connects.length, second.connects.length]).toEqual([round + 1, round + 1]);
      const reason = [first.url, second.url].map((url) => `${url}: closed by the broker`).join('; ');
      expect(under.source.status).toMatchObject({ connected: false, reason });
      await clock.advance(delayMs);
    }
    const told = under.log.entries.filter(({ message }) => message === 'broker not reachable');
    expect(told.map(({ fields }) => fields['broker'])).toEqual([first.url, second.url]);
    await under.source.stop();
  });

  test('begins with the one that worked last, after a restart too, and is one session', async () => {
    let isUp = false;
    const first = await open({ connect: () => (isUp ? 'accept' : 'close') });
    const second = await open();
    const directory = await opened.directory();
    const urls = [first.url, second.url];
    const before = opened.source(urls, directory);
    await before.source.start();
    await subscribed(before);
    await untilRemembered(directory, { broker: second.url, hadSession: true });
    await before.source.stop();
    isUp = true;
    const after = opened.source(urls, directory);
    await after.source.start();
    await until('the connection', () => after.source.status.connected);
    expect(after.source.status.broker).toBe(second.url);
    second.publish(TOPIC, 'of the session');
    await until('the message', () => after.deliveries.length === 1);
    expect(second.subscribed).toEqual(['plc/+/tags']);
    await second.stop();
    await until('the other broker', () => after.source.status.broker === first.url && after.source.status.connected);
    await untilRemembered(directory, { broker: first.url });
  });

  test('is left by a connection that is lost at once, and not by one that stood', async () => {
    const [first, second] = [await open(), await open()];
    const clock = new FakeClock();
    const under = opened.source([first.url, second.url], await opened.directory(), { clock });
    await under.source.start();
    await until('the connection', () => under.source.status.connects === 1);
    first.cut();
    await until('the other broker', () => under.source.status.connects === 2);
    expect(under.source.status.broker).toBe(second.url);
    await clock.advance(10_000);
    second.cut();
    await until('the wait', () => clock.delaysMs[0] === 1000);
    await clock.advance(1000);
    await until('the same broker', () => under.source.status.connects === 3);
    expect(under.source.status.broker).toBe(second.url);
    await stopAt(clock, under);
  });
});

test('connections that are lost at once and again are made later and later', async () => {
  const broker = await open();
  const clock = new FakeClock();
  const under = opened.source(broker.url, await opened.directory(), { clock });
  await under.source.start();
  for (const [i, delayMs] of [1000, 2000, 2500, 2500].entries()) {
    await until('the connection', () => under.source.status.connects === i + 1);
    broker.cut();
    await until('the wait', () => clock.delaysMs[0] === delayMs);
    await clock.advance(delayMs - 1);
    expect(broker.connects).toHaveLength(i + 1);
    await clock.advance(1);
  }
  await stopAt(clock, under);
});

describe('a broker that leaves CONNECT of MQTT 5 unanswered', () => {
  const answers5Not: Partial<Manners> = {
    connect: ({ protocolVersion }) => (protocolVersion === 5 ? 'silence' : 'accept'),
  };

  /** Starts it, lets time pass until it is connected and has remembered that, and stops it. */
  async function findsOut(broker: RawBroker, directory: string): Promise<SourceUnderTest> {
    const clock = new FakeClock();
    const under = opened.source([broker.url], directory, { clock });
    await under.source.start();
    for (const [i, [connackWaitMs, delayMs]] of SILENT_ATTEMPTS.entries()) {
      await until('CONNECT', () => broker.connects.length === i + 1 && clock.delaysMs[0] === connackWaitMs);
      await clock.advance(connackWaitMs);
      await until('the wait', () => clock.delaysMs[0] === delayMs);
      await clock.advance(delayMs);
    }
    await untilRemembered(directory, { version: 4, hadSession: true });
    await stopAt(clock, under);
    return under;
  }

  test('gets 3.1.1 after three attempts, and says why until then', async () => {
    const broker = await open(answers5Not);
    const under = await findsOut(broker, await opened.directory());
    expect(broker.connects.map(({ version }) => version)).toEqual([5, 5, 5, 4]);
    const entry = under.log.entries.find(({ message }) => message === 'broker not reachable');
    expect(String(entry?.fields['error'])).toContain('no answer to CONNECT within 5000 ms');
    expect(entry?.fields['remedy']).toContain('3.1.1');
  });

  test('gets it at once after a restart, unless the configuration names other brokers', async () => {
    const [broker, other] = [await open(answers5Not), await open()];
    const directory = await opened.directory();
    await findsOut(broker, directory);
    const clock = new FakeClock();
    const after = opened.source([broker.url], directory, { clock });
    await after.source.start();
    await until('the connection', () => after.source.status.connected);
    expect(broker.connects.map(({ version }) => version)).toEqual([5, 5, 5, 4, 4]);
    expect(after.source.status).toMatchObject({ protocolVersion: 4, sessionPresent: true, sessionsLost: 0 });
    await stopAt(clock, after);
    const changed = opened.source([broker.url, other.url], directory, { clock: new FakeClock() });
    await changed.source.start();
    await until('an attempt', () => broker.connects.length === 6);
    expect(broker.connects.at(-1)).toMatchObject({ version: 5 });
    await changed.source.stop();
  });

  test('is not given 3.1.1 when it is slow only: the wait grows', async () => {
    let isSlow = true;
    const broker = await open({ connect: () => (isSlow ? 'silence' : 'accept') });
    const clock = new FakeClock();
    const under = opened.source(broker.url, await opened.directory(), { clock });
    await under.source.start();
    await until('CONNECT', () => broker.connects.length === 1 && clock.delaysMs[0] === 5000);
    await clock.advance(5000);
    await until('the wait', () => clock.delaysMs[0] === 1000);
    isSlow = false;
    await clock.advance(1000);
    await until('the connection', () => under.source.status.connected);
    expect(under.source.status.protocolVersion).toBe(5);
    await stopAt(clock, under);
  });
});

describe('a session that was there and is gone', () => {
  test('is told and counted, also when that is found at the next start', async () => {
    const broker = await open();
    const directory = await opened.directory();
    const under = opened.source(broker.url, directory);
    await under.source.start();
    await untilRemembered(directory, { hadSession: true, sessionsLost: 0 });
    expect(under.source.status).toMatchObject({ sessionsLost: 0 });
    broker.forget();
    broker.cut();
    await subscribed(under, 2);
    expect(under.source.status).toMatchObject({ sessionsLost: 1, sessionLostAtMs: expect.any(Number) as number });
    const told = under.log.entries.filter(({ message }) => message === 'the broker has lost the session');
    expect(told).toMatchObject([
      { level: 'warn', fields: { remedy: expect.stringContaining('persistence') as string } },
    ]);
    await under.source.stop();
    broker.forget();
    const after = opened.source(broker.url, directory);
    await after.source.start();
    await subscribed(after);
    expect(after.source.status).toMatchObject({ sessionsLost: 2, sessionLostAtMs: expect.any(Number) as number });
    await after.source.stop();
    const atLast = opened.source(broker.url, directory);
    await atLast.source.start();
    await until('the connection', () => atLast.source.status.connected);
    expect(atLast.source.status).toMatchObject({ sessionsLost: 2, sessionPresent: true });
    expect(atLast.source.status).not.toHaveProperty('sessionLostAtMs');
  });

  test('was not there before with another client id or another list', async () => {
    const [broker, other] = [await open(), await open()];
    const directory = await opened.directory();
    const before = opened.source(broker.url, directory);
    await before.source.start();
    await untilRemembered(directory, { hadSession: true });
    await before.source.stop();
    for (const [url, clientId] of [
      [broker.url, 'another'],
      [[broker.url, other.url], 'bridge-under-test-2'],
    ] as const) {
      const under = opened.source(url, directory, { clientId });
      await under.source.start();
      await subscribed(under);
      expect(under.source.status).toMatchObject({ sessionPresent: false, sessionsLost: 0 });
      await untilRemembered(directory, { hadSession: true });
      await under.source.stop();
    }
  });
});
