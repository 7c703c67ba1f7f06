import { join } from 'node:path';

import { Backups } from './backup/backups.ts';
import { Notices } from './backup/notices.ts';
import { Expander } from './buffer/expander.ts';
import { TagBuffer } from './buffer/tag-buffer.ts';
import type { Config } from './config/config.ts';
import type { Clock } from './core/clock.ts';
import { createCounters } from './core/counters.ts';
import type { Delivery } from './core/message.ts';
import type { Logger } from './core/logger.ts';
import { nodeFileSystem } from './core/node-filesystem.ts';
import { RollingWindow } from './core/rolling-window.ts';
import { IntakeQueue } from './journal/intake-queue.ts';
import { MqttPublisher } from './mqtt/publisher.ts';
import { MqttSource } from './mqtt/source.ts';
import { SubscriptionMemory } from './mqtt/subscription-memory.ts';
import { AuditMonitor } from './ops/audit.ts';
import { HttpServer } from './ops/http.ts';
import { Metrics } from './ops/metrics.ts';
import { createRoutes, type Health, type Readiness } from './ops/routes.ts';
import { collectStatus, measurePending, type BackupsStatus, type Status, type StatusSources } from './ops/status.ts';
import { Connections } from './oracle/connections.ts';
import { Database } from './oracle/database.ts';
import { createInsert, MAX_TEXT_BYTES } from './oracle/statements.ts';
import { createDecoder } from './payload/decoder.ts';
import { BatchWriter } from './writer/batch-writer.ts';

export interface BridgeParts {
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
}

const ROLLING_WINDOW_MS = 300_000;

/** Older than any retry of a batch can make it: then the writer hangs. */
const STUCK_AFTER_MS = 300_000;

/**
 * All stages, in the order of the way: source → intake → expander → buffer → writer → Oracle or backup.
 *
 * They are started from the end to the beginning, so that each finds the next one ready, and drained from the beginning to the end, so
 * that each has given on all it holds before the next one is told that nothing more will come.
 */
export class Bridge {
  readonly #config: Config;
  readonly #parts: BridgeParts;
  readonly #counters = createCounters();
  readonly #batchSize: RollingWindow;
  readonly #writeLatencyMs: RollingWindow;
  readonly #intake: IntakeQueue;
  readonly #buffer: TagBuffer;
  readonly #backups: Backups;
  readonly #connections: Connections;
  readonly #expander: Expander;
  readonly #writer: BatchWriter;
  readonly #source: MqttSource;
  readonly #publisher: MqttPublisher | undefined;
  readonly #notices: Notices | undefined;
  readonly #statusSources: StatusSources;
  readonly #metrics: Metrics;
  readonly #audit: AuditMonitor;
  readonly #http: HttpServer | undefined;
  /** Aborted when the time for draining is up. */
  readonly #hurry = new AbortController();
  #expanding: Promise<void> = Promise.resolve();
  #writing: Promise<void> = Promise.resolve();
  #running = false;
  #stopped: Promise<void> | undefined;

