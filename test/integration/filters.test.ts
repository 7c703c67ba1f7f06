import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Status } from '../../src/ops/status.ts';
import { BridgeProcess } from '../support/bridge-process.ts';
import { mosquittoMissing, startMosquitto, type RunningMosquitto } from '../support/mosquitto.ts';
import { startNeighbours, type Neighbours } from '../support/neighbours.ts';
import { createTables, readRows } from '../support/tag-table.ts';
import { until } from '../support/until.ts';

type Filters = Readonly<Record<string, unknown>>;
type Values = Readonly<Record<string, number | string>>;

describe.skipIf(mosquittoMissing !== undefined)('the filters of a subscription', () => {
  let neighbours: Neighbours<RunningMosquitto>;
  let bridge: BridgeProcess;
  let directory: string | undefined;
  let sent: number;

  beforeEach(async () => {
    neighbours = await startNeighbours(startMosquitto);
    await createTables(neighbours.standin);
    directory = undefined;
    sent = 0;
  });

  afterEach(() => neighbours.stop(bridge));

  async function run(filters: Filters): Promise<void> {
    bridge = await BridgeProcess.start({
      ...(directory !== undefined && { directory }),
      config: {
        mqtt: { url: neighbours.broker.url, subscriptions: [{ topic: 'plc/+/tags', ...filters }] },
        oracle: { connectString: neighbours.standin.connectString, user: 'bridge', password: 'secret' },
      },
    });
    directory = bridge.directory;
    await bridge.untilSubscribed();
  }

  async function publish(values: Values, timestamp = Date.now()): Promise<void> {
    sent += 1;
    const payload = JSON.stringify({ timestamp, plc_code: 'P', tag_values: values });
    await neighbours.publisher.publishAsync('plc/1/tags', payload, { qos: 1 });
  }

  /** All of it is settled, and nothing of it stays open in the journal. */
  const settled = (received: number): Promise<Status> =>
    bridge.untilStatus(
      'all to be settled',
      ({ audit, counters, journal }) =>
        counters.valuesReceived === received && audit.pending === 0 && journal.messages === 0,
    );

  const stored = async (): Promise<string[]> =>
    (await readRows(neighbours.standin)).map(({ name, value }) => `${name} ${value}`).toSorted();

  it('leave values out, which are settled with their message and counted over clean restarts', async () => {
    const filters = { exclude: ['*.Spare*'], deadband: { absolute: 0.5 } };
    await run(filters);
    await publish({ A: 1, Spare1: 7, B: 1 });
    await publish({ A: 1.2, Spare1: 7, B: 2 });
    // What is left out stands at the end, and is all there is.
    await publish({ A: 2, B: 2, Spare1: 7 });
    await publish({ A: 2, B: 2, Spare1: 7 });
    const { audit, counters } = await settled(12);
    expect(await stored()).toEqual(['P.A 1', 'P.A 2', 'P.B 1', 'P.B 2']);
    expect([audit.balanced, counters.valuesWritten, counters.valuesFiltered]).toEqual([true, 4, 8]);
    expect(await bridge.end()).toBe(0);
    await run(filters);
    expect((await bridge.status()).counters).toMatchObject({ valuesReceived: 12, valuesFiltered: 8 });
    // The first value of each tag after a start is written.
    await publish({ A: 2, B: 2, Spare1: 7 });
    await publish({ A: 2, B: 2, Spare1: 7 });
    expect((await settled(18)).counters).toMatchObject({ valuesWritten: 6, valuesFiltered: 12 });
  });

  it('lose no value that was not written when the process is killed', async () => {
    await run({ deadband: { absolute: 0.5 } });
    await bridge.untilStatus('oracle', ({ oracle }) => oracle.state === 'connected');
    neighbours.standin.blackHole(true);
    await publish({ A: 1 });
    await publish({ A: 1.1 });
    await publish({ A: 1.2 });
    await bridge.untilStatus('two to be left out', ({ counters }) => counters.valuesFiltered === 2);
    await bridge.end('SIGKILL');
    neighbours.standin.blackHole(false);
    await run({ deadband: { absolute: 0.5 } });
    await publish({ A: 1.3 });
    await publish({ A: 1.4 });
    const { audit, counters } = await settled(5);
    // Nobody knew which of them were written, and what comes behind them is compared with what comes behind them.
    expect(await stored()).toEqual(['P.A 1', 'P.A 1.1', 'P.A 1.2', 'P.A 1.3']);
    expect([audit.balanced, counters.valuesFiltered]).toEqual([true, 1]);
  });

  it('are taken over on reload', async () => {
    await run({ deadband: { absolute: 0.5 } });
    await publish({ A: 1 });
    await publish({ A: 1.2 });
    await settled(2);
    const file = join(bridge.directory, 'bridge.json');
    const config = JSON.parse(await readFile(file, 'utf8')) as { mqtt: { subscriptions: Filters[] } };
    config.mqtt.subscriptions = [{ topic: 'plc/+/tags', deadband: { absolute: 0.1 }, exclude: ['*.B'] }];
    await writeFile(file, JSON.stringify(config));
    process.kill(bridge.pid, 'SIGHUP');
    await until('the reload', () => bridge.find('configuration reloaded') !== undefined);
    await publish({ A: 1.4, B: 1 });
    await publish({ A: 1.45, B: 2 });
    await settled(6);
    expect(await stored()).toEqual(['P.A 1', 'P.A 1.4']);
  });

  it('say which time can not be right, by default write it all the same, and stop saying so when it is mended', async () => {
    await run({});
    await publish({ A: 1, B: 2 }, Math.floor(Date.now() / 1000));
    const { problems, tags } = await settled(2);
    expect(tags.implausibleTimes).toMatchObject({ tags: 2, values: 2, first: { topic: 'plc/1/tags', tagName: 'P.A' } });
    expect(problems).toEqual([expect.stringMatching(/^2 tags have times that can not be right, .* P\.A on .*: 1970-/)]);
    expect((await readRows(neighbours.standin)).map(({ quality }) => quality)).toEqual(['GOOD', 'GOOD']);
    const seen = await fetch(new URL('/api/tags', bridge.url));
    expect(await seen.json()).toMatchObject({
      tags: [{ implausibleTime: expect.stringMatching(/^1970-/) as string }, {}],
    });
    await publish({ A: 1, B: 2 });
    expect((await settled(4)).problems).toEqual([]);
  });

  it('reject a time that can not be right, where they are to', async () => {
    await run({ onImplausibleTime: 'reject' });
    await publish({ A: 1 }, Math.floor(Date.now() / 1000));
    await publish({ A: 2 });
    expect((await settled(2)).counters).toMatchObject({ valuesWritten: 1, valuesRejected: 1 });
    const files = [...(await bridge.backupFiles())].filter(([name]) => name.startsWith('rejected'));
    expect(files.map(([, text]) => text)).toEqual([expect.stringContaining('TIMESTAMP_IMPLAUSIBLE')]);
  });
});
