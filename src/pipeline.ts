import { Backups } from './backup/backups.ts';
import { Replay, type ReplaySession } from './backup/replay/replay.ts';
import { Expander } from './buffer/expander.ts';
import { TagBuffer } from './buffer/tag-buffer.ts';
import type { Config } from './config/config.ts';
import { sleep, type Clock } from './core/clock.ts';
import { createCounters, type Counters } from './core/counters.ts';
import type { Reason } from './core/errors.ts';
import type { FileSystem } from './core/filesystem.ts';
import { MAX_VALUE_NO } from './core/limits.ts';
import type { Logger } from './core/logger.ts';
import type { Delivery, Message, Release, SKIPPED } from './core/message.ts';
import { laterPlace, ORIGIN } from './core/place.ts';
import { Reserve } from './core/reserve.ts';
import type { OnStep } from './core/steps.ts';
import { placeOfKey, type TagValues } from './core/tag-values.ts';
import { Checkpoints } from './journal/checkpoints.ts';
import { Journal, type JournalLock, type JournalRecord } from './journal/journal.ts';
import type { AckMark } from './mqtt/ack-proofs.ts';
import type { Intake } from './mqtt/deferred-acks.ts';
import { RedeliveryCheck, type SessionManners, type Verdict } from './mqtt/redelivery.ts';
import { createDecoder, type Decoder } from './payload/decoder.ts';
import { BatchWriter } from './writer/batch-writer.ts';
import type { BatchDatabase, ResumePlaces } from './writer/neighbours.ts';
import { checkRows, type RowCheckOptions } from './writer/row-check.ts';

export type PipelineConfig = Pick<Config, 'mqtt' | 'tagName' | 'buffer' | 'writer' | 'oracle' | 'journal' | 'backup'>;

/** Looks on: what it does with what it is told changes nothing. */
export interface PipelineObserver {
  /** The values of a message, those with a problem too. */
  decoded(values: TagValues): void;
  /** These of the values are in the rejected CSV. */
  rejected(values: TagValues, rows: readonly { readonly index: number; readonly reason: Reason }[]): void;
  undecodable(message: Message, reason: Reason): void;
}

/** What a simulation replaces: time, disk and database; the intake is `receive`. */
export interface PipelineParts {
  readonly clock: Clock;
  readonly fileSystem: FileSystem;
  readonly lock: JournalLock;
  /** The session for live data, whose stream in the ledger is the journal's. */
  readonly database: (journalId: string) => BatchDatabase;
  readonly replaySession: (stream: string) => ReplaySession;
  readonly maxTextBytes: number;
  /** Of journal and backups each, for what leads out of a full disk. */
  readonly reserveBytes: number;
  readonly log: Logger;
  readonly onStep: OnStep;
  readonly onWritten: (rows: number, latencyMs: number, lagMs: number) => void;
  readonly onError: (code: string) => void;
  readonly observer?: PipelineObserver | undefined;
}

interface Stages {
  readonly expander: Expander;
  readonly writer: BatchWriter;
  readonly replay: Replay;
}

const DRAIN_POLL_MS = 20;

/**
 * The way of a value from its receipt to its end: journal → expander → buffer → writer → Oracle or backup → replay.
 *
 * A message is acknowledged when the journal has it on disk, and leaves the journal when all its values are settled; what happens in between
 * happens again after a crash, and the ledger, the backups and the checkpoint tell what of it was done already.
 */
export class Pipeline implements Intake {
  readonly counters: Counters = createCounters();
  readonly buffer: TagBuffer;
  readonly backups: Backups;
  readonly journal: Journal;
  readonly #config: PipelineConfig;
  readonly #parts: PipelineParts;
  readonly #rowCheck: RowCheckOptions;
  readonly #decoder: Decoder;
  readonly #redelivery: RedeliveryCheck;
  readonly #stopping = new AbortController();
  readonly #checkpoints: Checkpoints;
  #stages: Stages | undefined;
  #running: Promise<unknown> = Promise.resolve();
  /** As in the checkpoint's SessionKnowledge. */
  #acknowledgedThrough = 0;

