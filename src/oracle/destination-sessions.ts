import type { Destination } from '../core/columns.ts';
import { DEFAULT_DESTINATION } from '../core/destination.ts';
import type { LedgerSession } from '../core/ledger-session.ts';
import { noStep, type OnStep } from '../core/steps.ts';
import { GoneDestination } from './gone-destination.ts';
import type { ConnectionLender } from './lease.ts';
import { Sessions, type SessionsOptions } from './sessions.ts';

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
      return [name, new Sessions(connections(name), { ...options, ...destination }, onStep)] as const;
    });
    this.#byName = new Map(sessions);
  }

  /** For live data of the journal. */
  live(journalId: string, destination: string): LedgerSession {
    const stream = destination === DEFAULT_DESTINATION ? journalId : `${journalId}/${destination}`;
    return this.#of(destination, (sessions) => sessions.live(stream));
  }

  /** For the replay of rows to a destination. `blamesRows`: as of `Refusals`. */
  replay(stream: string, destination: string, blamesRows?: () => boolean): LedgerSession {
    return this.#of(destination, (sessions) => sessions.replay(stream, blamesRows));
  }

  /** One that the configuration does not name has a stream all the same. */
  #of(destination: string, session: (sessions: Sessions) => LedgerSession): LedgerSession {
    const sessions = this.#byName.get(destination);
    if (sessions !== undefined) return session(sessions);
    return new GoneDestination(destination, session(this.#byName.get(DEFAULT_DESTINATION)!));
  }
}
