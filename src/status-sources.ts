import type { Backups, PendingByKind } from './backup/backups.ts';
import type { BrokerSide } from './broker-side.ts';
import type { Config } from './config/config.ts';
import { destinationsOf } from './config/destinations.ts';
import type { Clock } from './core/clock.ts';
import { shownConnectString } from './core/shown-connect-string.ts';
import type { RollingWindow } from './core/rolling-window.ts';
import type { Lane } from './lanes/lane.ts';
import type { StatusSources } from './ops/collect-status.ts';
import type { DestinationFacts } from './ops/destination-status.ts';
import type { DiskWatch } from './ops/disk-watch.ts';
import type { History } from './ops/history.ts';
import type { ImplausibleTimes } from './ops/implausible-times.ts';
import type { Outages } from './ops/outages.ts';
import type { BackupsStatus, DestinationBackups } from './ops/status.ts';
import type { TagsSeen } from './ops/tags-seen.ts';
import type { Pipeline } from './pipeline.ts';

export interface StatusParts {
  readonly version: string;
  readonly clock: Clock;
  readonly pipeline: Pipeline;
  readonly brokerSide: BrokerSide;
  readonly history: History;
  readonly rolling: { readonly batchSize: RollingWindow; readonly writeLatencyMs: RollingWindow };
  readonly tags: TagsSeen;
  readonly implausibleTimes: ImplausibleTimes;
  readonly diskWatch: DiskWatch;
  readonly outages: Outages;
}

/** What status, metrics and audit read, from the running parts of a bridge that is starting now. */
export function createStatusSources(config: Config, parts: StatusParts): StatusSources {
  const { brokerSide, clock, diskWatch, history, implausibleTimes, outages, pipeline, rolling, tags, version } = parts;
  const tables = new Map(destinationsOf(config.oracle).map(({ name, table }) => [name, table]));
  return {
    bridgeId: config.bridge.id,
    version,
    connectString: shownConnectString(config.oracle.connectString),
    clock,
    startedAtMonotonicMs: clock.monotonic(),
    counters: pipeline.counters,
    buffer: pipeline.lanes.buffer,
    rolling,
    mqtt: () => brokerSide.facts,
    silentSubscriptions: () => pipeline.silentSubscriptions,
    destinations: () => {
      const kept = pipeline.backups.pendingByDestination();
      return pipeline.lanes.all.map((lane) => laneFacts(lane, tables, backupsOf(kept.get(lane.destination))));
    },
    expanderPending: () => pipeline.lanes.pending.expander,
    writerPending: () => pipeline.lanes.pending.writer,
    journal: () => {
      const fullInSeconds = diskWatch.journalFullInSeconds;
      const status = { ...pipeline.journal.status, maxBytes: config.journal.maxBytes };
      return fullInSeconds === undefined ? status : { ...status, fullInSeconds };
    },
    disks: () => diskWatch.disks,
    rates: () => history.rates,
    actions: config.http.token !== '',
    backups: () => pendingBackups(pipeline),
    outages: () => outages.all,
    tags: () => ({ turnedIntoText: tags.turnedIntoText, implausibleTimes: implausibleTimes.figures }),
  };
}

function laneFacts(lane: Lane, tables: ReadonlyMap<string, string>, backups: DestinationBackups): DestinationFacts {
  const { buffer, counters, destination, pending } = lane;
  const { kind, reason, remedy, sinceMs, state = 'retrying' } = lane.writer?.availability ?? {};
  const table = tables.get(destination);
  return { name: destination, table, counters, pending, buffer, backups, state, reason, kind, remedy, sinceMs };
}

function backupsOf({ backup, held, rejected }: PendingByKind = {}): DestinationBackups {
  return {
    pendingFiles: backup?.files ?? 0,
    pendingRows: backup?.rows ?? 0,
    heldFiles: held?.files ?? 0,
    heldRows: held?.rows ?? 0,
    rejectedFiles: rejected?.files ?? 0,
    rejectedRows: rejected?.rows ?? 0,
  };
}

/** What lies in files, whomever it is for. */
export function pendingBackups({ backups, replays }: Pick<Pipeline, 'backups' | 'replays'>): BackupsStatus {
  const undecodable = backups.pending('undecodable');
  return {
    ...backupsOf({
      backup: backups.pending('backup'),
      held: backups.pending('held'),
      rejected: backups.pending('rejected'),
    }),
    undecodableFiles: undecodable.files,
    undecodableRows: undecodable.rows,
    ...homelessIn(backups),
    replaying: replays?.progress(),
  };
}

/** Counts the files that wait for a person because of the configuration. */
function homelessIn(backups: Backups): Pick<BackupsStatus, 'homeless'> {
  const files = backups.homeless();
  if (files.length === 0) return {};
  const destinations = [...new Set(files.map((file) => backups.targetOf(file)))].sort();
  return { homeless: { files: files.length, rows: files.reduce((sum, { rows }) => sum + rows, 0), destinations } };
}
