import { pbkdf2Sync } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';

import { afterEach, describe, expect, it } from 'vitest';

import { startAedes } from '../support/aedes.ts';
import { CERTIFICATE, PRIVATE_KEY } from '../support/certificate.ts';
import { mosquittoMissing, startMosquitto } from '../support/mosquitto.ts';
import { Opened, publish } from '../support/mqtt-clients.ts';
import { runCheck, type CheckOutcome } from '../support/preflight.ts';
import { until } from '../support/until.ts';

let opened = new Opened();

afterEach(async () => {
  await opened.close();
  opened = new Opened();
});

const mosquitto = async (options: Parameters<typeof startMosquitto>[0] = {}): ReturnType<typeof startMosquitto> =>
  opened.add(await startMosquitto(options), (running) => running.stop());

const aedes = async (options: Parameters<typeof startAedes>[0] = {}): ReturnType<typeof startAedes> =>
  opened.add(await startAedes(options), (running) => running.stop());

const check = (mqtt: Readonly<Record<string, unknown>>): Promise<CheckOutcome> => runCheck({ mqtt });

/** The URL of a server that answers the first bytes of a connection so, and then ends it. */
async function answering(bytes: Buffer): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(bytes)).resume();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  opened.add(server, () => new Promise((resolve) => server.close(resolve)));
  return `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** For mosquitto's dynamic security plugin: everyone may subscribe to what lies below plc/, and to nothing else. */
const DYNAMIC_SECURITY = JSON.stringify({
  defaultACLAccess: { publishClientSend: true, publishClientReceive: true, subscribe: false, unsubscribe: true },
  roles: [{ rolename: 'bridge', acls: [{ acltype: 'subscribePattern', topic: 'plc/#', allow: true }] }],
  groups: [{ groupname: 'all', roles: [{ rolename: 'bridge' }] }],
  anonymousGroup: 'all',
  clients: [],
});

/** As mosquitto_passwd writes it: PBKDF2 with SHA-512. */
function passwordLine(user: string, password: string): string {
  const salt = Buffer.from('twelve bytes');
  const hash = pbkdf2Sync(password, salt, 101, 64, 'sha512');
  return `${user}:$7$101$${salt.toString('base64')}$${hash.toString('base64')}\n`;
}

const LIBRARIES = existsSync('/usr/lib') ? readdirSync('/usr/lib').map((name) => join('/usr/lib', name)) : [];
const PLUGIN = ['/usr/lib', '/usr/lib64', '/usr/local/lib', ...LIBRARIES]
  .map((directory) => join(directory, 'mosquitto_dynamic_security.so'))
  .find((path) => existsSync(path));
/** In CI it is not skipped. */
const isPluginMissing = PLUGIN === undefined && process.env['CI'] === undefined;

describe.skipIf(mosquittoMissing !== undefined)('check --connect on mosquitto', () => {
  it('says what was agreed on, and what cannot be known', async () => {
    const { url } = await mosquitto();
    const { about } = await check({ url });
    expect(about('connection')).toMatch(/^✓ ok .*gateway-01-check-[0-9a-f]+ \(mosquitto version /);
    expect(about('protocol')).toBe('✓ ok       protocol: MQTT 5');
    expect(about('subscription plc/+/tags')).toContain('✓ ok       subscription plc/+/tags: granted at QoS 1');
    expect(about('receive maximum')).toBe(
      '✓ ok       receive maximum: 20 towards the broker; the bridge asks for 1000',
    );
    expect(about('session')).toMatch(/^! unknown .*\n→ on mosquitto: persistent_client_expiration .* at least 7d$/);
    expect(about('right to read')).toMatch(/^! unknown .*acl_file[^]*topic read plc\/\+\/tags/);
    expect(about('queue for an absent bridge')).toMatch(/^! unknown .*\n→ .*max_queued_messages 0/);
  });

  it('takes in what the broker limits', async () => {
    const config = ['max_inflight_messages 500', 'max_packet_size 20000', 'max_qos 0', 'max_keepalive 10'];
    const { url } = await mosquitto({ config });
    const { about, exitCode } = await check({ url });
    expect(about('receive maximum')).toContain('✓ ok       receive maximum: 500 towards the broker');
    expect(about('maximum packet size')).toMatch(/^! warning .*20000 bytes[^]*notices.inlineCsvMaxBytes to 18976$/);
    expect(about('maximum QoS')).toMatch(/^✗ failed .*0: [^]*let the broker do QoS 1/);
    expect(about('subscription plc/+/tags')).toMatch(/^✗ failed .*granted at QoS 0 instead of 1/);
    expect(about('keep alive')).toContain('10 s, as the broker wants it');
    expect(exitCode).toBe(69);
  });

  it('says so when retained messages are not available', async () => {
    const { url } = await mosquitto({ config: ['retain_available false'] });
    expect((await check({ url })).about('retained messages')).toMatch(/^✗ failed [^]*notices.enabled to false$/);
    const without = await runCheck({ mqtt: { url }, notices: { enabled: false } });
    expect(without.about('retained messages')).toContain('✓ ok');
  });

  it('cannot tell what an acl_file withholds, and says so', async () => {
    const files = { acl: 'topic read other/#\n' };
    const { url } = await mosquitto({ config: ['acl_file {dir}/acl'], files });
    const { about } = await check({ url });
    expect(about('subscription plc/+/tags')).toContain('granted at QoS 1');
    expect(about('right to read')).toMatch(/^! unknown .*withholds the messages[^]*topic read plc\/\+\/tags$/);
  });

  it.skipIf(isPluginMissing)(
    'names the subscription that the dynamic security plugin refuses, and what to allow',
    async () => {
      const files = { 'dynamic-security.json': DYNAMIC_SECURITY };
      const config = [`plugin ${PLUGIN}`, 'plugin_opt_config_file {dir}/dynamic-security.json'];
      const { url } = await mosquitto({ config, files });
      const subscriptions = [{ topic: 'plc/+/tags' }, { topic: 'plant/#' }];
      for (const [protocolVersion, code] of [
        [5, 'Not authorized (0x87)'],
        [4, 'Unspecified error (0x80)'],
      ] as const) {
        const { about, exitCode } = await check({ url, subscriptions, protocolVersion });
        expect(about('subscription plc/+/tags')).toContain('✓ ok');
        const refused = about('subscription plant/#');
        expect(refused).toContain(`✗ failed   subscription plant/#: not granted: ${code}`);
        expect(refused).toContain('→ allow this user to subscribe to plant/# in the access rules of the broker');
        expect(exitCode).toBe(69);
      }
    },
  );

  it('tells a wrong password from a right one, and shows neither', async () => {
    const config = ['allow_anonymous false', 'password_file {dir}/passwords'];
    const { url } = await mosquitto({ config, files: { passwords: passwordLine('bridge', 'right-Secret') } });
    for (const [protocolVersion, text] of [
      [5, 'refused by the broker: Not authorized (0x87)'],
      [4, 'refused by the broker: Not authorized (0x05)'],
    ] as const) {
      const { about, exitCode, out } = await check({ url, username: 'bridge', password: 'Wrong-one', protocolVersion });
      expect(about('connection')).toMatch(/→ check mqtt.username and mqtt.password/);
      expect(about('connection').replace('Connection refused: ', '')).toContain(text.slice(0, 22));
      expect(out).not.toContain('Wrong-one');
      expect(exitCode).toBe(69);
    }
    const { about, out } = await check({ url, username: 'bridge', password: 'right-Secret' });
    expect(about('connection')).toContain('✓ ok');
    expect(out).not.toContain('right-Secret');
  });

  it('uses TLS as the bridge would', async () => {
    const dir = await opened.directory();
    const ca = join(dir, 'ca.pem');
    await writeFile(ca, CERTIFICATE);
    const { port } = await mosquitto({
      config: ['listener {port} 127.0.0.1', 'certfile {dir}/cert.pem', 'keyfile {dir}/key.pem'],
      files: { 'cert.pem': CERTIFICATE, 'key.pem': PRIVATE_KEY },
    });
    const url = `mqtts://127.0.0.1:${port}`;
    expect((await check({ url, tls: { ca } })).about('connection')).toMatch(/^✓ ok .*over TLS$/);
    expect((await check({ url })).about('connection')).toMatch(/^✗ failed [^]*→ mqtt.tls.ca must name the certificate/);
    const unchecked = await check({ url, tls: { rejectUnauthorized: false } });
    expect(unchecked.about('connection')).toMatch(/^! warning .*not checked\n→ .*mqtt.tls.ca/);
    const plain = await check({ url: `mqtt://127.0.0.1:${port}` });
    expect(plain.about('connection')).toMatch(/^✗ failed [^]*→ .*use mqtts/);
    const missing = await check({ url, tls: { ca: join(dir, 'none.pem') } });
    expect(missing.about('TLS files')).toMatch(/^✗ failed .*none\.pem[^]*→ correct mqtt.tls.ca$/);
  });
});

