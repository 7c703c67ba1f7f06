import { DEFAULT_DESTINATION } from '../../src/core/destination.ts';
import type { Step } from '../../src/core/steps.ts';
import { SUBSCRIPTIONS, type Payload } from './payloads.ts';
import { ONE_LANE, type LaneSetup } from './lane-setups.ts';
import { drawPlan, type End, type Plan, type TimedEvent } from './plan.ts';
import { Random } from './random.ts';
import { ReferenceDecoder } from './reference-decoder.ts';
import { RoutingWitness } from './routing-witness.ts';
import { SimBroker, type SimMessage } from './sim-broker.ts';
import { BridgeLife } from './bridge-life.ts';
import { OfflineLife } from './offline-life.ts';
import { SimTime } from './sim-clock.ts';
import { BACKUP_DIR, JOURNAL_DIR } from './sim-config.ts';
import { SimDatabase, WELL } from './sim-database.ts';
import { HEALTHY, SimDisk } from './sim-disk.ts';
import { noTrace, type Trace } from './trace.ts';
import { contentOf, countRejected, judge, otherStreams } from './verdict.ts';

export interface Result {
  readonly seed: number;
  readonly steps: number;
  /** None: no value lost, none doubled, nothing left behind. */
  readonly problems: readonly string[];
}

/** Both are far above what any schedule takes that comes to its end; the longest known takes 215,000 (410033618). */
const MAX_STEPS = 300_000;
const MAX_SETTLING_MS = 1_800_000;
/** With `sync: interval` on a healthy disk: 200 ms, and the time that a sync takes. */
const MAX_UNSYNCED_MS = 220;
const MAX_REFERENCE_PROBLEMS = 3;

/**
 * Runs the schedule of a seed; `onTrace` gets its story, line by line. Errors are made without their stacks, which
 * would be a tenth of the work; what fails is run once more, with them.
 */
