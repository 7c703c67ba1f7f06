import type { Destination } from '../core/columns.ts';
import { DEFAULT_DESTINATION } from '../core/destination.ts';
import type { LedgerSession } from '../core/ledger-session.ts';
import { noStep, type OnStep } from '../core/steps.ts';
import { GoneDestination } from './gone-destination.ts';
import type { ConnectionLender } from './lease.ts';
import { liveStream, Sessions, type SessionsOptions } from './sessions.ts';

export interface DestinationSessionsOptions extends Pick<
  SessionsOptions,
  'bridgeId' | 'ledgerTable' | 'onMissingPartition'
> {
  /** The default one first. */
  readonly destinations: readonly Destination[];
}

/** The sessions of all destinations, whose streams share one ledger. */
export class DestinationSessions {
  readonly #byName: ReadonlyMap<string, Sessions>;

  constructor(
    connections: (destination: string) => ConnectionLender,
    options: DestinationSessionsOptions,
    onStep: OnStep = noStep,
  ) {
    const sessions = options.destinations.map((destination) => {
      const { name } = destination;
      return [name, new Sessions(connections(name), { ...options, destination }, onStep)] as const;
    });
    this.#byName = new Map(sessions);
  }

  /** For live data of the journal. One that the configuration does not name has a stream all the same. */
  live(journalId: string, destination: string): LedgerSession {
    const sessions = this.#byName.get(destination);
    if (sessions !== undefined) return sessions.live(journalId);
    const stream = this.#byName.get(DEFAULT_DESTINATION)!.replay(liveStream(journalId, destination));
    return new GoneDestination(destination, stream);
  }

  /** For the replay of rows to a destination. `blamesRows`: as of `Refusals`. */
  replay(stream: string, destination: string, blamesRows?: () => boolean): LedgerSession {
    const sessions = this.#byName.get(destination);
    if (sessions !== undefined) return sessions.replay(stream, blamesRows);
    return new GoneDestination(destination, this.#byName.get(DEFAULT_DESTINATION)!.replay(stream));
  }
}
