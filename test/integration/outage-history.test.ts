import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { startAedes, type RunningAedes } from '../support/aedes.ts';
import { BridgeProcess } from '../support/bridge-process.ts';
import { startNeighbours, type Neighbours } from '../support/neighbours.ts';
import { createTables } from '../support/tag-table.ts';
import { until } from '../support/until.ts';

let neighbours: Neighbours<RunningAedes>;
let bridge: BridgeProcess | undefined;

beforeEach(async () => {
  neighbours = await startNeighbours(startAedes);
  await createTables(neighbours.standin);
});

afterEach(() => neighbours.stop(bridge));

async function start(directory?: string): Promise<BridgeProcess> {
  bridge = await BridgeProcess.start({
    ...(directory === undefined ? {} : { directory }),
    config: {
      mqtt: { url: neighbours.broker.url, subscriptions: [{ topic: 'plc/+/tags', format: 'polling' }] },
      oracle: { connectString: neighbours.standin.connectString, user: 'bridge', password: 'secret' },
      writer: { retry: { attempts: 1, initialDelayMs: 50 } },
      backup: { probeIntervalMs: 100 },
    },
  });
  await bridge.untilSubscribed();
  return bridge;
}

async function publish(tags: number): Promise<void> {
  const tagValues = Object.fromEntries(Array.from({ length: tags }, (_, i) => [`D${i}`, i]));
  const payload = { timestamp: new Date().toISOString(), plc_code: 'PLC01', tag_values: tagValues };
  await neighbours.publisher.publishAsync('plc/PLC01/tags', JSON.stringify(payload), { qos: 1 });
}

it('an outage of Oracle is known after kill -9 in its midst, with the rows from before and after', async () => {
  const { standin } = neighbours;
  const before = await start();
  await before.untilStatus('Oracle', ({ oracle }) => oracle.state === 'connected');
  standin.close();
  standin.kill();
  await publish(3);
  const { outages } = await before.untilStatus('the outage', (status) => status.outages[0]?.rowsBackedUp === 3);
  expect(outages).toMatchObject([
    { of: 'oracle', destination: 'default', code: expect.stringMatching(/^[A-Z]+-/) as string },
  ]);
  const file = join(before.directory, 'journal', 'outages.json');
  const isOnDisk = async (): Promise<boolean> =>
    (await readFile(file, 'utf8').catch(() => '')).includes(outages[0]!.began);
  await until('the file', isOnDisk);
  await before.end('SIGKILL');

  const after = await start(before.directory);
  await publish(2);
  await after.untilStatus('the rows of both runs', (status) => status.outages[0]?.rowsBackedUp === 5);
  await standin.open();
  const over = await after.untilStatus('the end', (status) => status.outages[0]?.ended !== undefined);
  const began = outages[0]!.began;
  expect(over.outages).toMatchObject([{ of: 'oracle', began, rowsBackedUp: 5, restarted: true }]);
  await after.end();
  const known = JSON.parse(await readFile(file, 'utf8')) as object;
  expect(known).toMatchObject({ outages: [{ began, ended: over.outages[0]?.ended, rowsBackedUp: 5 }] });
});
