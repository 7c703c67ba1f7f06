import { createCounters } from '../../../src/core/counters.ts';
import { RollingWindow } from '../../../src/core/rolling-window.ts';
import type { StatusSources } from '../../../src/ops/status.ts';
import { FakeClock } from '../../support/fake-clock.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };
export type MadeUpSources = Writable<StatusSources> & { clock: FakeClock };

/** A bridge in good order that has done nothing yet, for tests to change. */
export function madeUpSources(): MadeUpSources {
  const clock = new FakeClock();
  return {
    bridgeId: 'gateway-01',
    version: '1.2.3',
    clock,
    startedAtMonotonicMs: clock.monotonic(),
    counters: createCounters(),
    buffer: { size: 0, capacity: 1000 },
    rolling: { batchSize: new RollingWindow(300_000, clock), writeLatencyMs: new RollingWindow(300_000, clock) },
    mqtt: () => ({ connected: true, protocolVersion: 5, unackedMessages: 0, subscriptionProblems: [] }),
    oracle: () => ({ state: 'connected' }),
    expanderPending: () => 0,
    writerPending: () => 0,
    journal: () => ({ bytes: 0, messages: 0 }),
    backups: () => ({
      pendingFiles: 0,
      pendingRows: 0,
      rejectedFiles: 0,
      rejectedRows: 0,
      undecodableFiles: 0,
      undecodableRows: 0,
    }),
  };
}
