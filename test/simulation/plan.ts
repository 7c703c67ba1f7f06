import { DEFAULT_DESTINATION } from '../../src/core/destination.ts';
import { drawSetups, ONE_LANE, type LaneSetup } from './lane-setups.ts';
import { drawManners, EXEMPLARY, type BrokerManners } from './manners.ts';
import { Payloads, type Payload } from './payloads.ts';
import { Random } from './random.ts';
import { HEALTHY, type DiskHealth } from './sim-disk.ts';
import { WELL, type DatabaseHealth } from './sim-database.ts';
import { SparkplugPayloads } from './sparkplug-payloads.ts';
import { STEPS, type Step } from '../../src/core/steps.ts';

/** What ends a life of the bridge: kill -9, a power cut, or an orderly stop. */
export type End = 'kill' | 'power' | 'stop';

export type PlanEvent =
  | { readonly do: 'publish'; readonly payload: Payload; readonly qos: 0 | 1 | 2 }
  /** `afterSteps` steps of the simulation from now on, or when the bridge comes to the named step. */
  | { readonly do: 'end'; readonly how: End; readonly afterSteps: number; readonly at: Step | undefined }
  | { readonly do: 'disk'; readonly health: DiskHealth }
  | { readonly do: 'database'; readonly health: DatabaseHealth }
  /** A DBA deletes rows of the ledger, or restores the database as it was at the last `note database`. */
  | { readonly do: 'delete ledger rows' | 'note database' | 'restore database' }
  /** The configuration is read again: topics change over, perhaps to destinations that only a restart will know. */
  | { readonly do: 'reload'; readonly setup: LaneSetup }
  /** A person has a backup replayed to another destination than its own. */
  | { readonly do: 'redirect' }
  | { readonly do: 'abort database' | 'disconnect' | 'lose session' };

export type TimedEvent = PlanEvent & { readonly atMs: number };

export interface Plan {
  readonly seed: number;
  /** What the messages become depends on those before them. */
  readonly isSparkplug: boolean;
  readonly events: readonly TimedEvent[];
  readonly endMs: number;
  readonly sync: 'always' | 'interval' | 'never';
  readonly onFull: 'wait' | 'dropOldest';
  readonly manners: BrokerManners;
  /** It says what it is, and its manners are known. */
  readonly isKnownBroker: boolean;
  readonly window: number;
  readonly proofIntervalMs: number;
  readonly batchSize: number;
  readonly intervalMs: number;
  readonly retryAttempts: number;
  readonly bufferCapacity: number;
  readonly segmentBytes: number;
  /** What all messages take that the broker may send again: each may lack the proof that it has its acknowledgement. */
  readonly redeliverableBytes: number;
  readonly journalMaxBytes: number;
  readonly maxRowsPerFile: number;
  readonly probeIntervalMs: number;
  /** In the end the table takes what it refused, and a person has the rejected files replayed. */
  readonly replaysRejected: boolean;
  /**
   * An outage of the database fills the disk, which stays full when all else is mended: what was acknowledged must come
   * through all the same.
   */
  readonly staysFull: boolean;
  /** Between two lives of the bridge a person may have `backups replay` do it. */
  readonly replaysOffline: boolean;
  /** How the bridge is configured from life to life; the last one stays. */
  readonly setups: readonly LaneSetup[];
}

const DATABASE_ILLS: readonly Partial<DatabaseHealth>[] = [
  { logOn: 'no listener' },
  { logOn: 'no listener', cut: 1 },
  { logOn: 'refused' },
  { cut: 0.1 },
  { cut: 0.4 },
  { late: 0.15 },
  { late: 0.5 },
  { slow: 0.3 },
  { full: 0.5 },
  { blamed: 0.5 },
  { unpartitioned: 0.1 },
  { unpartitioned: 1, cut: 0.1 },
  { passing: 0.3 },
  { cut: 0.1, late: 0.1, slow: 0.1, passing: 0.1 },
];

const DISK_ILLS: readonly Partial<DiskHealth>[] = [
  { errorShare: 0.1 },
  { errorShare: 0.5 },
  { errorShare: 1 },
  { readErrorShare: 0.1 },
  { readErrorShare: 0.5 },
  { errorShare: 0.1, readErrorShare: 0.1 },
  { freeBytes: 0 },
  { freeBytes: 300 },
  { freeBytes: 2000 },
  { slowness: 50 },
  { slowness: 500 },
];

/** What a message takes in the journal at most, alone in its segment. */
export const MOST_JOURNAL_BYTES = 400;

/** How much of what can happen does: chances, and how often the bridge ends. */
interface Weather {
  readonly calm: number;
  readonly ends: readonly number[];
  readonly power: readonly number[];
  readonly database: number;
  readonly disk: number;
  readonly connections: number;
}

