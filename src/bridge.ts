import { join } from 'node:path';

import { BrokerSide } from './broker-side.ts';
import type { Config } from './config/config.ts';
import { destinationsOf } from './config/destinations.ts';
import type { Clock } from './core/clock.ts';
import { diskRoom } from './core/disk-room.ts';
import type { Logger } from './core/logger.ts';
import { nodeFileSystem, warnOfExposed } from './core/node-filesystem.ts';
import { RESERVE_BYTES } from './core/reserve.ts';
import { RollingWindow } from './core/rolling-window.ts';
import type { OnStep } from './core/steps.ts';
import { JOURNAL_FILES } from './journal/file-names.ts';
import { ProcessLock } from './journal/process-lock.ts';
import { AuditMonitor } from './ops/audit.ts';
import { DiskWatch } from './ops/disk-watch.ts';
import { History } from './ops/history.ts';
import { ImplausibleTimes } from './ops/implausible-times.ts';
import { Metrics } from './ops/metrics.ts';
import { OutageFile } from './ops/outage-file.ts';
import { Outages } from './ops/outages.ts';
import { Refusals } from './ops/refusals.ts';
import type { Health, Readiness } from './ops/routes.ts';
import { collectStatus, measurePending, type StatusSources } from './ops/collect-status.ts';
import { shortStatus } from './ops/destination-status.ts';
import type { Status } from './ops/status.ts';
import { findStuck } from './ops/stuck.ts';
import { TagTraces } from './ops/tag-traces.ts';
import { TagsSeen } from './ops/tags-seen.ts';
import { Connections } from './oracle/connections.ts';
import { assertDriverFits } from './oracle/driver-fit.ts';
import { DestinationSessions } from './oracle/destination-sessions.ts';
import { SharedConnections } from './oracle/shared-connections.ts';
import { MAX_TEXT_BYTES } from './oracle/statements.ts';
import { Pipeline } from './pipeline.ts';
import { StatusServer } from './status-server.ts';
import { createStatusSources } from './status-sources.ts';
import { assertFormatsKnown } from './stored-formats.ts';

export interface BridgeParts {
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of each step of a value: a test crashes the process at one. */
  readonly onStep: OnStep;
}

const ROLLING_WINDOW_MS = 300_000;

/**
 * The pipeline with its real neighbours: broker, database, disk, HTTP.
 *
 * They are started from the end of the way to its beginning, so that each finds the next one ready, and drained from
 * the beginning to the end, so that each has given on all it holds before the next one is told that nothing more will
 * come.
 */
export class Bridge {
  readonly #config: Config;
  readonly #parts: BridgeParts;
  readonly #batchSize: RollingWindow;
  readonly #writeLatencyMs: RollingWindow;
  readonly #connections: Connections;
  readonly #pipeline: Pipeline;
  readonly #brokerSide: BrokerSide;
  readonly #statusSources: StatusSources;
  readonly #metrics: Metrics;
  readonly #audit: AuditMonitor;
  readonly #history: History;
  readonly #tags = new TagsSeen();
  readonly #traces: TagTraces;
  readonly #diskWatch: DiskWatch;
  readonly #outages: Outages;
  readonly #implausibleTimes = new ImplausibleTimes(() => this.#tags.implausibleCount);
  readonly #refusals: Refusals;
  readonly #http: StatusServer;
  #isRunning = false;
  #stopping: Promise<void> | undefined;

