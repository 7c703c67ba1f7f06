import { hostname } from 'node:os';
import { afterEach, describe, expect, test } from 'vitest';

import { NamesakeWatch } from '../../src/mqtt/namesake.ts';
import { MqttPublisher } from '../../src/mqtt/publisher.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { BROKERS, NO_TLS, Opened, publish } from '../support/mqtt-clients.ts';
import { RecordingLogger } from '../support/recording-logger.ts';
import { until } from '../support/until.ts';

const RUN = 'bridges/gateway-01/run';
const MINUTE_MS = 60_000;

const opened = new Opened();
afterEach(() => opened.close());

async function start(url: string, protocolVersion: 4 | 5, clientId: string) {
  const clock = new FakeClock();
  const log = new RecordingLogger();
  const shared = { clock, log };
  const publisher = new MqttPublisher({
    ...shared,
    url,
    clientId,
    username: '',
    password: '',
    protocolVersion,
    keepaliveSeconds: 0,
    tls: NO_TLS,
    stateTopic: 'bridges/gateway-01/state',
  });
  const watch = new NamesakeWatch({ ...shared, publisher, bridgeId: 'gateway-01', topic: RUN });
  let connects = 0;
  publisher.onConnect(() => void (connects += 1));
  watch.start();
  await publisher.start();
  const stop = async (): Promise<void> => {
    watch.stop();
    await publisher.stop();
  };
  opened.add(stop, (end) => end());
  await until('the connection', () => connects > 0);
  return { clock, log, watch, stop, connects: () => connects };
}

for (const { name, skip, start: startBroker, version } of BROKERS) {
  describe.skipIf(skip)(`two processes with one id on ${name}`, () => {
    const open = async () => opened.add(await startBroker(), (running) => running.stop()).url;

    test('that throw each other off the broker find each other', async () => {
      const url = await open();
      const first = await start(url, version, 'gateway-01');
      const second = await start(url, version, 'gateway-01');
      for (const { clock, log, watch } of [first, second]) {
        await until('the other one', async () => {
          for (const one of [first, second]) await one.clock.advance(1000);
          return watch.problem !== undefined;
        });
        expect(watch.problem).toBe(
          `Another bridge runs with the id gateway-01: process ${process.pid} on ${hostname()}.`,
        );
        expect(log.messages()).toContain('another bridge runs with the same id');
        expect(clock.pendingTimers).toBeGreaterThan(0);
      }
    });

    test('with client ids of their own find each other, and forget it some time after one has gone', async () => {
      const url = await open();
      const first = await start(url, version, 'gateway-01-a');
      const second = await start(url, version, 'gateway-01-b');
      for (const { watch } of [first, second]) {
        await until('the other one', async () => {
          for (const one of [first, second]) await one.clock.advance(1000);
          return watch.problem !== undefined;
        });
      }
      await second.stop();
      await first.clock.advance(10 * MINUTE_MS + 1);
      expect(first.watch.problem).toBeUndefined();
    });

    test('one after the other are no namesakes, even when a restored broker brings back what the first one said', async () => {
      const url = await open();
      const predecessor = { run: '0123456789abcdef', host: 'elsewhere', pid: 1, times: 7 };
      await publish(url, RUN, [JSON.stringify(predecessor)], { retain: true });
      const { connects, clock, watch } = await start(url, version, 'gateway-01');
      for (let restored = 0; restored < 3; restored += 1) {
        await publish(url, RUN, [JSON.stringify(predecessor)], { retain: true });
        await publish(url, RUN, ['', 'null', '{"run":1}'], { retain: false });
        await clock.advance(MINUTE_MS);
      }
      expect([connects(), watch.problem]).toEqual([1, undefined]);
      await publish(url, RUN, [JSON.stringify({ ...predecessor, times: 8, host: 'a\u001b[2J' })], { retain: false });
      await until('the other one', () => watch.problem !== undefined);
      expect(watch.problem).toContain(String.raw`process 1 on a\u{1b}[2J.`);
    });
  });
}
