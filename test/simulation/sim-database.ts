import type { Random } from './random.ts';
import type { SimTime } from './sim-clock.ts';
import type { Trace } from './trace.ts';

/** How the database and the way to it are at the moment: shares of calls that meet this. */
export interface DatabaseHealth {
  readonly logOn: 'ok' | 'no listener' | 'refused';
  /** The connection is cut; whether the call has its effect is open. */
  readonly cut: number;
  /** The connection is cut, and the server goes on with the call seconds later. */
  readonly late: number;
  /** The server takes about as long as the call timeout, or longer. */
  readonly slow: number;
  /** Rows meet a full tablespace. */
  readonly full: number;
  /** One row, or all of a batch, meet what is the database's fault: a closed keystore, or a code that is in no list. */
  readonly blamed: number;
  /** So many rows have no partition. */
  readonly unpartitioned: number;
  /** A deadlock, a lost package state: try again. */
  readonly passing: number;
  /** The table refuses no row any more. */
  readonly takesAll: boolean;
  /** Calls for this destination alone meet it; undefined: all. */
  readonly only: string | undefined;
}

export const WELL: DatabaseHealth = {
  logOn: 'ok',
  cut: 0,
  late: 0,
  slow: 0,
  full: 0,
  blamed: 0,
  unpartitioned: 0,
  passing: 0,
  takesAll: false,
  only: undefined,
};

export interface LedgerPlace {
  readonly messageNo: number;
  readonly valueNo: number;
}

/** An error as the driver throws it. */
export function driverError(code: string, errorNum?: number): Error {
  return Object.assign(new Error(`${code}: by the schedule`), { code }, errorNum === undefined ? {} : { errorNum });
}

/** What a call gives, or the error that it throws. */
export type Outcome<T> = { readonly value: T } | { readonly error: Error };
export type Done<T> = (outcome: Outcome<T>) => void;

const LINGER_MS = 8_000;

/**
 * The server: a table, a ledger with row locks, and sessions, each with one transaction. Rows and places become visible
 * together at commit. It lives in the world's time and knows nothing of the bridge's lives: a session that lost its
 * client goes on until it notices.
 */
export class SimDatabase {
  health: DatabaseHealth = WELL;
  /** Committed rows, as their identities. */
  readonly rows: string[] = [];
  readonly ledger = new Map<string, LedgerPlace>();
  /** Rows, as their identities, are sent to a table. */
  onSent: (table: string, rows: readonly string[]) => void = () => {};
  /** Rows that a restore took away. */
  readonly restoredAway: string[] = [];
  /** Rows that were there when rows of the ledger were deleted. */
  readonly misplaced: string[] = [];
  #noted: { readonly rows: readonly string[]; readonly ledger: ReadonlyMap<string, LedgerPlace> } | undefined;
  readonly #locks = new Map<string, Session>();
  readonly #lockWaiters: { readonly key: string; readonly session: Session; readonly retry: () => void }[] = [];
  readonly #sessions = new Set<Session>();
  #sessionCount = 0;
  readonly time: SimTime;
  readonly random: Random;
  readonly trace: Trace;

  constructor(time: SimTime, random: Random, trace: Trace) {
    this.time = time;
    this.random = random;
    this.trace = trace;
  }

  /** How the database is for calls for this destination. */
  healthFor(destination: string): DatabaseHealth {
    const { only, takesAll } = this.health;
    return only === undefined || only === destination ? this.health : { ...WELL, takesAll };
  }

