import type { Clock } from '../core/clock.ts';
import { DatabaseError } from '../core/errors.ts';

/*
 * Each refused password counts towards FAILED_LOGIN_ATTEMPTS of the account's profile, which locks the account for
 * everybody (10 in the profile DEFAULT [Oracle Database Security Guide, "Password Management"]). So:
 *
 *     refused once ──a minute──► refused twice ──an hour──► tried once an hour
 *          └──────── another secret ──────┴─────────────────────┴──► tried at once, and twice again
 *
 * A person who says that all is well (a reload) has it tried once more at once. What else only a person can mend is
 * tried once a minute.
 */

const HOLD_MS = 60_000;
const WRONG_PASSWORD_CODES: ReadonlySet<string> = new Set(['ORA-01017', 'ORA-01005']);
const WRONG_PASSWORD_TRIES = 2;
const WRONG_PASSWORD_HOLD_MS = 3_600_000;

interface Refusal {
  readonly error: DatabaseError;
  readonly secret: string;
  readonly untilMs: number;
}

/**
 * The log-ons of one account by this process, whoever asks for them: one at a time, and none while a refused one is
 * held.
 */
export class AccountGate {
  readonly #clock: Clock;
  #last: Promise<unknown> = Promise.resolve();
  #refusal: Refusal | undefined;
  /** Refused log-ons in a row, all with the password of `#refusal`. */
  #wrongPasswords = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Logs on once those before are done. `secret`: what it is tried with, read when its turn has come. Throws what
   * `logOn` throws, or the held refusal of that secret.
   */
  pass<T>(secret: () => string, logOn: () => Promise<T>): Promise<T> {
    const outcome = this.#last.then(() => this.#try(secret(), logOn));
    this.#last = outcome.catch(() => {});
    return outcome;
  }

  /** What was refused may be tried once more at once. */
  lift(): void {
    if (this.#refusal !== undefined) this.#refusal = { ...this.#refusal, untilMs: 0 };
  }

  async #try<T>(secret: string, logOn: () => Promise<T>): Promise<T> {
    if (this.#refusal !== undefined && this.#refusal.secret !== secret) this.#forget();
    if (this.#refusal !== undefined && this.#clock.monotonic() < this.#refusal.untilMs) throw this.#refusal.error;
    try {
      const result = await logOn();
      this.#forget();
      return result;
    } catch (error) {
      if (error instanceof DatabaseError && error.kind === 'configuration') this.#hold(error, secret);
      throw error;
    }
  }

  #hold(error: DatabaseError, secret: string): void {
    if (WRONG_PASSWORD_CODES.has(error.code)) this.#wrongPasswords += 1;
    const holdMs = this.#wrongPasswords < WRONG_PASSWORD_TRIES ? HOLD_MS : WRONG_PASSWORD_HOLD_MS;
    this.#refusal = { error, secret, untilMs: this.#clock.monotonic() + holdMs };
  }

  #forget(): void {
    this.#refusal = undefined;
    this.#wrongPasswords = 0;
  }
}

interface Shared {
  readonly gate: AccountGate;
  holders: number;
}

/** By clock, for a simulation has many; then by account. */
const GATES = new WeakMap<Clock, Map<string, Shared>>();

export interface Account {
  readonly connectString: string;
  readonly user: string;
}

/** The gate that all connections of the process to one account share, until each has given it back. */
export function takeGate({ connectString, user }: Account, clock: Clock): AccountGate {
  const gates = GATES.get(clock) ?? new Map<string, Shared>();
  GATES.set(clock, gates);
  const key = keyOf(connectString, user);
  const shared = gates.get(key) ?? { gate: new AccountGate(clock), holders: 0 };
  gates.set(key, shared);
  shared.holders += 1;
  return shared.gate;
}

export function giveBackGate({ connectString, user }: Account, clock: Clock): void {
  const gates = GATES.get(clock);
  const key = keyOf(connectString, user);
  const shared = gates?.get(key);
  if (shared === undefined) return;
  shared.holders -= 1;
  if (shared.holders <= 0) gates?.delete(key);
}

/** The database's own names of users have no case unless they are quoted. */
function keyOf(connectString: string, user: string): string {
  return `${user.toUpperCase()}@${connectString}`;
}
