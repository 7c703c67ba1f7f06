import { createServer, type AddressInfo } from 'node:net';

import { afterEach, describe, expect, it } from 'vitest';

import { startAedes } from '../support/aedes.ts';
import { mosquittoMissing, startMosquitto } from '../support/mosquitto.ts';
import { NO_TLS, Opened } from '../support/mqtt-clients.ts';
import { runCheck } from '../support/preflight.ts';
import { RecordingLogger } from '../support/recording-logger.ts';
import { until } from '../support/until.ts';
import { systemClock } from '../../src/core/clock.ts';
import { MqttPublisher } from '../../src/mqtt/publisher.ts';

const opened = new Opened();
afterEach(() => opened.close());

/** A port on which nobody listens any more. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The log of a connection for the notices. */
async function startPublisher(url: string): Promise<RecordingLogger> {
  const log = new RecordingLogger();
  const publisher = new MqttPublisher({
    url,
    clientId: 'bridge-under-test',
    username: '',
    password: '',
    protocolVersion: 5,
    keepaliveSeconds: 30,
    tls: NO_TLS,
    stateTopic: 'bridge/state',
    clock: systemClock,
    log,
  });
  opened.add(publisher, (started) => started.stop());
  await publisher.start();
  return log;
}

const unreachable = (log: RecordingLogger) => log.entries.find(({ message }) => message === 'broker not reachable');

describe('a broker that cannot be reached', () => {
  it.each([
    ['nobody listens', async () => `mqtt://127.0.0.1:${await closedPort()}`, 'nothing listens there'],
    ['the host is unknown', () => Promise.resolve('mqtt://no-such-host.invalid'), / host |name server/],
  ] as const)('has one remedy in log, status and check when %s', async (_what, urlOf, expected) => {
    const url = await urlOf();
    const under = opened.source(url, await opened.directory());
    await under.source.start();
    const entry = await until('the trouble', () => unreachable(under.log));
    const remedy = String(entry.fields['remedy']);
    expect(remedy).toMatch(expected);
    expect(under.source.status.remedy).toBe(remedy);
    expect((await runCheck({ mqtt: { url } })).about('connection')).toContain(`→ ${remedy}`);
  });

  it('has it for the connection of the notices too', async () => {
    const log = await startPublisher(`mqtt://127.0.0.1:${await closedPort()}`);
    const entry = await until('the trouble', () => unreachable(log));
    expect(entry.fields['remedy']).toMatch(/^nothing listens there/);
  });

  it('does not hide what is to be done about another one of the list', async () => {
    const refusing = opened.add(
      await startAedes({ authenticate: (_client, _username, _password, done) => done(null, false) }),
      (running) => running.stop(),
    );
    const urls = [refusing.url, `mqtt://127.0.0.1:${await closedPort()}`];
    const under = opened.source(urls, await opened.directory(), { protocolVersion: 4 });
    await under.source.start();
    await until('the trouble', () => unreachable(under.log));
    expect(under.source.status.remedy).toMatch(/mqtt\.password.*nothing listens there/);
  });
});

describe('a subscription that is not granted', () => {
  it('has one remedy in log and check', async () => {
    const { url } = opened.add(
      await startAedes({ authorizeSubscribe: (_client, _subscription, callback) => callback(null, null) }),
      (running) => running.stop(),
    );
    const subscriptions = [{ topic: '$share/bridges/plc/+/tags', qos: 1 }] as const;
    const under = opened.source(url, await opened.directory(), { protocolVersion: 4, subscriptions });
    await under.source.start();
    const entry = await until('the refusal', () =>
      under.log.entries.find(({ message }) => message === 'broker does not grant a subscription'),
    );
    const remedy = String(entry.fields['remedy']);
    expect(remedy).toMatch(/^allow this user to subscribe to plc\/\+\/tags in the access rules/);
    const { about } = await runCheck({ mqtt: { url, protocolVersion: 4, subscriptions } });
    expect(about('subscription $share/bridges/plc/+/tags')).toContain(`→ ${remedy}`);
  });
});

describe.skipIf(mosquittoMissing !== undefined)('a state of the bridge that the broker does not take', () => {
  it('has a remedy that names its topic', async () => {
    const files = { acl: 'topic read #\n' };
    const { url } = opened.add(await startMosquitto({ config: ['acl_file {dir}/acl'], files }), (running) =>
      running.stop(),
    );
    const log = await startPublisher(url);
    const entry = await until('the refusal', () =>
      log.entries.find(({ message }) => message === 'broker does not take the state of the bridge'),
    );
    expect(entry.fields['remedy']).toMatch(/^allow this user to publish to bridge\/state in the access rules/);
  });
});
