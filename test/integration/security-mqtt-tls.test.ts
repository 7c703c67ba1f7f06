import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, beforeAll, describe, expect, test } from 'vitest';

import { systemClock } from '../../src/core/clock.ts';
import { MqttPublisher } from '../../src/mqtt/publisher.ts';
import {
  type CertificateAuthority,
  createAuthority,
  type Issued,
  opensslMissing,
} from '../support/certificate-authority.ts';
import { mosquittoMissing, startMosquitto, type RunningMosquitto } from '../support/mosquitto.ts';
import { NO_TLS, Opened, type SourceUnderTest } from '../support/mqtt-clients.ts';
import { RecordingLogger } from '../support/recording-logger.ts';
import { until } from '../support/until.ts';

const opened = new Opened();
afterEach(() => opened.close());

/** Everything that a broker or a bridge may be given, right and wrong. */
interface Certificates {
  readonly ca: CertificateAuthority;
  readonly otherCa: CertificateAuthority;
  readonly broker: Issued;
  readonly expiredBroker: Issued;
  readonly brokerElsewhere: Issued;
  readonly bridge: Issued;
  readonly expiredBridge: Issued;
  readonly bridgeOfOtherCa: Issued;
}

const missing = mosquittoMissing ?? opensslMissing;

let made: Certificates;
beforeAll(() => {
  if (missing !== undefined) return;
  const ca = createAuthority('plant CA');
  const otherCa = createAuthority('other CA');
  made = {
    ca,
    otherCa,
    broker: ca.issue({ subject: '/CN=broker' }),
    expiredBroker: ca.issue({ subject: '/CN=broker', days: -1 }),
    brokerElsewhere: ca.issue({ subject: '/CN=broker', altNames: 'DNS:elsewhere.example' }),
    bridge: ca.issue({ subject: '/CN=bridge' }),
    expiredBridge: ca.issue({ subject: '/CN=bridge', days: -1 }),
    bridgeOfOtherCa: otherCa.issue({ subject: '/CN=bridge' }),
  };
});

const TLS_LINES = [
  'cafile {dir}/ca.pem',
  'certfile {dir}/cert.pem',
  'keyfile {dir}/key.pem',
  'require_certificate true',
];

/** A broker that asks for certificates, on MQTT and on WebSocket. */
async function startBroker(certificate: Issued, more: readonly string[] = []): Promise<RunningMosquitto> {
  const lines = [...TLS_LINES, ...more];
  const broker = await startMosquitto({
    config: ['listener {port} 127.0.0.1', ...lines],
    webSocket: lines,
    files: {
      'ca.pem': made.ca.certificate,
      'cert.pem': certificate.certificate,
      'key.pem': certificate.privateKey,
    },
  });
  return opened.add(broker, (running) => running.stop());
}

const mqtts = (broker: RunningMosquitto): string => broker.url.replace('mqtt:', 'mqtts:');
const wss = (broker: RunningMosquitto): string => broker.webSocketUrl.replace('ws:', 'wss:');

type Tls = typeof NO_TLS;

/** Writes what is given to files, and gives the configuration that names them. */
async function tlsFiles(ca?: CertificateAuthority, own?: Issued): Promise<Tls> {
  const directory = await opened.directory();
  const file = async (name: string, content: string | undefined): Promise<string> => {
    if (content === undefined) return '';
    const path = join(directory, name);
    await writeFile(path, content);
    return path;
  };
  return {
    ca: await file('ca.pem', ca?.certificate),
    cert: await file('cert.pem', own?.certificate),
    key: await file('key.pem', own?.privateKey),
    rejectUnauthorized: true,
  };
}

async function startSource(url: string, tls: Tls): Promise<SourceUnderTest> {
  const under = opened.source(url, await opened.directory(), { tls });
  await under.source.start();
  return under;
}

async function startPublisher(url: string, tls: Tls): Promise<{ publisher: MqttPublisher; log: RecordingLogger }> {
  const log = new RecordingLogger();
  const publisher = new MqttPublisher({
    url,
    tls,
    log,
    clientId: 'bridge-under-test',
    username: '',
    password: '',
    protocolVersion: 5,
    keepaliveSeconds: 30,
    stateTopic: 'bridge/state',
    clock: systemClock,
  });
  opened.add(publisher, (running) => running.stop());
  await publisher.start();
  return { publisher, log };
}

/** The first thing that the log of each of the two has to complain about. */
async function complaints(url: string, tls: Tls): Promise<string[]> {
  const logs = [(await startSource(url, tls)).log, (await startPublisher(url, tls)).log];
  const first = (log: RecordingLogger) =>
    until('a complaint', () => log.entries.find(({ level }) => level === 'warn' || level === 'error'));
  const entries = await Promise.all(logs.map(first));
  return entries.map(({ fields, message }) => `${message}: ${String(fields['error'])} => ${String(fields['remedy'])}`);
}

