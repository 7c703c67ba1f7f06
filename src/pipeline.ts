import { join } from 'node:path';

import type { Backups } from './backup/backups.ts';
import type { Replay } from './backup/replay/replay.ts';
import { BrokerSession } from './broker-session.ts';
import { Expander } from './buffer/expander.ts';
import { TagBuffer } from './buffer/tag-buffer.ts';
import type { Config } from './config/config.ts';
import { sleep } from './core/clock.ts';
import { detailNeeds } from './core/columns.ts';
import { createCounters, type Counters } from './core/counters.ts';
import type { Reason } from './core/errors.ts';
import type { LedgerSession } from './core/ledger-session.ts';
import type { Logger } from './core/logger.ts';
import type { Delivery, Message, Release, SKIPPED } from './core/message.ts';
import type { TagValues } from './core/tag-values.ts';
import type { TriedMessage } from './core/tried-message.ts';
import { Checkpoints } from './journal/checkpoints.ts';
import type { Journal } from './journal/journal.ts';
import type { AckMark } from './mqtt/acks/ack-proofs.ts';
import type { Intake } from './mqtt/acks/deferred-acks.ts';
import type { SessionManners } from './mqtt/redelivery/redelivery.ts';
import { createDecoder, type Decoder } from './payload/decoder.ts';
import { RetainedMemory } from './payload/retained-memory.ts';
import { Rebirths } from './payload/sparkplug/rebirths.ts';
import { takeUp } from './resume.ts';
import { Storage, type StorageParts } from './storage.ts';
import { MessageTrial } from './try-message.ts';
import { BatchWriter } from './writer/batch-writer.ts';
import type { ResumePlaces } from './writer/neighbours.ts';

export type PipelineConfig = Pick<Config, 'mqtt' | 'tagName' | 'buffer' | 'writer' | 'oracle' | 'journal' | 'backup'>;

/** Looks on: what it does with what it is told changes nothing. */
export interface PipelineObserver {
  /** The values of a message, those with a problem too. */
  decoded(values: TagValues, message: Message): void;
  /** These of the values are in the rejected CSV. */
  rejected(values: TagValues, rows: readonly { readonly index: number; readonly reason: Reason }[]): void;
  undecodable(message: Message, reason: Reason): void;
}

/** What a simulation replaces: time, disk and database; the intake is `receive`. */
export interface PipelineParts extends Omit<StorageParts, 'onRejected' | 'onOutageEnded'> {
  /** The session for live data, whose stream in the ledger is the journal's. */
  readonly database: (journalId: string) => LedgerSession;
  readonly onWritten: (rows: number, latencyMs: number, lagMs: number) => void;
  readonly onError: (code: string) => void;
  readonly observer?: PipelineObserver | undefined;
  /** Publishes a command to an edge node of Sparkplug; rejects where there is no connection. Absent: none is sent. */
  readonly sendCommand?: (topic: string, payload: Buffer) => Promise<void>;
}

/** What `start` makes, once the journal is open. */
interface Stages {
  readonly session: BrokerSession;
  readonly checkpoints: Checkpoints;
  readonly expander: Expander;
  readonly writer: BatchWriter;
  readonly replay: Replay;
}

const DRAIN_POLL_MS = 20;
const RETAINED_FILE = 'retained.log';
const SET_ASIDE: Reason = { code: 'SET_ASIDE', message: 'the message is in an undecodable CSV of an earlier run' };

/**
 * The way of a value from its receipt to its end: journal → expander → buffer → writer → Oracle or backup → replay.
 *
 * A message is acknowledged when the journal has it on disk, and leaves the journal when all its values are settled;
 * what happens in between happens again after a crash, and the ledger, the backups and the checkpoint tell what of it
 * was done already.
 */
export class Pipeline implements Intake {
  readonly counters: Counters = createCounters();
  readonly buffer: TagBuffer;
  readonly #config: PipelineConfig;
  readonly #parts: PipelineParts;
  readonly #storage: Storage;
  readonly #retained: RetainedMemory;
  readonly #decoder: Decoder;
  readonly #rebirths: Rebirths;
  #subscriptions: Config['mqtt']['subscriptions'];
  /** Since when each topic filter is subscribed to, by the wall clock. */
  #filtersSince: ReadonlyMap<string, number> = new Map();
  readonly #stopping = new AbortController();
  #stages: Stages | undefined;
  #running: Promise<unknown> = Promise.resolve();