export async function simulate(seed: number, onTrace?: (line: string) => void): Promise<Result> {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  let result: Result;
  try {
    result = await run(seed, onTrace);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  return result.problems.length === 0 ? result : run(seed);
}

async function run(seed: number, onTrace?: (line: string) => void): Promise<Result> {
  const time = new SimTime();
  const trace: Trace =
    onTrace === undefined ? noTrace : (line) => onTrace(`${time.elapsedMs.toFixed(2).padStart(10)} ${line()}`);
  const world = new World(drawPlan(seed), time, trace);
  const problems = await world.run();
  return { seed, steps: time.steps, problems };
}

interface Armed {
  readonly how: End;
  stepsLeft: number;
  readonly at: Step | undefined;
}

/**
 * One schedule: publishes, breaks and crashes as planned, then mends all, lets the bridge settle, starts it once more,
 * and judges.
 *
 * A crash ends the life in mid-step: nothing of it runs on, what it had asked of the disk and the database may or may
 * not happen.
 */
class World {
  readonly #plan: Plan;
  readonly #time: SimTime;
  readonly #trace: Trace;
  readonly #random: Random;
  readonly #disk: SimDisk;
  readonly #broker: SimBroker;
  readonly #database: SimDatabase;
  readonly #published = new Map<SimMessage, Payload>();
  readonly #toPublish: number;
  readonly #problems: string[] = [];
  readonly #witness = new RoutingWitness();
  readonly #reference = new ReferenceDecoder(SUBSCRIPTIONS);
  #setup: LaneSetup = ONE_LANE;
  #setupsUsed = 0;
  #life: BridgeLife | undefined;
  /** Instead of the bridge, for a while. */
  #offline: OfflineLife | undefined;
  #armed: Armed[] = [];
  #isMended = false;
  /** With `sync: interval`: from then on what came in may not be synced. */
  #unsyncedSinceMs = Number.POSITIVE_INFINITY;
  #replayed: ReadonlyMap<string, number> | undefined;
  /** How often the bridge has stored a content though it may have been a repetition. */
  readonly #maybeRepeated = new Map<string, number>();
  /** By lives that are over. */
  #dropped = 0;

  constructor(plan: Plan, time: SimTime, trace: Trace) {
    this.#plan = plan;
    this.#time = time;
    this.#trace = trace;
    this.#random = new Random(plan.seed ^ 0x5eed);
    this.#toPublish = plan.events.filter((event) => event.do === 'publish').length;
    this.#disk = new SimDisk(this.#random.fork(), trace);
    this.#broker = new SimBroker(plan, time, this.#random.fork(), trace);
    this.#database = new SimDatabase(time, this.#random.fork(), trace);
    this.#database.onSent = (table, rows) => this.#witness.sent(table, rows);
  }

  async run(): Promise<string[]> {
    try {
      for (const event of this.#plan.events) this.#time.setTimer(event.atMs, () => this.#meet(event));
      this.#boot();
      await this.#runUntil(() => this.#time.elapsedMs >= this.#plan.endMs, this.#plan.endMs);
      this.#mend();
      if (this.#setup !== this.#plan.setups.at(-1)) this.#end(this.#random.pick(['kill', 'power']));
      if (this.#plan.staysFull) await this.#drainFullDisk();
      await this.#settle('all is mended');
      // What a failing disk kept from being removed is removed by the next start.
      const hadFaults = this.#plan.events.some((event) => event.do === 'disk');
      if (this.#problems.length === 0 && (hadFaults || this.#random.chance(0.5))) {
        this.#end(this.#random.pick(['kill', 'power']));
        await this.#settle('the last restart');
      }
      if (this.#problems.length === 0 && this.#plan.replaysRejected) await this.#replayRejected();
      if (this.#problems.length === 0) await this.#stopForGood();
      if (this.#problems.length === 0) this.#judge();
    } catch (error) {
      this.#problems.push(error instanceof Error ? `threw ${error.stack ?? error.message}` : String(error));
    }
    return this.#problems;
  }

  #judge(): void {
    if (this.#broker.hasUnnotedSession) this.#excuseRepeats();
    this.#problems.push(
      ...this.#reference.problems.slice(0, MAX_REFERENCE_PROBLEMS),
      ...(this.#plan.isSparkplug ? [] : this.#witness.problems.slice(0, MAX_REFERENCE_PROBLEMS)),
      ...judge(this.#expected, {
        rows: this.#database.rows,
        backupDir: this.#disk.contents(BACKUP_DIR),
        journalDir: this.#disk.contents(JOURNAL_DIR),
        ledger: this.#database.ledger,
        segmentBytes: this.#plan.segmentBytes,
        dropped: this.#dropped + (this.#life?.dropped ?? 0),
        restoredAway: this.#database.restoredAway,
        misplaced: this.#database.misplaced,
        replayed: this.#replayed,
        maybeRepeated: this.#maybeRepeated,
        hadBreaks: this.#broker.connections > 1,
        redeliverableBytes: this.#plan.redeliverableBytes,
      }),
    );
  }

  /** What was published, with what has to come of it. */
  get #expected(): ReadonlyMap<SimMessage, Payload> {
    if (!this.#plan.isSparkplug) return this.#published;
    return new Map([...this.#published].map(([message, payload]) => [message, this.#reference.expectationOf(payload)]));
  }

  #meet(event: TimedEvent): void {
    if (event.do === 'publish') {
      const { topic, bytes } = event.payload;
      this.#published.set(this.#broker.publish(topic, bytes, event.qos), event.payload);
      return;
    }
    if (this.#isMended) return;
    if (event.do !== 'end') this.#trace(() => `plan: ${JSON.stringify(event)}`);
    if (event.do === 'end') this.#armed.push({ how: event.how, stepsLeft: event.afterSteps, at: event.at });
    else if (event.do === 'disk') this.#disk.health = event.health;
    else if (event.do === 'database') this.#database.health = event.health;
    else if (event.do === 'abort database') this.#database.crash();
    else if (event.do === 'delete ledger rows') this.#database.deleteLedgerRows();
    else if (event.do === 'note database') this.#database.note();
    else if (event.do === 'restore database') this.#database.restore();
    else if (event.do === 'reload') this.#reload(event.setup);
    else if (event.do === 'redirect') this.#redirect();
    else if (event.do === 'disconnect') this.#broker.disconnect();
    else this.#broker.loseSession();
  }

  #boot(): void {
    const { connectsAfterMs } = { connectsAfterMs: this.#random.pick([0, 5, 100]) };
    this.#life = new BridgeLife({
      plan: this.#plan,
      setup: this.#nextSetup(),
      time: this.#time,
      random: this.#random.fork(),
      disk: this.#disk,
      broker: this.#broker,
      database: this.#database,
      connectsAfterMs,
      onStep: (step) => this.#stepped(step),
      onMaybeRepeated: (topic, payload) => {
        const content = contentOf(topic, payload);
        this.#trace(() => `bridge: maybe repeated: ${content}`);
        this.#maybeRepeated.set(content, (this.#maybeRepeated.get(content) ?? 0) + 1);
      },
      onDecoded: (message, values) => {
        if (this.#plan.isSparkplug) this.#reference.compare(message, values);
        else if (values !== undefined) this.#witness.decoded(message, values);
      },
      onOver: () => this.#bootLater(),
      trace: this.#trace,
    });
    this.#life.start();
  }

  /** From life to life the configuration changes, until all is mended. */
  #nextSetup(): LaneSetup {
    const { setups } = this.#plan;
    this.#setup = (this.#isMended ? undefined : setups[this.#setupsUsed]) ?? setups.at(-1)!;
    this.#setupsUsed += 1;
    this.#trace(() => `plan: configured with ${JSON.stringify(this.#setup)}`);
    return this.#setup;
  }

  /** What only a restart takes over waits for it. */
  #reload(setup: LaneSetup): void {
    this.#setup = { ...setup, destinations: this.#setup.destinations };
    this.#life?.reload(this.#setup);
  }

  #redirect(): void {
    const to = this.#random.pick([DEFAULT_DESTINATION, ...this.#setup.destinations]);
    this.#witness.redirected(to);
    this.#life?.redirect(to);
  }

  #bootLater(): void {
    this.#dropped += this.#life?.dropped ?? 0;
    this.#life = undefined;
    this.#offline = undefined;
    const isOffline = this.#plan.replaysOffline && this.#random.chance(0.3);
    this.#time.setTimer(this.#random.between(1, 500), () => (isOffline ? this.#replayOffline() : this.#boot()));
  }

  #replayOffline(): void {
    this.#offline = new OfflineLife({
      plan: this.#plan,
      setup: this.#setup,
      time: this.#time,
      random: this.#random.fork(),
      disk: this.#disk,
      database: this.#database,
      onOver: () => this.#bootLater(),
      trace: this.#trace,
    });
    this.#offline.start();
  }

  /** The bridge's own steps: a crash may come in the middle of its code. */
  #stepped(step: Step): void {
    this.#trace(() => `step: ${step}`);
    const due = this.#armed.find((armed) => armed.at === step && armed.stepsLeft-- <= 0);
    if (due === undefined) return;
    this.#armed = this.#armed.filter((armed) => armed !== due);
    this.#end(due.how);
  }

  #end(how: End): void {
    const life = this.#life;
    const process = life ?? this.#offline;
    if (process === undefined) return;
    this.#trace(() => `plan: ${how}`);
    if (how === 'stop') {
      life?.stop();
      return;
    }
    process.kill();
    this.#excuseUnsynced(how, life?.hasStarted === true);
    if (how === 'power') this.#disk.cutPower();
    else this.#disk.kill();
    this.#trace(
      () => `disk: ${this.#disk.listing(JOURNAL_DIR).join(', ')}; ${this.#disk.listing(BACKUP_DIR).join(', ')}`,
    );
    this.#bootLater();
  }

  #excuseRepeats(): void {
    const seen = new Map<string, SimMessage>();
    for (const message of this.#published.keys()) {
      const bytes = `${message.topic} ${message.payload.toString('latin1')}`;
      const before = seen.get(bytes);
      if (before === undefined) seen.set(bytes, message);
      else {
        before.excuses += 1;
        message.excuses += 1;
      }
    }
  }

  /**
   * What was acknowledged before it was synced may go with the power; with the process only what a sync failed for.
   * What one life left unsynced, the start of the next one syncs.
   */
  #excuseUnsynced(how: 'power' | 'kill', hadStarted: boolean): void {
    const { events, sync } = this.#plan;
    const hasDiskFaults = events.some((event) => event.do === 'disk');
    if (hadStarted) this.#unsyncedSinceMs = this.#time.nowMs - MAX_UNSYNCED_MS;
    if (how === 'kill' && !hasDiskFaults) return;
    const sinceMs = sync === 'never' || hasDiskFaults ? -Infinity : this.#unsyncedSinceMs;
    for (const message of this.#broker.messages) {
      const mayBeGone = sync !== 'always' && Number.isFinite(message.atBridgeMs) && message.atBridgeMs >= sinceMs;
      if (mayBeGone) message.excuses += 1;
    }
  }

  #mend(): void {
    this.#trace(() => 'plan: all is mended');
    this.#isMended = true;
    this.#armed = [];
    if (this.#plan.staysFull) this.#disk.mendButForRoom();
    else this.#disk.health = HEALTHY;
    this.#database.health = WELL;
  }

  /** New messages may have to wait for room; all that was acknowledged must not. */
  async #drainFullDisk(): Promise<void> {
    await this.#wait('the database is back and the disk is full', () => this.#life?.isDrained === true);
    this.#trace(() => 'plan: room');
    this.#disk.health = HEALTHY;
  }

  get #isPublished(): boolean {
    return this.#published.size === this.#toPublish;
  }

  async #settle(after: string): Promise<void> {
    const isSettled = (): boolean =>
      this.#isPublished && this.#broker.isIdle && this.#life?.isSettled === true && this.#isCleanedUp();
    await this.#wait(after, isSettled);
  }

  async #wait(after: string, isSettled: () => boolean): Promise<void> {
    const hasSettled = await this.#runUntil(isSettled, this.#time.elapsedMs + MAX_SETTLING_MS);
    if (!hasSettled) this.#problems.push(`does not settle after ${after}: ${this.#life?.describe() ?? 'no life'}`);
  }

  /** A replay forgets its ledger stream after its file. */
  #isCleanedUp(): boolean {
    const { busySessions, ledger } = this.#database;
    return busySessions === 0 && otherStreams(ledger).length === 0 && !this.#disk.has(BACKUP_DIR, '.replay');
  }

  /** Once more after a crash, which takes the request with it. */
  async #replayRejected(): Promise<void> {
    this.#trace(() => 'plan: rejected files are replayed');
    this.#replayed = countRejected(this.#disk.contents(BACKUP_DIR));
    this.#database.health = { ...WELL, takesAll: true };
    if (this.#random.chance(0.5)) {
      const how = this.#random.pick<End>(['kill', 'power']);
      this.#armed.push({ how, stepsLeft: this.#random.int(0, 60), at: undefined });
    }
    for (;;) {
      const life = this.#life!;
      const isOver = life.replayRejected();
      await this.#wait('the replay of rejected rows', () => this.#life !== life || isOver());
      if (this.#life === life) break;
      await this.#wait('a crash in the replay of rejected rows', () => this.#life?.isSettled === true);
      if (this.#problems.length > 0) break;
    }
    if (this.#problems.length === 0) await this.#settle('the replay of rejected rows');
    this.#armed = [];
  }

  async #stopForGood(): Promise<void> {
    let isOver = false;
    this.#life?.stop(() => (isOver = true));
    if (!(await this.#runUntil(() => isOver, this.#time.elapsedMs + MAX_SETTLING_MS))) {
      this.#problems.push('does not stop');
    }
  }

  /** False when the time or the steps are up before `isDone`. */
  async #runUntil(isDone: () => boolean, untilMs: number): Promise<boolean> {
    while (!isDone()) {
      if (this.#time.steps > MAX_STEPS || this.#time.elapsedMs > untilMs || !(await this.#time.step())) return isDone();
      const difference = this.#life?.auditDifference ?? 0;
      if (difference !== 0) {
        this.#problems.push(`audit out of balance by ${difference}`);
        throw new Error(this.#life?.describe() ?? '');
      }
      this.#crashWhenDue();
    }
    return true;
  }

  #crashWhenDue(): void {
    if (this.#armed.length === 0) return;
    const due = this.#armed.find((armed) => armed.at === undefined && armed.stepsLeft-- <= 0);
    if (due === undefined) return;
    this.#armed = this.#armed.filter((armed) => armed !== due);
    this.#end(due.how);
  }
}
