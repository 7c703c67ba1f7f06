import { afterEach, describe, expect, it } from 'vitest';

import { startAedes } from '../support/aedes.ts';
import { mosquittoMissing, startMosquitto } from '../support/mosquitto.ts';
import { Opened } from '../support/mqtt-clients.ts';
import { runCheck } from '../support/preflight.ts';

const NOBODY = 'mqtt://127.0.0.1:9';

const opened = new Opened();
afterEach(() => opened.close());

describe('check --connect on a list of brokers', () => {
  it.skipIf(mosquittoMissing !== undefined)('tries each, and takes one that is not there for a standby', async () => {
    const mosquitto = opened.add(await startMosquitto(), (running) => running.stop());
    const aedes = opened.add(await startAedes(), (running) => running.stop());
    const { out } = await runCheck({ mqtt: { url: [mosquitto.url, NOBODY, aedes.url] } });
    const parts = out.split(/^(?=Broker |Oracle )/m).filter((part) => part.startsWith('Broker '));
    expect(parts.map((part) => part.split('\n')[0])).toEqual(
      [mosquitto.url, NOBODY, aedes.url].map((url) => `Broker ${url}`),
    );
    expect(parts[0]).toContain('✓ ok       protocol: MQTT 5');
    expect(parts[1]).toMatch(/! warning {2}connection: .*ECONNREFUSED.*\n +→ nothing, if it is the standby of a pair/);
    expect(parts[2]).toContain('takes 3.1.1');
  });

  it('fails when none is there', async () => {
    const { out } = await runCheck({ mqtt: { url: [NOBODY, 'mqtt://127.0.0.1:10'] } });
    const [brokers] = out.split(/^Oracle /m);
    expect(brokers!.match(/✗ failed +connection: .*ECONNREFUSED/g)).toHaveLength(2);
    expect(out).not.toContain('standby');
  });
});
