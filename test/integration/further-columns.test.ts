import mqtt, { type MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Config } from '../../src/config/config.ts';
import { destinationsOf } from '../../src/config/destinations.ts';
import { loadConfig } from '../../src/config/load.ts';
import { schemaDdl } from '../../src/oracle/schema.ts';
import { startAedes } from '../support/aedes.ts';
import { BridgeProcess } from '../support/bridge-process.ts';
import { Timestamp } from '../support/standin/engine/types.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';
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
  let broker: Awaited<ReturnType<typeof startAedes>>;
  let standin: Standin;
  let bridge: BridgeProcess;
  let publisher: MqttClient;

  beforeEach(async () => {
    broker = await startAedes();
    standin = await startStandin();
    publisher = await mqtt.connectAsync(broker.url);
  });

  afterEach(async () => {
    await publisher.endAsync(true);
    await bridge?.dispose();
    standin.stop();
    await broker.stop();
  });

  async function create(oracle: Config['oracle']): Promise<void> {
    const ddl = schemaDdl(destinationsOf(oracle), { ledgerTable: oracle.ledgerTable, tagName: '{plc}.{tag}' });
    for (const sql of ddl.split(/;\s*/)) if (sql !== '') await standin.engine.query(sql, 'BRIDGE');
  }

  async function rows(prefix: string): Promise<Record<string, unknown>[]> {
    const found = await standin.engine.query(
      `SELECT * FROM tag_data WHERE tag_name LIKE '${prefix}%' ORDER BY place`,
      'BRIDGE',
    );
    return found.map(({ MESSAGE_NO: _number, ...row }) => row);
  }

  it('are written straight away, and by the replay of a backup, the same', async () => {
    const config = {
      mqtt: { url: broker.url, subscriptions: [SUBSCRIPTION] },
      oracle: { connectString: standin.connectString, user: 'bridge', password: 'secret', columns: COLUMNS },
      backup: { probeIntervalMs: 1000 },
      writer: { retry: { attempts: 0 } },
    };
    const { oracle } = loadConfig({ files: ['f'], env: {}, readFile: () => JSON.stringify(config) });
    await create(oracle);
    bridge = await BridgeProcess.start({ config });
    await until('the subscription', () => bridge.find('subscribed') !== undefined);

    await publisher.publishAsync('plant/7/values', payloadOf('live'), { qos: 1 });
    await until('live rows', async () => (await rows('live')).length === 2);
    expect(await rows('live')).toEqual(rowsOf('live'));

    const refusal = standin.faults.add({ on: 'connect', refuse: 12_514, times: Infinity });
    standin.kill();
    await publisher.publishAsync('plant/7/values', payloadOf('late'), { qos: 1 });
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
      mqtt: { url: broker.url, subscriptions: [subscription] },
      oracle: {
        connectString: standin.connectString,
        user: 'bridge',
        password: 'secret',
        columns: COLUMNS,
        destinations: { alarms: destination },
      },
    };
    const { oracle } = loadConfig({ files: ['f'], env: {}, readFile: () => JSON.stringify(config) });
    await create(oracle);
    bridge = await BridgeProcess.start({ config });
    await until('the subscription', () => bridge.find('subscribed') !== undefined);
    await publisher.publishAsync('plant/7/values', payloadOf('live'), { qos: 1 });
    await until('rows', async () => (await rows('live')).length === 2);
    expect(await rows('live')).toEqual(rowsOf('live'));
    const read = (): Promise<Record<string, unknown>[]> => standin.engine.query('SELECT * FROM alarm_log', 'BRIDGE');
    await until('alarms', async () => (await read()).length === 2);
    const [alarm] = await read();
    expect(alarm).toMatchObject({ SOURCE: 'alarms of 01', PLACE: 'plant/7/values', SEVERITY: '=B,17', KEPT: 0 });
    expect(Object.keys(alarm!)).not.toContain('LINE');
    expect(Object.keys(alarm!)).not.toContain('BATCH');
  });
});
