import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import mqtt from 'mqtt';
import { afterEach, describe, expect, it } from 'vitest';

import { mosquittoMissing, type RunningMosquitto, startMosquitto } from '../support/mosquitto.ts';
import { ROOT } from './tools.ts';

/** The configuration as shipped, but for the port and the directory. */
const LINES = readFileSync(join(ROOT, 'deploy/mosquitto/mosquitto.conf'), 'utf8')
  .replace(/^listener 1883$/m, 'listener {port} 127.0.0.1')
  .replace('/mosquitto/data/', '{dir}/')
  .split('\n');
const QUEUED = 1500;

let broker: RunningMosquitto | undefined;

afterEach(async () => {
  await broker?.stop();
  broker = undefined;
});

const skipped = mosquittoMissing === undefined ? '' : ` (${mosquittoMissing})`;

describe.skipIf(mosquittoMissing !== undefined)(`mosquitto with deploy/mosquitto/mosquitto.conf${skipped}`, () => {
  it('keeps more than its default of 1,000 messages for a bridge that is away, over a restart too', async () => {
    broker = await startMosquitto({ config: LINES });
    const session = {
      clientId: 'bridge',
      clean: false,
      protocolVersion: 5,
      properties: { sessionExpiryInterval: 600 },
    } as const;
    const away = await mqtt.connectAsync(broker.url, session);
    await away.subscribeAsync('plc/+/tags', { qos: 1 });
    await away.endAsync();
    const publisher = await mqtt.connectAsync(broker.url, { clientId: 'plc' });
    await Promise.all(
      Array.from({ length: QUEUED }, (_, n) => publisher.publishAsync('plc/1/tags', String(n), { qos: 1 })),
    );
    await publisher.endAsync();
    await broker.restart();
    const received = new Set<string>();
    const back = mqtt.connect(broker.url, session);
    await new Promise<void>((resolve, reject) => {
      back.on('error', reject);
      back.on('message', (_topic, payload) => received.add(payload.toString()).size === QUEUED && resolve());
    });
    await back.endAsync();
    expect(received.size).toBe(QUEUED);
  });

  it('has an example of access rules that it can read', async () => {
    const acl = readFileSync(join(ROOT, 'deploy/mosquitto/acl.example'), 'utf8');
    broker = await startMosquitto({ config: [...LINES, 'acl_file {dir}/acl'], files: { acl } });
    const client = await mqtt.connectAsync(broker.url);
    expect(client.connected).toBe(true);
    await client.endAsync();
  });
});
