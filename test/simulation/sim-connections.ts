import type oracledb from 'oracledb';

import { DeadlineError, withDeadline } from '../../src/core/clock.ts';
import { DatabaseError } from '../../src/core/errors.ts';
import { interruption, isClearedAfter } from '../../src/oracle/ending.ts';
import type { ConnectionLender, Lease } from '../../src/oracle/lease.ts';
import { toDatabaseError } from '../../src/oracle/ora-errors.ts';
import type { Life } from './sim-clock.ts';
import { driverError, type Done, type Outcome, type Session, type SimDatabase } from './sim-database.ts';
import {
  deletePlace,
  insertPlace,
  identityOfRow,
  insertRows,
  keyOf,
  movePlace,
  placeOf,
  selectPlace,
  type Call,
} from './sim-statements.ts';

export const CALL_TIMEOUT_MS = 2_000;
const CALL_GRACE_MS = 1_000;
const TRAVEL_MS = [0.1, 3] as const;
const LATE_MS = [500, 6_000] as const;

/**
 * The client's side: lends connections as `Connections` does, whose statements are the bridge's own SQL. Everything
 * above it (Database, Ledger) is the real code.
 */
export class SimConnections {
  readonly #database: SimDatabase;
  readonly #life: Life;
  readonly #idle: SimConnection[] = [];
  readonly #all = new Set<SimConnection>();

  constructor(database: SimDatabase, life: Life) {
    this.#database = database;
    this.#life = life;
  }

  /** All lend the same connections. */
  for(destination: string): ConnectionLender {
    return { use: (what, work) => this.#use(destination, what, work) };
  }

  async #use<T>(destination: string, what: string, work: (lease: Lease) => Promise<T>): Promise<T> {
    const connection = this.#idle.pop() ?? (await this.#logOn(destination));
    this.#all.add(connection);
    connection.destination = destination;
    const { ended, end } = interruption(what, true);
    const lease: Lease = {
      connection: connection as unknown as oracledb.Connection,
      wear: () => {},
      cut: () => {
        connection.cut();
        end();
      },
    };
    try {
      const working = Promise.race([work(lease), ended]);
      const result = await withDeadline(this.#life, CALL_TIMEOUT_MS + CALL_GRACE_MS, what, working);
      if (connection.isUsable) this.#idle.push(connection);
      return result;
    } catch (thrown) {
      if (thrown instanceof DeadlineError) connection.cut();
      const error =
        thrown instanceof DeadlineError
          ? new DatabaseError('connection', 'CALL_TIMEOUT', thrown.message, { outcomeUnknown: true })
          : thrown;
      await this.#takeBack(connection, error);
      throw error;
    }
  }

  /** As `Connections` does. */
  async #takeBack(connection: SimConnection, error: unknown): Promise<void> {
    const isCleared = await isClearedAfter(error, connection, this.#life);
    if (isCleared && connection.isUsable && !(error instanceof DatabaseError && error.outcomeUnknown)) {
      this.#idle.push(connection);
      return;
    }
    this.#all.delete(connection);
    if (isCleared) connection.logOff();
    else connection.cut();
  }

  /** The bridge process is gone; what it sent last may not have reached the wire. */
  cut(): void {
    for (const connection of this.#all) connection.cut();
  }

  async #logOn(destination: string): Promise<SimConnection> {
    const { random } = this.#database;
    return this.#life.operate(
      random.between(...TRAVEL_MS),
      () => {
        const { logOn, cut } = this.#database.healthFor(destination);
        if (logOn === 'refused') throw toDatabaseError(driverError('ORA-01017', 1017), false);
        if (logOn === 'no listener' || random.chance(cut / 2)) throw toDatabaseError(driverError('ORA-12541'), false);
        return new SimConnection(this.#database, this.#life);
      },
      () => {},
    );
  }
}

class SimConnection {
  readonly #database: SimDatabase;
  readonly #life: Life;
  readonly #session: Session;
  /** Whom it is used for. */
  destination = '';
  #isCut = false;

  constructor(database: SimDatabase, life: Life) {
    this.#database = database;
    this.#life = life;
    this.#session = database.openSession();
  }

  get isUsable(): boolean {
    return !this.#isCut && !this.#session.isDead;
  }

