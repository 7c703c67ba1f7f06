import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { STEPS, type Step } from '../../src/core/steps.ts';
import { startMosquitto } from '../support/mosquitto.ts';
import { startStandin } from '../support/standin/standin.ts';
import { countRows, createTables, readRows } from '../support/tag-table.ts';
import { until } from '../support/until.ts';
import { BridgeChild } from './bridge-child.ts';
import { Chance } from './chance.ts';
import { DISTURBANCES, type DisturbanceName, type Surroundings } from './disturbances.ts';
import { LoadPublisher } from './load-publisher.ts';
import { noticesFit } from './retained-notices.ts';
import { smallAndFast } from './small-and-fast.ts';
import { judge, type Offence } from './verdict.ts';

export interface CrashRunOptions {
  readonly kills: number;
  readonly seed: number;
  /** No more cycles are begun after that. */
  readonly maxSeconds: number;
  /** Steps at which chance, or a busy machine, had no kill are met by some more in the end. */
  readonly meetsEachStep?: boolean;
  /** For the bridge's files and logs; must be empty. */
  readonly directory: string;
  /** Gets a line a cycle. */
  readonly report: (line: string) => void;
}

export interface CrashRunResult {
  readonly kills: number;
  /** How often the bridge was killed exactly there. */
  readonly killsAtStep: Readonly<Record<Step, number>>;
  readonly offences: readonly Offence[];
  /**
   * Undecodable messages that were stored twice: they have no time of their own, so that the bridge may be left in
   * doubt.
   */
  readonly maybeRepeated: number;
  /** What went wrong otherwise, such as a bridge that ended by itself. */
  readonly troubles: readonly string[];
  /** Values and undecodable messages that the broker acknowledged. */
  readonly owed: number;
  readonly seconds: number;
}

/** How a cycle ends. A restart is in order, by SIGTERM. */
type Ending = Step | 'any moment' | 'restart';

const ENDINGS: readonly Ending[] = [...STEPS, 'any moment', 'any moment', 'any moment', 'restart'];
const BRIDGE_ID = 'crash-test';
/**
 * A bridge that is killed every second falls behind: from so many values on it may live until it has caught up, and is
 * killed then.
 */
const MAX_BEHIND = 5_000;
const CAUGHT_UP = 500;
const CATCH_UP_MS = 20_000;
/** Of what is published, refused values and undecodable messages; more than they are. */
const NO_ROWS_SHARE = 0.04;
const CYCLE_MS = 1600;
/** Steps that come after an outage take longer. */
const OUTAGE_CYCLE_MS = 2300;
const PATIENT_CYCLE_MS = 8000;
const MORE_CYCLES = 4;
const DRAIN_MS = 2000;
const EXIT_MS = 2500;
const SETTLE_TIMEOUT_MS = 60_000;
const DISTURBANCE_NAMES = Object.keys(DISTURBANCES) as DisturbanceName[];
const OUTAGES: readonly DisturbanceName[] = [
  'database outage',
  'database absent at the start',
  'outages end with a cut commit',
  'outage and commits cut',
];

/** The latest time that a step is to be waited for, and what it takes to be reached. */
const WAITS: Readonly<Record<Step, { readonly maxNth: number; readonly needsOutage?: true }>> = {
  received: { maxNth: 80 },
  appended: { maxNth: 30 },
  synced: { maxNth: 30 },
  acknowledged: { maxNth: 30 },
  taken: { maxNth: 12 },
  sent: { maxNth: 12 },
  committed: { maxNth: 12 },
  'backed-up': { maxNth: 6, needsOutage: true },
  sealed: { maxNth: 1, needsOutage: true },
  replayed: { maxNth: 1, needsOutage: true },
  'file-deleted': { maxNth: 1, needsOutage: true },
  'checkpoint-written': { maxNth: 1 },
};

const OUTAGE_ENDINGS: ReadonlySet<Ending> = new Set(STEPS.filter((step) => WAITS[step].needsOutage === true));

/**
 * Kills the bridge again and again under load, lets it heal in the end, and judges what has become of what the broker
 * acknowledged.
 */
export async function runCrashTest(options: CrashRunOptions): Promise<CrashRunResult> {
  const chance = new Chance(options.seed);
  const broker = await startMosquitto({
    persistence: true,
    config: ['max_queued_messages 0', 'max_inflight_messages 1000'],
  });
  const standin = await startStandin({ log: () => {} });
  const publisher = new LoadPublisher(broker.url, new Chance(options.seed + 1));
  try {
    await createTables(standin);
    await publisher.connect();
    const run = new CrashRun(options, { standin, broker, publisher, chance });
    return await run.run();
  } finally {
    await publisher.stop();
    standin.stop();
    await broker.stop();
  }
}

