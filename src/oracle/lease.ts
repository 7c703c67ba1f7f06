import type oracledb from 'oracledb';

/** What a piece of work is lent, until it ends. */
export interface Lease {
  readonly connection: oracledb.Connection;
  /** The connection works, but should be replaced before long. */
  readonly wear: () => void;
}

/** Lends connections: the bridge's own `Connections`, or the simulation's. */
export interface ConnectionLender {
  /**
   * Lends a connection to `work` and takes it back. After an error of `work` the connection is closed, so that nothing
   * half done is ever committed by the next one. `what` names the work in error messages. Throws DatabaseError for all
   * that driver and database throw; other errors of `work` pass through.
   */
  use<T>(what: string, work: (lease: Lease) => Promise<T>): Promise<T>;
}
