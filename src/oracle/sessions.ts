import type { LedgerSession } from '../core/ledger-session.ts';
import { noStep, type OnStep } from '../core/steps.ts';
import { Database } from './database.ts';
import type { ConnectionLender } from './lease.ts';
import { Ledger } from './ledger.ts';
import { createInsert, type InsertStatement, type TableOptions } from './statements.ts';

export interface SessionsOptions extends TableOptions {
  readonly bridgeId: string;
  /** Empty: no ledger is kept. */
  readonly ledgerTable: string;
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

  replay(stream: string): LedgerSession {
    return this.#database('replay', stream, noStep);
  }

  /** `stage` goes before the name of each piece of work: a DBA sees it in V$SESSION. */
  #database(stage: string, stream: string, onStep: OnStep): Database {
    const { bridgeId, ledgerTable } = this.#options;
    const ledger = ledgerTable === '' ? undefined : new Ledger(ledgerTable, bridgeId, stream);
    const lender: ConnectionLender = { use: (what, work) => this.#connections.use(`${stage} ${what}`, work) };
    return new Database(lender, this.#insert, ledger, onStep);
  }
}
