import type { Backups } from './backup/backups.ts';
import type { Replays } from './backup/replay/replays.ts';
import { BrokerSession } from './broker-session.ts';
import { Expander } from './buffer/expander.ts';
import type { Config } from './config/config.ts';
import { destinationsOf } from './config/destinations.ts';
import { sleep } from './core/clock.ts';
import { detailNeeds } from './core/columns.ts';
import { createMessageCounters, withSums, type Counters } from './core/counters.ts';
import { DEFAULT_DESTINATION } from './core/destination.ts';
import type { Reason } from './core/errors.ts';
import type { LedgerSession } from './core/ledger-session.ts';
import type { Logger } from './core/logger.ts';
import type { Delivery, Message, Release, SKIPPED } from './core/message.ts';
import type { TagValues } from './core/tag-values.ts';
import type { TriedMessage } from './core/tried-message.ts';
import { Checkpoints } from './journal/checkpoints.ts';
import type { Journal } from './journal/journal.ts';
import type { LaneWriterParts } from './lanes/lane.ts';
import { Lanes } from './lanes/lanes.ts';
import { MessageReading } from './message-reading.ts';
import type { AckMark } from './mqtt/acks/ack-proofs.ts';
import type { Intake } from './mqtt/acks/deferred-acks.ts';
import type { SessionManners } from './mqtt/redelivery/redelivery.ts';
import { takeUp, takeUpNothing } from './resume.ts';
import { Storage, type StorageParts } from './storage.ts';
import { MessageTrial } from './try-message.ts';

export type PipelineConfig = Pick<Config, 'mqtt' | 'tagName' | 'buffer' | 'writer' | 'oracle' | 'journal' | 'backup'>;

/** Looks on: what it does with what it is told changes nothing. */
export interface PipelineObserver {
  /** The values of a message: those with a problem too, and those that need not be written. */
  decoded(values: TagValues, message: Message): void;
  /** These of the values are in the rejected CSV. */
  rejected(values: TagValues, rows: readonly { readonly index: number; readonly reason: Reason }[]): void;
  undecodable(message: Message, reason: Reason): void;
}

/** What a simulation replaces: time, disk and database; the intake is `receive`. */
export interface PipelineParts extends Omit<StorageParts, 'onRejected' | 'onOutageEnded' | 'companions'> {
  /** The session for live data of a destination, whose stream in the ledger is the journal's. */
  readonly database: (journalId: string, destination: string) => LedgerSession;
  readonly onWritten: (rows: number, latencyMs: number, lagMs: number, destination: string) => void;
  readonly onError: (code: string, destination: string) => void;
  readonly observer?: PipelineObserver | undefined;
  /** Publishes a command to an edge node of Sparkplug; rejects where there is no connection. Absent: none is sent. */
  readonly sendCommand?: (topic: string, payload: Buffer) => Promise<void>;
}

/** What `start` makes, once the journal is open. */
interface Stages {
  readonly session: BrokerSession;
  readonly checkpoints: Checkpoints;
  readonly replays: Replays;
}

const DRAIN_POLL_MS = 20;
const SET_ASIDE: Reason = { code: 'SET_ASIDE', message: 'the message is in an undecodable CSV of an earlier run' };

/**
 * The way of a value from its receipt to its end: journal → expander → the lane of its destination (lanes.ts), with
 * buffer, writer, Oracle or backup, and replay.
 *
 * A message is acknowledged when the journal has it on disk, and leaves the journal when all its values are settled;
 * what happens in between happens again after a crash, and the ledger, the backups and the checkpoint tell what of it
 * was done already.
 */
export class Pipeline implements Intake {
  readonly counters: Counters;
  readonly lanes: Lanes;
  readonly #config: PipelineConfig;
  readonly #parts: PipelineParts;
  readonly #storage: Storage;
  readonly #reading: MessageReading;
  readonly #stopping = new AbortController();
  #stages: Stages | undefined;
  #running: Promise<unknown> = Promise.resolve();