  openSession(): Session {
    this.#sessionCount += 1;
    const session = new Session(this, this.#sessionCount);
    this.#sessions.add(session);
    return session;
  }

  /** SHUTDOWN ABORT: open transactions are rolled back, nobody gets an answer. */
  crash(): void {
    for (const session of this.#sessions) session.die();
  }

  /** A DBA tidies up: deletes the ledger's rows that nobody has locked. */
  deleteLedgerRows(): void {
    this.misplaced.push(...this.rows);
    for (const key of this.ledger.keys()) if (!this.#locks.has(key)) this.ledger.delete(key);
  }

  /** For a restore. */
  note(): void {
    this.#noted = { rows: [...this.rows], ledger: new Map(this.ledger) };
  }

  /** The database is stopped, and what it was when it was noted takes its place. */
  restore(): void {
    if (this.#noted === undefined) return;
    this.crash();
    this.restoredAway.push(...this.rows.slice(this.#noted.rows.length));
    this.rows.splice(this.#noted.rows.length);
    const streams = new Set(this.ledger.keys());
    this.ledger.clear();
    // Left out: streams of files that have been replayed since, which are nobody's any more.
    for (const [key, place] of this.#noted.ledger) {
      if (key.includes('live/') || streams.has(key)) this.ledger.set(key, place);
    }
  }

  /** Sessions whose transaction is not over: they may hold locks, and may yet commit. */
  get busySessions(): number {
    let busy = 0;
    for (const session of this.#sessions) if (session.isBusy) busy += 1;
    return busy;
  }

  gone(session: Session): void {
    this.#sessions.delete(session);
  }

  /** Runs `work` once the session has the row's lock. */
  locked(key: string, session: Session, work: () => void): void {
    const holder = this.#locks.get(key);
    if (holder !== undefined && holder !== session) {
      this.trace(() => `database: session ${session.id} waits for the lock of ${key}`);
      this.#lockWaiters.push({ key, session, retry: () => this.locked(key, session, work) });
      return;
    }
    this.#locks.set(key, session);
    work();
  }

  isWaiting(session: Session): boolean {
    return this.#lockWaiters.some((waiter) => waiter.session === session);
  }

  unlock(session: Session, only?: string): void {
    for (const [key, holder] of this.#locks) {
      if (holder === session && (only === undefined || only === key)) this.#locks.delete(key);
    }
    for (const waiter of this.#lockWaiters.splice(0)) {
      if (waiter.session.isDead) continue;
      if (this.#locks.has(waiter.key)) this.#lockWaiters.push(waiter);
      else waiter.retry();
    }
  }
}

export class Session {
  readonly id: number;
  /** The server has ended it. */
  isDead = false;
  readonly #database: SimDatabase;
  #rows: string[] = [];
  readonly #moves = new Map<string, LedgerPlace>();
  #busy = 0;
  #isAbandoned = false;
  /** Called when the server ends while a call runs. */
  onDeath: () => void = () => {};

  constructor(database: SimDatabase, id: number) {
    this.#database = database;
    this.id = id;
  }

  get isBusy(): boolean {
    return this.#busy > 0 || this.#rows.length > 0 || this.#moves.size > 0;
  }

  /** Runs a call that has reached the server. */
  serve<T>(call: (session: Session, done: Done<T>) => void, done: Done<T>): void {
    if (this.isDead) return;
    this.#busy += 1;
    call(this, (outcome) => {
      if (this.isDead) return;
      this.#busy -= 1;
      done(outcome);
      if (this.#isAbandoned && this.#busy === 0) this.#endLater();
    });
  }

  /** The client is gone. What it has sent is still carried out; then, sooner or later, the server notices. */
  abandon(): void {
    if (this.#isAbandoned || this.isDead) return;
    this.#isAbandoned = true;
    // A wait for a lock is cancelled: otherwise those that were given up would have it one after the other.
    if (this.#database.isWaiting(this)) this.die();
    else if (this.#busy === 0) this.#endLater();
  }

  /** The connection has broken, or the server was aborted: rolls back. */
  die(): void {
    if (this.isDead) return;
    this.isDead = true;
    if (this.#rows.length > 0) this.#database.trace(() => `database: session ${this.id} rolled back`);
    this.#database.gone(this);
    this.#database.unlock(this);
    this.onDeath();
  }

  place(key: string): LedgerPlace | undefined {
    return this.#moves.get(key) ?? this.#database.ledger.get(key);
  }

  setPlace(key: string, place: LedgerPlace): void {
    this.#moves.set(key, place);
  }

  addRows(rows: readonly string[]): void {
    this.#rows.push(...rows);
  }

  /** Undoes nothing of the rows: for a key that was locked in vain. */
  unlock(key: string): void {
    if (!this.#moves.has(key)) this.#database.unlock(this, key);
  }

  lock(key: string, work: () => void): void {
    this.#database.locked(key, this, work);
  }

  commit(): void {
    const { ledger, rows, trace } = this.#database;
    for (const [key, place] of this.#moves) ledger.set(key, place);
    rows.push(...this.#rows);
    trace(() => `database: session ${this.id} commits ${this.#rows.length} rows ${describe(this.#moves)}`);
    this.#moves.clear();
    this.#rows = [];
    this.#database.unlock(this);
  }

  rollback(): void {
    this.#moves.clear();
    this.#rows = [];
    this.#database.unlock(this);
  }

  #endLater(): void {
    const { random, time } = this.#database;
    const delayMs = random.chance(0.5) ? 0 : random.between(0, LINGER_MS);
    time.setTimer(delayMs, () => this.die());
  }
}

function describe(moves: ReadonlyMap<string, LedgerPlace>): string {
  return [...moves].map(([key, { messageNo, valueNo }]) => `${key} to ${messageNo}/${valueNo}`).join(', ');
}
