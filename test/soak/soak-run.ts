import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { startRealBroker, type RealBroker } from '../brokers/broker.ts';
import { BridgeChild } from '../crash/bridge-child.ts';
import { Chance } from '../crash/chance.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';
import { createTablesOf } from '../support/tag-table.ts';
import { until } from '../support/until.ts';
import { Arrivals } from './arrivals.ts';
import { growthOf, type Growth, type Sample } from './growth.ts';
import { takeSample } from './process-sample.ts';
import { makeSmallDisk } from './small-disk.ts';
import { plannedFaults, untilAllHasArrived, type SoakSurroundings } from './soak-faults.ts';
import type { SoakVerdict } from './soak-ledger.ts';
import { SteadyPublisher } from './steady-publisher.ts';
import { untilOrStuck } from './until-or-stuck.ts';

export interface SoakOptions {
  readonly broker: RealBroker;
  readonly durationMs: number;
  readonly valuesPerSecond: number;
  /** From the beginning of a fault to that of the next. */
  readonly faultEveryMs: number;
  readonly sampleEveryMs: number;
  readonly seed: number;
  /** Whether a small filesystem may be mounted for the bridge's files, where the system lets it. */
  readonly mayMount: boolean;
  /** For the bridge's files and log; must be empty. */
  readonly directory: string;
  /** Ends it before its time; what was published is judged all the same. */
  readonly signal: AbortSignal;
  /** Gets a line a fault, and one of figures now and then. */
  readonly report: (line: string) => void;
}

export interface SoakResult {
  readonly verdict: SoakVerdict;
  readonly growths: readonly Growth[];
  /** How often each fault was there. */
  readonly faults: Readonly<Record<string, number>>;
  /** What went wrong otherwise, such as a bridge that ended by itself. */
  readonly troubles: readonly string[];
  readonly disk: string;
  readonly seconds: number;
}

const BRIDGE_ID = 'soak-test';
const START_TIMEOUT_MS = 300_000;
const DRAIN_MS = 20_000;
const EXIT_MS = 10_000;
const REPORT_EVERY_SAMPLES = 6;

/**
 * Has one bridge run through faults of broker, database and disk without being started again, and judges what has
 * become of what the broker acknowledged, and what has grown in the process.
 */
export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const broker = await startRealBroker(options.broker);
  const standin = await startStandin({ log: () => {} });
  const disk = await makeSmallDisk(options.directory, options.mayMount);
  const publisher = new SteadyPublisher(broker.url, options.valuesPerSecond);
  let bridge: BridgeChild | undefined;
  try {
    const configFile = join(options.directory, 'bridge.json');
    const config = configuration(broker.url, standin, disk.directory, options.broker.protocols[0] ?? 4);
    await createTablesOf(standin, config);
    await writeFile(configFile, JSON.stringify(config, undefined, 2));
    bridge = new BridgeChild(configFile, join(options.directory, 'bridge.log'));
    const subscribed = bridge;
    await until('the subscription', () => !subscribed.isRunning || subscribed.hasSaid('subscribed'), START_TIMEOUT_MS);
    if (!bridge.isRunning) throw new Error(`the bridge ended with ${bridge.end}: see ${options.directory}`);
    return await new SoakRun(options, { broker, standin, publisher, disk, bridge }).run();
  } finally {
    await publisher.stop();
    if (bridge?.isRunning === true) await bridge.cutOff();
    standin.stop();
    broker.resume();
    await broker.dispose();
    await disk.dispose();
  }
}

function configuration(url: string, { connectString }: Standin, directory: string, protocolVersion: number): object {
  return {
    bridge: { id: BRIDGE_ID, drainTimeoutMs: DRAIN_MS },
    mqtt: { url, protocolVersion, keepaliveSeconds: 5, subscriptions: [{ topic: 'plc/+/tags', format: 'polling' }] },
    // Two copies that have one number are the writer's doing; with two numbers the broker's delivery was taken twice.
    oracle: { connectString, user: 'bridge', password: 'secret', columns: { message_no: '{messageNo}' } },
    journal: { dir: join(directory, 'journal'), maxBytes: 33_554_432, segmentBytes: 2_097_152 },
    backup: { dir: join(directory, 'backup'), probeIntervalMs: 1000 },
    http: { port: 0 },
    log: { level: 'info', format: 'json' },
  };
}

class SoakRun {
  readonly #options: SoakOptions;
  readonly #surroundings: SoakSurroundings;
  readonly #arrivals: Arrivals;
  readonly #samples: Sample[] = [];
  readonly #faults: Record<string, number> = {};
  readonly #troubles: string[] = [];
  readonly #startedAtMs = performance.now();
  /** Aborted when the time is over. */
  readonly #end = new AbortController();

