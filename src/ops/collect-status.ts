import type { Clock } from '../core/clock.ts';
import type { Counters } from '../core/counters.ts';
import type { RollingWindow } from '../core/rolling-window.ts';
import { auditWithLanes } from './audit.ts';
import { destinationStatus, iso, oracleStatus, worstOf, type DestinationFacts } from './destination-status.ts';
import { findProblems } from './problems.ts';
import type { RateFigures } from './rates.ts';
import type {
  BackupsStatus,
  DiskStatus,
  JournalStatus,
  MqttFigures,
  MqttStatus,
  Outage,
  Status,
  StatusFacts,
  SubscriptionStatus,
  TagsStatus,
} from './status.ts';

/**
 * Times are of the wall clock. `reason`, `remedy` and `sinceMs` say why there is no connection: they are absent while
 * there is one, and empty where nothing is known.
 */
export interface MqttFacts extends MqttFigures {
  readonly reason?: string;
  readonly remedy?: string;
  readonly sinceMs?: number;
  readonly sessionsLost?: number;
  readonly sessionsStarved?: number;
  readonly sessionLostAtMs?: number;
  readonly sessionStarvedAtMs?: number;
  readonly subscriptions?: readonly SubscriptionFacts[];
}

export interface SubscriptionFacts {
  readonly topic: string;
  readonly qos: number;
  readonly grantedQos?: number | undefined;
  readonly messages: number;
  readonly lastMessageAtMs?: number | undefined;
}

/** What the status, the metrics and the audit read; nothing is pushed to them but one call a batch. */
export interface StatusSources {
  readonly bridgeId: string;
  readonly version: string;
  /** `oracle.connectString`, as it may be shown. */
  readonly connectString: string;
  readonly clock: Clock;
  /** `clock.monotonic()` at the start: uptime must not jump with the wall clock. */
  readonly startedAtMonotonicMs: number;
  readonly counters: Counters;
  readonly buffer: { readonly size: number; readonly capacity: number };
  readonly rolling: { readonly batchSize: RollingWindow; readonly writeLatencyMs: RollingWindow };
  mqtt(): MqttFacts;
  silentSubscriptions(): readonly { readonly topic: string; readonly sinceMs: number }[];
  /** The default first. */
  destinations(): readonly DestinationFacts[];
  /** How many received values are not in the buffer yet. */
  expanderPending(): number;
  /** How many values have left the buffer and are not settled. */
  writerPending(): number;
  journal(): JournalStatus;
  disks(): readonly DiskStatus[];
  rates(): RateFigures;
  /** A token is configured, so that files can be replayed and discarded over HTTP. */
  readonly actions: boolean;
  backups(): BackupsStatus;
  /** All that are known, the newest first. */
  outages(): readonly Outage[];
  tags(): TagsStatus;
}

/** How many values are between receipt and settling, counted stage by stage. */
export function measurePending(sources: StatusSources): number {
  return sources.expanderPending() + sources.buffer.size + sources.writerPending();
}

/** Reads all sources at one instant. */
export function collectStatus(sources: StatusSources): Status {
  const { clock, counters, buffer, rolling } = sources;
  const destinations = sources.destinations();
  const facts: StatusFacts = {
    bridgeId: sources.bridgeId,
    version: sources.version,
    uptimeSeconds: Math.floor((clock.monotonic() - sources.startedAtMonotonicMs) / 1000),
    mqtt: mqttStatus(sources.mqtt(), sources.silentSubscriptions()),
    oracle: { ...oracleStatus(worstOf(destinations)), connectString: sources.connectString },
    destinations: destinations.map((each) => destinationStatus(each)),
    counters: { ...counters },
    buffer: { size: buffer.size, capacity: buffer.capacity },
    journal: sources.journal(),
    disks: sources.disks(),
    backups: sources.backups(),
    outages: sources.outages().slice(0, MAX_OUTAGES_LISTED),
    tags: sources.tags(),
    rolling: {
      windowSeconds: rolling.batchSize.windowMs / 1000,
      avgBatchSize: round(rolling.batchSize.average),
      avgWriteLatencyMs: round(rolling.writeLatencyMs.average),
      batches: rolling.batchSize.count,
    },
    rates: sources.rates(),
    audit: auditWithLanes(counters, measurePending(sources), destinations),
    actions: sources.actions,
  };
  const advice = findProblems(facts);
  return { ...facts, problems: advice.map(({ problem }) => problem), advice };
}

const MAX_SUBSCRIPTIONS_LISTED = 100;
const MAX_OUTAGES_LISTED = 20;

function mqttStatus(facts: MqttFacts, silent: ReturnType<StatusSources['silentSubscriptions']>): MqttStatus {
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
    silentSubscriptions: silent
      .slice(0, MAX_SUBSCRIPTIONS_LISTED)
      .map((each) => ({ topic: each.topic, since: iso(each.sinceMs) })),
    subscriptions: (facts.subscriptions ?? [])
      .slice(0, MAX_SUBSCRIPTIONS_LISTED)
      .map((each) => subscriptionStatus(each)),
    ...(facts.namesake === undefined ? {} : { namesake: facts.namesake }),
    ...(facts.manners === undefined ? {} : { manners: facts.manners }),
    ...(facts.notices === undefined ? {} : { notices: facts.notices }),
    sessionsLost: facts.sessionsLost ?? 0,
    sessionsStarved: facts.sessionsStarved ?? 0,
    ...(sessionLostAtMs === undefined ? {} : { sessionLostAt: iso(sessionLostAtMs) }),
    ...(sessionStarvedAtMs === undefined ? {} : { sessionStarvedAt: iso(sessionStarvedAtMs) }),
    ...(starvedMeasure === undefined ? {} : { starvedMeasure }),
  };
}

function subscriptionStatus({
  grantedQos,
  lastMessageAtMs,
  messages,
  qos,
  topic,
}: SubscriptionFacts): SubscriptionStatus {
  return {
    topic,
    qos,
    ...(grantedQos === undefined ? {} : { grantedQos }),
    messages,
    ...(lastMessageAtMs === undefined ? {} : { lastMessageAt: iso(lastMessageAtMs) }),
  };
}

/** Rounds to two decimals, which are enough for a reader. */
function round(figure: number): number {
  return Math.round(figure * 100) / 100;
}
