import { createCounters, createValueCounters } from '../../../src/core/counters.ts';
import { RollingWindow } from '../../../src/core/rolling-window.ts';
import { measurePending, type StatusSources } from '../../../src/ops/collect-status.ts';
import type { DestinationFacts, OracleFacts } from '../../../src/ops/destination-status.ts';
import { plain } from '../../../src/ops/answers.ts';
import { History } from '../../../src/ops/history.ts';
import { Metrics } from '../../../src/ops/metrics.ts';
import { Refusals } from '../../../src/ops/refusals.ts';
import type { RouteSources } from '../../../src/ops/routes.ts';
import { TagTraces } from '../../../src/ops/tag-traces.ts';
import { TagsSeen } from '../../../src/ops/tags-seen.ts';
import { FakeClock } from '../../support/fake-clock.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };
/** `oracle` is the state of the default destination, the only one unless a test says otherwise. */
export type MadeUpSources = Writable<StatusSources> & { clock: FakeClock; oracle: () => OracleFacts };

/** A bridge in good order that has done nothing yet, for tests to change. */
export function madeUpSources(): MadeUpSources {
  const clock = new FakeClock();
  const sources: MadeUpSources = {
    bridgeId: 'gateway-01',
    version: '1.2.3',
    connectString: 'db.example:1521/FREEPDB1',
    clock,
    startedAtMonotonicMs: clock.monotonic(),
    counters: createCounters(),
    buffer: { size: 0, capacity: 1000 },
    rolling: { batchSize: new RollingWindow(300_000, clock), writeLatencyMs: new RollingWindow(300_000, clock) },
    mqtt: () => ({ connected: true, protocolVersion: 5, unackedMessages: 0, subscriptionProblems: [] }),
    silentSubscriptions: () => [],
    oracle: () => ({ state: 'connected' }),
    destinations: () => [
      madeUpDestination('default', {
        ...sources.oracle(),
        table: 'TAG_DATA',
        counters: sources.counters,
        pending: measurePending(sources),
        buffer: sources.buffer,
      }),
    ],
    expanderPending: () => 0,
    writerPending: () => 0,
    journal: () => ({ bytes: 0, maxBytes: 1_000_000, messages: 0, state: 'ok' }),
    disks: () => [],
    rates: () => ({ valuesInPerSecond: 0, valuesOutPerSecond: 0, messagesPerSecond: 0 }),
    actions: false,
    backups: () => ({
      pendingFiles: 0,
      pendingRows: 0,
      heldFiles: 0,
      heldRows: 0,
      rejectedFiles: 0,
      rejectedRows: 0,
      undecodableFiles: 0,
      undecodableRows: 0,
    }),
    outages: () => [],
    tags: () => ({
      turnedIntoText: { count: 0, turns: 0, examples: [] },
      implausibleTimes: { tags: 0, values: 0 },
    }),
  };
  return sources;
}

/** A destination in good order that has done nothing yet, but for what is said of it. */
export function madeUpDestination(name: string, facts: Partial<DestinationFacts> = {}): DestinationFacts {
  return {
    name,
    table: name.toUpperCase(),
    state: 'connected',
    counters: createValueCounters(),
    pending: 0,
    buffer: { size: 0, capacity: 1000 },
    backups: { pendingFiles: 0, pendingRows: 0, heldFiles: 0, heldRows: 0, rejectedFiles: 0, rejectedRows: 0 },
    ...facts,
  };
}

/** What the routes of such a bridge answer from. */
export function madeUpRouteSources(status: MadeUpSources = madeUpSources()) {
  const { clock, counters, buffer } = status;
  const tags = new TagsSeen();
  return {
    status,
    metrics: new Metrics(status),
    events: { answer: () => plain(503, 'no events') },
    history: new History({ clock, counters, buffer, journalMaxBytes: 1_000_000, journalBytes: () => 0 }),
    tags,
    traces: new TagTraces({ tags, clock }),
    refusals: new Refusals(clock),
    health: () => ({ ok: true, problems: [] }),
    readiness: () => ({ ready: true, degraded: false, problems: [] }),
    backups: () => [],
    download: () => Promise.resolve(undefined),
  } satisfies RouteSources;
}
