import { systemClock } from '../core/clock.ts';
import type { Destination } from '../core/columns.ts';
import type { Logger } from '../core/logger.ts';
import { Connections, type ConnectionsOptions } from './connections.ts';
import { DestinationSessions, type DestinationSessionsOptions } from './destination-sessions.ts';

/** The parts of the configuration that a replay outside the bridge needs. */
export interface ReplayConfig {
  readonly bridge: { readonly id: string };
  readonly oracle: Omit<ConnectionsOptions, 'clock' | 'log'> &
    Omit<DestinationSessionsOptions, 'bridgeId' | 'destinations'>;
}

/** Connections of its own for a replay by the command line, while no bridge runs. */
export function openReplaySessions(
  config: ReplayConfig,
  destinations: readonly Destination[],
  log: Logger,
): { readonly sessions: DestinationSessions; close(): Promise<void> } {
  const { bridge, oracle } = config;
  const pool = { ...oracle.pool, min: 0 };
  const connections = new Connections({ ...oracle, pool, clientId: bridge.id, clock: systemClock, log });
  const sessions = new DestinationSessions(() => connections, { ...oracle, destinations, bridgeId: bridge.id });
  return { sessions, close: () => connections.stop() };
}