const USUAL: Weather = {
  calm: 0.1,
  ends: [0, 1, 1, 2, 4, 8],
  power: [0, 0.5, 1],
  database: 0.7,
  disk: 0.35,
  connections: 0.5,
};
/** Faults that meet: what one crash leaves, the next one finds. */
const STORM: Weather = { calm: 0, ends: [6, 10, 16], power: [0.3, 0.7, 1], database: 0.8, disk: 0.4, connections: 0.7 };
const STORM_EVERY = 4;
/** From this seed on the plant has Sparkplug's edge nodes. */
export const SPARKPLUG_FROM = 500_000_000;
/** From this seed on there are several destinations, which come and go, and no Sparkplug. */
export const LANES_FROM = 600_000_000;

/** Draws all of a schedule from its seed before anything runs. */
export function drawPlan(seed: number): Plan {
  const random = new Random(seed);
  const weather = seed % STORM_EVERY === 0 ? STORM : USUAL;
  const endMs = random.pick([500, 2_000, 5_000, 15_000]);
  const events: TimedEvent[] = [];
  const manners = drawManners(random);
  const losesSession = random.chance(0.1);
  const hasLanes = seed >= LANES_FROM;
  const isSparkplug = seed >= SPARKPLUG_FROM && !hasLanes;
  const setups = hasLanes ? drawSetups(random.fork()) : [ONE_LANE];
  const isPlain = setups.some(({ rows }) => rows !== undefined);
  drawMessages(random, endMs, { repeats: isSparkplug ? 'sparkplug' : random.chance(0.3) ? 0.3 : 0, isPlain }, events);
  const calm = random.chance(weather.calm);
  if (!calm) {
    drawEnds(random, endMs, weather, events);
    if (random.chance(weather.database)) drawDatabase(random, endMs, setups.at(-1)!, events);
    if (!isSparkplug && random.chance(weather.disk)) drawDisk(random, endMs, events);
    if (random.chance(weather.connections)) drawConnections(random, endMs, events);
    if (hasLanes) drawReconfigurations(random.fork(), endMs, setups, events);
    if (losesSession) events.push({ do: 'lose session', atMs: random.between(0, endMs) });
    if (random.chance(0.05)) events.push({ do: 'delete ledger rows', atMs: random.between(0, endMs) });
    if (random.chance(0.05)) drawRestore(random, endMs, events);
  }
  events.sort((a, b) => a.atMs - b.atMs);
  const segmentBytes = random.pick([500, 2_000, 1_000_000]);
  const window = random.pick([1, 2, 3, 8, 20, 100]);
  // Half of the journal may hold what may come again, and what was delivered beside it. A window that leaks is made
  // wider, by as much as there is to deliver.
  const published = events.filter((event) => event.do === 'publish').length;
  const mostInFlight = manners.leaks ? Math.max(window, published) : window;
  const besideBytes = events.filter((event) => event.do === 'publish' && event.qos !== 1).length * MOST_JOURNAL_BYTES;
  const leastJournalBytes = 2 * (mostInFlight * MOST_JOURNAL_BYTES + besideBytes);
  return {
    seed,
    events,
    endMs,
    isSparkplug,
    // What a power cut takes of the journal the reference would have read.
    sync: !isSparkplug && random.chance(0.15) ? random.pick(['interval', 'never']) : 'always',
    onFull: !isSparkplug && random.chance(0.1) ? 'dropOldest' : 'wait',
    manners,
    isKnownBroker: manners === EXEMPLARY && random.chance(0.5),
    window,
    proofIntervalMs: random.pick([20, 200, 1_000]),
    batchSize: random.pick([1, 3, 7, 20, 100]),
    intervalMs: random.pick([5, 50, 300]),
    retryAttempts: random.pick([0, 1, 3]),
    bufferCapacity: random.pick([2, 10, 300]),
    segmentBytes,
    redeliverableBytes: Math.max(window, published) * MOST_JOURNAL_BYTES + besideBytes,
    journalMaxBytes: Math.max(leastJournalBytes, segmentBytes * random.pick([6, 100])),
    maxRowsPerFile: random.pick([3, 15, 10_000]),
    probeIntervalMs: random.pick([100, 700]),
    replaysRejected: random.chance(0.4),
    replaysOffline: random.chance(0.2),
    setups,
    staysFull: !isSparkplug && random.chance(0.1) && onlyRows(events) && fillUp(random, endMs, events),
  };
}

interface MessageManners {
  /** The share of messages that an earlier one is sent again for. */
  readonly repeats: number | 'sparkplug';
  /** All formats of the setups read them alike. */
  readonly isPlain: boolean;
}

