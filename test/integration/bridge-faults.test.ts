import mqtt from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { BridgeProcess } from '../support/bridge-process.ts';
import { mosquittoMissing, startMosquitto, type RunningMosquitto } from '../support/mosquitto.ts';
import { startNeighbours, type Neighbours } from '../support/neighbours.ts';
import { countRows, createTables, readRows } from '../support/tag-table.ts';
import { until } from '../support/until.ts';

const TOPIC = 'plc/PLC01/tags';

function payloadOf(tags: Record<string, unknown>): string {
  return JSON.stringify({ timestamp: '2025-11-02T14:30:25.123Z', plc_code: 'PLC01', tag_values: tags });
}

/** `count` values of tags that no other call gives: `D<from>` … */
function numberedTags(from: number, count: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`D${from + i}`, from + i]));
}

describe.skipIf(mosquittoMissing !== undefined)('the bridge among faults', () => {
  let neighbours: Neighbours<RunningMosquitto>;
  let bridge: BridgeProcess;

  beforeEach(async () => {
    neighbours = await startNeighbours(startMosquitto);
  });

  afterEach(() => neighbours.stop(bridge));

  async function startBridge(password = 'secret'): Promise<void> {
    bridge = await BridgeProcess.start({
      config: {
        mqtt: { url: neighbours.broker.url, subscriptions: [{ topic: 'plc/+/tags', format: 'polling' }] },
        oracle: { connectString: neighbours.standin.connectString, user: 'bridge', password },
        backup: { probeIntervalMs: 1000, replay: false },
      },
    });
    await bridge.untilSubscribed();
  }

  async function publish(tags: Record<string, unknown>): Promise<void> {
    await neighbours.publisher.publishAsync(TOPIC, payloadOf(tags), { qos: 1 });
  }

  it('rejects a text of 5,000 bytes and a duplicate key among 500 rows, and writes the other 498', async () => {
    await createTables(neighbours.standin, 'CREATE UNIQUE INDEX tag_data_uk ON tag_data (tag_name, timestamp)');
    await neighbours.standin.engine.query(
      `INSERT INTO tag_data (tag_name, tag_value, timestamp, quality)
       VALUES ('PLC01.D77', 1, TIMESTAMP '2025-11-02 14:30:25.123', 'GOOD')`,
      'BRIDGE',
    );
    await startBridge();
    await publish({ ...numberedTags(0, 500), D5: 'x'.repeat(5000) });
    await until('498 rows and the one before', async () => (await countRows(neighbours.standin)) === 499);
    const { counters, audit } = await bridge.untilStatus('the audit', ({ audit: { pending } }) => pending === 0);
    expect(counters).toMatchObject({ valuesReceived: 500, valuesWritten: 498, valuesRejected: 2, valuesBackedUp: 0 });
    expect(audit.balanced).toBe(true);
    expect(await bridge.end()).toBe(0);

    const files = [...(await bridge.backupFiles())];
    expect(files).toHaveLength(1);
    const [name, csv] = files[0]!;
    expect(name).toMatch(/^rejected_\d{8}_\d{6}\.csv$/);
    const lines = csv.trimEnd().split('\r\n').slice(1);
    expect(lines).toHaveLength(2);
    expect(lines.find((line) => line.startsWith('PLC01.D5,'))).toContain('TEXT_TOO_LONG');
    expect(lines.find((line) => line.startsWith('PLC01.D77,'))).toContain('ORA-00001');
  });

  it('loses nothing while the database refuses for 20 s under 2,000 values/s, and comes back by itself', async () => {
    await createTables(neighbours.standin);
    const notices = new Map<string, string>();
    const watcher = await mqtt.connectAsync(neighbours.broker.url);
    watcher.on('message', (topic, payload) => void notices.set(topic, payload.toString()));
    await watcher.subscribeAsync('mqtt-oracle-bridge/test-bridge/recovery/+', { qos: 1 });
    await startBridge();

    let published = 0;
    let publishing: Promise<unknown> = Promise.resolve();
    const timer = setInterval(() => {
      const tags = numberedTags(published, 100);
      published += 100;
      publishing = Promise.all([publishing, publish(tags)]);
    }, 50);
    await until('live rows', async () => (await countRows(neighbours.standin)) > 0);
    const refusal = neighbours.standin.faults.add({ on: 'connect', refuse: 12_514, times: Infinity });
    neighbours.standin.kill();
    const refusedAtMs = performance.now();
    await bridge.untilStatus('the database to be down', ({ oracle }) => oracle.state === 'down');
    await until('20 s of refusal', () => performance.now() - refusedAtMs > 20_000, 30_000);
    refusal.clear();
    const { counters } = await bridge.untilStatus('live writing', ({ oracle }) => oracle.state === 'connected');
    const before = counters.valuesWritten;
    await bridge.untilStatus('more live rows', (status) => status.counters.valuesWritten > before + 2000);
    clearInterval(timer);
    await publishing;

    const settled = await bridge.untilStatus(
      'all to be settled',
      (status) => status.counters.valuesReceived === published && status.audit.pending === 0,
    );
    expect(settled.audit.balanced).toBe(true);
    expect(settled.counters.valuesBackedUp).toBeGreaterThan(10_000);
    expect(settled.backups).toMatchObject({ pendingFiles: 1, pendingRows: settled.counters.valuesBackedUp });
    await until('the notice to be sealed', () => [...notices.values()].some((text) => text.includes('"sealed"')));
    expect([...notices.keys()]).toHaveLength(1);
    expect(JSON.parse([...notices.values()][0]!)).toMatchObject({
      kind: 'backup',
      state: 'sealed',
      rows: settled.counters.valuesBackedUp,
      bridgeId: 'test-bridge',
    });

    expect(await bridge.end()).toBe(0);
    const files = [...(await bridge.backupFiles())].filter(([name]) => name.endsWith('.csv'));
    expect(files.map(([name]) => name)).toEqual([expect.stringMatching(/^backup_\d{8}_\d{6}\.csv$/)]);
    const inBackup = files[0]![1].trimEnd().split('\r\n').slice(1);
    const names = inBackup.map((line) => line.slice(0, line.indexOf(',')));
    const inTable = (await readRows(neighbours.standin)).map((row) => row.name);
    expect([...names, ...inTable].sort()).toEqual(
      Object.keys(numberedTags(0, published))
        .map((tag) => `PLC01.${tag}`)
        .sort(),
    );
    await watcher.endAsync(true);
  });

  it('tries a wrong password once and then waits, though values keep coming', async () => {
    await createTables(neighbours.standin);
    await startBridge('wrong');
    for (let i = 0; i < 10; i += 1) {
      await publish(numberedTags(i * 10, 10));
      const expected = (i + 1) * 10;
      await bridge.untilStatus('the backup', ({ counters }) => counters.valuesBackedUp === expected);
    }
    expect(neighbours.standin.stats.logonsTried).toBe(1);
    const { oracle, problems } = await bridge.status();
    expect(oracle).toMatchObject({ state: 'down', reason: { code: 'ORA-01017' } });
    expect(problems.join('\n')).toContain('ORA-01017');
    const entry = bridge.find('oracle is down: batches go to the csv backup');
    expect(entry?.['remedy']).toMatch(/^Correct oracle.user and oracle.password/);
    expect(JSON.stringify(bridge.log)).not.toContain('wrong');
  });

  it('goes on after a broker restart that forgot the session, and says so', async () => {
    await createTables(neighbours.standin);
    await startBridge();
    await publish(numberedTags(0, 10));
    await until('rows before', async () => (await countRows(neighbours.standin)) === 10);
    await neighbours.broker.restart();
    await until('the subscription again', () => bridge.log.filter((e) => e['message'] === 'subscribed').length === 2);
    await until('the publisher to be back', () => neighbours.publisher.connected);
    await publish(numberedTags(10, 10));
    await until('rows after', async () => (await countRows(neighbours.standin)) >= 20);
    const { mqtt: about, problems } = await bridge.untilStatus('the loss', (status) => status.mqtt.sessionsLost === 1);
    expect(about).toMatchObject({
      connected: true,
      broker: neighbours.broker.url,
      sessionLostAt: expect.any(String) as string,
    });
    expect(problems).toContainEqual(expect.stringContaining("the broker had lost the bridge's session"));
    expect(new Set((await readRows(neighbours.standin)).map((row) => row.name)).size).toBe(20);
  });

  it('drains on SIGTERM: what was acknowledged is in the table, and it exits 0', async () => {
    await createTables(neighbours.standin);
    neighbours.standin.faults.add({ on: 'execute', sql: 'INSERT', delayMs: 50, times: Infinity });
    await startBridge();
    for (let i = 0; i < 100; i += 1) await publish(numberedTags(i * 50, 50));
    await bridge.untilStatus('values in the buffer', ({ counters }) => counters.valuesReceived === 5000);
    expect(await bridge.end('SIGTERM')).toBe(0);
    expect(await countRows(neighbours.standin)).toBe(5000);
    expect(bridge.find('bridge stopped')).toMatchObject({ valuesReceived: 5000, valuesWritten: 5000 });
  });
});