  constructor(config: Config, parts: BridgeParts) {
    const { clock } = parts;
    this.#config = config;
    this.#parts = parts;
    this.#batchSize = new RollingWindow(ROLLING_WINDOW_MS, clock);
    this.#writeLatencyMs = new RollingWindow(ROLLING_WINDOW_MS, clock);
    this.#intake = new IntakeQueue(clock);
    this.#buffer = new TagBuffer({ ...config.buffer, clock });
    this.#backups = new Backups({
      dir: config.backup.dir,
      maxRowsPerFile: config.backup.maxRowsPerFile,
      fileSystem: nodeFileSystem,
      clock,
      log: this.#logOf('backup'),
    });
    this.#connections = new Connections({ ...config.oracle, clock, log: this.#logOf('oracle') });
    this.#expander = this.#createExpander();
    this.#writer = this.#createWriter();
    this.#source = this.#createSource();
    this.#publisher = this.#createPublisher();
    this.#notices = this.#createNotices(this.#publisher);
    this.#statusSources = this.#createStatusSources();
    this.#metrics = new Metrics(this.#statusSources);
    this.#audit = new AuditMonitor({
      clock,
      log: this.#logOf('audit'),
      counters: this.#counters,
      pending: () => measurePending(this.#statusSources),
    });
    this.#http = this.#createHttp();
  }

  /** Where the status is served; empty when HTTP is switched off. */
  get httpUrl(): string {
    return this.#http?.url ?? '';
  }

  status(): Status {
    return collectStatus(this.#statusSources);
  }

  /**
   * Resolves when the bridge works; broker and database may still be absent, which are states and no failures.
   * Throws when a directory cannot be used, a TLS file cannot be read or the HTTP port is taken.
   */
  async start(): Promise<void> {
    const { log } = this.#parts;
    await this.#backups.start();
    await this.#http?.start();
    this.#connections.start();
    this.#writing = this.#writer.run(this.#hurry.signal);
    this.#expanding = this.#expander.run(this.#hurry.signal);
    this.#audit.start();
    await this.#publisher?.start();
    this.#notices?.start();
    await this.#source.start();
    this.#running = true;
    log.info('bridge started', { mqtt: this.#config.mqtt.url, table: this.#config.oracle.table, http: this.httpUrl });
    if (this.#config.oracle.ledgerTable !== '') {
      log.warn('no ledger is kept by this version: rows are written at least once', { see: 'README' });
    }
  }

  /**
   * Takes no more messages, lets what was taken reach Oracle or the backup, and stops. What is not expanded when `drainTimeoutMs` is up
   * stays with the broker; what is in the buffer then goes to the backup.
   */
  async drain(): Promise<void> {
    const { clock, log } = this.#parts;
    this.#running = false;
    log.info('draining', { pending: measurePending(this.#statusSources) });
    const cancel = clock.setTimer(this.#config.bridge.drainTimeoutMs, () => {
      log.warn('draining takes too long: what is left goes to the backup');
      this.#hurry.abort();
    });
    this.#source.pause();
    this.#intake.close();
    await this.#expanding;
    this.#buffer.close();
    await this.#writing;
    cancel();
    this.#audit.check();
    await this.stop();
  }

  /** Stops at once: what is in the buffer goes to the backup. Idempotent, and right after a failed start too. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#running = false;
    this.#hurry.abort();
    this.#intake.close();
    await this.#expanding;
    this.#buffer.close();
    await this.#writing;
    this.#audit.stop();
    await this.#source.stop();
    await this.#backups.stop();
    await this.#notices?.stop();
    await this.#publisher?.stop();
    await this.#http?.stop();
    await this.#connections.stop();
    this.#parts.log.info('bridge stopped', { ...this.#counters });
  }

  #logOf(stage: string): Logger {
    return this.#parts.log.child({ stage });
  }

  #createExpander(): Expander {
    const { subscriptions } = this.#config.mqtt;
    return new Expander({
      reader: this.#intake,
      decoder: createDecoder(subscriptions, this.#config.tagName),
      buffer: this.#buffer,
      undecodable: { add: (message, reason) => this.#backups.addUndecodable(message, reason) },
      counters: this.#counters,
      log: this.#logOf('expander'),
      clock: this.#parts.clock,
    });
  }

  #createWriter(): BatchWriter {
    const { writer, oracle, backup } = this.#config;
    const rowCheck = {
      maxTextBytes: MAX_TEXT_BYTES,
      valueType: oracle.valueType,
      hasTextColumn: oracle.columns.text !== '',
    };
    return new BatchWriter(
      { ...writer, probeIntervalMs: backup.probeIntervalMs, rowCheck },
      {
        source: this.#buffer,
        database: new Database(this.#connections, createInsert(oracle)),
        backup: this.#backups,
        counters: this.#counters,
        onWritten: (rows, latencyMs, lagMs) => {
          this.#batchSize.add(rows);
          this.#writeLatencyMs.add(latencyMs);
          this.#metrics.observeBatch(rows, latencyMs, lagMs);
        },
        onError: (code) => this.#metrics.countOracleError(code),
        clock: this.#parts.clock,
        log: this.#logOf('writer'),
      },
    );
  }

  #createSource(): MqttSource {
    const { mqtt, journal } = this.#config;
    const receive = (delivery: Delivery): void => {
      this.#counters.messagesReceived += 1;
      this.#intake.append(delivery);
    };
    const memory = new SubscriptionMemory(nodeFileSystem, join(journal.dir, 'subscriptions.json'));
    return new MqttSource({ ...mqtt, memory, log: this.#logOf('mqtt'), clock: this.#parts.clock }, receive);
  }

  #createPublisher(): MqttPublisher | undefined {
    const { mqtt, notices } = this.#config;
    if (!notices.enabled) return undefined;
    const stateTopic = `${notices.baseTopic}/state`;
    return new MqttPublisher({ ...mqtt, stateTopic, log: this.#logOf('notices'), clock: this.#parts.clock });
  }

  #createNotices(publisher: MqttPublisher | undefined): Notices | undefined {
    if (publisher === undefined) return undefined;
    return new Notices({
      publisher,
      backups: this.#backups,
      baseTopic: this.#config.notices.baseTopic,
      bridgeId: this.#config.bridge.id,
      inlineCsvMaxBytes: this.#config.notices.inlineCsvMaxBytes,
      health: () => this.status(),
      clock: this.#parts.clock,
      log: this.#logOf('notices'),
    });
  }

  #createStatusSources(): StatusSources {
    const { clock, version } = this.#parts;
    return {
      bridgeId: this.#config.bridge.id,
      version,
      clock,
      startedAtMonotonicMs: clock.monotonic(),
      counters: this.#counters,
      buffer: this.#buffer,
      rolling: { batchSize: this.#batchSize, writeLatencyMs: this.#writeLatencyMs },
      mqtt: () => {
        const { connected, protocolVersion, unacknowledged, subscriptionProblems } = this.#source.status;
        const problems = subscriptionProblems.map(({ topic, reason }) => `Subscription ${topic}: ${reason}.`);
        return { connected, protocolVersion, unackedMessages: unacknowledged, subscriptionProblems: problems };
      },
      oracle: () => this.#writer.availability,
      expanderPending: () => this.#expander.pending,
      writerPending: () => this.#writer.pending,
      journal: () => ({ bytes: 0, messages: this.#intake.size }),
      backups: () => this.#pendingBackups(),
    };
  }

  #pendingBackups(): BackupsStatus {
    const backup = this.#backups.pending('backup');
    const rejected = this.#backups.pending('rejected');
    const undecodable = this.#backups.pending('undecodable');
    return {
      pendingFiles: backup.files,
      pendingRows: backup.rows,
      rejectedFiles: rejected.files,
      rejectedRows: rejected.rows,
      undecodableFiles: undecodable.files,
      undecodableRows: undecodable.rows,
    };
  }

  #createHttp(): HttpServer | undefined {
    const { http } = this.#config;
    if (!http.enabled) return undefined;
    const routes = createRoutes({
      status: this.#statusSources,
      metrics: this.#metrics,
      health: () => this.#health(),
      readiness: () => this.#readiness(),
    });
    return new HttpServer({ ...http, routes, clock: this.#parts.clock, log: this.#logOf('http') });
  }

  /** A loop that dies ends the process, so what is left to look for is one that hangs. */
  #health(): Health {
    const ageMs = this.#buffer.oldestAgeMs;
    const problems = ageMs < STUCK_AFTER_MS ? [] : [`the oldest value has been in the buffer for ${ageMs} ms`];
    return { ok: problems.length === 0, problems };
  }

  #readiness(): Readiness {
    return {
      ready: this.#running,
      degraded: this.#writer.availability.state !== 'connected' || !this.#source.status.connected,
      problems: this.status().problems,
    };
  }
}