  constructor(config: Config, parts: BridgeParts) {
    const { clock } = parts;
    this.#config = config;
    this.#parts = parts;
    this.#batchSize = new RollingWindow(ROLLING_WINDOW_MS, clock);
    this.#writeLatencyMs = new RollingWindow(ROLLING_WINDOW_MS, clock);
    this.#connections = new Connections({
      ...config.oracle,
      clientId: config.bridge.id,
      clock,
      log: this.#logOf('oracle'),
    });
    this.#refusals = new Refusals(clock);
    this.#pipeline = this.#createPipeline();
    this.#history = this.#createHistory();
    this.#traces = new TagTraces({ tags: this.#tags, clock });
    this.#diskWatch = this.#createDiskWatch();
    this.#outages = this.#createOutages();
    this.#brokerSide = new BrokerSide(config, {
      ...parts,
      pipeline: this.#pipeline,
      status: () => shortStatus(this.status()),
    });
    this.#statusSources = createStatusSources(config, {
      ...parts,
      pipeline: this.#pipeline,
      brokerSide: this.#brokerSide,
      history: this.#history,
      rolling: { batchSize: this.#batchSize, writeLatencyMs: this.#writeLatencyMs },
      tags: this.#tags,
      implausibleTimes: this.#implausibleTimes,
      diskWatch: this.#diskWatch,
      outages: this.#outages,
    });
    this.#metrics = new Metrics(this.#statusSources);
    this.#audit = new AuditMonitor({
      clock,
      log: this.#logOf('audit'),
      counters: this.#pipeline.counters,
      pending: () => measurePending(this.#statusSources),
      lanes: () => this.#statusSources.destinations(),
    });
    this.#http = this.#createStatusServer();
  }

  /** Where the status is served; empty when HTTP is switched off. */
  get httpUrl(): string {
    return this.#http.url;
  }

  status(): Status {
    return collectStatus(this.#statusSources);
  }

  /**
   * Resolves when the bridge works; broker and database may still be absent, which are states and no failures.
   * Throws when a directory cannot be used, or a later version has written to it, a TLS file cannot be read, the HTTP
   * port is taken or the driver of the database is unfit.
   */
  async start(): Promise<void> {
    const { log } = this.#parts;
    assertDriverFits();
    await assertFormatsKnown(this.#config, nodeFileSystem);
    await this.#pipeline.start();
    await warnOfExposed([this.#config.journal.dir, this.#config.backup.dir], log);
    this.#history.start();
    this.#diskWatch.start();
    this.#outages.start();
    if (this.#config.http.enabled) this.#traces.start();
    await this.#http.start();
    this.#connections.start();
    this.#audit.start();
    await this.#brokerSide.start();
    this.#isRunning = true;
    log.info('bridge started', { mqtt: this.#config.mqtt.url, table: this.#config.oracle.table, http: this.httpUrl });
    if (this.#config.oracle.ledgerTable === '') {
      log.warn('without oracle.ledgerTable rows are written at least once: some twice after an interruption');
    }
  }

  /**
   * Takes over, while it runs, the keys that are `appliedOnReload`; `log.level` is the logger's. See config/reload.ts.
   */
  reload(config: Config): void {
    this.#pipeline.tune(config);
    this.#brokerSide.subscribe(config.mqtt.subscriptions);
    this.renewSecrets(config);
  }

  /** Log-ons to the database from now on use the secrets of `config`; one that is held back may be tried at once. */
  renewSecrets({ oracle }: Config): void {
    this.#connections.renew(oracle);
    for (const { writer } of this.#pipeline.lanes.all) writer?.availability.askNow();
  }

  /** Takes no more messages, lets what was taken reach Oracle or the backup for up to `drainTimeoutMs`, and stops. */
  async drain(): Promise<void> {
    const { clock, log } = this.#parts;
    const timeUp = new AbortController();
    this.#isRunning = false;
    log.info('draining', { messages: this.#pipeline.journal.status.messages });
    const cancel = clock.setTimer(this.#config.bridge.drainTimeoutMs, () => {
      log.warn('not all is drained: the rest waits in the journal', { ...this.#pipeline.journal.status });
      timeUp.abort();
    });
    this.#brokerSide.pause();
    await this.#pipeline.drain(timeUp.signal);
    cancel();
    this.#audit.check();
    await this.stop();
  }

  /** Stops at once: what is not settled waits in the journal. Idempotent, and right after a failed start too. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#isRunning = false;
    this.#audit.stop();
    this.#history.stop();
    this.#traces.stop();
    this.#diskWatch.stop();
    const outagesNoted = this.#outages.stop();
    this.#brokerSide.pause();
    await outagesNoted;
    await this.#http.stopControl();
    await this.#pipeline.stop();
    await this.#brokerSide.stop();
    await this.#http.stop();
    await this.#connections.stop();
    this.#parts.log.info('bridge stopped', { ...this.#pipeline.counters });
  }

  #logOf(stage: string): Logger {
    return this.#parts.log.child({ stage });
  }

  #createPipeline(): Pipeline {
    const { clock, log, onStep } = this.#parts;
    const { bridge, oracle } = this.#config;
    const destinations = destinationsOf(oracle);
    const shared = new SharedConnections({
      connections: this.#connections,
      ...oracle.pool,
      destinations: destinations.map(({ name }) => name),
      clock,
    });
    const sessions = new DestinationSessions(
      (destination) => shared.for(destination),
      { ...oracle, destinations, bridgeId: bridge.id },
      onStep,
    );
    return new Pipeline(this.#config, {
      clock,
      fileSystem: nodeFileSystem,
      lock: new ProcessLock(nodeFileSystem, clock),
      database: (journalId, destination) => sessions.live(journalId, destination),
      replaySession: (stream, destination, blamesRows) => sessions.replay(stream, destination, blamesRows),
      maxTextBytes: MAX_TEXT_BYTES,
      reserveBytes: RESERVE_BYTES,
      log,
      onStep,
      onWritten: (rows, latencyMs, lagMs, destination) => {
        this.#batchSize.add(rows);
        this.#writeLatencyMs.add(latencyMs);
        this.#history.noteBatch(latencyMs);
        this.#metrics.observeBatch(rows, latencyMs, lagMs, destination);
      },
      onError: (code, destination) => this.#metrics.countOracleError(code, destination),
      sendCommand: (topic, payload) => this.#brokerSide.sendCommand(topic, payload),
      observer: {
        decoded: (values, message) => {
          this.#implausibleTimes.note(values, message);
          this.#tags.note(values);
        },
        rejected: (values, rows) => this.#refusals.noteRejected(values, rows),
        undecodable: (message, reason) => this.#refusals.noteUndecodable(message, reason),
      },
    });
  }

  #createHistory(): History {
    const { counters, lanes } = this.#pipeline;
    const { buffer } = lanes;
    const journalMaxBytes = this.#config.journal.maxBytes;
    const journalBytes = (): number => this.#pipeline.journal.status.bytes;
    return new History({ clock: this.#parts.clock, counters, buffer, journalMaxBytes, journalBytes });
  }

  #createDiskWatch(): DiskWatch {
    const { backup, journal } = this.#config;
    return new DiskWatch({
      directories: { 'journal.dir': journal.dir, 'backup.dir': backup.dir },
      room: diskRoom,
      journal: () => ({ ...this.#pipeline.journal.status, maxBytes: journal.maxBytes }),
      backupBytes: () => this.#pipeline.backups.files().reduce((sum, { bytes }) => sum + bytes, 0),
      clock: this.#parts.clock,
      log: this.#logOf('disk'),
    });
  }

  #createOutages(): Outages {
    const { clock } = this.#parts;
    const path = join(this.#config.journal.dir, JOURNAL_FILES.outages);
    const file = new OutageFile({ fileSystem: nodeFileSystem, path, clock, log: this.#logOf('status') });
    return new Outages({ sources: () => this.#statusSources, file, clock });
  }

  #createStatusServer(): StatusServer {
    return new StatusServer({
      config: this.#config,
      pipeline: this.#pipeline,
      status: this.#statusSources,
      metrics: this.#metrics,
      history: this.#history,
      tags: this.#tags,
      traces: this.#traces,
      refusals: this.#refusals,
      health: () => this.health(),
      readiness: () => this.#readiness(),
      clock: this.#parts.clock,
      log: this.#logOf('http'),
    });
  }

  health(): Health {
    const problems = findStuck(this.#pipeline.lanes.all);
    return { ok: problems.length === 0, problems };
  }

  #readiness(): Readiness {
    const isWriting = this.#pipeline.lanes.all.every(({ writer }) => writer?.availability.state === 'connected');
    return {
      ready: this.#isRunning && this.#pipeline.journal.status.state === 'ok',
      degraded: !isWriting || !this.#brokerSide.facts.connected,
      problems: this.status().problems,
    };
  }
}
