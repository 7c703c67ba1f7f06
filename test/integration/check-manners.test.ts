import mqtt from 'mqtt';
import { afterEach, describe, expect, it } from 'vitest';

import { startAedes } from '../support/aedes.ts';
import {
  GOOD_MANNERS,
  startManneredBroker,
  type BrokerManners,
  type ManneredBroker,
} from '../support/mannered-broker.ts';
import { mosquittoMissing, startMosquitto } from '../support/mosquitto.ts';
import { Opened } from '../support/mqtt-clients.ts';
import { runCheck, type CheckOutcome } from '../support/preflight.ts';
import { until } from '../support/until.ts';

let opened = new Opened();

afterEach(async () => {
  await opened.close();
  opened = new Opened();
});

const mannered = async (manners: Partial<BrokerManners>): Promise<ManneredBroker> =>
  opened.add(await startManneredBroker(manners), (broker) => broker.stop());

const SHARED = { topic: '$share/bridges/plant/+/+', format: 'scalar', plcCode: '{2}', tagAddress: '{3}' };
const SCALAR = { topic: 'plant/+/+', format: 'scalar', plcCode: '{2}', tagAddress: '{3}' };

const check = (url: string, mqttSection: Readonly<Record<string, unknown>> = {}): Promise<CheckOutcome> =>
  runCheck({ mqtt: { url, ...mqttSection } });

/** What a client hears that subscribes to it now. */
async function heard(
  url: string,
  topic: string,
  isComplete: (all: ReadonlyMap<string, string>) => boolean,
): Promise<ReadonlyMap<string, string>> {
  const client = await mqtt.connectAsync(url);
  const all = new Map<string, string>();
  client.on('message', (name, payload) => void all.set(name, payload.toString()));
  await client.subscribeAsync(topic);
  await until(topic, () => isComplete(all));
  await client.endAsync();
  return all;
}

describe.skipIf(mosquittoMissing !== undefined)('on mosquitto, check --connect', () => {
  it.each([5, 4])('finds it fit for exactly once, with MQTT %i, and leaves nothing behind', async (protocolVersion) => {
    const config = ['sys_interval 1', 'max_inflight_messages 1000'];
    const { url } = opened.add(await startMosquitto({ config }), (running) => running.stop());
    const { about, out } = await check(url, { protocolVersion, subscriptions: [SHARED] });
    expect(about('verdict')).toBe('✓ ok       verdict: exactly once');
    expect(about('shared subscriptions')).toContain('✓ ok');
    expect(about('topics with dots')).toContain('✓ ok       topics with dots: + stands for them too');
    expect(about('retained messages')).toMatch(/^✓ ok .*by name and by wildcard, cleared/);
    expect(about('messages under way')).toContain('60 of 60');
    expect(about('unacknowledged messages')).toMatch(/with DUP, under the same packet ids, which count up$/);
    expect(about('message with a CSV')).toContain('✓ ok');
    expect(about('QoS 2')).toMatch(/^✓ ok .*exact/);
    expect(out).not.toContain('looks like');
    const clients = '$SYS/broker/clients/total';
    await heard(url, '$SYS/broker/clients/total', (all) => all.get(clients) === '1');
    const mark = 'a/mark';
    const client = await mqtt.connectAsync(url);
    await client.publishAsync(mark, 'x', { retain: true, qos: 1 });
    await client.endAsync();
    expect([...(await heard(url, '#', (all) => all.has(mark))).keys()]).toEqual([mark]);
  });

  it('says how few messages are under way, and which of its settings says so', async () => {
    const { url } = opened.add(await startMosquitto(), (running) => running.stop());
    const { about } = await check(url, { protocolVersion: 4 });
    expect(about('messages under way')).toMatch(
      /^! warning .*20 at once[^]*→ on mosquitto: max_inflight_messages 1000$/,
    );
  });

  it('says what to allow where it may try nothing, and what to see to all the same', async () => {
    const files = { acl: 'topic read plc/+/tags\n' };
    const config = ['acl_file {dir}/acl'];
    const { url } = opened.add(await startMosquitto({ config, files }), (running) => running.stop());
    const { about } = await check(url);
    expect(about('trial')).toMatch(
      /^! unknown .*not tried: [^]*topic readwrite mqtt-oracle-bridge\/gateway-01\/probe\/#/,
    );
    expect(about('queue for an absent bridge')).toMatch(/^! unknown [^]*→ let it keep as many messages/);
    expect(about('verdict')).toBe('');
  });
});

