import { ORIGIN, type Place } from '../core/place.ts';
import { noStep, type OnStep } from '../core/steps.ts';
import type { TagValues } from '../core/tag-values.ts';
import type { Connections } from './connections.ts';
import { Database, type RowError } from './database.ts';
import { Ledger } from './ledger.ts';
import { createInsert, type InsertStatement, type TableOptions } from './statements.ts';

export interface SessionsOptions extends TableOptions {
  readonly bridgeId: string;
  /** Empty: no ledger is kept. */
  readonly ledgerTable: string;
}

/** What the replay of one backup sees of the database. */
export interface FileSession {
  /** How far the file has been written; undefined where no ledger is kept. */
  read(): Promise<Place | undefined>;
  write(
    values: TagValues,
    from: Place,
    to: Place,
    beforeCommit: (refused: readonly RowError[]) => Promise<void>,
  ): Promise<void>;
  /** The file is gone: its row of the ledger goes too. */
  forget(): Promise<void>;
}

/** Makes the sessions for live data and for replays: one table, one stream of the ledger each. */
export class Sessions {
  readonly #connections: Connections;
  readonly #options: SessionsOptions;
  readonly #insert: InsertStatement;
  readonly #onStep: OnStep;

  constructor(connections: Connections, options: SessionsOptions, onStep: OnStep = noStep) {
    this.#connections = connections;
    this.#options = options;
    this.#insert = createInsert(options);
    this.#onStep = onStep;
  }

  live(journalId: string): Database {
    return this.#database(`live/${journalId}`, this.#onStep);
  }

  replay(stream: string): FileSession {
    const database = this.#database(stream, noStep);
    return {
      read: () => database.readPlace(ORIGIN),
      write: async (values, from, to, beforeCommit) => {
        await database.write(values, { from, to }, beforeCommit);
      },
      forget: () => database.forget(),
    };
  }

  #database(stream: string, onStep: OnStep): Database {
    const { bridgeId, ledgerTable } = this.#options;
    const ledger = ledgerTable === '' ? undefined : new Ledger(ledgerTable, bridgeId, stream);
    return new Database(this.#connections, this.#insert, ledger, onStep);
  }
}
