import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { startAedes, type RunningAedes } from '../support/aedes.ts';
import { BridgeProcess } from '../support/bridge-process.ts';
import { startNeighbours, type Neighbours } from '../support/neighbours.ts';
import { createTablesOf } from '../support/tag-table.ts';
import { until } from '../support/until.ts';

const ROWS = [
  { tag: '{/line}.temp', value: '/temp', timestamp: '/at', columns: { batch: '/batch' } },
  {
    each: '/alarms/*',
    tag: '{/line}.{id}',
    value: 'text',
    timestamp: '/at',
    to: 'alarms',
    columns: { severity: { path: 'level', type: 'number' } },
  },
];

const AT = '2025-11-02T14:30:25.123456Z';
const payloadOf = (line: string, level: number): string =>
  JSON.stringify({ line, at: AT, temp: 812.5, batch: 'B17', alarms: [{ id: 'A1', text: 'hot', level }] });

describe('the rows of one message for two destinations', () => {
  let neighbours: Neighbours<RunningAedes>;
  let bridge: BridgeProcess;

  beforeEach(async () => {
    neighbours = await startNeighbours(startAedes);
  });

  afterEach(() => neighbours.stop(bridge));

  async function read(table: string, ...columns: string[]): Promise<unknown[][]> {
    const found = await neighbours.standin.engine.query(`SELECT * FROM ${table} ORDER BY tag_name`, 'BRIDGE');
    return found.map((row) => columns.map((column) => row[column]));
  }

  it('have the columns of their tables, directly, merged, and by the replay of backups', async () => {
    const config = {
      mqtt: { url: neighbours.broker.url, subscriptions: [{ topic: 'plant/#', format: 'json', json: { rows: ROWS } }] },
      oracle: {
        connectString: neighbours.standin.connectString,
        user: 'bridge',
        password: 'secret',
        columns: { source: "'gw'", place: '{valueNo}' },
        destinations: {
          alarms: { table: 'ALARM_LOG', columns: { place: '', topic: '{topic}' }, onDuplicate: 'update' },
        },
      },
      backup: { probeIntervalMs: 1000 },
    };
    await createTablesOf(neighbours.standin, config);
    bridge = await BridgeProcess.start({ config });
    await bridge.untilSubscribed();

    const values = (): Promise<unknown[][]> => read('tag_data', 'TAG_NAME', 'TAG_VALUE', 'SOURCE', 'PLACE', 'BATCH');
    const alarms = (): Promise<unknown[][]> => read('alarm_log', 'TAG_NAME', 'TAG_TEXT', 'SOURCE', 'TOPIC', 'SEVERITY');
    await neighbours.publisher.publishAsync('plant/7', payloadOf('L1', 3), { qos: 1 });
    await bridge.untilStatus('both rows', ({ counters }) => counters.valuesWritten === 2);
    expect(await values()).toEqual([['L1.temp', 812.5, 'gw', 0, 'B17']]);
    expect(await alarms()).toEqual([['L1.A1', 'hot', 'gw', 'plant/7', 3]]);

    // The same tag at the same time: of the alarm the columns that are not in the key are written again.
    await neighbours.publisher.publishAsync('plant/8', payloadOf('L1', 4), { qos: 1 });
    await until('the alarm, changed', async () => (await alarms())[0]?.[4] === 4);
    expect(await alarms()).toEqual([['L1.A1', 'hot', 'gw', 'plant/8', 4]]);

    await bridge.untilStatus('all four settled', ({ journal }) => journal.messages === 0);
    const refusal = neighbours.standin.faults.add({ on: 'connect', refuse: 12_514, times: Infinity });
    neighbours.standin.kill();
    await neighbours.publisher.publishAsync('plant/9', payloadOf('L2', 5), { qos: 1 });
    await bridge.untilStatus('backups', ({ counters }) => counters.valuesBackedUp === 2);
    refusal.clear();
    await until('the replayed alarm', async () => (await alarms()).length === 2);
    await until('the replayed value', async () => (await values()).length === 3);
    expect((await alarms())[1]).toEqual(['L2.A1', 'hot', 'gw', 'plant/9', 5]);
    expect((await values())[2]).toEqual(['L2.temp', 812.5, 'gw', 0, 'B17']);
    await bridge.untilStatus('the end of the files', ({ backups }) => backups.pendingFiles === 0);
    const { audit, counters } = await bridge.status();
    expect(audit.balanced).toBe(true);
    expect(counters.valuesReceived).toBe(6);
    expect(counters.valuesRejected).toBe(0);
  });
});
