import type oracledb from 'oracledb';

/** What a piece of work is lent, until it ends. */
export interface Lease {
  readonly connection: oracledb.Connection;
  /** The connection works, but should be replaced before long. */
  readonly wear: () => void;
  /** Ends the work at once, and the connection with it; what was sent may have been committed. */
  readonly cut: () => void;
}

/** Lends connections: the bridge's own `Connections`, or the simulation's. */
export interface ConnectionLender {
  /**
   * Lends a connection to `work` and takes it back. What an error of `work` leaves open is rolled back, by the server's
   * word or by cutting the connection, so that nothing half done is ever committed. `what` names the work in error
   * messages. Throws DatabaseError for all that driver and database throw; other errors of `work` pass through.
   */
  use<T>(what: string, work: (lease: Lease) => Promise<T>): Promise<T>;
}
