import { auditCounters } from '../../src/ops/audit.ts';
import type { Message } from '../../src/core/message.ts';
import type { Step } from '../../src/core/steps.ts';
import type { TagValues } from '../../src/core/tag-values.ts';
import { DestinationSessions } from '../../src/oracle/destination-sessions.ts';
import { destinationsOf } from '../../src/config/destinations.ts';
import { MAX_TEXT_BYTES } from '../../src/oracle/statements.ts';
import { Pipeline } from '../../src/pipeline.ts';
import type { LaneSetup } from './lane-setups.ts';
import type { Plan } from './plan.ts';
import type { Random } from './random.ts';
import type { SimBroker } from './sim-broker.ts';
import { Life, type SimTime } from './sim-clock.ts';
import { BRIDGE_ID, simConfig, SIM_RESERVE_BYTES } from './sim-config.ts';
import { SimConnections } from './sim-connections.ts';
import type { SimDatabase } from './sim-database.ts';
import type { SimDisk } from './sim-disk.ts';
import { SimLogger } from './sim-logger.ts';
import type { WireIntake } from './sim-wire.ts';
import type { Trace } from './trace.ts';

export interface BridgeLifeOptions {
  readonly plan: Plan;
  readonly setup: LaneSetup;
  readonly time: SimTime;
  readonly random: Random;
  readonly disk: SimDisk;
  readonly broker: SimBroker;
  readonly database: SimDatabase;
  readonly connectsAfterMs: number;
  readonly onStep: (step: Step) => void;
  /** The bridge stores this message though it may be a repetition, and counts that. */
  readonly onMaybeRepeated: (topic: string, payload: Buffer) => void;
  /** The bridge has decoded a message, or could not: then without values. */
  readonly onDecoded: (message: Message, values: TagValues | undefined) => void;
  /** It ended by itself: the start failed, or it was stopped. */
  readonly onOver: () => void;
  readonly trace: Trace;
}

const MAX_RECONNECT_MS = 50;
const DRAIN_MS = 500;
const STOP_MS = 300_000;

/**
 * One process of the bridge, from its start to its end: the real pipeline, its connection to the broker, and nothing
 * else.
 */
export class BridgeLife {
  readonly #options: BridgeLifeOptions;
  readonly #life: Life;
  readonly #connections: SimConnections;
  readonly #pipeline: Pipeline;
  #state: 'starting' | 'running' | 'stopping' | 'over' = 'starting';
  #hasStarted = false;
  #connects = 0;
  /** As in the source: what the present session is, is durable; of an earlier connection, too. */
  #sessionNoted: Promise<void> = Promise.resolve();

