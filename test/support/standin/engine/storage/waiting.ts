/**
 * Statements are generators: they run to their end without interruption and yield only where they must wait for another
 * session's transaction. So nothing between two yields needs a lock, and a statement that never waits costs no promise.
 */
import { SqlFault } from '../faults.ts';
import type { Transaction } from './transaction.ts';

export interface Wait {
  readonly holder: Transaction;
  /** SELECT … FOR UPDATE WAIT n. */
  readonly timeoutMs?: number;
}

export type Steps<T> = Generator<Wait, T, void>;

/** Answers at once, or with a promise where the statement waits. An aborted wait is ORA-01013 inside the statement. */
export function runSteps<T>(steps: Steps<T>, waiter: Transaction, signals: readonly AbortSignal[]): T | Promise<T> {
  const first = steps.next();
  return first.done === true ? first.value : runWaiting(steps, first.value, waiter, signals);
}

async function runWaiting<T>(
  steps: Steps<T>,
  firstWait: Wait,
  waiter: Transaction,
  signals: readonly AbortSignal[],
): Promise<T> {
  let wait = firstWait;
  while (true) {
    let fault: unknown;
    try {
      await waitForEnd(wait, waiter, signals);
    } catch (error) {
      fault = error;
    }
    const step = fault === undefined ? steps.next() : steps.throw(fault);
    if (step.done === true) return step.value;
    wait = step.value;
  }
}

function isDeadlock(holder: Transaction, waiter: Transaction): boolean {
  let blocker: Transaction | undefined = holder;
  while (blocker !== undefined && blocker !== waiter) blocker = blocker.waitsFor;
  return blocker === waiter;
}

/** Rejects with ORA-00060, ORA-01013 or ORA-30006. */
function waitForEnd({ holder, timeoutMs }: Wait, waiter: Transaction, signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve, reject) => {
    if (isDeadlock(holder, waiter)) {
      reject(new SqlFault(60));
      return;
    }
    if (signals.some((signal) => signal.aborted)) {
      reject(new SqlFault(1013));
      return;
    }
    const settle = (finish: () => void): void => {
      waiter.waitsFor = undefined;
      removeListener();
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener('abort', onAbort);
      finish();
    };
    const onAbort = (): void => settle(() => reject(new SqlFault(1013)));
    const removeListener = holder.onEnd(() => settle(resolve));
    const timer =
      timeoutMs === undefined ? undefined : setTimeout(() => settle(() => reject(new SqlFault(30006))), timeoutMs);
    for (const signal of signals) signal.addEventListener('abort', onAbort);
    waiter.waitsFor = holder;
  });
}