  constructor(config: PipelineConfig, parts: PipelineParts) {
    const { clock, fileSystem, lock, onStep, reserveBytes } = parts;
    const reserve = new Reserve(config.journal.dir, reserveBytes, fileSystem);
    this.#config = config;
    this.#parts = parts;
    this.#rowCheck = {
      maxTextBytes: parts.maxTextBytes,
      valueType: config.oracle.valueType,
      hasTextColumn: config.oracle.columns.text !== '',
    };
    this.#decoder = createDecoder(config.mqtt.subscriptions, config.tagName);
    this.#redelivery = new RedeliveryCheck({
      maxInFlight: config.mqtt.receiveMaximum,
      hasOwnTime: (topic, payload) => this.#decoder.hasOwnTime(topic, payload),
    });
    this.buffer = new TagBuffer({ ...config.buffer, clock });
    this.journal = new Journal({
      ...config.journal,
      redeliverable: config.mqtt.receiveMaximum,
      reserve,
      fileSystem,
      lock,
      clock,
      log: this.#logOf('journal'),
      onStep,
    });
    this.#checkpoints = new Checkpoints({
      journal: this.journal,
      counters: this.counters,
      ledgerPlace: () => this.writer?.ledgerPlace,
      broker: () => ({ acknowledgedThrough: this.#acknowledgedThrough, ...this.#redelivery.manners }),
      isBetweenBatches: () => this.pending.writer === 0,
      clock,
      log: this.#logOf('journal'),
    });
    this.backups = new Backups({
      dir: config.backup.dir,
      maxRowsPerFile: config.backup.maxRowsPerFile,
      journalId: () => this.journal.id,
      onStep,
      reserve: new Reserve(config.backup.dir, reserveBytes, fileSystem, reserve),
      onRejected: (values, rows) => parts.observer?.rejected(values, rows),
      fileSystem,
      clock,
      log: this.#logOf('backup'),
    });
  }

  /** Undefined until `start` has read what an earlier run left. */
  get writer(): BatchWriter | undefined {
    return this.#stages?.writer;
  }

  get replay(): Replay | undefined {
    return this.#stages?.replay;
  }

  /** Values received that are not settled, in all stages together. */
  get pending(): { readonly expander: number; readonly writer: number } {
    return { expander: this.#stages?.expander.pending ?? 0, writer: this.#stages?.writer.pending ?? 0 };
  }

  /** Takes up what an earlier run left. Throws when a directory can't be used, or is another process's. */
  async start(): Promise<void> {
    await this.journal.open();
    Object.assign(this.counters, this.journal.checkpoint?.counters);
    const records = await this.journal.recentRecords();
    this.#recall(records);
    await this.backups.start();
    const counted = this.journal.checkpoint?.place ?? ORIGIN;
    const backedUp = await this.backups.lastPlace(this.journal.id);
    const resume = {
      counted,
      settled: laterPlace(counted, backedUp ?? ORIGIN),
      recovered: { messageNo: records.at(-1)?.number ?? 0, valueNo: MAX_VALUE_NO },
      ledger: this.journal.checkpoint?.ledger ?? ORIGIN,
      rejected:
        this.journal.status.messages === 0 ? new Set<string>() : await this.backups.recall(this.journal.id, counted),
    };
    this.#checkpoints.resume(counted, [...resume.rejected].map(placeOfKey).reduce(laterPlace, resume.settled));
    this.#stages = this.#createStages(resume);
    const { signal } = this.#stopping;
    this.#running = Promise.all([
      this.#stages.expander.run(signal),
      this.#stages.writer.run(signal),
      this.#checkpoints.run(signal),
    ]);
    this.#stages.replay.start();
  }

  /** Takes a message in; it is acknowledged once it is on disk, or its first copy is. */
  receive(delivery: Delivery): void {
    this.counters.messagesReceived += 1;
    const verdict = this.#judge(delivery);
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
    this.#redelivery.written(ordinal);
  }

  proven({ messageNo, ordinal }: AckMark): void {
    this.#redelivery.confirmed(ordinal);
    // What an earlier connection brought, and what came again of it, has a lower number and may not have been acknowledged.
    if (this.#redelivery.isInDoubt) return;
    this.#acknowledgedThrough = Math.max(this.#acknowledgedThrough, messageNo);
  }

  /**
   * The broker has begun a new session: what it marks as delivered before is not what an earlier session delivered. Resolves when no crash
   * can change that any more; throws when `stop` comes first.
   */
  async beginSession(connection: number): Promise<void> {
    this.#redelivery.forget();
    this.journal.beginSession(connection);
    await this.#checkpoints.saveInTheEnd(this.#stopping.signal);
  }

  /** The broker of the present session is known to do this. Resolves and throws as `beginSession` does. */
  async learn(manners: SessionManners): Promise<void> {
    this.#redelivery.resume(manners);
    await this.#checkpoints.saveInTheEnd(this.#stopping.signal);
  }

  /** Takes a sealed file away for good. Throws UnknownFileError for any other name, and the system error of the disk. */
  async discard(file: string): Promise<void> {
    // After a crash its rows must not come from the journal again.
    await this.#checkpoints.saveSettled(this.#stopping.signal);
    await this.backups.discard(file);
  }

  /** Takes over, while it runs, what of these can change then. */
  tune({ mqtt, writer, backup }: Pick<PipelineConfig, 'mqtt' | 'writer' | 'backup'>): void {
    this.#decoder.useRoutes(mqtt.subscriptions);
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
      if (messages === 0) await this.#checkpoints.tryToSave();
      await sleep(this.#parts.clock, DRAIN_POLL_MS, signal);
    }
  }

  /** Stops all stages. What is not settled is in the journal. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#stages?.replay.stop();
    await this.#running;
    await this.backups.stop();
    if (this.#stages !== undefined) await this.#checkpoints.tryToSave();
    await this.journal.close();
  }

  #judge(delivery: Delivery): Verdict {
    if (delivery.qos === 1) return this.#redelivery.take(delivery);
    if (delivery.qos === 0) return 'new';
    return this.#judgeQos2(delivery);
  }

  /** By its packet id; and by its content where that has a time, as brokers send again what they had released, too (aedes). */
  #judgeQos2(delivery: Delivery): Verdict {
    const { payload, topic } = delivery;
    const hasOwnTime = (): boolean => this.#decoder.hasOwnTime(topic, payload);
    const mayBeRepeated = this.#redelivery.mayBeRepeated(delivery);
    const byContent = this.#redelivery.take(delivery);
    const byId = this.journal.judgeQos2(delivery, mayBeRepeated, hasOwnTime);
    return byId === 'new' && byContent === 'repeated' && hasOwnTime() ? 'repeated' : byId;
  }

  /** What the broker may send again of what an earlier run stored. */
  #recall(records: readonly JournalRecord[]): void {
    const broker = this.journal.checkpoint?.broker;
    const acknowledgedThrough = broker?.acknowledgedThrough ?? 0;
    this.#acknowledgedThrough = acknowledgedThrough;
    if (broker !== undefined) this.#redelivery.resume(broker);
    // The connections of this run are counted from 0: all that is recalled is from earlier ones.
    const after = (records.at(-1)?.connection ?? 0) + 1;
    for (const record of records) {
      if (record.isRelease || !this.journal.isOfSession(record)) continue;
      const recalled = { ...record, connection: record.connection - after };
      this.#redelivery.recall(recalled, record.number <= acknowledgedThrough);
    }
  }

  #createStages(resumeAfter: ResumePlaces): Stages {
    const { clock, onStep } = this.#parts;
    const expander = new Expander({
      reader: this.journal,
      decoder: { decode: (message, into) => this.#decode(message, into) },
      buffer: this.buffer,
      undecodable: { add: (message, reason) => this.#setAside(message, reason) },
      counters: this.counters,
      log: this.#logOf('expander'),
      clock,
    });
    const writer = this.#createWriter(resumeAfter);
    const replay = new Replay({
      backups: this.backups,
      fileSystem: this.#parts.fileSystem,
      session: this.#parts.replaySession,
      isOracleUp: () => writer.isCertain,
      beforeDelete: () => this.#checkpoints.saveSettled(this.#stopping.signal),
      counters: this.counters,
      enabled: this.#config.backup.replay,
      batchSize: this.#config.writer.batchSize,
      checkRows: (values) => checkRows(values, this.#rowCheck),
      clock,
      log: this.#logOf('replay'),
      onStep,
    });
    return { expander, writer, replay };
  }

  #decode(message: Message, into: TagValues): Reason | typeof SKIPPED | undefined {
    const outcome = this.#decoder.decode(message, into);
    if (outcome === undefined) this.#parts.observer?.decoded(into);
    return outcome;
  }

  #setAside(message: Message, reason: Reason): Promise<void> {
    this.#parts.observer?.undecodable(message, reason);
    return this.backups.addUndecodable(message, reason);
  }

  #createWriter(resumeAfter: ResumePlaces): BatchWriter {
    const { clock, database, onError, onStep, onWritten } = this.#parts;
    const { backups, journal } = this;
    const { writer, backup } = this.#config;
    return new BatchWriter(
      { ...writer, probeIntervalMs: backup.probeIntervalMs, rowCheck: this.#rowCheck, resumeAfter },
      {
        source: this.buffer,
        database: database(journal.id),
        backup: {
          backUp: (values, reason) => backups.backUp(values, reason),
          reject: (values, rows) => backups.reject(values, rows),
          endOutage: async () => {
            await backups.endOutage();
            this.replay?.wake();
          },
          stampSkip: (place) => backups.stamps.stamp(backups.stamps.files(), journal.id, place),
          payDebts: () => backups.payDebts(),
          markCertain: () => backups.markCertain(),
          markUnknown: () => backups.stamps.ledgerLost(),
        },
        counters: this.counters,
        onSettled: (place) => this.#checkpoints.settled(place),
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
