import { DEFAULT_DESTINATION } from '../../src/core/destination.ts';
import { TABLE_OPTIONS } from '../support/tag-table.ts';
import type { PipelineConfig } from '../../src/pipeline.ts';
import { ONE_LANE, TAGS, type LaneSetup } from './lane-setups.ts';
import { SUBSCRIPTIONS } from './payloads.ts';
import type { Plan } from './plan.ts';
import { CALL_TIMEOUT_MS } from './sim-connections.ts';

export const JOURNAL_DIR = '/sim/journal';
export const BACKUP_DIR = '/sim/backup';
export const BRIDGE_ID = 'sim';
/** Small like all else here; hundreds of the sidecars fit, and half of it is enough for `routes.json`. */
export const SIM_RESERVE_BYTES = 16_000;

export function tableOf(destination: string): string {
  return destination === DEFAULT_DESTINATION ? TABLE_OPTIONS.table : `TAG_${destination.toUpperCase()}`;
}

export function simConfig(plan: Plan, setup: LaneSetup): PipelineConfig {
  return {
    mqtt: {
      url: 'mqtt://localhost',
      clientId: BRIDGE_ID,
      username: '',
      password: '',
      protocolVersion: 5,
      keepaliveSeconds: 60,
      sessionExpirySeconds: 3600,
      receiveMaximum: plan.window,
      tls: { ca: '', cert: '', key: '', rejectUnauthorized: true },
      subscriptions: setup === ONE_LANE ? SUBSCRIPTIONS : subscriptionsOf(setup),
    },
    tagName: '{plc}.{tag}',
    buffer: { capacity: plan.bufferCapacity, onFull: plan.onFull },
    writer: {
      batchSize: plan.batchSize,
      maxBatchSize: plan.batchSize * (plan.seed % 2 === 0 ? 1 : 8),
      intervalMs: plan.intervalMs,
      retry: { attempts: plan.retryAttempts, initialDelayMs: 50, factor: 2 },
    },
    oracle: {
      connectString: 'localhost/XE',
      user: 'BRIDGE',
      password: '',
      pool: { min: 0, max: 2, increment: 1, queueTimeoutMs: 1_000 },
      connectTimeoutMs: 1_000,
      callTimeoutMs: CALL_TIMEOUT_MS,
      walletDir: '',
      walletPassword: '',
      tnsAdmin: '',
      ...TABLE_OPTIONS,
      destinations: Object.fromEntries(setup.destinations.map((name) => [name, { table: tableOf(name) }])),
      ledgerTable: 'LEDGER',
      onMissingPartition: 'hold',
    },
    journal: { dir: JOURNAL_DIR, maxBytes: plan.journalMaxBytes, segmentBytes: plan.segmentBytes, sync: plan.sync },
    backup: {
      dir: BACKUP_DIR,
      maxRowsPerFile: plan.maxRowsPerFile,
      replay: true,
      probeIntervalMs: plan.probeIntervalMs,
    },
  };
}

function subscriptionsOf({ rows, to }: LaneSetup): PipelineConfig['mqtt']['subscriptions'] {
  const common = { qos: 1, tagAddress: '' } as const;
  const plc = { ...common, format: 'polling', plcCode: '{2}' } as const;
  const rowwise = { ...plc, topic: 'plant/P3', format: 'json', to: to.P3, json: { rows: rows?.map(rowOf) } } as const;
  return [
    { ...plc, topic: 'plant/P1', to: to.P1 },
    { ...plc, topic: 'plant/P2', to: to.P2 },
    rows === undefined ? { ...plc, topic: 'plant/P3', to: to.P3 } : rowwise,
    { ...common, topic: 'state/+', format: 'scalar', plcCode: '{1}', tagAddress: '{2}', to: to.state },
  ];
}

function rowOf(to: string, i: number): object {
  return { each: `/tag_values/${TAGS[i]!}`, tag: TAGS[i], timestamp: '/timestamp', optional: true, to };
}
