/** Cancels a timer; calling it late or twice does nothing. */
export type CancelTimer = () => void;

/** All time and chance of the bridge: a simulation replaces it by virtual time and a seeded generator. */
export interface Clock {
  /** Wall clock in epoch milliseconds; may jump. */
  now(): number;
  /** Milliseconds from an arbitrary start; never goes back. For durations. */
  monotonic(): number;
  /** Calls `run` once after `delayMs`. */
  setTimer(delayMs: number, run: () => void): CancelTimer;
  /** Resolves after a turn of the event loop: what has arrived by now was read then. */
  turn(): Promise<void>;
  /** A random number, at least 0 and below 1. */
  random(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  turn: () => new Promise((resolve) => setImmediate(resolve)),
  random: () => Math.random(),
};

/** Resolves after `delayMs`, or at once when `signal` is or becomes aborted: the caller looks at the signal. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const finish = (): void => {
      cancel();
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.setTimer(delayMs, finish);
    signal?.addEventListener('abort', finish, { once: true });
  });
}

/** Thrown by `withDeadline`. */
export class DeadlineError extends Error {
  constructor(what: string, afterMs: number) {
    super(`${what}: no answer within ${afterMs} ms`);
    this.name = 'DeadlineError';
  }
}

/** Settles as `work` does, or throws a DeadlineError after `afterMs`; `work` itself goes on, unheard. */
export async function withDeadline<T>(clock: Clock, afterMs: number, what: string, work: Promise<T>): Promise<T> {
  let cancel: CancelTimer = () => {};
  const deadline = new Promise<never>((_resolve, reject) => {
    cancel = clock.setTimer(afterMs, () => reject(new DeadlineError(what, afterMs)));
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    cancel();
  }
}