describe('on aedes, check --connect', () => {
  it('finds values maybe doubled, and $share not known where it is configured', async () => {
    const running = opened.add(await startAedes(), (broker) => broker.stop());
    const plain = await check(running.url, { protocolVersion: 4, subscriptions: [SCALAR] });
    expect(plain.about('broker')).toContain('looks like aedes');
    expect(plain.about('unacknowledged messages')).toMatch(/^✓ ok .*without DUP, under the same packet ids/);
    expect(plain.about('verdict')).toMatch(
      /^! warning .*maybe doubled: .*plant\/\+\/\+ \(scalar\) have none[^]*→ put a time[^]*"qos": 2/,
    );
    expect(plain.about('shared subscriptions')).toMatch(/^✓ ok .*ordinary topic; none is configured$/);
    expect(plain.out).not.toContain('on mosquitto');
    const shared = await check(running.url, { protocolVersion: 4, subscriptions: [SHARED] });
    expect(shared.about('shared subscriptions')).toMatch(/^✗ failed .*nothing came/);
    expect(shared.about('verdict')).toMatch(/^✗ failed .*not fit .*shared subscriptions are not known/);
    expect(shared.exitCode).toBe(69);
    await until('nobody is left', () => running.broker.connectedClients === 0);
  });

  it('tries nothing that a running bridge would take for values', async () => {
    const running = opened.add(await startAedes(), (broker) => broker.stop());
    const published: string[] = [];
    running.broker.on('publish', ({ topic }) => void published.push(topic));
    const { about } = await runCheck({
      mqtt: { url: running.url, subscriptions: [{ topic: 'mqtt-oracle-bridge/#' }] },
      notices: { enabled: false },
    });
    expect(about('trial')).toMatch(/^! unknown .*mqtt-oracle-bridge\/# covers/);
    expect(published.filter((topic) => topic.includes('/probe/'))).toEqual([]);
  });
});

describe('on brokers with other manners, check --connect', () => {
  it('finds one with good manners fit', async () => {
    const broker = await mannered(GOOD_MANNERS);
    const { about } = await check(broker.url);
    expect(about('verdict')).toBe('✓ ok       verdict: exactly once');
    expect(about('session')).toMatch(/^✓ ok .*for 604800 s as asked for$/);
    await until('no session is left', () => broker.sessions().length === 0);
    expect([...broker.retained.keys()]).toEqual([]);
    expect(broker.connects.filter((id) => !id.startsWith('gateway-01-check-'))).toEqual([]);
  });

  it('tells HiveMQ by its window and its ids', async () => {
    const { url } = await mannered({ ids: 'lowest', window: 50 });
    const { about } = await check(url);
    expect(about('broker')).toContain('looks like HiveMQ');
    expect(about('messages under way')).toMatch(/^! warning .*50 at once[^]*on HiveMQ/);
    expect(about('queue for an absent bridge')).toMatch(/→ on HiveMQ: <mqtt><queued-messages><max-queue-size>/);
    expect(about('unacknowledged messages')).toMatch(/same packet ids, which are soon used again$/);
    expect(about('verdict')).toMatch(/^! warning .*maybe doubled/);
  });

  it('tells Artemis by its redelivery, and finds its leak', async () => {
    const { url } = await mannered({ again: 'newId', dup: false, leaksWindow: true, plusWithDot: false });
    const { about } = await check(url);
    expect(about('broker')).toContain('looks like ActiveMQ Artemis');
    expect(about('unacknowledged messages')).toMatch(
      /^! warning .*without DUP, under other packet ids[^]*→ set mqtt.protocolVersion to 4$/,
    );
    expect(about('topics with dots')).toMatch(
      /^! warning .*PLC\.01[^]*plc\/\+\/tags[^]*→ on ActiveMQ Artemis: <wildcard-addresses>/,
    );
    expect(about('verdict')).toMatch(/^! warning .*maybe doubled/);
  });

  it.each([
    [{ deliversAt0: true }, 'messages come at QoS 0'],
    [{ keepsSession: false }, 'the session of an absent bridge is not kept'],
    [{ again: 'never' }, 'unacknowledged messages are lost'],
  ] as const)('finds one that %j not fit', async (manners, reason) => {
    const { url } = await mannered(manners);
    const { about, exitCode } = await check(url);
    expect(about('verdict')).toMatch(/^✗ failed .*not fit/);
    expect(about('verdict')).toContain(reason);
    expect(exitCode).toBe(69);
  });

  it('does not call ids that begin anew on each connection exact', async () => {
    const { url } = await mannered({ ids: 'restarting' });
    const { about } = await check(url);
    expect(about('unacknowledged messages')).toContain('which begin anew on each connection');
    expect(about('verdict')).toMatch(/^! warning .*maybe doubled/);
  });

  it('falls back to MQTT 3.1.1 where a CONNECT of version 5 is never answered', async () => {
    const { url } = await mannered({ version5: 'mute' });
    const { about } = await check(url);
    expect(about('protocol')).toMatch(/^! warning .*does not answer MQTT 5 and takes 3\.1\.1/);
    expect(about('verdict')).toBe('✓ ok       verdict: exactly once');
  });
});
