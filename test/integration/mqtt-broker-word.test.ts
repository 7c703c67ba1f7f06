import { afterEach, describe, expect, test } from 'vitest';

import { startAedes } from '../support/aedes.ts';
import { mosquittoMissing, startMosquitto } from '../support/mosquitto.ts';
import { Opened, publish } from '../support/mqtt-clients.ts';
import { until } from '../support/until.ts';

const opened = new Opened();
afterEach(() => opened.close());

const KNOWN = { idsCountOn: true, setsDuplicate: true, keepsIds: true };
const STRANGER = { name: 'aedes', start: () => startAedes(), manners: [] };
const BROKERS =
  mosquittoMissing === undefined
    ? [{ name: 'mosquitto', start: () => startMosquitto(), manners: [KNOWN] }, STRANGER]
    : [STRANGER];

describe('what a broker is known for', () => {
  test.each(BROKERS)('is asked for in a new session, before the first message: $name', async ({ manners, start }) => {
    const broker = opened.add(await start(), (running) => running.stop());
    const directory = await opened.directory();
    const learnt: unknown[] = [];
    const onManners = (known: unknown): Promise<void> => {
      learnt.push(known);
      return Promise.resolve();
    };
    const options = { protocolVersion: 4, onManners } as const;
    const under = opened.source(broker.url, directory, options);
    await under.source.start();
    await until('the subscription', () => under.log.messages().includes('subscribed'));
    expect(learnt).toEqual(manners);
    await under.source.stop();
    const again = opened.source(broker.url, directory, options);
    await again.source.start();
    await until('the session', () => again.source.status.sessionPresent === true);
    await publish(broker.url, 'plc/a/tags', ['x']);
    await until('the message', () => again.payloads().includes('x'));
    expect(learnt).toEqual(manners);
    expect([...under.payloads(), ...again.payloads()]).toEqual(['x']);
  });
});
