import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { startAedes, type RunningAedes } from '../support/aedes.ts';
import { BridgeProcess } from '../support/bridge-process.ts';
import { startNeighbours, type Neighbours } from '../support/neighbours.ts';
import { Timestamp } from '../support/standin/engine/types.ts';
import { createTablesOf } from '../support/tag-table.ts';
import { until } from '../support/until.ts';

const COLUMNS = {
  plcCode: '',
  source: "'gateway-01'",
  line: '{2}',
  topic: '{topic}',
  kept: '{retained}',
  message_no: '{messageNo}',
  place: '{valueNo}',
  quality_code: '{qualityCode}',
};
const SUBSCRIPTION = {
  topic: 'plant/+/values',
  format: 'json',
  json: {
    rows: [
      {
        each: '/values/*',
        tag: '{id}',
        value: 'v',
        timestamp: 't',
        quality: 'q',
        columns: {
          batch: '/batch',
          oven_temp: { path: '/temp', type: 'number' },
          made_at: { path: '/made', type: 'time' },
        },
      },
    ],
  },
};

const payloadOf = (prefix: string): string =>
  JSON.stringify({
    batch: '=B,17',
    temp: 812.25,
    made: '2025-11-02T14:00:00.000001Z',
    values: [
      { id: `${prefix}.a`, v: 1.5, t: '2025-11-02T14:30:25.123456Z', q: 192 },
      { id: `${prefix}.b`, v: 'RUN', t: '2025-11-02T14:30:25.123Z', q: 'Good' },
    ],
  });

/** In order; what tells one message from another is left out. */
function rowsOf(prefix: string): Record<string, unknown>[] {
  const made = new Timestamp(Date.UTC(2025, 10, 2, 14), 1000);
  const atMs = Date.UTC(2025, 10, 2, 14, 30, 25, 123);
  const common = {
    SOURCE: 'gateway-01',
    LINE: '7',
    TOPIC: 'plant/7/values',
    KEPT: 0,
    BATCH: '=B,17',
    OVEN_TEMP: 812.25,
    MADE_AT: made,
  };
  return [
    {
      ...common,
      TAG_NAME: `${prefix}.a`,
      TAG_VALUE: 1.5,
      TAG_TEXT: null,
      TIMESTAMP: new Timestamp(atMs, 456_000),
      QUALITY: '192',
      PLACE: 0,
      QUALITY_CODE: 192,
    },
    {
      ...common,
      TAG_NAME: `${prefix}.b`,
      TAG_VALUE: null,
      TAG_TEXT: 'RUN',
      TIMESTAMP: new Timestamp(atMs),
      QUALITY: 'Good',
      PLACE: 1,
      QUALITY_CODE: null,
    },
  ];
}

describe('further columns and microseconds', () => {
  let neighbours: Neighbours<RunningAedes>;
  let bridge: BridgeProcess;

  beforeEach(async () => {
    neighbours = await startNeighbours(startAedes);
  });

  afterEach(() => neighbours.stop(bridge));

  async function rows(prefix: string): Promise<Record<string, unknown>[]> {
    const found = await neighbours.standin.engine.query(
      `SELECT * FROM tag_data WHERE tag_name LIKE '${prefix}%' ORDER BY place`,
      'BRIDGE',
    );
    return found.map(({ MESSAGE_NO: _number, ...row }) => row);
  }

  it('are written straight away, and by the replay of a backup, the same', async () => {
    const config = {
      mqtt: { url: neighbours.broker.url, subscriptions: [SUBSCRIPTION] },
      oracle: { connectString: neighbours.standin.connectString, user: 'bridge', password: 'secret', columns: COLUMNS },
      backup: { probeIntervalMs: 1000 },
      writer: { retry: { attempts: 0 } },
    };
    await createTablesOf(neighbours.standin, config);
    bridge = await BridgeProcess.start({ config });
    await bridge.untilSubscribed();

    await neighbours.publisher.publishAsync('plant/7/values', payloadOf('live'), { qos: 1 });
    await until('live rows', async () => (await rows('live')).length === 2);
    expect(await rows('live')).toEqual(rowsOf('live'));

    const refusal = neighbours.standin.faults.add({ on: 'connect', refuse: 12_514, times: Infinity });
    neighbours.standin.kill();
    await neighbours.publisher.publishAsync('plant/7/values', payloadOf('late'), { qos: 1 });
    await bridge.untilStatus('a backup', ({ counters }) => counters.valuesBackedUp === 2);
    const [csv = ''] = (await bridge.backupFiles()).values();
    expect(csv).toContain('2025-11-02T14:30:25.123456Z');
    refusal.clear();
    await until('replayed rows', async () => (await rows('late')).length === 2);
    expect(await rows('late')).toEqual(rowsOf('late'));
    await bridge.untilStatus('the end of the file', ({ backups }) => backups.pendingFiles === 0);
    expect((await bridge.status()).audit.balanced).toBe(true);
  });

  it('are those of the destination that the rows of a mapping go to', async () => {
    const [row] = SUBSCRIPTION.json.rows;
    const alarms = { each: '/values/*', tag: '{id}', value: 'v', to: 'alarms', columns: { severity: '/batch' } };
    const subscription = { ...SUBSCRIPTION, json: { rows: [row, alarms] } };
    const destination = { table: 'ALARM_LOG', columns: { source: "'alarms of 01'", line: '', place: '{topic}' } };
    const config = {
      mqtt: { url: neighbours.broker.url, subscriptions: [subscription] },
      oracle: {
        connectString: neighbours.standin.connectString,
        user: 'bridge',
        password: 'secret',
        columns: COLUMNS,
        destinations: { alarms: destination },
      },
    };
    await createTablesOf(neighbours.standin, config);
    bridge = await BridgeProcess.start({ config });
    await bridge.untilSubscribed();
    await neighbours.publisher.publishAsync('plant/7/values', payloadOf('live'), { qos: 1 });
    await until('rows', async () => (await rows('live')).length === 2);
    expect(await rows('live')).toEqual(rowsOf('live'));
    const read = (): Promise<Record<string, unknown>[]> =>
      neighbours.standin.engine.query('SELECT * FROM alarm_log', 'BRIDGE');
    await until('alarms', async () => (await read()).length === 2);
    const [alarm] = await read();
    expect(alarm).toMatchObject({ SOURCE: 'alarms of 01', PLACE: 'plant/7/values', SEVERITY: '=B,17', KEPT: 0 });
    expect(Object.keys(alarm!)).not.toContain('LINE');
    expect(Object.keys(alarm!)).not.toContain('BATCH');
  });
});