  constructor(config: PipelineConfig, parts: PipelineParts) {
    this.#config = config;
    this.#parts = parts;
    this.#storage = new Storage(config, {
      ...parts,
      onRejected: (values, rows) => parts.observer?.rejected(values, rows),
      onOutageEnded: (destination) => this.replays?.wake(destination),
      companions: () => this.#reading.companions,
    });
    this.#reading = new MessageReading(config.mqtt.subscriptions, config.tagName, {
      journalDir: config.journal.dir,
      reserve: this.#storage.journalReserve,
      formatMemory: this.#storage.formatMemory,
      keeps: detailNeeds(destinationsOf(config.oracle)),
      fileSystem: parts.fileSystem,
      sendCommand: parts.sendCommand ?? ((): Promise<void> => Promise.resolve()),
      inject: (topic, payload) => this.#inject(topic, payload),
      clock: parts.clock,
      logOf: (stage) => this.#logOf(stage),
    });
    this.lanes = this.#createLanes();
    this.counters = withSums(createMessageCounters(), () => this.lanes.counters);
  }

  get backups(): Backups {
    return this.#storage.backups;
  }

  /** Throws before `start` has opened it. */
  get journal(): Journal {
    return this.#storage.journal;
  }

  /** Undefined until `start` has read what an earlier run left. */
  get replays(): Replays | undefined {
    return this.#stages?.replays;
  }

  /** The subscriptions that have brought no message since they are there, in this run. */
  get silentSubscriptions(): readonly { readonly topic: string; readonly sinceMs: number }[] {
    return this.#reading.silent;
  }

  /**
   * Takes up what an earlier run left, and sets the stages to work. Throws when a directory can't be used, or is
   * another process's; `stop` is to be called then, too.
   */
  async start(): Promise<void> {
    const { backups, counters, lanes } = this;
    const journal = await this.#storage.open();
    await this.#reading.start(journal, this.#stopping.signal);
    const session = new BrokerSession({
      journal,
      maxInFlight: this.#config.mqtt.receiveMaximum,
      hasOwnTime: (topic, payload) => this.#reading.hasOwnTime(topic, payload),
    });
    const checkpoints = this.#createCheckpoints(journal, session);
    const destinations = [...lanes.all.map(({ destination }) => destination), ...this.#reading.destinations];
    const taken = await takeUp({ journal, backups, counters, session, destinations });
    const expander = this.#createExpander(journal);
    const replays = this.#createReplays(journal, checkpoints);
    this.#stages = { session, checkpoints, replays };
    lanes.open(taken, journal.checkpoint?.lanes ?? {}, journal.settledPlace);
    this.#sayWhatIsGone();
    const { signal } = this.#stopping;
    this.#running = Promise.all([expander.run(signal), lanes.run(signal), checkpoints.run(signal)]);
    replays.start();
  }

  /** Takes a message in; it is acknowledged once it is on disk, or its first copy is. */
  receive(delivery: Delivery): void {
    this.counters.messagesReceived += 1;
    const verdict = this.#started.session.judge(delivery);
    if (verdict === 'repeated') {
      this.counters.messagesDuplicate += 1;
      this.journal.whenIdle().then(
        () => delivery.acknowledge(),
        () => {}, // closed before: the broker sends it again
      );
      return;
    }
    if (verdict === 'maybe repeated') {
      this.counters.messagesMaybeRepeated += 1;
      delivery.isMaybeRepeated = true;
    }
    this.journal.append(delivery);
    this.#parts.onStep('received');
  }

  /** Forgets a packet id of QoS 2; that is acknowledged once it is on disk. */
  release(release: Release): void {
    this.journal.release(release);
  }

  written(ordinal: number): void {
    this.#started.session.written(ordinal);
  }

  proven(mark: AckMark): void {
    this.#started.session.proven(mark);
  }

  /**
   * The broker has begun a new session: what it marks as delivered before is not what an earlier session delivered.
   * Resolves when no crash can change that any more; throws when `stop` comes first.
   */
  async beginSession(connection: number): Promise<void> {
    const { checkpoints, session } = this.#started;
    session.begin(connection);
    await checkpoints.saveInTheEnd(this.#stopping.signal);
  }

  /** The broker of the present session is known to do this. Resolves and throws as `beginSession` does. */
  async learn(manners: SessionManners): Promise<void> {
    const { checkpoints, session } = this.#started;
    session.learn(manners);
    await checkpoints.saveInTheEnd(this.#stopping.signal);
  }

  /**
   * Takes a sealed file away for good. Throws UnknownFileError for any other name, and the system error of the disk.
   */
  async discard(file: string): Promise<void> {
    await this.saveSettled(file);
    await this.backups.discard(file);
  }

  /** Before rows of a file are taken away: after a crash they must not come from the journal again. */
  async saveSettled(file: string): Promise<void> {
    const { checkpoints } = this.#started;
    const facts = this.backups.facts(file);
    if (facts?.kind === 'undecodable') await checkpoints.saveSettledMessages(this.#stopping.signal);
    else if (facts !== undefined) await checkpoints.saveSettled(facts.destination, this.#stopping.signal);
  }

  /** What a message would become as the subscriptions are now, at most `maxRows` rows of it; nothing is written. */
  tryMessage(topic: string, payload: Buffer, maxRows: number): TriedMessage {
    const { clock, maxTextBytes } = this.#parts;
    const { subscriptions } = this.#reading;
    const trial = new MessageTrial({ ...this.#config, mqtt: { subscriptions } }, maxTextBytes);
    return trial.try({ topic, payload, receivedAtMs: clock.now() }, maxRows);
  }

  /** Takes over, while it runs, what of these can change then. */
  tune({ mqtt, writer, backup }: Pick<PipelineConfig, 'mqtt' | 'writer' | 'backup'>): void {
    this.#reading.change(mqtt.subscriptions, this.journal, this.#stopping.signal);
    this.#storage.tune(mqtt.subscriptions);
    this.lanes.tune(writer);
    this.replays?.tune({ enabled: backup.replay, batches: writer });
  }

  /** Resolves when all that was taken in is settled, or on abort: what is left then is in the journal. */
  async drain(signal: AbortSignal): Promise<void> {
    this.lanes.flush();
    for (;;) {
      const { messages, held } = this.journal.status;
      if (signal.aborted || messages + held === 0) return;
      // A full journal has room for what is held once a checkpoint has said what is settled.
      if (messages === 0) await this.#started.checkpoints.tryToSave();
      await sleep(this.#parts.clock, DRAIN_POLL_MS, signal);
    }
  }

  /** Stops all stages. What is not settled is in the journal. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#reading.stop();
    await this.#stages?.replays.stop();
    await this.#running;
    await this.backups.stop();
    await this.#stages?.checkpoints.tryToSave();
    if (this.#stages !== undefined) await this.#reading.keepRetained();
    await this.#storage.close();
  }

  get #started(): Stages {
    if (this.#stages === undefined) throw new Error('the pipeline has not started');
    return this.#stages;
  }

  /** A message of the bridge's own takes the way of all others: after a crash it stands where it stood. */
  #inject(topic: string, payload: Buffer): void {
    this.counters.messagesReceived += 1;
    this.journal.append({
      topic,
      payload,
      qos: 0,
      retain: false,
      duplicate: false,
      packetId: undefined,
      receivedAtMs: this.#parts.clock.now(),
      connection: 0,
      ordinal: 0,
      withhold: () => {},
      acknowledge: () => {},
    });
  }

  #createLanes(): Lanes {
    const { buffer, oracle, writer, backup } = this.#config;
    const { clock } = this.#parts;
    return new Lanes({
      destinations: destinationsOf(oracle).map(({ name }) => name),
      buffer,
      takeUpNothing: (record) => takeUpNothing(this.journal, record),
      writerOptions: (destination) => ({
        ...writer,
        probeIntervalMs: backup.probeIntervalMs,
        rowCheck: this.#storage.rowCheck(destination),
      }),
      writerParts: (destination) => this.#writerParts(destination),
      clock,
      log: this.#logOf('expander'),
    });
  }

  #writerParts(destination: string): LaneWriterParts {
    const { clock, database, onError, onStep, onWritten } = this.#parts;
    const { backups, journal } = this;
    return {
      database: database(journal.id, destination),
      backup: backups.lane(destination),
      onSettled: () => this.#started.checkpoints.settled(),
      onLedgerAhead: (place) => journal.raiseNumbers(place.messageNo),
      onUp: () => this.replays?.wake(destination),
      onWritten: (rows, latencyMs, lagMs) => onWritten(rows, latencyMs, lagMs, destination),
      onError: (code) => onError(code, destination),
      onStep,
      clock,
      log: logOfLane(this.#logOf('writer'), destination),
    };
  }

  #createCheckpoints(journal: Journal, session: BrokerSession): Checkpoints {
    return new Checkpoints({
      journal,
      counters: this.counters,
      lanes: this.lanes,
      broker: () => session.knowledge,
      clock: this.#parts.clock,
      log: this.#logOf('journal'),
    });
  }

  #createReplays(journal: Journal, checkpoints: Checkpoints): Replays {
    const { signal } = this.#stopping;
    return this.#storage.createReplays({
      isOracleUp: (destination) => this.lanes.of(destination)?.writer?.isCertain === true,
      isLiveBusy: () => this.lanes.pending.writer > 0,
      isLedgerKnown: (destination) => this.lanes.of(destination)?.writer?.isLedgerKnown === true,
      beforeDelete: async (destinations, messages) => {
        const through = messages.find((last) => last.journal === journal.id)?.messageNo;
        if (through !== undefined) await checkpoints.saveSettledMessages(signal, through);
        for (const destination of destinations) await checkpoints.saveSettled(destination, signal);
      },
      counters: (destination) => this.lanes.countersOf(destination),
      enabled: this.#config.backup.replay,
    });
  }

  #createExpander(journal: Journal): Expander {
    return new Expander({
      reader: {
        take: (signal) => this.#reading.take(journal, signal),
        done: (message, values) => this.#expanded(message, values),
      },
      decoder: { decode: (message, into) => this.#decode(message, into) },
      inletOf: (destination) => this.lanes.inletOf(destination),
      undecodable: { add: (message, reason) => this.#setAside(message, reason) },
      counters: this.counters,
      log: this.#logOf('expander'),
      clock: this.#parts.clock,
    });
  }

  #expanded(message: Message, values: number): void {
    this.lanes.expanded(message.number);
    this.journal.done(message, values);
  }

  #decode(message: Message, into: TagValues): Reason | typeof SKIPPED | undefined {
    // Though a mended subscription could read it now: its values come of the file, once that is replayed.
    if (this.backups.isSetAside(message.number)) return SET_ASIDE;
    const outcome = this.#reading.decode(message, into);
    if (outcome !== undefined) return outcome;
    this.#parts.observer?.decoded(into, message);
    this.#reading.leaveOut(message, into);
    return undefined;
  }

  #setAside(message: Message, reason: Reason): Promise<void> {
    this.#parts.observer?.undecodable(message, reason);
    return this.backups.addUndecodable(message, reason);
  }

  /** Nothing of a destination that the configuration no longer names is lost, and somebody should know of it. */
  #sayWhatIsGone(): void {
    const configured = new Set(destinationsOf(this.#config.oracle).map(({ name }) => name));
    for (const { destination } of this.lanes.all.filter((lane) => !configured.has(lane.destination))) {
      const files = this.backups.files().filter((file) => file.destination === destination);
      this.#logOf('writer').warn('a destination is gone from the configuration: what is left for it waits in files', {
        destination,
        files: files.length,
        rows: files.reduce((sum, { rows }) => sum + rows, 0),
        remedy: 'put it back into oracle.destinations, or: backups replay FILE --to NAME',
      });
    }
  }

  #logOf(stage: string): Logger {
    return this.#parts.log.child({ stage });
  }
}

/** With one destination nobody needs to be told which. */
function logOfLane(log: Logger, destination: string): Logger {
  return destination === DEFAULT_DESTINATION ? log : log.child({ destination });
}