describe('check --connect on other brokers', () => {
  it('falls back to MQTT 3.1.1, and says how to spare it', async () => {
    const { url } = await aedes();
    const { about } = await check({ url });
    expect(about('protocol')).toMatch(
      /^! warning .*3\.1\.1, to which the bridge falls back\n→ set mqtt.protocolVersion to 4/,
    );
    expect(about('session')).toContain('With MQTT 3.1.1 the broker alone decides');
  });

  it('gets on with a broker that ends the connection on a subscription', async () => {
    const { url } = await aedes({
      authorizeSubscribe: (_client, { topic }, callback) =>
        callback(
          topic.startsWith('plc') ? new Error('go away') : null,
          topic.startsWith('plc') ? null : { topic, qos: 0 },
        ),
    });
    const { about, exitCode } = await check({
      url,
      protocolVersion: 4,
      subscriptions: [{ topic: 'plc/a' }, { topic: 'b' }],
    });
    expect(about('subscription plc/a')).toMatch(/^✗ failed .*not granted: .*ended the connection/);
    expect(about('subscription b')).toMatch(/^✗ failed .*not tried after that/);
    expect(exitCode).toBe(69);
  });

  it.each([
    [4, [0x20, 2, 0, 2]],
    [5, [0x20, 3, 0, 0x85, 0]],
  ] as const)(
    'does not count it as a failure when MQTT %i refuses the id of the check',
    async (protocolVersion, connack) => {
      const url = await answering(Buffer.from(connack));
      const { about } = await check({ url, protocolVersion });
      expect(about('connection')).toMatch(/^! unknown .*client id of its own, gateway-01-check-…/);
    },
  );

  it.each([
    ['nobody listens', 'mqtt://127.0.0.1:9', '→ nothing listens there'],
    ['the host is unknown', 'mqtt://no-such-host.invalid', '→ '],
  ])('says what to do when %s', async (_what, url, remedy) => {
    const { about, exitCode } = await check({ url });
    expect(about('connection')).toMatch(/^✗ failed /);
    expect(about('connection')).toContain(remedy);
    expect(exitCode).toBe(69);
  });

  it('says what a server that is no broker does', async () => {
    const url = await answering(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const { about, exitCode } = await check({ url });
    expect(about('connection')).toMatch(/^✗ failed [^]*→ /);
    expect(exitCode).toBe(69);
  });
});

describe.skipIf(mosquittoMissing !== undefined)('a running bridge', () => {
  it('keeps its session, its connection and its messages, those of shared subscriptions too', async () => {
    const { url } = await mosquitto();
    const subscriptions = [
      { topic: 'plc/+/tags', qos: 1 },
      { topic: '$share/bridges/plant/#', qos: 1 },
    ] as const;
    const directory = await opened.directory();
    const { source, payloads } = opened.source(url, directory, { clientId: 'gateway-01', subscriptions });
    await source.start();
    await until('the subscriptions', () => source.status.connected);
    await publish(url, 'plc/a/tags', ['kept'], { retain: true });
    await until('the first message', () => payloads().includes('kept'));

    const state = { isChecking: true };
    const checked = check({ url, subscriptions }).finally(() => (state.isChecking = false));
    const sent: string[] = [];
    while (state.isChecking) {
      const payload = String(sent.length);
      sent.push(payload);
      await publish(url, 'plant/x', [payload]);
    }
    const { about } = await checked;
    expect(about('subscription $share/bridges/plant/#')).toContain('granted at QoS 1');
    await until('all messages', () => payloads().length === sent.length + 1);
    expect(payloads().slice(1)).toEqual(sent);
    expect(source.status).toMatchObject({ connected: true, connects: 1 });
  });
});