  constructor(config: PipelineConfig, parts: PipelineParts) {
    this.#config = config;
    this.#parts = parts;
    this.#subscriptions = config.mqtt.subscriptions;
    this.#noteFilters(config.mqtt.subscriptions);
    this.buffer = new TagBuffer({ ...config.buffer, clock: parts.clock });
    const onRejected: StorageParts['onRejected'] = (values, rows) => parts.observer?.rejected(values, rows);
    this.#storage = new Storage(config, {
      ...parts,
      onRejected,
      onOutageEnded: () => this.replay?.wake(),
      companion: { save: () => this.#retained.save() },
    });
    this.#retained = new RetainedMemory({
      path: join(config.journal.dir, RETAINED_FILE),
      reserve: this.#storage.journalReserve,
      fileSystem: parts.fileSystem,
      log: this.#logOf('journal'),
    });
    this.#rebirths = this.#createRebirths();
    this.#decoder = createDecoder(config.mqtt.subscriptions, config.tagName, {
      memory: this.#storage.formatMemory,
      nodeCommands: this.#rebirths,
      stored: this.#retained,
      keeps: detailNeeds([config.oracle]),
    });
  }

  get backups(): Backups {
    return this.#storage.backups;
  }

  /** Throws before `start` has opened it. */
  get journal(): Journal {
    return this.#storage.journal;
  }

  /** Undefined until `start` has read what an earlier run left. */
  get writer(): BatchWriter | undefined {
    return this.#stages?.writer;
  }

  /** Undefined until `start` has read what an earlier run left. */
  get replay(): Replay | undefined {
    return this.#stages?.replay;
  }

  /** Values received that are not settled, in all stages together. */
  get pending(): { readonly expander: number; readonly writer: number } {
    return { expander: this.#stages?.expander.pending ?? 0, writer: this.#stages?.writer.pending ?? 0 };
  }

  /** The subscriptions that have brought no message since they are there, in this run. */
  get silentSubscriptions(): readonly { readonly topic: string; readonly sinceMs: number }[] {
    return this.#decoder.silentFilters().map((topic) => ({ topic, sinceMs: this.#filtersSince.get(topic) ?? 0 }));
  }

  /**
   * Takes up what an earlier run left, and sets the stages to work. Throws when a directory can't be used, or is
   * another process's; `stop` is to be called then, too.
   */
  async start(): Promise<void> {
    const { backups, counters } = this;
    const journal = await this.#storage.open();
    await this.#retained.start(journal.id, journal.lastNo);
    const session = new BrokerSession({
      journal,
      maxInFlight: this.#config.mqtt.receiveMaximum,
      hasOwnTime: (topic, payload) => this.#decoder.hasOwnTime(topic, payload),
    });
    const checkpoints = this.#createCheckpoints(journal, session);
    const { places, settledByFiles } = await takeUp({ journal, backups, counters, session });
    checkpoints.resume(places.counted, settledByFiles);
    this.#decoder.resume(journal.lastNo);
    const writer = this.#createWriter(checkpoints, places);
    const stages = {
      session,
      checkpoints,
      expander: this.#createExpander(journal),
      writer,
      replay: this.#storage.createReplay({
        isOracleUp: () => writer.isCertain,
        beforeDelete: (messages) => {
          const through = messages.find((last) => last.journal === journal.id)?.messageNo ?? 0;
          return checkpoints.saveSettled(this.#stopping.signal, { messageNo: through, valueNo: 0 });
        },
        counters,
        enabled: this.#config.backup.replay,
      }),
    };
    this.#stages = stages;
    const { signal } = this.#stopping;
    this.#running = Promise.all([stages.expander.run(signal), writer.run(signal), checkpoints.run(signal)]);
    stages.replay.start();
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
    if (verdict === 'maybe repeated') this.counters.messagesMaybeRepeated += 1;
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
    // After a crash its rows must not come from the journal again.
    await this.#started.checkpoints.saveSettled(this.#stopping.signal);
    await this.backups.discard(file);
  }

  /** What a message would become as the subscriptions are now, at most `maxRows` rows of it; nothing is written. */
  tryMessage(topic: string, payload: Buffer, maxRows: number): TriedMessage {
    const { clock, maxTextBytes } = this.#parts;
    const mqtt = { subscriptions: this.#subscriptions };
    const trial = new MessageTrial({ ...this.#config, mqtt }, maxTextBytes);
    return trial.try({ topic, payload, receivedAtMs: clock.now() }, maxRows);
  }

  /** Takes over, while it runs, what of these can change then. */
  tune({ mqtt, writer, backup }: Pick<PipelineConfig, 'mqtt' | 'writer' | 'backup'>): void {
    this.#decoder.useRoutes(mqtt.subscriptions);
    this.#subscriptions = mqtt.subscriptions;
    this.#noteFilters(mqtt.subscriptions);
    this.#storage.tune(mqtt.subscriptions);
    this.writer?.tune(writer);
    this.replay?.tune({ enabled: backup.replay, batchSize: writer.batchSize });
  }

  /** Resolves when all that was taken in is settled, or on abort: what is left then is in the journal. */
  async drain(signal: AbortSignal): Promise<void> {
    this.buffer.flush();
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
    this.#rebirths.stop();
    await this.#stages?.replay.stop();
    await this.#running;
    await this.backups.stop();
    await this.#stages?.checkpoints.tryToSave();
    if (this.#stages !== undefined) await this.#keepRetained();
    await this.#storage.close();
  }

  /** What is not kept is stored once more by the next session. */
  async #keepRetained(): Promise<void> {
    try {
      await this.#retained.stop();
    } catch (error) {
      this.#logOf('journal').warn('what is known of retained messages could not be kept', { error });
    }
  }

  #noteFilters(subscriptions: Config['mqtt']['subscriptions']): void {
    const now = this.#parts.clock.now();
    this.#filtersSince = new Map(subscriptions.map(({ topic }) => [topic, this.#filtersSince.get(topic) ?? now]));
  }

  get #started(): Stages {
    if (this.#stages === undefined) throw new Error('the pipeline has not started');
    return this.#stages;
  }

  #createRebirths(): Rebirths {
    const { clock, sendCommand } = this.#parts;
    return new Rebirths({
      send: sendCommand ?? ((): Promise<void> => Promise.resolve()),
      inject: (topic, payload) => this.#inject(topic, payload),
      clock,
      log: this.#logOf('sparkplug'),
    });
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

  #createCheckpoints(journal: Journal, session: BrokerSession): Checkpoints {
    return new Checkpoints({
      journal,
      counters: this.counters,
      ledgerPlace: () => this.writer?.ledgerPlace,
      broker: () => session.knowledge,
      isBetweenBatches: () => this.pending.writer === 0,
      clock: this.#parts.clock,
      log: this.#logOf('journal'),
    });
  }

  #createExpander(journal: Journal): Expander {
    return new Expander({
      reader: journal,
      decoder: { decode: (message, into) => this.#decode(message, into) },
      buffer: this.buffer,
      undecodable: { add: (message, reason) => this.#setAside(message, reason) },
      counters: this.counters,
      log: this.#logOf('expander'),
      clock: this.#parts.clock,
    });
  }

  #decode(message: Message, into: TagValues): Reason | typeof SKIPPED | undefined {
    // Though a mended subscription could read it now: its values come of the file, once that is replayed.
    if (this.backups.isSetAside(message.number)) return SET_ASIDE;
    const outcome = this.#decoder.decode(message, into);
    if (outcome === undefined) this.#parts.observer?.decoded(into, message);
    return outcome;
  }

  #setAside(message: Message, reason: Reason): Promise<void> {
    this.#parts.observer?.undecodable(message, reason);
    return this.backups.addUndecodable(message, reason);
  }

  #createWriter(checkpoints: Checkpoints, resumeAfter: ResumePlaces): BatchWriter {
    const { clock, database, onError, onStep, onWritten } = this.#parts;
    const { backups, journal } = this;
    const { writer, backup } = this.#config;
    return new BatchWriter(
      { ...writer, probeIntervalMs: backup.probeIntervalMs, rowCheck: this.#storage.rowCheck, resumeAfter },
      {
        source: this.buffer,
        database: database(journal.id),
        backup: backups,
        counters: this.counters,
        onSettled: (place) => checkpoints.settled(place),
        onLedgerAhead: (place) => journal.raiseNumbers(place.messageNo),
        onUp: () => this.replay?.wake(),
        onWritten,
        onError,
        onStep,
        clock,
        log: this.#logOf('writer'),
      },
    );
  }

  #logOf(stage: string): Logger {
    return this.#parts.log.child({ stage });
  }
}
