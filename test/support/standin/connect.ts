/** Connections of the real driver to a stand-in, and what a test has opened closed again in the end. */
import oracledb from 'oracledb';
import { type Standin, startStandin, type StandinOptions } from './standin.ts';

/** Logs on as BRIDGE; the caller closes it. */
export function connect(standin: Standin, more: oracledb.ConnectionAttributes = {}): Promise<oracledb.Connection> {
  return oracledb.getConnection({
    user: 'bridge',
    password: 'secret',
    connectString: standin.connectString,
    ...more,
  });
}

/** The error that a call ends with, or undefined: for calls that are awaited later. */
export function failureOf(call: Promise<unknown>): Promise<(Error & { errorNum?: number }) | undefined> {
  return call.then(
    () => undefined,
    (error: Error) => error,
  );
}

/** A stand-in with its connections, ended together by `end`. */
export class Rig {
  readonly standin: Standin;
  readonly #connections: oracledb.Connection[] = [];

  constructor(standin: Standin) {
    this.standin = standin;
  }

  static async start(options: StandinOptions = {}): Promise<Rig> {
    return new Rig(await startStandin(options));
  }

  async connect(more: oracledb.ConnectionAttributes = {}): Promise<oracledb.Connection> {
    const connection = await connect(this.standin, more);
    this.#connections.push(connection);
    return connection;
  }

  /** Runs SQL in a session of its own, and commits. */
  sql(text: string): ReturnType<Standin['engine']['query']> {
    return this.standin.engine.query(text, 'BRIDGE');
  }

  async count(table: string): Promise<number> {
    return Number((await this.sql(`SELECT COUNT(*) AS n FROM ${table}`))[0]?.['N']);
  }

  /** Cuts all connections first: a test may have left one that no longer answers. */
  async end(): Promise<void> {
    this.standin.stop();
    await Promise.allSettled(this.#connections.map((connection) => connection.close()));
  }
}