  /** The server commits what is open. */
  logOff(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    if (!this.#session.isDead) this.#session.commit();
    this.#session.die();
  }

  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    if (this.#database.random.chance(0.5)) this.#session.abandon();
    else this.#session.die();
  }

  execute(sql: string, binds: readonly unknown[], options?: { readonly autoCommit?: boolean }): Promise<unknown> {
    const [statement] = sql.split(' ', 1);
    const commits = options?.autoCommit === true;
    if (statement === 'SELECT') return this.#call('select', selectPlace(keyOf(binds, 0), sql.includes('FOR UPDATE')));
    if (statement === 'UPDATE') {
      return this.#call('move', movePlace(keyOf(binds, 2), placeOf(binds, 4), placeOf(binds, 0), commits));
    }
    if (statement === 'INSERT') {
      return this.#call('insert place', insertPlace(keyOf(binds, 0), placeOf(binds, 2), commits));
    }
    if (statement === 'DELETE') return this.#call('delete place', deletePlace(keyOf(binds, 0), this.#database));
    throw new Error(`the simulated database does not know: ${sql}`);
  }

  executeMany(sql: string, rows: readonly (readonly unknown[])[], options: { autoCommit?: boolean }): Promise<unknown> {
    const table = /^INSERT INTO "?(\w+)/.exec(sql)?.[1] ?? '';
    this.#database.onSent(table, rows.map(identityOfRow));
    const { full, takesAll } = this.#database.healthFor(this.destination);
    const isFull = full > 0 && this.#database.random.chance(full);
    const ills = { isFull, takesAll, errorOf: this.#errorsOfRows(rows.length) };
    return this.#call('rows', insertRows(rows, ills, options.autoCommit === true));
  }

  /** Errors of single rows for which the rows are not to blame. */
  #errorsOfRows(count: number): (offset: number) => string | undefined {
    const { random } = this.#database;
    const health = this.#database.healthFor(this.destination);
    if (health.blamed > 0 && random.chance(health.blamed)) {
      const one = random.int(0, count - 1);
      return random.chance(0.5)
        ? (offset) => (offset === one ? 'ORA-28365: wallet is not open' : undefined)
        : () => 'ORA-07777: of no list';
    }
    if (health.unpartitioned === 0) return () => undefined;
    return () => (random.chance(health.unpartitioned) ? 'ORA-14400: no partition' : undefined);
  }

  commit(): Promise<void> {
    return this.#call('commit', (session, done) => {
      session.commit();
      done({ value: undefined });
    });
  }

  rollback(): Promise<void> {
    return this.#call('rollback', (session, done) => {
      session.rollback();
      done({ value: undefined });
    });
  }

  getStatementInfo(): Promise<unknown> {
    return this.#call('parse', (_session, done) => done({ value: {} }));
  }

  #call<T>(what: string, call: Call<T>): Promise<T> {
    if (this.#isCut) return Promise.reject(driverError('NJS-500'));
    const { random, time, trace } = this.#database;
    const health = this.#database.healthFor(this.destination);
    const [cut, late, slow] = [random.chance(health.cut), random.chance(health.late), random.chance(health.slow)];
    const passing = random.chance(health.passing);
    let travelMs = random.between(...TRAVEL_MS);
    if (slow) travelMs = random.between(CALL_TIMEOUT_MS / 2, CALL_TIMEOUT_MS * 2);
    return new Promise<T>((resolve, reject) => {
      let isOver = false;
      const finish = (delayMs: number, settle: () => void): void => {
        time.setTimer(
          delayMs,
          () => {
            if (isOver) return;
            isOver = true;
            cancelTimeout();
            settle();
          },
          this.#life,
        );
      };
      const cancelTimeout = this.#life.setTimer(CALL_TIMEOUT_MS, () => {
        isOver = true;
        trace(() => `database: session ${this.#session.id} ${what}: call timeout`);
        this.#lose();
        reject(driverError('NJS-123'));
      });
      this.#session.onDeath = (): void => finish(random.between(...TRAVEL_MS), () => reject(driverError('NJS-500')));
      const answer = (outcome: Outcome<T>): void => {
        finish(random.between(...TRAVEL_MS), () =>
          'value' in outcome ? resolve(outcome.value) : reject(outcome.error),
        );
      };
      if (cut || late) {
        trace(() => `database: session ${this.#session.id} ${what}: connection cut${late ? ', server goes on' : ''}`);
        const reaches = late || random.chance(0.6);
        if (late) travelMs = random.between(...LATE_MS);
        if (reaches) this.#atServer(travelMs, call, () => {});
        finish(random.between(...TRAVEL_MS) * 2, () => {
          this.#lose(late);
          reject(driverError('NJS-500'));
        });
      } else if (passing) {
        answer({ error: driverError('ORA-00060', 60) });
      } else {
        this.#atServer(travelMs, call, answer);
      }
    });
  }

  #atServer<T>(delayMs: number, call: Call<T>, done: Done<T>): void {
    this.#database.time.setTimer(delayMs, () => this.#session.serve(call, done));
  }

  /** `isBusy`: the server has not come to the last call yet. */
  #lose(isBusy = false): void {
    this.#isCut = true;
    if (!isBusy) {
      this.#session.abandon();
      return;
    }
    const afterMs = LATE_MS[1] + 1;
    this.#database.time.setTimer(afterMs, () => this.#session.abandon());
  }
}
