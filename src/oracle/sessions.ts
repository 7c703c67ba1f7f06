import type { LedgerSession } from '../core/ledger-session.ts';
import { noStep, type OnStep } from '../core/steps.ts';
import { Database } from './database.ts';
import type { ConnectionLender } from './lease.ts';
import { Ledger } from './ledger.ts';
import { Refusals, type MissingPartition } from './refusals.ts';
import { createInsert, type InsertStatement, type TableOptions } from './statements.ts';

export interface SessionsOptions extends TableOptions {
  readonly bridgeId: string;
  /** Empty: no ledger is kept. */
  readonly ledgerTable: string;
  readonly onMissingPartition: MissingPartition;
}

/** Makes the sessions for live data and for replays: one table, one stream of the ledger each. */
export class Sessions {
  readonly #connections: ConnectionLender;
  readonly #options: SessionsOptions;
  readonly #insert: InsertStatement;
  readonly #onStep: OnStep;

  constructor(connections: ConnectionLender, options: SessionsOptions, onStep: OnStep = noStep) {
    this.#connections = connections;
    this.#options = options;
    this.#insert = createInsert(options);
    this.#onStep = onStep;
  }

  live(journalId: string): LedgerSession {
    return this.#database('live', `live/${journalId}`, this.#onStep);
  }

  /** `blamesRows`: as of `Refusals`. */
  replay(stream: string, blamesRows?: () => boolean): LedgerSession {
    return this.#database('replay', stream, noStep, blamesRows);
  }

  /** `stage` goes before the name of each piece of work: a DBA sees it in V$SESSION. */
  #database(stage: string, stream: string, onStep: OnStep, blamesRows?: () => boolean): Database {
    const { bridgeId, ledgerTable, onMissingPartition } = this.#options;
    const ledger = ledgerTable === '' ? undefined : new Ledger(ledgerTable, bridgeId, stream);
    const refusals = new Refusals(onMissingPartition, blamesRows);
    const connections: ConnectionLender = { use: (what, work) => this.#connections.use(`${stage} ${what}`, work) };
    return new Database({ connections, insert: this.#insert, refusals, ledger, onStep });
  }
}
