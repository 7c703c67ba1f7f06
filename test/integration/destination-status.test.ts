import { afterEach, beforeEach, expect, it } from 'vitest';

import type { Status } from '../../src/ops/status.ts';
import { startAedes, type RunningAedes } from '../support/aedes.ts';
import { BridgeProcess } from '../support/bridge-process.ts';
import { startNeighbours, type Neighbours } from '../support/neighbours.ts';
import { countRows, createTables, TABLE_OPTIONS } from '../support/tag-table.ts';
import { until } from '../support/until.ts';

const TOKEN = 'the-token-of-this-test';
const ALARMS = { alarms: { table: 'ALARM_LOG' } };
const PAYLOAD = JSON.stringify({
  timestamp: new Date().toISOString(),
  plc_code: 'PLC01',
  tag_values: { D100: 1, D101: 2, D102: 3 },
});

let neighbours: Neighbours<RunningAedes>;
let bridge: BridgeProcess | undefined;

beforeEach(async () => {
  neighbours = await startNeighbours(startAedes);
  await createTables(neighbours.standin);
});

afterEach(() => neighbours.stop(bridge));

async function start(destinations: object, to: string, directory?: string): Promise<BridgeProcess> {
  bridge = await BridgeProcess.start({
    ...(directory === undefined ? {} : { directory }),
    config: {
      mqtt: { url: neighbours.broker.url, subscriptions: [{ topic: 'plc/+/tags', format: 'polling', to }] },
      oracle: {
        ...TABLE_OPTIONS,
        connectString: neighbours.standin.connectString,
        user: 'bridge',
        password: 'secret',
        destinations,
      },
      writer: { retry: { attempts: 1, initialDelayMs: 50 } },
      backup: { probeIntervalMs: 100 },
      http: { port: 0, token: TOKEN },
    },
  });
  await bridge.untilStatus('the broker', ({ mqtt: { connected } }) => connected);
  await bridge.untilSubscribed();
  return bridge;
}

it('a destination without its table is down by itself, and after it is taken out of the configuration its rows can go elsewhere', async () => {
  let health: Partial<Status> = {};
  neighbours.publisher.on('message', (_topic, payload) => {
    health = JSON.parse(payload.toString()) as Partial<Status>;
  });
  bridge = await start(ALARMS, 'alarms');
  await neighbours.publisher.publishAsync('plc/PLC01/tags', PAYLOAD, { qos: 1 });
  const down = await bridge.untilStatus('the backup', ({ backups }) => backups.pendingRows === 3);
  expect(down.destinations).toMatchObject([
    { name: 'default', table: 'TAG_DATA', state: 'connected', counters: { valuesReceived: 0 } },
    { name: 'alarms', table: 'ALARM_LOG', state: 'down', reason: { code: 'ORA-00942' }, backups: { pendingRows: 3 } },
  ]);
  expect(down.oracle).toMatchObject({ state: 'down', kind: 'configuration' });
  expect(down.oracle.reason?.message).toMatch(/^destination alarms \(table ALARM_LOG\): /);
  expect(down.advice[0]?.problem).toMatch(/^The destination alarms \(table ALARM_LOG\) is down since /);
  expect(down.advice[0]?.remedy).toContain('oracle.destinations.alarms.table');
  const ready = await fetch(new URL('/readyz', bridge.url));
  expect([ready.status, await ready.json()]).toEqual([200, expect.objectContaining({ degraded: true }) as object]);

  const { directory } = bridge;
  await bridge.end();
  bridge = await start({}, 'default', directory);
  expect(bridge.find('a destination is gone from the configuration: what is left for it waits in files')).toBeDefined();
  const gone = await bridge.untilStatus('Oracle', ({ oracle }) => oracle.state === 'connected');
  expect(gone.destinations).toMatchObject([
    { name: 'default' },
    { name: 'alarms', gone: true, counters: { valuesReceived: 3, valuesBackedUp: 3 }, backups: { pendingRows: 3 } },
  ]);
  expect(gone.problems.join()).toContain('3 rows for a destination not in oracle.destinations, kept in CSV: alarms');
  await neighbours.publisher.subscribeAsync('mqtt-oracle-bridge/test-bridge/health');
  await until('the health notice', () => health.destinations !== undefined);
  expect(health).toMatchObject({ bridgeId: 'test-bridge', audit: { balanced: true } });
  expect(health.destinations?.every(({ state }) => state !== 'connected')).toBe(true);

  const file = [...(await bridge.backupFiles()).keys()].find((name) => name.endsWith('.csv'));
  const answer = await fetch(new URL(`/api/backups/${file}/replay?to=default`, bridge.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  expect(answer.ok).toBe(true);
  await until('the rows', async () => (await countRows(neighbours.standin)) === 3);
  const done = await bridge.untilStatus('no file', ({ backups }) => backups.pendingFiles === 0);
  expect(done).toMatchObject({ audit: { balanced: true }, problems: [] });
});
