import { systemClock, type Clock } from '../core/clock.ts';
import type { Destination } from '../core/columns.ts';
import { adviceFor, DEFAULT_DESTINATION } from '../core/destination.ts';
import { DatabaseError } from '../core/errors.ts';
import type { LedgerSession } from '../core/ledger-session.ts';
import { noStep, type OnStep } from '../core/steps.ts';
import { Database } from './database.ts';
import type { ConnectionLender } from './lease.ts';
import { Ledger } from './ledger.ts';
import { Refusals, type MissingPartition } from './refusals.ts';
import { WriteStatement } from './write-statement.ts';

export interface SessionsOptions {
  readonly destination: Destination;
  readonly bridgeId: string;
  /** Empty: no ledger is kept. */
  readonly ledgerTable: string;
  readonly onMissingPartition: MissingPartition;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** As V$SESSION shows it [Oracle Database Reference, "V$SESSION": ACTION VARCHAR2(64)]. */
const MAX_ACTION_BYTES = 64;

/** Makes the sessions of one destination, for live data and for replays: one stream of the ledger each. */
export class Sessions {
  readonly #connections: ConnectionLender;
  readonly #options: SessionsOptions;
  readonly #statement: WriteStatement;
  readonly #onStep: OnStep;

  constructor(connections: ConnectionLender, options: SessionsOptions, onStep: OnStep = noStep) {
    this.#connections = connections;
    this.#options = options;
    this.#onStep = onStep;
    this.#statement = new WriteStatement(options.destination, this.#named('keys'), options.clock ?? systemClock);
  }

  live(journalId: string): LedgerSession {
    return this.#database('live', liveStream(journalId, this.#options.destination.name), this.#onStep);
  }

  /** `blamesRows`: as of `Refusals`. */
  replay(stream: string, blamesRows?: () => boolean): LedgerSession {
    return this.#database('replay', stream, noStep, blamesRows);
  }

  #database(stage: string, stream: string, onStep: OnStep, blamesRows?: () => boolean): Database {
    const { bridgeId, destination, ledgerTable, onMissingPartition } = this.#options;
    return new Database({
      connections: this.#named(stage),
      statement: this.#statement,
      onDuplicate: destination.onDuplicate,
      refusals: new Refusals(onMissingPartition, blamesRows),
      ledger: ledgerTable === '' ? undefined : new Ledger(ledgerTable, bridgeId, stream),
      onStep,
    });
  }

  /**
   * Each piece of work under a name that a DBA sees in V$SESSION: stage, work, and the destination but the default.
   * What is to be corrected is called as the configuration calls it for this one.
   */
  #named(stage: string): ConnectionLender {
    const { name } = this.#options.destination;
    const destination = name === DEFAULT_DESTINATION ? '' : ` ${name}`;
    return {
      use: async (what, work) => {
        try {
          return await this.#connections.use(`${stage} ${what}${destination}`.slice(0, MAX_ACTION_BYTES), work);
        } catch (error) {
          throw error instanceof DatabaseError ? error.withRemedy(adviceFor(name, error.remedy)) : error;
        }
      },
    };
  }
}

/** The default's stream is named as it was before there were others, so that an upgrade finds its place. */
export function liveStream(journalId: string, destination: string): string {
  return destination === DEFAULT_DESTINATION ? `live/${journalId}` : `live/${journalId}/${destination}`;
}
