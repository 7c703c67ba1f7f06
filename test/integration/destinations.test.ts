import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { BridgeProcess } from '../support/bridge-process.ts';
import { mosquittoMissing, startMosquitto, type RunningMosquitto } from '../support/mosquitto.ts';
import { startNeighbours, type Neighbours } from '../support/neighbours.ts';
import { ALARM_LOG, TABLE_ILLS } from '../support/table-ills.ts';
import { createTables } from '../support/tag-table.ts';
import { until } from '../support/until.ts';

const CAPACITY = 300;
const BATCH_SIZE = 50;

describe.skipIf(mosquittoMissing !== undefined)('a destination beside the default one', () => {
  let neighbours: Neighbours<RunningMosquitto>;
  let bridge: BridgeProcess;
  let published: { values: number; alarms: number };

  beforeEach(async () => {
    neighbours = await startNeighbours(startMosquitto);
    await createTables(neighbours.standin, ALARM_LOG);
    published = { values: 0, alarms: 0 };
  });

  afterEach(() => neighbours.stop(bridge));

  async function startBridge(destinations: object, to: string, directory?: string): Promise<void> {
    bridge = await BridgeProcess.start({
      config: {
        mqtt: {
          url: neighbours.broker.url,
          subscriptions: [
            { topic: 'plc/+/tags', format: 'polling' },
            { topic: 'alarm/+', format: 'polling', to },
          ],
        },
        buffer: { capacity: CAPACITY },
        writer: { batchSize: BATCH_SIZE, intervalMs: 50 },
        oracle: { connectString: neighbours.standin.connectString, user: 'bridge', password: 'secret', destinations },
        backup: { probeIntervalMs: 500 },
      },
      ...(directory === undefined ? {} : { directory }),
    });
    await bridge.untilSubscribed();
  }

  const ALARMS = { alarms: { table: 'ALARM_LOG', columns: { text: 'MSG' } } };

  /** 50 values for one of the two, none of which any other call gives. */
  async function publish(kind: 'values' | 'alarms'): Promise<void> {
    const from = published[kind];
    published[kind] += 50;
    const tags = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`T${from + i}`, from + i]));
    const payload = JSON.stringify({ timestamp: '2025-11-02T14:30:25.123Z', plc_code: 'PLC01', tag_values: tags });
    await neighbours.publisher.publishAsync(kind === 'values' ? 'plc/PLC01/tags' : 'alarm/PLC01', payload, { qos: 1 });
  }

  async function distinct(table: string): Promise<{ rows: number; names: number }> {
    const sql = `SELECT COUNT(*) AS n, COUNT(DISTINCT tag_name) AS d FROM ${table}`;
    const [row] = await neighbours.standin.engine.query(sql, 'BRIDGE');
    return { rows: row!['N'] as number, names: row!['D'] as number };
  }

  /** `without`: rows that were lost with their table. */
  async function hasAll(kind: 'values' | 'alarms', without = 0): Promise<boolean> {
    const count = published[kind] - without;
    const { rows, names } = await distinct(kind === 'values' ? 'tag_data' : 'alarm_log');
    return rows === count && names === count;
  }

  it.each(TABLE_ILLS)('goes through it alone when its table $name', async ({ begin, code, takesRows }) => {
    await startBridge(ALARMS, 'alarms');
    await publish('values');
    await publish('alarms');
    await until('rows in both tables', async () => (await hasAll('values')) && (await hasAll('alarms')));

    const without = takesRows === true ? published.alarms : 0;
    const end = await begin(neighbours.standin, BATCH_SIZE);
    // More than the buffer of the one takes, and each behind values of the other.
    for (let i = 0; i < (3 * CAPACITY) / 50; i += 1) {
      await publish('alarms');
      await publish('values');
      await until('the other table to go on as it was', () => hasAll('values'));
    }
    const during = await bridge.status();
    expect(during.audit.balanced).toBe(true);
    await end();
    // A person tells the bridge; otherwise it would ask by itself within a minute.
    process.kill(bridge.pid, 'SIGHUP');
    await publish('alarms');
    await until(
      'all rows in both tables',
      async () => {
        process.kill(bridge.pid, 'SIGHUP');
        return (await hasAll('values')) && (await hasAll('alarms', without));
      },
      60_000,
      1_000,
    );

    const begun = bridge.log.filter(({ message, kind }) => message === 'backup file begun' && kind === 'backup');
    expect(begun.length).toBeGreaterThan(0);
    expect(
      begun.map(({ code: why }) => String(why)).filter((why) => !code.test(why) && why !== 'DESTINATION_STALLED'),
    ).toEqual([]);
    const { counters, audit } = await bridge.untilStatus(
      'the files to be gone',
      (s) => s.audit.pending === 0 && s.backups.pendingFiles === 0,
    );
    const received = published.values + published.alarms;
    expect(counters).toMatchObject({ valuesReceived: received, valuesBackedUp: counters.valuesReplayed });
    expect(audit.balanced).toBe(true);
  });

  it('that goes from the configuration leaves nothing behind unsaid, and its files can go elsewhere', async () => {
    await startBridge(ALARMS, 'alarms');
    const full = neighbours.standin.faults.add({
      on: 'execute',
      sql: 'INSERT INTO "ALARM_LOG"',
      error: 1653,
      times: Infinity,
    });
    await publish('alarms');
    await bridge.untilStatus('a backup', ({ backups }) => backups.pendingRows === 50);
    await publish('values');
    await until('rows of the other', () => hasAll('values'));
    expect(await bridge.end('SIGKILL')).toBeNull();
    full.clear();

    const { directory } = bridge;
    await startBridge({ events: { table: 'ALARM_LOG', columns: { text: 'MSG' } } }, 'events', directory);
    const gone = bridge.log.find(({ destination, remedy }) => destination === 'alarms' && remedy !== undefined);
    expect(gone).toMatchObject({ level: 'warn', rows: 50 });
    await publish('alarms');
    await until('new rows', async () => (await distinct('alarm_log')).rows === 50);
    const file = [...(await bridge.backupFiles()).keys()].find((name) => name.endsWith('.csv'));
    expect(file).toMatch(/^backup_/);
    expect(await bridge.end()).toBe(0);

    await startBridge(ALARMS, 'alarms', directory);
    await until('the rows that waited for it', () => hasAll('alarms'), 40_000);
  });
});
