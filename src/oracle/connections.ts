import oracledb from 'oracledb';

import { DeadlineError, sleep, withDeadline, type Clock } from '../core/clock.ts';
import { coerceError, DatabaseError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { planWalk } from './address-walk.ts';
import { giveBackGate, takeGate, type AccountGate } from './account-gate.ts';
import { brokenName, explainLogOn } from './connect-remedies.ts';
import { assertCanBeCut, cut } from './driver-fit.ts';
import { interruption, isClearedAfter } from './ending.ts';
import type { ConnectionLender, Lease } from './lease.ts';
import { toDatabaseError } from './ora-errors.ts';
import { namesDirOf, walletAttributes } from './tls.ts';
import { WaitLine } from './wait-line.ts';

/**
 * A few connections to the database, kept warm.
 *
 * Not the driver's pool: with the database down its poolMin keeps a core busy with connects, one stuck connect blocks
 * it even after the recovery, and closing a connection whose network went silent never returns. Here each connection is
 * opened by itself, one at a time, and is dropped at the first doubt.
 *
 * Log-ons go through the gate of the account (account-gate.ts), which holds them back after one that was refused.
 * Asking meanwhile throws that same error.
 */
export interface ConnectionsOptions {
  readonly connectString: string;
  readonly user: string;
  readonly password: string;
  readonly walletDir: string;
  readonly walletPassword: string;
  readonly tnsAdmin: string;
  /** What the sessions say who they are, beside `PROGRAM`; default: nothing. */
  readonly clientId?: string;
  readonly pool: {
    readonly min: number;
    readonly max: number;
    readonly increment: number;
    readonly queueTimeoutMs: number;
  };
  /** For each address of the connect string. */
  readonly connectTimeoutMs: number;
  readonly callTimeoutMs: number;
  /** How long work waits for a log-on that walks a list of addresses; default: a minute. */
  readonly logOnPatienceMs?: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What a log-on proves the bridge with: may change while the bridge runs. */
export type Secrets = Pick<ConnectionsOptions, 'password' | 'walletPassword'>;

interface Pooled {
  readonly connection: oracledb.Connection;
  readonly openedAtMs: number;
  idleSinceMs: number;
  /**
   * After batch errors the driver re-parses at every call, so the connection is replaced within a minute.
   */
  worn: boolean;
  /** What the session was last told that it is for. */
  action: string;
}

/** As V$SESSION shows it; the action is what the session is used for just then. */
const PROGRAM = 'mqtt-oracle-bridge';
/** CLIENT_DRIVER of V$SESSION_CONNECT_INFO, which has 30 bytes: the bridge, and the version of its driver. */
const DRIVER = `${PROGRAM} : ${oracledb.versionString}`;
const WORN_AFTER_MS = 60_000;
const PING_AFTER_IDLE_MS = 30_000;
const KEEP_WARM_EVERY_MS = 30_000;
const CALL_GRACE_MS = 5_000;
/** With its retries a batch stays in memory for less than the time after which the writer counts as stuck. */
const LOGON_PATIENCE_MS = 60_000;
const CLOSE_DEADLINE_MS = 2_000;
/**
 * The session data unit that is asked for: a batch of 500 rows goes into one packet. The server gives what it allows
 * (8,192 bytes unless its DEFAULT_SDU_SIZE says otherwise; 23ai gives all of this), and an SDU in the connect string
 * wins.
 */
const SDU_BYTES = 65_535;

export class Connections implements ConnectionLender {
  readonly #options: ConnectionsOptions;
  readonly #clock: Clock;
  readonly #idle: Pooled[] = [];
  readonly #stopping = new AbortController();
  /** Idle connections, lent ones, and those that are being opened. */
  #open = 0;
  /** Of those that are being opened, the ones that nobody waits for any more. */
  #overdue = 0;
  readonly #line: WaitLine;
  #secrets: Secrets;
  #gate: AccountGate | undefined;
  #keepingWarm: Promise<void> | undefined;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#line = new WaitLine(options.clock);
    this.#secrets = { password: options.password, walletPassword: options.walletPassword };
  }

  /** Begins to keep `pool.min` connections open. Does not wait for the database. */
  start(): void {
    this.#keepingWarm ??= this.#keepWarm();
  }

  /**
   * Log-ons from now on use these, and one that is held back may be tried at once. Open connections live on: the
   * database asks for the password at the log-on only.
   */
  renew(secrets: Secrets): void {
    this.#secrets = { password: secrets.password, walletPassword: secrets.walletPassword };
    this.#gate?.lift();
  }

  /**
   * As `ConnectionLender` says. `work` is given up `callTimeoutMs` and a grace after it began: the driver does not
   * always notice a silent network; its outcome is unknown then.
   */
  async use<T>(what: string, work: (lease: Lease) => Promise<T>): Promise<T> {
    const pooled = await this.#acquire();
    // It goes out with the next call, in no round trip of its own.
    if (pooled.action !== what) pooled.connection.action = pooled.action = what;
    const { ended, end } = interruption(what, true);
    const lease: Lease = {
      connection: pooled.connection,
      wear: () => void (pooled.worn = true),
      cut: () => {
        cut(pooled.connection);
        end();
      },
    };
    try {
      const result = await this.#watched(pooled, what, Promise.race([work(lease), ended]));
      this.#release(pooled);
      return result;
    } catch (error) {
      await this.#takeBack(pooled, error);
      throw error;
    }
  }

  /** Closes all connections; waits for none longer than two seconds. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#line.wake();
    const closing = Promise.all([this.#keepingWarm, ...this.#idle.splice(0).map((pooled) => this.#close(pooled))]);
    await withDeadline(this.#clock, CLOSE_DEADLINE_MS, 'close all', closing).catch(() => {});
    if (this.#gate !== undefined) giveBackGate(this.#options, this.#clock);
    this.#gate = undefined;
  }

  async #acquire(): Promise<Pooled> {
    const giveUpAtMs = this.#clock.monotonic() + this.#options.pool.queueTimeoutMs;
    for (;;) {
      const pooled = this.#idle.pop();
      if (pooled !== undefined) {
        if (await this.#isUsable(pooled)) return pooled;
        this.#drop(pooled);
      } else if (this.#overdue > 0) {
        if (!(await this.#waitForRelease(this.#clock.monotonic() + this.#patienceMs))) throw stillWalking();
      } else if (this.#open < this.#options.pool.max) {
        return this.#connectFor(this.#clock.monotonic() + this.#patienceMs);
      } else if (!(await this.#waitForRelease(giveUpAtMs))) {
        throw new DatabaseError(
          'passing',
          'POOL_BUSY',
          `no free connection within ${this.#options.pool.queueTimeoutMs} ms`,
        );
      }
    }
  }

  async #isUsable(pooled: Pooled): Promise<boolean> {
    if (this.#clock.monotonic() - pooled.idleSinceMs < PING_AFTER_IDLE_MS) return true;
    try {
      await this.#watched(pooled, 'ping', pooled.connection.ping());
      return true;
    } catch {
      return false;
    }
  }

  get #patienceMs(): number {
    const { connectTimeoutMs, logOnPatienceMs = LOGON_PATIENCE_MS } = this.#options;
    return Math.max(logOnPatienceMs, connectTimeoutMs + CALL_GRACE_MS);
  }

  /**
   * A long list of addresses is walked to its end, but who has work to do hears before that: the connection is for the
   * next one then.
   */
  async #connectFor(giveUpAtMs: number): Promise<Pooled> {
    const opening = this.#connect();
    try {
      return await withDeadline(this.#clock, giveUpAtMs - this.#clock.monotonic(), 'connect', opening);
    } catch (thrown) {
      if (!(thrown instanceof DeadlineError)) throw thrown;
      this.#overdue += 1;
      const arrived = (pooled?: Pooled): void => {
        this.#overdue -= 1;
        if (pooled === undefined) this.#line.wake();
        else this.#release(pooled);
      };
      void opening.then(arrived, () => arrived());
      throw stillWalking();
    }
  }

  /**
   * Opens one connection; those who ask meanwhile come after it, so that a refused log-on is tried once and not by each
   * of them.
   */
  #connect(): Promise<Pooled> {
    if (this.#stopping.signal.aborted) return Promise.reject(stopping());
    this.#open += 1;
    this.#gate ??= takeGate(this.#options, this.#clock);
    const opened = this.#gate.pass(
      () => JSON.stringify(this.#secrets),
      () => this.#logOn(),
    );
    return opened.catch((error: unknown) => {
      this.#open -= 1;
      this.#line.wake();
      throw error;
    });
  }

  async #logOn(): Promise<Pooled> {
    if (this.#stopping.signal.aborted) throw stopping();
    const { user, connectTimeoutMs, callTimeoutMs } = this.#options;
    const { password } = this.#secrets;
    const wallet = walletAttributes({ ...this.#options, ...this.#secrets });
    const namesDir = await namesDirOf(this.#options);
    const seconds = Math.max(1, Math.ceil(connectTimeoutMs / 1000));
    const timeouts = { connectTimeout: seconds, transportConnectTimeout: seconds };
    const attemptMs = seconds * 1000;
    const walk = await planWalk({
      connectString: this.#options.connectString,
      attemptMs,
      namesDir,
      clock: this.#clock,
    });
    const deadlineMs = walk.deadlineMs + CALL_GRACE_MS;
    const logOn = oracledb.getConnection({
      connectString: walk.connectString,
      ...(namesDir === '' ? {} : { configDir: namesDir }),
      user,
      password,
      program: PROGRAM,
      driverName: DRIVER,
      sdu: SDU_BYTES,
      ...wallet,
      ...timeouts,
    });
    try {
      const connection = await withDeadline(this.#clock, deadlineMs, 'connect', logOn);
      assertCanBeCut(connection);
      connection.callTimeout = callTimeoutMs;
      connection.module = PROGRAM;
      connection.clientId = this.#options.clientId ?? '';
      const nowMs = this.#clock.monotonic();
      return { connection, openedAtMs: nowMs, idleSinceMs: nowMs, worn: false, action: '' };
    } catch (thrown) {
      // A log-on that answers after its deadline is nobody's connection.
      if (thrown instanceof DeadlineError) void logOn.then(cut, () => {});
      const error =
        thrown instanceof DeadlineError
          ? new DatabaseError('connection', 'CONNECT_TIMEOUT', thrown.message)
          : toDatabaseError(thrown, false);
      throw afterWalk(await this.#explained(error, namesDir), walk.attempts);
    }
  }

  async #explained(error: DatabaseError, namesDir: string): Promise<DatabaseError> {
    const explained = explainLogOn(error, this.#options);
    const broken = await brokenName(explained.code, this.#options.connectString, namesDir);
    if (broken === undefined) return explained;
    const text = `${explained.message}; ${broken.name} in line ${broken.line} of tnsnames.ora is no whole entry`;
    return new DatabaseError('configuration', explained.code, text, explained);
  }

  async #watched<T>(pooled: Pooled, what: string, work: Promise<T>): Promise<T> {
    try {
      return await withDeadline(this.#clock, this.#options.callTimeoutMs + CALL_GRACE_MS, what, work);
    } catch (thrown) {
      if (thrown instanceof DeadlineError) {
        cut(pooled.connection);
        throw new DatabaseError('connection', 'CALL_TIMEOUT', thrown.message, { outcomeUnknown: true });
      }
      throw thrown;
    }
  }

  #release(pooled: Pooled): void {
    pooled.idleSinceMs = this.#clock.monotonic();
    const isOld = pooled.worn && pooled.idleSinceMs - pooled.openedAtMs > WORN_AFTER_MS;
    if (isOld || this.#stopping.signal.aborted) {
      this.#drop(pooled);
      return;
    }
    this.#idle.push(pooled);
    this.#line.wake();
  }

  /** Takes back a connection whose work failed: to be used again where nothing is open and its end is known. */
  async #takeBack(pooled: Pooled, error: unknown): Promise<void> {
    if (!(await isClearedAfter(error, pooled.connection, this.#clock))) {
      this.#open -= 1;
      cut(pooled.connection);
      this.#line.wake();
      return;
    }
    if (error instanceof DatabaseError && error.outcomeUnknown) this.#drop(pooled);
    else this.#release(pooled);
  }

  /** For a connection in which nothing is open. */
  #drop(pooled: Pooled): void {
    void this.#close(pooled);
    this.#line.wake();
  }

  async #close({ connection }: Pooled): Promise<void> {
    this.#open -= 1;
    try {
      await withDeadline(this.#clock, CLOSE_DEADLINE_MS, 'close', connection.close());
    } catch {
      cut(connection);
    }
  }

  #waitForRelease(giveUpAtMs: number): Promise<boolean> {
    if (this.#stopping.signal.aborted) return Promise.resolve(false);
    return this.#line.wait(giveUpAtMs - this.#clock.monotonic());
  }

  /**
   * Tops up to `pool.min`, `pool.increment` at a time; after a failure it leaves the database alone until the next
   * round.
   */
  async #keepWarm(): Promise<void> {
    const { min, increment } = this.#options.pool;
    while (!this.#stopping.signal.aborted) {
      try {
        for (let opened = 0; opened < increment && this.#open < min; opened += 1) this.#release(await this.#connect());
      } catch (error) {
        this.#options.log.debug('no connection to keep warm', { error: coerceError(error).message });
      }
      const isShort = this.#open < min && this.#idle.length > 0;
      await sleep(this.#clock, isShort ? 1_000 : KEEP_WARM_EVERY_MS, this.#stopping.signal);
    }
  }
}

/** The driver tells what the last address said. */
function afterWalk(error: DatabaseError, attempts: number): DatabaseError {
  const { cause, code, kind, message, remedy } = error;
  if (kind !== 'connection' || attempts < 2) return error;
  const text = `${message} (the last of up to ${attempts} attempts, by the addresses of oracle.connectString)`;
  return new DatabaseError(kind, code, text, { remedy, cause });
}

function stillWalking(): DatabaseError {
  const text = 'no address of oracle.connectString has let the bridge in yet; the others are being tried';
  return new DatabaseError('connection', 'CONNECT_TIMEOUT', text);
}

function stopping(): DatabaseError {
  return new DatabaseError('connection', 'STOPPING', 'the bridge is stopping');
}
