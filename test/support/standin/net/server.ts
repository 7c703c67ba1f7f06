/** The listener: accepts connections and can be closed, reopened, frozen and restarted while it serves. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { Engine, Session } from '../engine/types.ts';
import { faultError, type FaultRule, Faults } from '../faults.ts';
import { Connection } from './connection.ts';
import { Verifier } from './login.ts';
import type { Profile } from './negotiation.ts';
import { Stats } from './stats.ts';

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly users: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly profile: Profile;
  readonly sdu: number;
  readonly latencyMs: number;
  readonly countOnly: boolean;
  readonly hidesTransactions: boolean;
  readonly resend: boolean;
  readonly log: (message: string) => void;
}

export class OracleServer {
  readonly faults = new Faults();
  readonly stats = new Stats();
  readonly engine: Engine;
  readonly #options: ServerOptions;
  readonly #connections = new Set<Connection>();
  readonly #verifiers: ReadonlyMap<string, Verifier>;
  readonly #decoy = new Verifier('', randomBytes(24).toString('base64'));
  readonly #databaseId = randomBytes(16).toString('hex').toUpperCase();
  readonly #startedAt = new Date();
  readonly #late = new Map<Session, NodeJS.Timeout>();
  #listener: Server | undefined;
  #port: number;
  #reopening: NodeJS.Timeout | undefined;
  #blackHole = false;
  #sessions = 0;

  constructor(engine: Engine, options: ServerOptions) {
    this.engine = engine;
    this.#options = options;
    this.#port = options.port;
    this.#verifiers = new Map(
      Object.entries(options.users).map(([user, password]) => [user.toUpperCase(), new Verifier(user, password)]),
    );
  }

  get port(): number {
    return this.#port;
  }

  /** Listens, again on the same port after `close`. */
  async open(): Promise<void> {
    clearTimeout(this.#reopening);
    if (this.#listener !== undefined) return;
    const listener = createServer((socket) => {
      const connection = new Connection(socket, this.#context());
      this.#connections.add(connection);
      this.stats.connections = this.#connections.size;
      this.stats.connectionsAccepted++;
      connection.start();
      if (this.#blackHole) connection.freeze();
    });
    this.#listener = listener;
    listener.listen(this.#port, this.#options.host);
    await once(listener, 'listening');
    this.#port = (listener.address() as AddressInfo).port;
  }

  /** New connections are refused by the operating system; those that exist go on. */
  close(): void {
    clearTimeout(this.#reopening);
    this.#listener?.close();
    this.#listener = undefined;
  }

  /** Cuts every connection with a RST. */
  kill(): void {
    for (const connection of this.#connections) connection.reset();
  }

  /** As ALTER SYSTEM KILL SESSION: each session hears of it, with this code, at its next call. */
  killSessions(code: number): void {
    for (const connection of this.#connections) connection.kill(faultError(code));
  }

  /** On: connections stay and new ones are taken, but nothing is read and nothing answered. */
  blackHole(on: boolean): void {
    this.#blackHole = on;
    for (const connection of this.#connections) {
      if (on) connection.freeze();
      else connection.thaw();
    }
  }

  /** All connections are cut, what is uncommitted is rolled back, and nobody listens for `downMs`. */
  restart(downMs: number): void {
    this.close();
    this.kill();
    this.#rollBackLate();
    this.#reopening = setTimeout(() => {
      this.open().catch((error: unknown) => this.#options.log(`not listening again: ${String(error)}`));
    }, downMs);
  }

  stop(): void {
    this.close();
    this.kill();
    this.#rollBackLate();
  }

  #rollBackLate(): void {
    for (const [session, timer] of this.#late) {
      clearTimeout(timer);
      session.close();
    }
    this.#late.clear();
  }

  #abandon(session: Session, late: NonNullable<FaultRule['late']>): void {
    const end = (): void => {
      this.#late.delete(session);
      if (late.outcome === 'commit') {
        session.commit();
        this.stats.commits++;
      }
      session.close();
    };
    this.#late.set(session, setTimeout(end, late.afterMs));
  }

  #context(): ConstructorParameters<typeof Connection>[1] {
    const { profile, serviceName, sdu, latencyMs, countOnly, hidesTransactions, resend, log } = this.#options;
    return {
      engine: this.engine,
      profile,
      serviceName,
      sdu,
      latencyMs,
      countOnly,
      hidesTransactions,
      resend,
      databaseId: this.#databaseId,
      startedAt: this.#startedAt,
      faults: this.faults,
      stats: this.stats,
      nextSessionId: () => ++this.#sessions,
      verifier: (user) => this.#verifiers.get(user.toUpperCase()) ?? this.#decoy,
      closed: (connection) => {
        this.#connections.delete(connection);
        this.stats.connections = this.#connections.size;
      },
      abandon: (session, late) => this.#abandon(session, late),
      protocolError: (error) => log(`connection dropped: ${error.message}`),
    };
  }
}
