import mqtt from 'mqtt';

import { BridgeProcess } from '../../test/support/bridge-process.ts';
import { startMosquitto, type RunningMosquitto } from '../../test/support/mosquitto.ts';
import { startStandin, type Standin } from '../../test/support/standin/standin.ts';
import { createTables } from '../../test/support/tag-table.ts';
import { until } from '../../test/support/until.ts';
import { BENCH_MESSAGES } from './messages.ts';
import { AWAY, LARGE_WINDOW } from './neighbours.ts';
import { publish } from './publish.ts';
import { percentiles, publishWhile, STEADY_INTERVALS_MS, TAGS } from './steady.ts';

const POLLING = BENCH_MESSAGES['polling']!;
const BACKED_UP_ROWS = 2_000_000;
const ALONE_MS = 30_000;
const PATIENCE_MS = 600_000;
const ASK_EVERY_MS = 500;
const LIVE_PLACE = "SELECT message_no FROM mqtt_bridge_ledger WHERE stream LIKE 'live/%'";

/** Prints how long live messages take into the table while a backup is replayed, and once it is. */
export async function measureBesideReplay(): Promise<void> {
  for (const intervalMs of STEADY_INTERVALS_MS) {
    const standin = await startStandin({ countOnly: true, log: () => {} });
    const broker = await startMosquitto({ config: LARGE_WINDOW });
    try {
      await createTables(standin);
      const { alone, beside, seconds } = await measure(standin, broker, intervalMs);
      const rows = BACKED_UP_ROWS.toLocaleString('en-US');
      console.log(`writer.intervalMs ${intervalMs}, while ${rows} rows replay, ${seconds} s: ${percentiles(beside)}`);
      console.log(`writer.intervalMs ${intervalMs}, once they are there: ${percentiles(alone)}`);
    } finally {
      await broker.stop();
      standin.stop();
    }
  }
}

async function measure(
  standin: Standin,
  broker: RunningMosquitto,
  intervalMs: number,
): Promise<{ readonly beside: readonly number[]; readonly alone: readonly number[]; readonly seconds: number }> {
  const start = (connectString: string, directory?: string): Promise<BridgeProcess> =>
    BridgeProcess.start({
      ...(directory === undefined ? {} : { directory }),
      config: {
        mqtt: { url: broker.url, subscriptions: [POLLING.subscription] },
        oracle: { connectString, user: 'bridge', password: 'secret' },
        writer: { intervalMs, retry: { attempts: 0, initialDelayMs: 1, factor: 1 } },
        backup: { probeIntervalMs: 500 },
        log: { level: 'info' },
      },
    });
  const client = await mqtt.connectAsync(broker.url);
  // The numbers of messages follow each other as long as the journal has one segment.
  const written = async (): Promise<number> => Number((await standin.engine.query(LIVE_PLACE))[0]?.['MESSAGE_NO'] ?? 0);
  let bridge = await start(AWAY);
  try {
    await bridge.untilSubscribed();
    await publish(broker.url, BACKED_UP_ROWS / TAGS, (number) => POLLING.message(number, TAGS));
    await bridge.untilStatus('the backup', ({ backups }) => backups.pendingRows >= BACKED_UP_ROWS, PATIENCE_MS);
    await bridge.end();
    bridge = await start(standin.connectString, bridge.directory);
    await until('the replay', async () => (await bridge.status()).counters.valuesReplayed > 0, PATIENCE_MS);
    await untilLive(client, written);
    let isReplaying = true;
    const asking = setInterval(() => {
      void bridge.status().then(({ backups }) => (isReplaying = backups.pendingRows > 0));
    }, ASK_EVERY_MS);
    const begunMs = performance.now();
    const beside = await publishWhile(() => isReplaying, client, written);
    clearInterval(asking);
    const seconds = Math.round((performance.now() - begunMs) / 1000);
    const alone = await publishWhile((passedMs) => passedMs < ALONE_MS, client, written);
    return { beside, alone, seconds };
  } finally {
    await client.endAsync();
    await bridge.dispose();
  }
}

/** The first message of a run begins a segment, whose numbers are others. */
async function untilLive(client: mqtt.MqttClient, written: () => Promise<number>): Promise<void> {
  const before = await written();
  const { payload, topic } = POLLING.message(0, TAGS);
  await client.publishAsync(topic, payload, { qos: 1 });
  await until('the first live message', async () => (await written()) > before, PATIENCE_MS);
}