async function expectFlow(url: string, tls: Tls): Promise<void> {
  const { log, deliveries } = await startSource(url, tls);
  await until('the subscription', () => log.messages().includes('subscribed'));
  const { publisher } = await startPublisher(url, tls);
  await until('the publisher', () => publisher.connected);
  await publisher.publish('plc/PLC01/tags', 'hello', { retain: false });
  await until('the message', () => deliveries.length === 1);
  expect(deliveries[0]!.payload.toString()).toBe('hello');
}

describe.skipIf(missing !== undefined)(`a broker that asks for certificates (${missing ?? 'mosquitto'})`, () => {
  test.each([
    ['MQTT over TLS 1.3', mqtts, []],
    ['MQTT over TLS 1.2', mqtts, ['tls_version tlsv1.2']],
    ['WebSocket over TLS', wss, []],
  ] as const)('takes source and publisher: %s', async (_name, address, lines) => {
    await expectFlow(address(await startBroker(made.broker, lines)), await tlsFiles(made.ca, made.bridge));
  });

  test.each([
    ['a CA that did not sign it', () => tlsFiles(made.otherCa, made.bridge), /mqtt\.tls\.ca must name/],
    ['no CA', () => tlsFiles(undefined, made.bridge), /mqtt\.tls\.ca must name/],
    ['no certificate of ours', () => tlsFiles(made.ca), /mqtt\.tls\.cert/],
    ['an expired one', () => tlsFiles(made.ca, made.expiredBridge), /mqtt\.tls\.cert/],
    ['one of another CA', () => tlsFiles(made.ca, made.bridgeOfOtherCa), /mqtt\.tls\.cert/],
  ])('is not connected to with %s, and the log names the key', async (_name, tls, remedy) => {
    const broker = await startBroker(made.broker);
    const files = await tls();
    const seen = [...(await complaints(mqtts(broker), files)), ...(await complaints(wss(broker), files))];
    expect(seen).toEqual(Array.from({ length: 4 }, () => expect.stringMatching(remedy) as string));
  });

  test.each([
    ['has expired', () => made.expiredBroker, 'certificate must be renewed, or the clock of this machine is wrong'],
    ['is for another host', () => made.brokerElsewhere, "mqtt.url must name the broker's host as its certificate does"],
  ])('is not connected to when its certificate %s', async (_name, certificate, remedy) => {
    const broker = await startBroker(certificate());
    const files = await tlsFiles(made.ca, made.bridge);
    const seen = [...(await complaints(mqtts(broker), files)), ...(await complaints(wss(broker), files))];
    expect(seen).toEqual(seen.map(() => expect.stringContaining(remedy) as string));
  });

  test('is connected to by whoever wants no check, as the configuration says', async () => {
    const broker = await startBroker(made.brokerElsewhere);
    const tls = { ...(await tlsFiles(undefined, made.bridge)), rejectUnauthorized: false };
    await expectFlow(mqtts(broker), tls);
    const { log } = await startPublisher(wss(broker), tls);
    expect(log.entries).toContainEqual(
      expect.objectContaining({ level: 'warn', message: 'the certificate of the broker is not checked' }),
    );
  });

  test('gets a renewed certificate at the next connect', async () => {
    const broker = await startBroker(made.broker);
    const tls = await tlsFiles(made.ca, made.expiredBridge);
    const { log, source } = await startSource(mqtts(broker), tls);
    await until('the refusal', () => log.messages().includes('broker not reachable'));
    await writeFile(`${tls.key}.new`, made.bridge.privateKey);
    await rename(`${tls.key}.new`, tls.key);
    await until('the files that do not fit', () => log.messages().some((text) => text.startsWith('tls files can not')));
    await writeFile(`${tls.cert}.new`, made.bridge.certificate);
    await rename(`${tls.cert}.new`, tls.cert);
    await until('the connection', () => log.messages().includes('connected to the broker'), 30_000);
    expect(source.status).toMatchObject({ connected: true, connects: 1 });
  });
});

describe.skipIf(mosquittoMissing !== undefined)('the wrong kind of port', () => {
  test('plain WebSocket works', async () => {
    const broker = opened.add(await startMosquitto({ webSocket: [] }), (running) => running.stop());
    await expectFlow(broker.webSocketUrl, NO_TLS);
    await expectFlow(`${broker.webSocketUrl}/mqtt`, NO_TLS);
  });

  test('TLS to a port without it is explained', async () => {
    const broker = opened.add(await startMosquitto({ webSocket: [] }), (running) => running.stop());
    for (const url of [mqtts(broker), wss(broker)]) {
      const seen = await complaints(url, NO_TLS);
      expect(seen).toEqual(seen.map(() => expect.stringMatching(/=> .*mqtt\.url.*(?:mqtt|ws):\/\//) as string));
    }
  });

  test.skipIf(opensslMissing !== undefined)('no TLS to a port that wants it is explained', async () => {
    const broker = await startBroker(made.broker);
    const seen = await complaints(broker.url, NO_TLS);
    expect(seen).toEqual(seen.map(() => expect.stringContaining('mqtts:// or wss://') as string));
  });
});
