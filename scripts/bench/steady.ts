import { setTimeout as wait } from 'node:timers/promises';

import mqtt, { type MqttClient } from 'mqtt';

import { BridgeProcess } from '../../test/support/bridge-process.ts';
import { startMosquitto } from '../../test/support/mosquitto.ts';
import { startStandin } from '../../test/support/standin/standin.ts';
import { Unavailable } from '../../test/support/package-cache.ts';
import { createTables } from '../../test/support/tag-table.ts';
import { until } from '../../test/support/until.ts';
import { BENCH_MESSAGES } from './messages.ts';
import { startPeer } from './peer/peer.ts';
import { cpuSeconds, residentMegabytes } from './process-figures.ts';

/** What is measured: a bridge, or a script beside it. */
interface Subject {
  readonly pid: number;
  stop(): Promise<unknown>;
}

interface Way {
  readonly name: string;
  readonly start: (brokerUrl: string, connectString: string) => Promise<Subject>;
  /** Rows of the ledger that come with each commit. */
  readonly ledgerRows: 0 | 1;
}

interface SteadyFigures {
  /** Of one core, while nothing comes. */
  readonly idleCpuShare: number;
  readonly idleMegabytes: number;
  readonly cpuMicrosPerValue: number;
  /** From before its publication until its rows are committed, one a message. */
  readonly latenciesMs: readonly number[];
}

export const TAGS = 50;
const LOOK_EVERY_MS = 1;
/** What a process that has just started does yet. */
const SETTLING_MS = 20_000;
const IDLE_MS = 30_000;

const VALUES_PER_SECOND = 1000;
const MEASURED_MS = 60_000;
export const STEADY_INTERVALS_MS = [500, 20];

/**
 * Prints what plants have: some values a second, or none. `before`: a checkout whose build is measured as well;
 * `withPeer`: a script as well.
 */
export async function compareLatencies(before: string, withPeer: boolean): Promise<void> {
  const checkouts = before === '' ? [undefined] : [undefined, before];
  const ways = STEADY_INTERVALS_MS.flatMap((intervalMs) => checkouts.map((each) => bridgeWay(intervalMs, each)));
  if (withPeer) ways.push({ name: 'script, rows wait for 200 ms', start: startPeer, ledgerRows: 0 });
  for (const way of ways) {
    try {
      console.log(line(way.name, await measureSteady(way)));
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      console.log(`${way.name}: skipped (${error.message})`);
    }
  }
}

function bridgeWay(intervalMs: number, checkout: string | undefined): Way {
  const name = `${checkout === undefined ? '' : 'before, '}writer.intervalMs ${intervalMs}`;
  const start = async (url: string, connectString: string): Promise<Subject> => {
    const bridge = await BridgeProcess.start({
      ...(checkout === undefined ? {} : { checkout }),
      config: {
        mqtt: { url, subscriptions: [BENCH_MESSAGES['polling']!.subscription] },
        oracle: { connectString, user: 'bridge', password: 'secret' },
        writer: { intervalMs },
        log: { level: 'info' },
      },
    });
    await bridge.untilSubscribed();
    return { pid: bridge.pid, stop: () => bridge.dispose() };
  };
  return { name, start, ledgerRows: 1 };
}

function line(name: string, figures: SteadyFigures): string {
  return (
    `${name}: ${figures.cpuMicrosPerValue.toFixed(0)} µs of CPU a value, ` +
    `${percentiles(figures.latenciesMs)}; ` +
    `at rest ${(100 * figures.idleCpuShare).toFixed(1)} % of a core, ${Math.round(figures.idleMegabytes)} MB`
  );
}

/** At rest, and at a plant's rate; the database counts rows in this process. */
async function measureSteady({ ledgerRows, start }: Way): Promise<SteadyFigures> {
  const standin = await startStandin({ countOnly: true, log: () => {} });
  await createTables(standin);
  const broker = await startMosquitto();
  const client = await mqtt.connectAsync(broker.url);
  const written = (): number => Math.floor((standin.stats.rows - ledgerRows * standin.stats.commits) / TAGS);
  const publish = (durationMs: number): Promise<readonly number[]> =>
    publishWhile((passedMs) => passedMs < durationMs, client, written);
  const stops: (() => Promise<unknown>)[] = [];
  try {
    const subject = await start(broker.url, standin.connectString);
    stops.push(() => subject.stop());
    await publish(SETTLING_MS);
    const idleCpuShare = (await cpuDuring(subject, () => wait(IDLE_MS))) / (IDLE_MS / 1000);
    const { now: idleMegabytes } = await residentMegabytes(subject.pid);
    let latenciesMs: readonly number[] = [];
    const cpu = await cpuDuring(subject, async () => {
      latenciesMs = await publish(MEASURED_MS);
    });
    const cpuMicrosPerValue = (cpu * 1e6) / (latenciesMs.length * TAGS);
    return { idleCpuShare, idleMegabytes, cpuMicrosPerValue, latenciesMs };
  } finally {
    for (const stop of stops) await stop();
    await client.endAsync();
    await broker.stop();
    standin.stop();
  }
}

async function cpuDuring({ pid }: Subject, work: () => Promise<unknown>): Promise<number> {
  const before = await cpuSeconds(pid);
  await work();
  return (await cpuSeconds(pid)) - before;
}

/**
 * Publishes at the plant's rate. `written`: how many of the messages the database has. Gives how long each took into
 * it.
 */
export async function publishWhile(
  goesOn: (passedMs: number) => boolean,
  client: MqttClient,
  written: () => number | Promise<number>,
): Promise<readonly number[]> {
  const everyMs = (TAGS * 1000) / VALUES_PER_SECOND;
  const publishedAtMs: number[] = [];
  const latenciesMs: number[] = [];
  const before = await written();
  const look = async (): Promise<boolean> => {
    const there = (await written()) - before;
    while (latenciesMs.length < there) latenciesMs.push(performance.now() - publishedAtMs[latenciesMs.length]!);
    return latenciesMs.length === publishedAtMs.length;
  };
  const begunMs = performance.now();
  let nextMs = begunMs;
  for (let nowMs = begunMs; goesOn(nowMs - begunMs); nowMs = performance.now()) {
    for (; nextMs <= nowMs; nextMs += everyMs) {
      const { payload, topic } = BENCH_MESSAGES['polling']!.message(publishedAtMs.length, TAGS);
      publishedAtMs.push(performance.now());
      client.publish(topic, payload, { qos: 1 });
    }
    await look();
    await wait(LOOK_EVERY_MS);
  }
  await until('the last rows', look, 30_000, LOOK_EVERY_MS);
  return latenciesMs;
}

/** The latencies at which half, 99 % and 99.9 % of the messages are there. */
export function percentiles(latenciesMs: readonly number[]): string {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const at = (share: number): string => `${Math.round(sorted[Math.floor(share * (sorted.length - 1))]!)}`;
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, p99.9 ${at(0.999)} ms`;
}
