import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { plain } from '../../src/cli/text/colours.ts';
import { formatFleet } from '../../src/cli/text/fleet-text.ts';
import { askFleet, sharedIds, sumOf } from '../../src/cli/remote/fleet.ts';
import type { Step } from '../../src/core/steps.ts';
import { Chance } from '../crash/chance.ts';
import { DATABASE_DISTURBANCES } from '../crash/disturbances.ts';
import { LoadPublisher } from '../crash/load-publisher.ts';
import { noticesFit } from '../crash/retained-notices.ts';
import { countsOf } from '../crash/summary.ts';
import { judge } from '../crash/verdict.ts';
import { startStandin, type Standin } from '../support/standin/standin.ts';
import { countRows, createTables, readRows } from '../support/tag-table.ts';
import { until } from '../support/until.ts';
import type { FleetBroker } from './fleet-brokers.ts';
import { FleetMember } from './fleet-member.ts';
import { judgeFleet, type FleetVerdict } from './fleet-verdict.ts';

export interface FleetRunOptions {
  readonly broker: FleetBroker;
  /** From 2. */
  readonly bridges: number;
  readonly kills: number;
  readonly seed: number;
  /** No more rounds are begun after that. */
  readonly maxSeconds: number;
  /** For the bridges' files and logs; must be empty. */
  readonly directory: string;
  /** Gets a line a round. */
  readonly report: (line: string) => void;
}

export interface FleetRunResult {
  readonly kills: number;
  readonly restarts: number;
  readonly verdict: FleetVerdict;
  /** What went wrong otherwise, such as a bridge that ended by itself. */
  readonly troubles: readonly string[];
  /** Values that came while one bridge was away, and how many of them the others had written before it was back. */
  readonly whileAway: { readonly values: number; readonly written: number };
  /** Values and undecodable messages that the broker acknowledged. */
  readonly owed: number;
  /** What `status --fleet` shows in the end. */
  readonly status: string;
  readonly seconds: number;
}

const TOPIC = '$share/plant/plc/+/tags';
/** Half of the lives end right at a step, if they get there: before and after the sync and the PUBACK above all. */
const STEP_SHARE = 0.5;
const STEPS: readonly Step[] = ['received', 'appended', 'synced', 'acknowledged', 'taken', 'sent', 'committed'];
const MAX_NTH = 40;
const RESTART_SHARE = 0.1;
const DISTURBANCE_SHARE = 0.3;
/** A bridge that ended stays away for some rounds. */
const AWAY_SHARE = 0.3;
const AWAY_ROUNDS = [2, 5] as const;
const DISTURBANCES = Object.entries(DATABASE_DISTURBANCES);
const DRAIN_MS = 3000;
const EXIT_MS = 4000;
const SUBSCRIBE_MS = 30_000;
const VALUES_WHILE_AWAY = 500;
/** When nothing has changed for so long, nothing more comes. */
const QUIET_MS = 2500;
const LAST_QUIET_MS = 15_000;
const POLL_MS = 100;

/**
 * Kills the bridges of a fleet one after the other under load, lets all heal in the end, and judges what has become of
 * what the broker acknowledged.
 */
export async function runFleetTest(options: FleetRunOptions): Promise<FleetRunResult> {
  const broker = await options.broker.start();
  const standin = await startStandin({ log: () => {} });
  const publisher = new LoadPublisher(broker.url, new Chance(options.seed + 1));
  try {
    await createTables(standin);
    await publisher.connect();
    return await new FleetRun(options, broker.url, standin, publisher).run();
  } finally {
    await publisher.stop();
    standin.stop();
    await broker.stop();
  }
}

class FleetRun {
  readonly #options: FleetRunOptions;
  readonly #url: string;
  readonly #standin: Standin;
  readonly #publisher: LoadPublisher;
  readonly #chance: Chance;
  readonly #members: readonly FleetMember[];
  /** Those that are away, with the round in which they come back. */
  readonly #away = new Map<FleetMember, number>();
  readonly #troubles: string[] = [];
  #disturbance: Promise<void> | undefined;
  #kills = 0;
  #restarts = 0;

