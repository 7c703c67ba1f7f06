import type { Clock } from '../core/clock.ts';
import type { Counters } from '../core/counters.ts';
import type { DatabaseErrorKind, Reason } from '../core/errors.ts';
import type { RollingWindow } from '../core/rolling-window.ts';
import type { Advice } from './advice.ts';
import { auditCounters, type Audit } from './audit.ts';
import { findProblems } from './problems.ts';
import type { RateFigures } from './rates.ts';

/** `disabled` is reserved: part of the interface, and no bridge is ever in it yet. */
export const ORACLE_STATES = ['connected', 'retrying', 'down', 'disabled'] as const;

interface MqttFigures {
  readonly connected: boolean;
  /** 5 or 4, as agreed with the broker. */
  readonly protocolVersion: number;
  /** Received messages that the broker still waits for an acknowledgement of. */
  readonly unackedMessages: number;
  /** One sentence for each subscription that the broker refused or cut down. */
  readonly subscriptionProblems: readonly string[];
  /** The address that is connected to, was last, or is tried first. */
  readonly broker?: string;
  /** One sentence about another process that runs as this bridge. */
  readonly namesake?: string | undefined;
  /** What the broker was seen to do with topics that loses values in silence, or changes the names of notices. */
  readonly manners?: readonly Advice[];
  /** What was done last about a session that got nothing, see `sessionStarvedAt`; `none`: nothing was left to do. */
  readonly starvedMeasure?: 'none' | 'receiveMaximum' | 'mqtt311';
}

/** Times are wall clock; what says why there is no connection is absent while there is one, and empty where nothing is known. */
export interface MqttFacts extends MqttFigures {
  readonly reason?: string;
  readonly remedy?: string;
  readonly sinceMs?: number;
  readonly sessionsLost?: number;
  readonly sessionsStarved?: number;
  readonly sessionLostAtMs?: number;
  readonly sessionStarvedAtMs?: number;
}

/** Times are ISO 8601. */
export interface MqttStatus extends MqttFigures {
  readonly reason?: string;
  readonly remedy?: string;
  readonly since?: string;
  /** Sessions that the broker had kept for the bridge and has no more, over all starts. */
  readonly sessionsLost: number;
  /** Times that the broker took what a session published and gave it nothing any more, over all starts. */
  readonly sessionsStarved: number;
  /** The last times, for a day. */
  readonly sessionLostAt?: string;
  readonly sessionStarvedAt?: string;
}

export interface BackupsStatus {
  readonly pendingFiles: number;
  readonly pendingRows: number;
  readonly rejectedFiles: number;
  readonly rejectedRows: number;
  readonly undecodableFiles: number;
  readonly undecodableRows: number;
  /** The file that is being brought into Oracle. */
  readonly replaying?: { readonly file: string; readonly rows: number; readonly replayedRows: number } | undefined;
}

/** What is not `connected` has a reason, and perhaps a remedy; empty is none. */
export interface OracleFacts {
  readonly state: (typeof ORACLE_STATES)[number];
  readonly reason?: Reason | undefined;
  readonly kind?: DatabaseErrorKind | undefined;
  readonly remedy?: string | undefined;
  /** Wall clock. */
  readonly sinceMs?: number | undefined;
}

export interface JournalStatus {
  readonly bytes: number;
  readonly maxBytes: number;
  readonly messages: number;
  readonly state: 'ok' | 'full' | 'failing';
}

/** What the status, the metrics and the audit read; nothing is pushed to them but one call a batch. */
export interface StatusSources {
  readonly bridgeId: string;
  readonly version: string;
  readonly clock: Clock;
  /** `clock.monotonic()` at the start: uptime must not jump with the wall clock. */
  readonly startedAtMonotonicMs: number;
  readonly counters: Counters;
  readonly buffer: { readonly size: number; readonly capacity: number };
  readonly rolling: { readonly batchSize: RollingWindow; readonly writeLatencyMs: RollingWindow };
  mqtt(): MqttFacts;
  oracle(): OracleFacts;
  /** Values received that are not in the buffer yet. */
  expanderPending(): number;
  /** Values that have left the buffer and are not settled. */
  writerPending(): number;
  journal(): JournalStatus;
  rates(): RateFigures;
  /** A token is configured, so that files can be replayed and discarded over HTTP. */
  readonly actions: boolean;
  backups(): BackupsStatus;
}

