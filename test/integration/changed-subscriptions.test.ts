import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { BridgeProcess } from '../support/bridge-process.ts';
import { mosquittoMissing, startMosquitto, type RunningMosquitto } from '../support/mosquitto.ts';
import { startNeighbours, type Neighbours } from '../support/neighbours.ts';
import { countRows, createTables } from '../support/tag-table.ts';
import { until } from '../support/until.ts';

const OTHER = `CREATE TABLE other (tag_name VARCHAR2(255 CHAR) NOT NULL, tag_value BINARY_DOUBLE,
  timestamp TIMESTAMP(6) NOT NULL, quality VARCHAR2(16) NOT NULL)`;
const DESTINATIONS = { other: { table: 'OTHER', columns: { text: '' } } };
const LINE = { topic: 'line/+', format: 'polling' };
const ENERGY = { topic: 'energy/+', format: 'polling' };

describe.skipIf(mosquittoMissing !== undefined)('subscriptions that change between two starts', () => {
  let neighbours: Neighbours<RunningMosquitto>;
  let bridge: BridgeProcess;
  let published = 0;

  beforeEach(async () => {
    neighbours = await startNeighbours(() => startMosquitto({ config: ['max_queued_messages 0'] }));
    await createTables(neighbours.standin, OTHER);
  });

  afterEach(() => neighbours.stop(bridge));

  async function start(subscriptions: readonly object[], directory?: string): Promise<void> {
    bridge = await BridgeProcess.start({
      config: {
        mqtt: { url: neighbours.broker.url, subscriptions },
        oracle: {
          connectString: neighbours.standin.connectString,
          user: 'bridge',
          password: 'secret',
          destinations: DESTINATIONS,
        },
        writer: { intervalMs: 50 },
      },
      ...(directory === undefined ? {} : { directory }),
    });
    await until('the broker', () => bridge.find('connected to the broker') !== undefined);
  }

  async function publish(topic: string, count: number): Promise<void> {
    for (let i = 0; i < count; i += 1) {
      published += 1;
      const payload = JSON.stringify({ plc_code: 'P', tag_values: { [`T${published}`]: published } });
      await neighbours.publisher.publishAsync(topic, payload, { qos: 1 });
    }
  }

  const counts = async (): Promise<number[]> => [
    await countRows(neighbours.standin),
    await countRows(neighbours.standin, 'other'),
  ];
  const hasCounts = async (ofDefault: number, ofOther: number): Promise<boolean> => {
    const [first, second] = await counts();
    return first === ofDefault && second === ofOther;
  };

  it('leave it to what they were how a message is read that came before, over kill -9', async () => {
    await start([{ ...LINE, to: 'other' }, ENERGY]);
    await bridge.untilSubscribed();
    const hang = neighbours.standin.faults.add({
      on: 'execute',
      sql: 'INSERT INTO "OTHER"',
      hang: true,
      times: Number.POSITIVE_INFINITY,
    });
    await publish('line/1', 20);
    await publish('energy/1', 20);
    await until('the rows of the other', () => hasCounts(20, 0));
    await bridge.untilStatus('the rest in the journal', ({ journal }) => journal.messages > 0);
    await bridge.end('SIGKILL');
    hang.clear();

    await start([LINE, ENERGY], bridge.directory);
    await publish('line/1', 3);
    await until('each where it belongs', () => hasCounts(23, 20), 30_000);
    const { audit, counters } = await bridge.status();
    expect([audit.balanced, counters.messagesUndecodable]).toEqual([true, 0]);
  });

  it('are unsubscribed where they are gone', async () => {
    await start([LINE, ENERGY]);
    await bridge.untilSubscribed();
    await publish('energy/1', 1);
    await until('its row', () => hasCounts(1, 0));
    expect(await bridge.end()).toBe(0);

    await start([LINE], bridge.directory);
    await until('the unsubscription', () => bridge.find('unsubscribed') !== undefined);
    await publish('energy/1', 5);
    await publish('line/1', 1);
    await until('the row of the one that is left', () => hasCounts(2, 0));
    expect((await bridge.status()).counters.messagesReceived).toBe(2);
  });
});