  constructor(options: FleetRunOptions, url: string, standin: Standin, publisher: LoadPublisher) {
    this.#options = options;
    this.#url = url;
    this.#standin = standin;
    this.#publisher = publisher;
    this.#chance = new Chance(options.seed);
    const mqtt = { url, protocolVersion: 5, topic: TOPIC } as const;
    this.#members = Array.from({ length: options.bridges }, (_, i) => {
      const id = `member-${i + 1}`;
      return new FleetMember({ id, directory: join(options.directory, id), standin, drainMs: DRAIN_MS, mqtt });
    });
  }

  async run(): Promise<FleetRunResult> {
    const startedAtMs = performance.now();
    const { maxSeconds } = this.#options;
    try {
      await this.#assemble();
      this.#publisher.start();
      for (
        let i = 1;
        this.#kills < this.#options.kills && performance.now() < startedAtMs + maxSeconds * 1000;
        i += 1
      ) {
        await this.#round(i);
      }
      await this.#disturbance;
      this.#publisher.isHeld = true;
      const whileAway = await this.#leaveOneAway();
      const status = await this.#heal();
      return { ...(await this.#judge()), whileAway, status, seconds: (performance.now() - startedAtMs) / 1000 };
    } finally {
      for (const member of this.#members) if (member.isRunning) await member.child.cutOff();
    }
  }

  /** From when all have subscribed, the broker owes the fleet what it acknowledges. */
  async #assemble(): Promise<void> {
    for (const member of this.#members) {
      await mkdir(join(this.#options.directory, member.id), { recursive: true });
      await member.prepare();
      await member.start();
      await member.untilSubscribed(SUBSCRIBE_MS);
    }
  }

  /** One bridge ends, by itself at a step or by a signal. There is always another one. */
  async #round(i: number): Promise<void> {
    this.#publisher.cycle = i;
    this.#noteEnds(i);
    const running = (): FleetMember[] => this.#members.filter(({ isRunning }) => isRunning);
    for (const [member, backInRound] of this.#away) {
      if (backInRound <= i || running().length < 2) await this.#bringBack(member, this.#killAt());
    }
    const victim = this.#chance.pick(running());
    const disturbance = this.#chance.next() < DISTURBANCE_SHARE ? this.#disturb(victim) : 'none';
    const isRestart = this.#chance.next() < RESTART_SHARE;
    await Promise.race([victim.child.exited, wait(this.#chance.between(150, 1200), undefined, { ref: false })]);
    let how = 'at its step';
    if (victim.isRunning && isRestart) {
      how = 'SIGTERM';
      this.#restarts += 1;
      if (!(await victim.child.drain(DRAIN_MS + EXIT_MS))) this.#troubles.push(`${victim.id} did not end in time`);
    } else if (victim.isRunning) {
      how = 'SIGKILL';
      await victim.child.cutOff();
    }
    this.#noteEnds(i);
    this.#standin.faults.clear();
    const away = [...this.#away].map(([{ id }, round]) => `${id} until ${round}`).join(', ');
    this.#options.report(`round ${i} · ${victim.id} ${how} · ${disturbance} · away: ${away}`);
  }

  /** Counts those that have ended since the last time, and decides how long they stay away. */
  #noteEnds(i: number): void {
    for (const member of this.#members) {
      if (member.isRunning || this.#away.has(member)) continue;
      const { child } = member;
      if (child.end === 'SIGKILL') this.#kills += 1;
      else if (child.end !== 0 && child.hasSaid('bridge started'))
        this.#troubles.push(`round ${i}: ${member.id} ended with ${child.end}`);
      const rounds = this.#chance.next() < AWAY_SHARE ? this.#chance.between(...AWAY_ROUNDS) : 1;
      this.#away.set(member, i + rounds);
    }
  }

  async #bringBack(member: FleetMember, killAt: string | undefined): Promise<void> {
    this.#away.delete(member);
    await member.start(killAt);
  }

  #killAt(): string | undefined {
    if (this.#chance.next() >= STEP_SHARE) return undefined;
    return `${this.#chance.pick(STEPS)}:${this.#chance.between(1, MAX_NTH)}`;
  }

  #disturb({ child }: FleetMember): string {
    if (this.#disturbance !== undefined) return 'the one before goes on';
    const [name, disturb] = this.#chance.pick(DISTURBANCES);
    const bridgeIsUp = async (): Promise<void> => {
      await until('the bridge to start', () => !child.isRunning || child.hasSaid('bridge started'));
    };
    this.#disturbance = disturb({ standin: this.#standin, chance: this.#chance, bridgeIsUp })
      .catch((error: unknown) => void this.#troubles.push(`${name}: ${String(error)}`))
      .finally(() => {
        this.#disturbance = undefined;
      });
    return name;
  }

  async #allBack(): Promise<void> {
    for (const member of this.#members) {
      if (member.isRunning) await member.child.cutOff(); // it may have a step before it at which it would end
      await this.#bringBack(member, undefined);
      await member.untilConnected(SUBSCRIBE_MS);
    }
  }

  /** How much of what comes while one is away the others have, before it is back. */
  async #leaveOneAway(): Promise<FleetRunResult['whileAway']> {
    const publisher = this.#publisher;
    await until('the publisher to be done', () => publisher.unacknowledged === 0, SUBSCRIBE_MS);
    await this.#allBack();
    await this.#quiet(QUIET_MS, async () => (await this.#missing()).length === 0);
    await this.#chance.pick(this.#members).child.cutOff();
    this.#kills += 1;
    const before = new Set(publisher.obligations.keys());
    publisher.isHeld = false;
    await until('some values', () => publisher.obligations.size >= before.size + VALUES_WHILE_AWAY, SUBSCRIBE_MS);
    publisher.isHeld = true;
    await until('the publisher to be done', () => publisher.unacknowledged === 0, SUBSCRIBE_MS);
    const missing = async (): Promise<string[]> => (await this.#missing()).filter((name) => !before.has(name));
    await this.#quiet(QUIET_MS, async () => (await missing()).length === 0);
    const values = [...publisher.obligations.values()].filter(
      ({ name, kind }) => kind === 'value' && !before.has(name),
    );
    const written = values.length - (await missing()).length;
    this.#options.report(`one away · ${written} of ${values.length} values written by the others`);
    return { values: values.length, written };
  }

  /** Values that the broker has acknowledged and that are not in the table. */
  async #missing(): Promise<string[]> {
    const { obligations } = this.#publisher;
    const written = new Set((await readRows(this.#standin)).map(({ name }) => name));
    const owed = [...obligations.values()].filter(({ kind, isOwed }) => kind === 'value' && isOwed);
    return owed.map(({ name }) => name).filter((name) => !written.has(name));
  }

  /** Waits until it is so, or until nothing more comes. Asked only when the table has changed. */
  async #quiet(quietMs: number, isSo: () => Promise<boolean>): Promise<void> {
    let rows = -1;
    let changedAtMs = performance.now();
    while (performance.now() - changedAtMs < quietMs) {
      const now = await countRows(this.#standin);
      if (now !== rows) {
        rows = now;
        changedAtMs = performance.now();
        if (await isSo()) return;
      }
      await wait(POLL_MS);
    }
  }

  /** All are back: what the broker still has, the journals and the backups find their way. */
  async #heal(): Promise<string> {
    await this.#allBack();
    this.#publisher.pause();
    await this.#quiet(LAST_QUIET_MS, async () => (await this.#missing()).length === 0);
    for (const { id, child } of this.#members) {
      try {
        await until(`${id} to settle all`, () => child.isSettled(), LAST_QUIET_MS);
        await noticesFit(this.#url, `mqtt-oracle-bridge/${id}`, () => child.files());
      } catch (error) {
        this.#troubles.push(`${String(error)}; status: ${JSON.stringify(await child.status())}`);
      }
    }
    const members = await askFleet(this.#members.map(({ child }) => child.url));
    const { answering, balanced } = sumOf(members);
    const isWhole = answering === members.length && balanced && sharedIds(members).length === 0;
    const status = formatFleet(members, plain);
    if (!isWhole) this.#troubles.push(`the fleet is not whole:\n${status}`);
    for (const { child, id } of this.#members) {
      await child.drain(DRAIN_MS + EXIT_MS);
      if (child.end !== 0) this.#troubles.push(`${id} ended with ${child.end} after SIGTERM`);
    }
    return status;
  }

  async #judge(): Promise<Pick<FleetRunResult, 'kills' | 'restarts' | 'verdict' | 'troubles' | 'owed'>> {
    const { obligations } = this.#publisher;
    const rows = await readRows(this.#standin);
    const offences = await judge(
      obligations,
      rows,
      this.#members.map(({ backupDirectory }) => backupDirectory),
    );
    const journals = new Map<string, Map<string, number>>();
    for (const member of this.#members) journals.set(member.id, await member.journalled());
    return {
      kills: this.#kills,
      restarts: this.#restarts,
      verdict: judgeFleet(offences, journals, (name) => obligations.get(name)?.kind !== 'undecodable message'),
      troubles: this.#troubles,
      owed: [...obligations.values()].filter(({ isOwed }) => isOwed).length,
    };
  }
}

/**
 * `bridges 3 · kills 50 · lost 0 · doubled 0 · unknown 0 · given to another 0 · maybe repeated 0 · values 61240 · 171
 * s`
 */
export function fleetSummary({ bridges }: FleetRunOptions, { kills, verdict, owed, seconds }: FleetRunResult): string {
  const given = `given to another ${verdict.givenToAnother.length}`;
  const maybe = `maybe repeated ${verdict.maybeRepeated.length}`;
  return `bridges ${bridges} · kills ${kills} · ${countsOf(verdict.offences)} · ${given} · ${maybe} · values ${owed} · ${seconds.toFixed(0)} s`;
}
