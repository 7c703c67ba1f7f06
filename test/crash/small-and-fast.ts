import { join } from 'node:path';

import type { Standin } from '../support/standin/standin.ts';

export interface SmallAndFastOptions {
  readonly id: string;
  /** For journal and backups. */
  readonly directory: string;
  readonly standin: Standin;
  readonly drainMs: number;
  readonly mqtt: { readonly url: string; readonly protocolVersion: 4 | 5; readonly topic: string };
  /** Of the journal. */
  readonly segmentBytes?: number;
}

/** A configuration with everything small and fast, so that a second holds many commits, segments, files and retries. */
export function smallAndFast({ id, directory, standin, drainMs, mqtt, segmentBytes }: SmallAndFastOptions): unknown {
  return {
    bridge: { id, drainTimeoutMs: drainMs },
    mqtt: {
      url: mqtt.url,
      protocolVersion: mqtt.protocolVersion,
      subscriptions: [{ topic: mqtt.topic, qos: 1, format: 'polling' }],
    },
    buffer: { capacity: 2000 },
    writer: { batchSize: 100, intervalMs: 20, retry: { attempts: 1, initialDelayMs: 20, factor: 1 } },
    oracle: {
      connectString: standin.connectString,
      user: 'bridge',
      password: 'secret',
      callTimeoutMs: 800,
      connectTimeoutMs: 1000,
    },
    journal: { dir: join(directory, 'journal'), segmentBytes: segmentBytes ?? 1_048_576 },
    backup: { dir: join(directory, 'backup'), maxRowsPerFile: 150, probeIntervalMs: 50 },
    http: { port: 0 },
    log: { level: 'debug', format: 'json' },
  };
}
