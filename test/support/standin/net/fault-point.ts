/** Where faults on demand meet a connection: around a call, or around the commit inside one. */
import type { OraError } from '../engine/types.ts';
import { type CallFacts, faultError, type FaultRule, type Faults } from '../faults.ts';

/** The connection has been cut under the call: there is nobody to answer. */
export class ConnectionGone extends Error {}

/** What a fault can do to its connection. */
export interface FaultTarget {
  freeze(): void;
  reset(): void;
  /** Ends the session, in that order: the transaction, then the connection, with the error for its last call. */
  endSession(error: OraError, fate: NonNullable<FaultRule['ends']>): void;
  /** Gives up the session, which commits or rolls back later on its own. */
  abandonSession(late: NonNullable<FaultRule['late']>): void;
}

type Action<T> = (rowErrors?: ReadonlyMap<number, OraError>) => T | Promise<T>;

export class FaultPoint {
  readonly #faults: Faults;
  readonly #target: FaultTarget;

  constructor(faults: Faults, target: FaultTarget) {
    this.#faults = faults;
    this.#target = target;
  }

  /** Runs `action` with the faults of its call; at once and without a promise when there are none at all. */
  around<T>(facts: CallFacts, signal: AbortSignal, action: Action<T>): T | Promise<T> {
    return this.#faults.idle ? action() : this.#withFaults(facts, signal, action);
  }

  async #withFaults<T>(facts: CallFacts, signal: AbortSignal, action: Action<T>): Promise<T> {
    const rules = this.#faults.take(facts);
    for (const rule of rules) await this.#before(rule, signal);
    const rowErrors = new Map<number, OraError>();
    for (const rule of rules) {
      for (const [offset, error] of Object.entries(rule.rowErrors ?? {}))
        rowErrors.set(Number(offset), faultError(error));
    }
    const result = await action(rowErrors.size > 0 ? rowErrors : undefined);
    for (const rule of rules) await this.#after(rule, signal);
    return result;
  }

  async #before(rule: FaultRule, signal: AbortSignal): Promise<void> {
    if (rule.when !== 'after') await linger(rule, signal);
    if (rule.blackHole === true) {
      this.#target.freeze();
      await aborted(signal);
    }
    if (rule.error !== undefined && rule.when !== 'after') this.#fail(rule, rule.error);
    if (rule.late !== undefined) this.#target.abandonSession(rule.late);
    if (rule.reset === 'before' || rule.late !== undefined) {
      this.#target.reset();
      throw new ConnectionGone();
    }
  }

  async #after(rule: FaultRule, signal: AbortSignal): Promise<void> {
    if (rule.when === 'after') await linger(rule, signal);
    if (rule.when === 'after' && rule.error !== undefined) this.#fail(rule, rule.error);
    if (rule.reset !== 'after') return;
    this.#target.reset();
    throw new ConnectionGone();
  }

  #fail(rule: FaultRule, what: NonNullable<FaultRule['error']>): never {
    const error = faultError(what);
    if (rule.ends !== undefined) this.#target.endSession(error, rule.ends);
    throw error;
  }
}

async function linger(rule: FaultRule, signal: AbortSignal): Promise<void> {
  if (rule.delayMs !== undefined) await aborted(signal, rule.delayMs);
  if (rule.hang === true) await aborted(signal);
}

/** Waits; rejects with ORA-01013 when the call is broken. */
function aborted(signal: AbortSignal, ms?: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancelled = (): void => {
      clearTimeout(timer);
      reject(faultError(1013));
    };
    const timer =
      ms === undefined
        ? undefined
        : setTimeout(() => {
            signal.removeEventListener('abort', cancelled);
            resolve();
          }, ms);
    if (signal.aborted) cancelled();
    else signal.addEventListener('abort', cancelled, { once: true });
  });
}
