import { setTimeout as wait } from 'node:timers/promises';

import mqtt, { type MqttClient } from 'mqtt';

import { BridgeProcess } from '../../test/support/bridge-process.ts';
import { startMosquitto } from '../../test/support/mosquitto.ts';
import { startStandin, type Standin } from '../../test/support/standin/standin.ts';
import { createTables } from '../../test/support/tag-table.ts';
import { until } from '../../test/support/until.ts';
import { BENCH_MESSAGES } from './messages.ts';
import { cpuSeconds, residentMegabytes } from './process-figures.ts';

interface SteadyOptions {
  /** The checkout whose build it is; default: this one. */
  readonly checkout?: string;
  readonly valuesPerSecond: number;
  readonly seconds: number;
  /** `writer.intervalMs`. */
  readonly intervalMs: number;
}

interface SteadyFigures {
  /** Of one core, while nothing comes. */
  readonly idleCpuShare: number;
  readonly idleMegabytes: number;
  readonly cpuMicrosPerValue: number;
  /** From before its publication until its rows are committed, one a message. */
  readonly latenciesMs: readonly number[];
}

const TAGS = 50;
const LOOK_EVERY_MS = 1;
/** What a process that has just started does yet. */
const SETTLING_MS = 20_000;
const IDLE_MS = 30_000;

const STEADY = { valuesPerSecond: 1000, seconds: 60 };
const STEADY_INTERVALS_MS = [500, 20];

/** Prints what plants have: some values a second, or none. `before`: a checkout whose build is measured as well. */
export async function compareLatencies(before: string): Promise<void> {
  const builds = before === '' ? { now: '.' } : { now: '.', before };
  for (const intervalMs of STEADY_INTERVALS_MS) {
    for (const [build, checkout] of Object.entries(builds)) {
      const figures = await measureSteady({ ...STEADY, checkout, intervalMs });
      const sorted = figures.latenciesMs.toSorted((a, b) => a - b);
      const at = (share: number): string => `${Math.round(sorted[Math.floor(share * (sorted.length - 1))]!)}`;
      console.log(
        `${build}, writer.intervalMs ${intervalMs}: ${figures.cpuMicrosPerValue.toFixed(0)} µs of CPU a value, ` +
          `p50 ${at(0.5)}, p99 ${at(0.99)}, p99.9 ${at(0.999)} ms; at rest ${(100 * figures.idleCpuShare).toFixed(1)} % of a core, ` +
          `${Math.round(figures.idleMegabytes)} MB`,
      );
    }
  }
}

/** A bridge at rest, and at a plant's rate; the database counts rows in this process. */
async function measureSteady(options: SteadyOptions): Promise<SteadyFigures> {
  const standin = await startStandin({ countOnly: true, log: () => {} });
  await createTables(standin);
  const broker = await startMosquitto();
  const client = await mqtt.connectAsync(broker.url);
  const bridge = await BridgeProcess.start({
    ...(options.checkout === undefined ? {} : { checkout: options.checkout }),
    config: {
      mqtt: { url: broker.url, subscriptions: [BENCH_MESSAGES['polling']!.subscription] },
      oracle: { connectString: standin.connectString, user: 'bridge', password: 'secret' },
      writer: { intervalMs: options.intervalMs },
      log: { level: 'info' },
    },
  });
  try {
    await bridge.untilSubscribed();
    await publishFor(SETTLING_MS, options, standin, client);
    const idleCpuShare = (await cpuDuring(bridge, () => wait(IDLE_MS))) / (IDLE_MS / 1000);
    const { now: idleMegabytes } = await residentMegabytes(bridge.pid);
    let latenciesMs: readonly number[] = [];
    const cpu = await cpuDuring(bridge, async () => {
      latenciesMs = await publishFor(options.seconds * 1000, options, standin, client);
    });
    const cpuMicrosPerValue = (cpu * 1e6) / (latenciesMs.length * TAGS);
    return { idleCpuShare, idleMegabytes, cpuMicrosPerValue, latenciesMs };
  } finally {
    await bridge.dispose();
    await client.endAsync();
    await broker.stop();
    standin.stop();
  }
}

async function cpuDuring({ pid }: BridgeProcess, work: () => Promise<unknown>): Promise<number> {
  const before = await cpuSeconds(pid);
  await work();
  return (await cpuSeconds(pid)) - before;
}

async function publishFor(
  durationMs: number,
  { valuesPerSecond }: SteadyOptions,
  standin: Standin,
  client: MqttClient,
): Promise<readonly number[]> {
  const everyMs = (TAGS * 1000) / valuesPerSecond;
  const publishedAtMs: number[] = [];
  const latenciesMs: number[] = [];
  const rowsBefore = rowsOf(standin);
  const look = (): boolean => {
    const there = Math.floor((rowsOf(standin) - rowsBefore) / TAGS);
    while (latenciesMs.length < there) latenciesMs.push(performance.now() - publishedAtMs[latenciesMs.length]!);
    return latenciesMs.length === publishedAtMs.length;
  };
  const begunMs = performance.now();
  let nextMs = begunMs;
  for (let nowMs = begunMs; nowMs < begunMs + durationMs; nowMs = performance.now()) {
    for (; nextMs <= nowMs; nextMs += everyMs) {
      const { payload, topic } = BENCH_MESSAGES['polling']!.message(publishedAtMs.length, TAGS);
      publishedAtMs.push(performance.now());
      client.publish(topic, payload, { qos: 1 });
    }
    look();
    await wait(LOOK_EVERY_MS);
  }
  await until('the last rows', look, 30_000, LOOK_EVERY_MS);
  return latenciesMs;
}

/** Each batch comes with its commit, behind one row of the ledger's. */
function rowsOf({ stats }: Standin): number {
  return stats.rows - stats.commits;
}