  constructor(options: SoakOptions, surroundings: SoakSurroundings) {
    this.#options = options;
    this.#surroundings = surroundings;
    this.#arrivals = new Arrivals(surroundings.standin, surroundings.publisher.ledger);
  }

  async run(): Promise<SoakResult> {
    const { disk, publisher } = this.#surroundings;
    const end = (): void => this.#end.abort();
    const timer = setTimeout(end, this.#options.durationMs);
    this.#options.signal.addEventListener('abort', end);
    publisher.start();
    this.#arrivals.start();
    try {
      await Promise.all([this.#disturb(), this.#watch()]);
      await this.#settle();
    } finally {
      clearTimeout(timer);
      this.#options.signal.removeEventListener('abort', end);
      await this.#arrivals.stop();
    }
    await this.#arrivals.readFiles(join(disk.directory, 'backup'));
    return {
      verdict: publisher.ledger.verdict(),
      growths: growthOf(this.#samples),
      faults: this.#faults,
      troubles: this.#troubles,
      disk: disk.how,
      seconds: this.#elapsedMs() / 1000,
    };
  }

  #elapsedMs(): number {
    return performance.now() - this.#startedAtMs;
  }

  /** False when the time is over. */
  async #rest(ms: number): Promise<boolean> {
    await wait(ms, undefined, { signal: this.#end.signal }).catch(() => {});
    return !this.#end.signal.aborted && this.#surroundings.bridge.isRunning;
  }

  async #disturb(): Promise<void> {
    const { broker, faultEveryMs, seed } = this.#options;
    for (const { durationMs, name, restMs, run } of plannedFaults(
      new Chance(seed),
      faultEveryMs,
      broker.isPersistent,
    )) {
      if (!(await this.#rest(restMs))) return;
      const begunAtMs = this.#elapsedMs();
      await run(this.#surroundings, durationMs).catch((error: unknown) => {
        this.#troubles.push(`${name}: ${String(error)}`);
      });
      this.#faults[name] = (this.#faults[name] ?? 0) + 1;
      const [at, took] = [begunAtMs, this.#elapsedMs() - begunAtMs].map((ms) => (ms / 1000).toFixed(1));
      this.#options.report(`${at} s · ${name} · ${took} s`);
    }
  }

  async #watch(): Promise<void> {
    const { directory, sampleEveryMs } = this.#options;
    const { bridge, disk, publisher } = this.#surroundings;
    const directories = ['journal', 'backup'].map((name) => join(disk.directory, name));
    while (await this.#rest(sampleEveryMs)) {
      const { messages } = publisher.ledger;
      const rest = { atMs: this.#elapsedMs(), messages, lagMs: this.#arrivals.takeLagMs() };
      const sample = await takeSample(bridge, directories, rest);
      if (sample === undefined) continue;
      this.#samples.push(sample);
      await appendFile(join(directory, 'samples.jsonl'), `${JSON.stringify(sample)}\n`);
      if (this.#samples.length % REPORT_EVERY_SAMPLES !== 0) continue;
      const { descriptors, files, heapMegabytes, lagMs, residentMegabytes, series } = sample;
      this.#options.report(
        `${(sample.atMs / 1000).toFixed(0)} s · ${publisher.ledger.values} values · memory ${residentMegabytes.toFixed(0)} MB, ` +
          `heap ${heapMegabytes.toFixed(0)} MB · ${descriptors} descriptors · ${files} files · ${series} series · lag ${lagMs ?? '-'} ms`,
      );
    }
    if (!bridge.isRunning) this.#troubles.push(`the bridge ended with ${bridge.end}`);
  }

  /** All is well again, and nothing new comes: what is on its way arrives. */
  async #settle(): Promise<void> {
    const { bridge, publisher } = this.#surroundings;
    publisher.isHeld = true;
    try {
      await untilAllHasArrived({ bridge, publisher });
      await untilOrStuck(
        'all to be settled',
        () => bridge.isSettled(),
        () => publisher.ledger.found,
      );
      if ((await bridge.status())?.audit.balanced !== true) this.#troubles.push('the audit does not balance');
    } catch (error) {
      this.#troubles.push(`${String(error)}; status: ${JSON.stringify(await bridge.status())}`);
    }
    await bridge.drain(DRAIN_MS + EXIT_MS);
    if (bridge.end !== 0) this.#troubles.push(`the bridge ended with ${bridge.end} after SIGTERM`);
  }
}
