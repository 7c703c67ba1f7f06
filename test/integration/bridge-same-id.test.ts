import { afterEach, describe, expect, it } from 'vitest';

import { BridgeProcess } from '../support/bridge-process.ts';
import { mosquittoMissing, startMosquitto } from '../support/mosquitto.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

describe.skipIf(mosquittoMissing !== undefined)('two bridges that were given one id', () => {
  it('say so in status and metrics', async () => {
    const broker = await startMosquitto();
    closers.push(() => broker.stop());
    const config = {
      mqtt: {
        url: broker.url,
        protocolVersion: 4,
        subscriptions: [{ topic: '$share/plant/plc/+/tags', qos: 1, format: 'polling' }],
      },
      oracle: { connectString: '127.0.0.1:1/none', user: 'bridge', password: 'secret' },
    };
    const bridges: BridgeProcess[] = [];
    for (let i = 0; i < 2; i += 1) {
      const bridge = await BridgeProcess.start({ config });
      closers.push(() => bridge.dispose());
      bridges.push(bridge);
    }
    for (const bridge of bridges) {
      const { problems } = await bridge.untilStatus('the other one', ({ mqtt }) => mqtt.namesake !== undefined);
      expect(problems).toContainEqual(expect.stringContaining('Another bridge runs with the id test-bridge'));
      const metrics = await (await fetch(new URL('/metrics', bridge.url))).text();
      expect(metrics).toContain('\nbridge_namesake 1\n');
      expect(metrics).toContain('\nbridge_info{bridge_id="test-bridge"} 1\n');
    }
  });
});
