import { systemClock } from '../core/clock.ts';
import type { Destination } from '../core/columns.ts';
import type { LedgerSession } from '../core/ledger-session.ts';
import type { Logger } from '../core/logger.ts';
import { Connections, type ConnectionsOptions } from './connections.ts';
import { Sessions, type SessionsOptions } from './sessions.ts';

/** The parts of the configuration that a replay outside the bridge needs. */
export interface ReplayConfig {
  readonly bridge: { readonly id: string };
  readonly oracle: Omit<ConnectionsOptions, 'clock' | 'log'> & Omit<SessionsOptions, 'bridgeId' | 'destination'>;
}

export interface ReplaySessions {
  /** `blamesRows`: as of `Refusals`. */
  session(stream: string, blamesRows?: () => boolean): LedgerSession;
  close(): Promise<void>;
}

/** A connection of its own for a replay by the command line, while no bridge runs. */
export function openReplaySessions(config: ReplayConfig, destination: Destination, log: Logger): ReplaySessions {
  const { bridge, oracle } = config;
  const pool = { ...oracle.pool, min: 0 };
  const connections = new Connections({ ...oracle, pool, clientId: bridge.id, clock: systemClock, log });
  const sessions = new Sessions(connections, { ...oracle, destination, bridgeId: bridge.id });
  return { session: (stream, blamesRows) => sessions.replay(stream, blamesRows), close: () => connections.stop() };
}