class CrashRun {
  readonly #options: CrashRunOptions;
  readonly #surroundings: Surroundings;
  readonly #configFile: string;
  readonly #backupDirectory: string;
  readonly #killsAtStep = Object.fromEntries(STEPS.map((step) => [step, 0])) as Record<Step, number>;
  readonly #troubles: string[] = [];
  #disturbance: Promise<void> | undefined;
  #kills = 0;
  #child: BridgeChild | undefined;

  constructor(options: CrashRunOptions, surroundings: Omit<Surroundings, 'bridgeIsUp'>) {
    this.#options = options;
    this.#surroundings = { ...surroundings, bridgeIsUp: () => this.#bridgeIsUp() };
    this.#configFile = join(options.directory, 'bridge.json');
    this.#backupDirectory = join(options.directory, 'backup');
  }

  async run(): Promise<CrashRunResult> {
    const startedAtMs = performance.now();
    const { publisher, standin } = this.#surroundings;
    await this.#prepare();
    publisher.start();
    try {
      const giveUpAtMs = startedAtMs + this.#options.maxSeconds * 1000;
      let i = 0;
      for (; this.#kills < this.#options.kills && performance.now() < giveUpAtMs; i += 1) {
        await this.#cycle(i, ENDINGS[i % ENDINGS.length]!);
      }
      for (const step of this.#options.meetsEachStep === true ? STEPS : []) {
        for (let more = 0; this.#killsAtStep[step] === 0 && more < MORE_CYCLES; more += 1) {
          await this.#cycle(i, step, PATIENT_CYCLE_MS);
          i += 1;
        }
      }
      await this.#heal();
    } finally {
      if (this.#child?.isRunning === true) this.#child.kill('SIGKILL');
    }
    const { obligations } = publisher;
    const found = await judge(obligations, await readRows(standin), [this.#backupDirectory]);
    const isInDoubt = ({ name, what }: Offence): boolean =>
      what === 'doubled' && obligations.get(name)?.kind === 'undecodable message';
    return {
      kills: this.#kills,
      killsAtStep: this.#killsAtStep,
      offences: found.filter((offence) => !isInDoubt(offence)),
      maybeRepeated: found.filter(isInDoubt).length,
      troubles: this.#troubles,
      owed: [...obligations.values()].filter(({ isOwed }) => isOwed).length,
      seconds: (performance.now() - startedAtMs) / 1000,
    };
  }

  /**
   * Writes the configuration and makes the session at the broker, from which on it owes the bridge what it
   * acknowledges.
   */
  async #prepare(): Promise<void> {
    const { broker, standin } = this.#surroundings;
    const { directory, seed } = this.#options;
    await mkdir(directory, { recursive: true });
    const config = smallAndFast({
      id: BRIDGE_ID,
      directory,
      standin,
      drainMs: DRAIN_MS,
      mqtt: { url: broker.url, protocolVersion: seed % 2 === 0 ? 5 : 4, topic: 'plc/+/tags' },
    });
    await writeFile(this.#configFile, JSON.stringify(config, undefined, 2));
    const child = this.#start('0-first');
    await until('the subscription', () => {
      if (!child.isRunning) throw new Error(`the bridge ended with ${child.end}: see ${this.#options.directory}`);
      return child.hasSaid('subscribed');
    });
    await child.cutOff();
  }

  #start(name: string, killAt?: string): BridgeChild {
    const log = join(this.#options.directory, `cycle-${name}.log`);
    this.#child = new BridgeChild(this.#configFile, log, killAt === undefined ? {} : { killAt });
    return this.#child;
  }

  /** A step that chance has put too late so far is taken at its first time. */
  #nthOf(step: Step | undefined, nth: number): number {
    const isOverdue = this.#kills > ENDINGS.length && step !== undefined && this.#killsAtStep[step] === 0;
    return isOverdue ? 1 : nth;
  }

  async #cycle(i: number, ending: Ending, patienceMs = 0): Promise<void> {
    const { chance, publisher, standin } = this.#surroundings;
    const startedAtMs = performance.now();
    const step = STEPS.find((name) => name === ending);
    const waits = step === undefined ? undefined : WAITS[step];
    const killAt = waits === undefined ? undefined : `${ending}:${this.#nthOf(step, chance.between(1, waits.maxNth))}`;
    publisher.cycle = i + 1;
    if ((await this.#behind()) > MAX_BEHIND) await this.#catchUp(i);
    if (waits?.needsOutage === true) await this.#disturbance;
    const child = this.#start(String(i + 1), killAt);
    const disturbance = this.#disturb(chance.pick(waits?.needsOutage === true ? OUTAGES : DISTURBANCE_NAMES));
    const signal = await this.#end(child, ending, patienceMs);
    if (child.end === 'SIGKILL') this.#kills += 1;
    else if (child.end !== 0 && child.hasSaid('bridge started'))
      this.#troubles.push(`cycle ${i + 1}: the bridge ended with ${child.end}`);
    if (signal === undefined && step !== undefined && child.end === 'SIGKILL') this.#killsAtStep[step] += 1;
    standin.faults.clear();
    const how = signal === undefined ? '' : ` (${signal} from outside)`;
    const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1);
    this.#options.report(`cycle ${i + 1} · ${killAt ?? ending}${how} · ${disturbance} · ${seconds} s`);
  }

  /** Values that are not in the table, less the most that never will be. */
  async #behind(): Promise<number> {
    const { publisher, standin } = this.#surroundings;
    const { size } = publisher.obligations;
    return size - (await countRows(standin)) - size * NO_ROWS_SHARE;
  }

  /** Nothing is published meanwhile: a machine with too much to do would never come to its end. */
  async #catchUp(i: number): Promise<void> {
    const { publisher } = this.#surroundings;
    await this.#disturbance;
    publisher.isHeld = true;
    const child = this.#start(`${i + 1}-catching-up`);
    const giveUpAtMs = performance.now() + CATCH_UP_MS;
    while (child.isRunning && performance.now() < giveUpAtMs && (await this.#behind()) > CAUGHT_UP) await wait(20);
    await child.cutOff();
    this.#kills += 1;
    publisher.isHeld = false;
  }

  async #bridgeIsUp(): Promise<void> {
    const child = this.#child;
    await until('the bridge to start', () => child?.isRunning !== true || child.hasSaid('bridge started'));
  }

  /** One at a time; it may outlive its cycle. */
  #disturb(name: DisturbanceName): string {
    if (this.#disturbance !== undefined) return 'the one before goes on';
    this.#disturbance = DISTURBANCES[name](this.#surroundings)
      .catch((error: unknown) => void this.#troubles.push(`${name}: ${String(error)}`))
      .finally(() => {
        this.#disturbance = undefined;
      });
    return name;
  }

  /** Waits for the bridge to end, by itself or, at last, by the signal that is given back. */
  async #end(child: BridgeChild, ending: Ending, patienceMs: number): Promise<NodeJS.Signals | undefined> {
    const atAnyMoment = ending === 'any moment' || ending === 'restart';
    const waitMs = Math.max(patienceMs, OUTAGE_ENDINGS.has(ending) ? OUTAGE_CYCLE_MS : CYCLE_MS);
    const delayMs = atAnyMoment ? this.#surroundings.chance.between(200, 1200) : waitMs;
    await Promise.race([child.exited, wait(delayMs, undefined, { ref: false })]);
    if (!child.isRunning) {
      await child.exited;
      return undefined;
    }
    if (ending !== 'restart') {
      await child.cutOff();
      return 'SIGKILL';
    }
    if (!(await child.drain(DRAIN_MS + EXIT_MS))) this.#troubles.push('the bridge did not end in time after SIGTERM');
    return 'SIGTERM';
  }

  /** All is well again: what the broker still has, the journal and the backups find their way. */
  async #heal(): Promise<void> {
    const { broker, publisher, standin } = this.#surroundings;
    await this.#disturbance;
    publisher.pause();
    await until('the publisher to be done', () => publisher.unacknowledged === 0);
    const child = this.#start('last');
    const marker = await publisher.publishMarker();
    try {
      const isWritten = async (): Promise<boolean> => (await readRows(standin, `tag_name = '${marker}'`)).length > 0;
      await until('the last value', isWritten, SETTLE_TIMEOUT_MS);
      await until('all to be settled', () => child.isSettled(), SETTLE_TIMEOUT_MS);
      if ((await child.status())?.audit.balanced !== true) this.#troubles.push('the audit does not balance');
      await noticesFit(broker.url, `mqtt-oracle-bridge/${BRIDGE_ID}`, () => child.files());
    } catch (error) {
      this.#troubles.push(`${String(error)}; status: ${JSON.stringify(await child.status())}`);
    }
    await child.drain(DRAIN_MS + EXIT_MS);
    if (child.end !== 0) this.#troubles.push(`the last bridge ended with ${child.end} after SIGTERM`);
  }
}