/** The answer of `/api/status`. */
export interface Status {
  readonly bridgeId: string;
  readonly version: string;
  readonly uptimeSeconds: number;
  readonly mqtt: MqttStatus;
  readonly oracle: {
    readonly state: (typeof ORACLE_STATES)[number];
    readonly reason?: Reason;
    readonly kind?: DatabaseErrorKind;
    readonly remedy?: string;
    /** ISO 8601 */
    readonly since?: string;
  };
  readonly counters: Counters;
  readonly buffer: { readonly size: number; readonly capacity: number };
  readonly journal: JournalStatus;
  readonly backups: BackupsStatus;
  readonly rolling: {
    readonly windowSeconds: number;
    readonly avgBatchSize: number;
    readonly avgWriteLatencyMs: number;
    /** Batches in the window: averages of none are 0. */
    readonly batches: number;
  };
  /** Over the last 5 s. */
  readonly rates: RateFigures;
  readonly audit: Audit;
  readonly actions: boolean;
  /** What a person should know, one sentence each; empty when all is well. */
  readonly problems: readonly string[];
  /** The same with what to do about each. */
  readonly advice: readonly Advice[];
}

/** A status before it is judged. */
export type StatusFacts = Omit<Status, 'problems' | 'advice'>;

/** Values between receipt and their end, counted stage by stage. */
export function measurePending(sources: StatusSources): number {
  return sources.expanderPending() + sources.buffer.size + sources.writerPending();
}

/** Reads all sources at one instant. */
export function collectStatus(sources: StatusSources): Status {
  const { clock, counters, buffer, rolling } = sources;
  const facts: StatusFacts = {
    bridgeId: sources.bridgeId,
    version: sources.version,
    uptimeSeconds: Math.floor((clock.monotonic() - sources.startedAtMonotonicMs) / 1000),
    mqtt: mqttStatus(sources.mqtt()),
    oracle: oracleStatus(sources.oracle()),
    counters: { ...counters },
    buffer: { size: buffer.size, capacity: buffer.capacity },
    journal: sources.journal(),
    backups: sources.backups(),
    rolling: {
      windowSeconds: rolling.batchSize.windowMs / 1000,
      avgBatchSize: round(rolling.batchSize.average),
      avgWriteLatencyMs: round(rolling.writeLatencyMs.average),
      batches: rolling.batchSize.count,
    },
    rates: sources.rates(),
    audit: auditCounters(counters, measurePending(sources)),
    actions: sources.actions,
  };
  const advice = findProblems(facts);
  return { ...facts, problems: advice.map(({ problem }) => problem), advice };
}

function mqttStatus(facts: MqttFacts): MqttStatus {
  const { broker, reason = '', remedy = '', sinceMs, sessionLostAtMs, sessionStarvedAtMs, starvedMeasure } = facts;
  return {
    connected: facts.connected,
    protocolVersion: facts.protocolVersion,
    ...(broker === undefined ? {} : { broker }),
    ...(reason === '' ? {} : { reason }),
    ...(remedy === '' ? {} : { remedy }),
    ...(sinceMs === undefined ? {} : { since: iso(sinceMs) }),
    unackedMessages: facts.unackedMessages,
    subscriptionProblems: facts.subscriptionProblems,
    ...(facts.namesake === undefined ? {} : { namesake: facts.namesake }),
    ...(facts.manners === undefined ? {} : { manners: facts.manners }),
    sessionsLost: facts.sessionsLost ?? 0,
    sessionsStarved: facts.sessionsStarved ?? 0,
    ...(sessionLostAtMs === undefined ? {} : { sessionLostAt: iso(sessionLostAtMs) }),
    ...(sessionStarvedAtMs === undefined ? {} : { sessionStarvedAt: iso(sessionStarvedAtMs) }),
    ...(starvedMeasure === undefined ? {} : { starvedMeasure }),
  };
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

function oracleStatus({ state, reason, kind, remedy = '', sinceMs }: OracleFacts): Status['oracle'] {
  return {
    state,
    ...(reason === undefined ? {} : { reason }),
    ...(kind === undefined ? {} : { kind }),
    ...(remedy === '' ? {} : { remedy }),
    ...(sinceMs === undefined ? {} : { since: iso(sinceMs) }),
  };
}

/** Two decimals are enough for a reader. */
function round(figure: number): number {
  return Math.round(figure * 100) / 100;
}
