/**
 * A stand-in for Oracle Database: speaks Oracle Net to unchanged thin drivers, keeps rows in memory and makes faults on
 * demand.
 */
import { createEngine } from './engine/engine.ts';
import type { Engine } from './engine/types.ts';
import type { Faults } from './faults.ts';
import { type ProfileName, profiles } from './net/negotiation.ts';
import { OracleServer } from './net/server.ts';
import type { Stats } from './net/stats.ts';

export type { ProfileName } from './net/negotiation.ts';
export type { Stats } from './net/stats.ts';

export interface StandinOptions {
  /** Default 0: any free one. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Names and passwords. Default: BRIDGE with `secret`. */
  readonly users?: Readonly<Record<string, string>>;
  /** Default FREEPDB1. Other services are refused with ORA-12514. */
  readonly serviceName?: string;
  /** Default 19c. */
  readonly profile?: ProfileName;
  /** Bytes of a packet at most; the profile's own limit when that is smaller. */
  readonly sdu?: number;
  /** Each packet of the server's is sent so much later, as over a long line. Default 0. */
  readonly latencyMs?: number;
  /** Arrays of INSERTs (`stats.rows`) are counted, but neither decoded nor stored; single rows are stored. */
  readonly countOnly?: boolean;
  /** No call status tells the driver that a transaction is open, so that it sends no rollback before its logoff. */
  readonly hidesTransactions?: boolean;
  /** The listener asks each client to send its connect packet twice, as some do. */
  readonly resend?: boolean;
  /** Hears of connections dropped for bytes that make no sense. Default: standard error. */
  readonly log?: (message: string) => void;
  /** Default: one of the profile. */
  readonly engine?: Engine;
}

export interface Standin {
  /** For the driver, such as `127.0.0.1:51521/FREEPDB1`. */
  readonly connectString: string;
  readonly host: string;
  readonly port: number;
  readonly engine: Engine;
  readonly faults: Faults;
  readonly stats: Stats;
  /** Stops listening: new connections are refused by the operating system. Those that exist go on. */
  close(): void;
  /** Listens again, on the same port. */
  open(): Promise<void>;
  /** Cuts every connection with a RST; what is uncommitted is rolled back. */
  kill(): void;
  /** Every session gets this error at its next call, and is then closed. Default ORA-00028. */
  killSessions(code?: number): void;
  /** On: all connections and new ones stay open in silence. Off: they go on where they were. */
  blackHole(on: boolean): void;
  /** Cuts all connections, rolls back, keeps what is committed, and listens again after `downMs`. */
  restart(downMs: number): void;
  /** Cuts all connections and gives up the port. */
  stop(): void;
}

/** Starts a stand-in database in this process. */
export async function startStandin(options: StandinOptions = {}): Promise<Standin> {
  const host = options.host ?? '127.0.0.1';
  const serviceName = options.serviceName ?? 'FREEPDB1';
  const profile = options.profile ?? '19c';
  const server = new OracleServer(options.engine ?? createEngine({ profile }), {
    host,
    port: options.port ?? 0,
    users: options.users ?? { BRIDGE: 'secret' },
    serviceName,
    profile: profiles[profile],
    sdu: options.sdu ?? Infinity,
    latencyMs: options.latencyMs ?? 0,
    countOnly: options.countOnly ?? false,
    hidesTransactions: options.hidesTransactions ?? false,
    resend: options.resend ?? false,
    log: options.log ?? ((message) => process.stderr.write(`standin: ${message}\n`)),
  });
  await server.open();
  return {
    connectString: `${host}:${server.port}/${serviceName}`,
    host,
    port: server.port,
    engine: server.engine,
    faults: server.faults,
    stats: server.stats,
    close: () => server.close(),
    open: () => server.open(),
    kill: () => server.kill(),
    killSessions: (code = 28) => server.killSessions(code),
    blackHole: (on) => server.blackHole(on),
    restart: (downMs) => server.restart(downMs),
    stop: () => server.stop(),
  };
}
