import { afterEach, describe, expect, it } from 'vitest';

import { systemClock } from '../../src/core/clock.ts';
import { tryBroker, type TrialOptions } from '../../src/mqtt/trial/broker-trial.ts';
import { GOOD_MANNERS, startManneredBroker, type ManneredBroker } from '../support/mannered-broker.ts';
import { NO_TLS, Opened } from '../support/mqtt-clients.ts';
import { until } from '../support/until.ts';

let opened = new Opened();

afterEach(async () => {
  await opened.close();
  opened = new Opened();
});

const start = async (): Promise<ManneredBroker> =>
  opened.add(await startManneredBroker(GOOD_MANNERS), (broker) => broker.stop());

function optionsFor(url: string, protocolVersion: 4 | 5): TrialOptions {
  return {
    url,
    clientId: 'gateway-01',
    username: '',
    password: '',
    keepaliveSeconds: 30,
    protocolVersion,
    tls: NO_TLS,
    clock: systemClock,
    baseTopic: 'base',
    sessionExpirySeconds: 3600,
    receiveMaximum: 1000,
    publishAtOnce: 10,
    largeBytes: 1000,
    retains: true,
  };
}

describe('tryBroker', () => {
  it.each([4, 5] as const)('uses topics and client ids of its own only, with MQTT %i', async (version) => {
    const broker = await start();
    const manners = await tryBroker(optionsFor(broker.url, version), new AbortController().signal);
    expect(manners.session).toMatchObject({ window: 60, ids: 'counting', kept: true, cameAgain: 5, queued: true });
    expect(broker.topics.length).toBeGreaterThan(50);
    expect(broker.topics.filter((topic) => !/^base\/probe\/[\da-f]+\//.test(topic))).toEqual([]);
    expect(broker.connects.filter((id) => !/^gateway-01-check-[\da-f]+-/.test(id))).toEqual([]);
  });

  it.each([1, 2, 4, 5, 8, 11, 12])(
    'that is interrupted at the CONNECT number %i leaves nothing behind',
    async (count) => {
      const broker = await start();
      const interruption = new AbortController();
      const trial = tryBroker(optionsFor(broker.url, count % 2 === 0 ? 5 : 4), interruption.signal);
      const settled = trial.then(
        () => 'over',
        () => 'thrown',
      );
      await Promise.race([settled, until('so many', () => broker.connects.length >= count)]);
      interruption.abort();
      expect(['over', 'thrown']).toContain(await settled);
      await until('no session is left', () => broker.sessions().length === 0);
      expect([...broker.retained.keys()]).toEqual([]);
    },
  );

  it('is over at once when it is interrupted before', async () => {
    const broker = await start();
    const interruption = new AbortController();
    interruption.abort();
    await expect(tryBroker(optionsFor(broker.url, 5), interruption.signal)).rejects.toThrow('interrupted');
    expect(broker.connects).toEqual([]);
  });
});