  constructor(options: BridgeLifeOptions) {
    this.#options = options;
    const { plan, time, random, disk, database, onDecoded, onStep, trace } = options;
    this.#life = new Life(time, random);
    this.#connections = new SimConnections(database, this.#life);
    const config = simConfig(plan, options.setup);
    const step = (name: Step): void => {
      if (!this.#life.isOver) onStep(name);
    };
    const destinations = destinationsOf(config.oracle);
    const oracle = { ...config.oracle, destinations, bridgeId: BRIDGE_ID };
    const sessions = new DestinationSessions((name) => this.#connections.for(name), oracle, step);
    this.#pipeline = new Pipeline(config, {
      clock: this.#life,
      fileSystem: disk.mount(this.#life),
      lock: { acquire: () => Promise.resolve(), release: () => Promise.resolve() },
      database: (journalId, destination) => sessions.live(journalId, destination),
      replaySession: (stream, destination, blamesRows) => sessions.replay(stream, destination, blamesRows),
      maxTextBytes: MAX_TEXT_BYTES,
      reserveBytes: SIM_RESERVE_BYTES,
      log: new SimLogger(trace),
      onStep: step,
      onWritten: () => {},
      onError: () => {},
      observer: {
        decoded: (values, message) => onDecoded(message, values),
        rejected: () => {},
        undecodable: (message) => onDecoded(message, undefined),
      },
    });
  }

  start(): void {
    this.#options.trace(() => 'bridge: starts');
    this.#life.setTimer(0, () => {
      this.#pipeline.start().then(
        () => this.#started(),
        (error: unknown) => this.#failed(error),
      );
    });
  }

  /** Nothing of it runs on from here. */
  kill(): void {
    this.#state = 'over';
    this.#options.broker.disconnect();
    this.#life.end();
    this.#connections.cut();
  }

  /** In order: takes no more, drains for a while, stops. */
  stop(andThen: () => void = this.#options.onOver): void {
    if (this.#state !== 'running') return;
    this.#state = 'stopping';
    this.#options.broker.disconnect();
    const hurry = new AbortController();
    this.#life.setTimer(DRAIN_MS, () => hurry.abort());
    this.#life.setTimer(STOP_MS, () => {
      throw new Error(`the stop hangs: ${this.describe()}`);
    });
    void this.#stop(hurry.signal, andThen);
  }

  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  /** All that was taken in has come to its end. */
  get isSettled(): boolean {
    return this.isDrained && this.#pipeline.journal.status.held === 0;
  }

  /** All that was acknowledged has. */
  get isDrained(): boolean {
    if (this.#state !== 'running') return false;
    const { backups, journal, lanes } = this.#pipeline;
    return (
      journal.status.messages === 0 &&
      lanes.isIdle &&
      backups.pending('backup').files + backups.pending('held').files === 0
    );
  }

  /** Values that this life has dropped. */
  get dropped(): number {
    return this.#pipeline.lanes.buffer.evicted;
  }

  /** A person asks for the replay of all rejected rows. What it gives tells whether that has come to its end. */
  replayRejected(): () => boolean {
    const { backups, replays } = this.#pipeline;
    const files = backups.files().flatMap(({ kind, name }) => (kind === 'rejected' ? [name] : []));
    const asked = new Set<string>();
    for (const file of files) {
      const noteAsked = (): void => void asked.add(file);
      void replays?.request(file).then(noteAsked, noteAsked);
    }
    const isOver = (file: string): boolean => /done|failed|undefined/.test(String(replays?.requestState(file)?.state));
    return () => files.every((file) => asked.has(file) && isOver(file));
  }

  /** The configuration was read again. */
  reload(setup: LaneSetup): void {
    if (this.#state === 'running') this.#pipeline.tune(simConfig(this.#options.plan, setup));
  }

  /** A person has the first of the backups replayed to this destination. */
  redirect(to: string): void {
    const { backups, replays } = this.#pipeline;
    const file = backups.files().find(({ destination, kind }) => kind === 'backup' && destination !== to);
    if (file === undefined || this.#state !== 'running') return;
    const said = (what: string) => (): void => this.#options.trace(() => `person: ${file.name} to ${to}: ${what}`);
    void replays?.request(file.name, to).then(said('taken'), (error: unknown) => said(String(error))());
  }

  get auditDifference(): number {
    if (this.#state !== 'running' && this.#state !== 'stopping') return 0;
    const { counters, lanes } = this.#pipeline;
    for (const lane of lanes.all) {
      const { difference } = auditCounters(lane.counters, lane.pending);
      if (difference !== 0) return difference;
    }
    return auditCounters(counters, lanes.buffer.size + lanes.pending.expander + lanes.pending.writer).difference;
  }

  describe(): string {
    const { backups, counters, journal, lanes } = this.#pipeline;
    const state = { life: this.#state, journal: journal.status, buffer: lanes.buffer.size, ...lanes.pending };
    const states = lanes.all.map(({ destination, writer }) => `${destination}: ${writer?.availability.state}`);
    const oracle = { oracle: states, backups: backups.files(), counters };
    return JSON.stringify({ ...state, ...oracle });
  }

  async #stop(hurry: AbortSignal, andThen: () => void): Promise<void> {
    await this.#pipeline.drain(hurry);
    await this.#pipeline.stop();
    if (this.#life.isOver) return;
    this.#options.trace(() => 'bridge: stopped');
    this.kill();
    andThen();
  }

  #started(): void {
    if (this.#life.isOver) return;
    this.#options.trace(() => 'bridge: started');
    this.#hasStarted = true;
    this.#state = 'running';
    this.#connectAfter(this.#options.connectsAfterMs);
  }

  #failed(error: unknown): void {
    if (this.#life.isOver) return;
    this.#options.trace(() => `bridge: start failed: ${String(error)}`);
    this.kill();
    this.#options.onOver();
  }

  async #beginSession(connection: number): Promise<void> {
    await this.#pipeline.beginSession(connection);
    if (this.#options.plan.isKnownBroker)
      await this.#pipeline.learn({ idsCountOn: true, setsDuplicate: true, keepsIds: true });
  }

  #connectAfter(delayMs: number): void {
    this.#life.setTimer(delayMs, () => {
      if (this.#state === 'running') this.#connect();
    });
  }

  #connect(): void {
    const number = this.#connects;
    const pipeline = this.#pipeline;
    const intake: WireIntake = {
      connected: (isSessionPresent) => {
        if (!isSessionPresent) this.#sessionNoted = this.#beginSession(number);
        return this.#sessionNoted;
      },
      receive: (delivery) => {
        const { messagesMaybeRepeated } = pipeline.counters;
        pipeline.receive(delivery);
        if (pipeline.counters.messagesMaybeRepeated === messagesMaybeRepeated) return;
        this.#options.onMaybeRepeated(delivery.topic, delivery.payload);
      },
      release: (release) => pipeline.release(release),
      written: (ordinal) => pipeline.written(ordinal),
      proven: (mark) => pipeline.proven(mark),
      disconnected: () => this.#connectAfter(this.#life.random() * MAX_RECONNECT_MS),
    };
    this.#options.broker.connect(this.#life, number, intake);
    this.#connects += 1;
  }
}