function drawMessages(random: Random, endMs: number, { repeats, isPlain }: MessageManners, events: TimedEvent[]): void {
  const odd = random.chance(0.4);
  const share = (least: number): number => (odd && random.chance(0.5) ? least : 0);
  const mix = {
    undecodable: share(0.1),
    empty: isPlain ? 0 : share(0.1),
    refused: share(0.08),
    poison: share(0.04),
    badTime: isPlain ? 0 : share(0.05),
    untimed: random.pick([0, 0, 0.5, 1]),
  };
  const payloads = repeats === 'sparkplug' ? new SparkplugPayloads(random.fork()) : new Payloads(random.fork(), mix);
  const made: Payload[] = [];
  const atMostOnce = random.chance(0.1) ? 0.3 : 0;
  const exactlyOnce = random.pick([0, 0, 0, 0.3, 1]);
  const bursts = random.int(2, 8);
  const count = random.int(20, 60);
  for (let burst = 0; burst < bursts; burst += 1) {
    let atMs = random.between(0, endMs);
    const spreadMs = random.pick([0, 1, 20]);
    for (let i = 0; i < count / bursts; i += 1) {
      atMs = Math.min(endMs, atMs + random.between(0, spreadMs));
      const payload =
        repeats !== 'sparkplug' && made.length > 0 && random.chance(repeats) ? random.pick(made) : payloads.next();
      made.push(payload);
      const qos = random.chance(atMostOnce) ? 0 : random.chance(exactlyOnce) ? 2 : 1;
      events.push({ do: 'publish', payload, qos, atMs });
    }
  }
}

function drawEnds(random: Random, endMs: number, weather: Weather, events: TimedEvent[]): void {
  const power = random.pick(weather.power);
  for (let left = random.pick(weather.ends); left > 0; left -= 1) {
    const how: End = random.chance(0.1) ? 'stop' : random.chance(power) ? 'power' : 'kill';
    const at = random.chance(0.3) ? random.pick(STEPS) : undefined;
    const afterSteps = random.pick([0, random.int(0, 20), random.int(0, 100)]);
    events.push({ do: 'end', how, afterSteps, at, atMs: random.between(0, endMs * 1.2) });
  }
}

function drawDatabase(random: Random, endMs: number, { destinations }: LaneSetup, events: TimedEvent[]): void {
  for (let left = random.int(1, 3); left > 0; left -= 1) {
    const atMs = random.chance(0.2) ? 0 : random.between(0, endMs);
    const ill = random.pick(DATABASE_ILLS);
    const isOnes = destinations.length > 0 && random.chance(0.6);
    const only = isOnes ? random.pick([DEFAULT_DESTINATION, ...destinations]) : undefined;
    const health = { ...WELL, ...ill, only };
    events.push({ do: 'database', health, atMs });
    if (random.chance(0.3)) events.push({ do: 'abort database', atMs });
    events.push({ do: 'database', health: WELL, atMs: atMs + random.between(0, endMs / 2) });
  }
}

function drawDisk(random: Random, endMs: number, events: TimedEvent[]): void {
  for (let left = random.int(1, 2); left > 0; left -= 1) {
    const atMs = random.between(0, endMs);
    events.push({ do: 'disk', health: { ...HEALTHY, ...random.pick(DISK_ILLS) }, atMs });
    events.push({ do: 'disk', health: HEALTHY, atMs: atMs + random.between(0, endMs / 2) });
  }
}

/** Rejected rows and undecodable messages take room on the full disk for good. */
function onlyRows(events: readonly TimedEvent[]): boolean {
  return events.every(
    (event) => event.do !== 'publish' || event.payload.values?.every(({ place }) => place === 'table') === true,
  );
}

/** The database goes and does not come back, then the disk is full and stays it: the first and last ill of the disk. */
function fillUp(random: Random, endMs: number, events: TimedEvent[]): true {
  const downAtMs = random.between(0, endMs / 2);
  const fullAtMs = random.between(downAtMs, endMs);
  const isOver = ({ do: what, atMs }: TimedEvent): boolean =>
    what === 'disk' || (/database|ledger/.test(what) && atMs >= downAtMs);
  const kept = events.filter((event) => !isOver(event));
  const freeBytes = random.pick([0, 300, 2_000]);
  kept.push({ do: 'database', health: { ...WELL, logOn: 'no listener', cut: 1 }, atMs: downAtMs });
  kept.push({ do: 'disk', health: { ...HEALTHY, freeBytes }, atMs: fullAtMs });
  kept.sort((a, b) => a.atMs - b.atMs);
  events.splice(0, events.length, ...kept);
  return true;
}

function drawReconfigurations(random: Random, endMs: number, setups: readonly LaneSetup[], events: TimedEvent[]): void {
  for (let left = random.pick([0, 1, 3]); left > 0; left -= 1) {
    events.push({ do: 'reload', setup: random.pick(setups), atMs: random.between(0, endMs) });
  }
  for (let left = random.pick([0, 2, 6]); left > 0; left -= 1) {
    events.push({ do: 'redirect', atMs: random.between(0, endMs) });
  }
}

function drawRestore(random: Random, endMs: number, events: TimedEvent[]): void {
  const notedAtMs = random.between(0, endMs);
  events.push({ do: 'note database', atMs: notedAtMs });
  events.push({ do: 'restore database', atMs: random.between(notedAtMs, endMs) });
}

function drawConnections(random: Random, endMs: number, events: TimedEvent[]): void {
  for (let left = random.int(1, 4); left > 0; left -= 1) {
    events.push({ do: 'disconnect', atMs: random.between(0, endMs) });
  }
}
