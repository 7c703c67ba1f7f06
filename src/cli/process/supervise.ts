import { type Clock, DeadlineError, withDeadline } from '../../core/clock.ts';
import { coerceError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';

/*
 * The life of the bridge as a process:
 *
 *   starting ──► running ──first signal──► draining ──► stopping ──► exit 0
 *      │                                       └─second signal──────► stopping at once, exit 0
 *      └─first signal──► stopping ──► exit 0
 *
 * SIGHUP makes the running bridge read its configuration again. A SIGHUP during the start waits until the bridge runs;
 * one during the drain is ignored. When the terminal is gone, SIGHUP is a signal to stop like the others.
 *
 * In every state an error that nobody caught stops the bridge, so that what is in memory goes to the backup if that is
 * still possible, and ends the process with exit code 70: going on in an unknown state might do harm.
 */

/**
 * The bridge as its process sees it. The one of bridge.ts keeps to its drain timeout and logs its states by itself.
 * `stop` may be called at any time, and again.
 */
export interface Supervised {
  start(): Promise<void>;
  drain(): Promise<void>;
  stop(): Promise<void>;
}

/** The part of `process` that tells of signals and errors. */
export interface ProcessEvents {
  on(event: string, listener: (first: unknown) => void): unknown;
  off(event: string, listener: (first: unknown) => void): unknown;
}

export interface SuperviseOptions {
  readonly log: Logger;
  readonly clock: Clock;
  readonly drainTimeoutMs: number;
  /** How long after its time a drain or a stop counts as hanging: long enough for the last calls to time out. */
  readonly hangTimeoutMs: number;
  /** Called on SIGHUP; must not throw. */
  readonly reload: () => void;
  /** True when the terminal that the process was started on has hung up, which is what SIGHUP means then. */
  readonly isTerminalGone: () => boolean;
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Starts the bridge, and stops it when the process is told to. Throws what `start` throws, after `stop`. */
export async function supervise(
  bridge: Supervised,
  events: ProcessEvents,
  options: SuperviseOptions,
): Promise<ExitCode> {
  const { log } = options;
  const heard = listen(events, options);
  try {
    return await Promise.race([
      live(bridge, heard, options),
      heard.secondSignal.then(async (signal) => {
        log.warn('told to stop at once', { signal });
        await stop(bridge, options);
        return EXIT.ok;
      }),
      heard.crash.then(async (error) => {
        log.error('internal error', { error, stack: coerceError(error).stack });
        await stop(bridge, options);
        return EXIT.internal;
      }),
    ]);
  } finally {
    heard.unlisten();
  }
}

async function live(bridge: Supervised, heard: Heard, options: SuperviseOptions): Promise<ExitCode> {
  const { log } = options;
  const { firstSignal } = heard;
  try {
    const interrupted = await Promise.race([bridge.start(), firstSignal]);
    if (interrupted !== undefined) {
      log.info('told to stop before the start was done', { signal: interrupted });
      return EXIT.ok;
    }
    heard.started();
    log.info('told to stop', { signal: await firstSignal });
    return await drain(bridge, options);
  } finally {
    await stop(bridge, options);
  }
}

async function drain(
  bridge: Supervised,
  { log, clock, drainTimeoutMs, hangTimeoutMs }: SuperviseOptions,
): Promise<ExitCode> {
  try {
    await withDeadline(clock, drainTimeoutMs + hangTimeoutMs, 'drain', bridge.drain());
    return EXIT.ok;
  } catch (error) {
    log.error('drain not finished', { error });
    return error instanceof DeadlineError ? EXIT.ok : EXIT.internal;
  }
}

async function stop(bridge: Supervised, { log, clock, hangTimeoutMs }: SuperviseOptions): Promise<void> {
  try {
    await withDeadline(clock, hangTimeoutMs, 'stop', bridge.stop());
  } catch (error) {
    log.error('stop failed', { error });
  }
}

interface Heard {
  readonly firstSignal: Promise<string>;
  readonly secondSignal: Promise<string>;
  readonly crash: Promise<unknown>;
  /** From now on SIGHUP is answered at once. */
  started(): void;
  unlisten(): void;
}

function listen(events: ProcessEvents, { isTerminalGone, reload }: SuperviseOptions): Heard {
  const first = deferred<string>();
  const second = deferred<string>();
  const crash = deferred<unknown>();
  let signals = 0;
  const onSignal = (signal: unknown): void => {
    signals += 1;
    (signals === 1 ? first : second).resolve(String(signal));
  };
  const started = deferred<void>();
  const onHangUp = (signal: unknown): void => {
    if (isTerminalGone()) onSignal(signal);
    else void started.promise.then(() => signals === 0 && reload());
  };
  // An unhandled rejection comes here too when nobody listens for it by its own name.
  const listeners = [
    ...SIGNALS.map((name) => [name, onSignal] as const),
    ['SIGHUP', onHangUp] as const,
    ['uncaughtException', crash.resolve] as const,
  ];
  for (const [name, listener] of listeners) events.on(name, listener);
  return {
    firstSignal: first.promise,
    secondSignal: second.promise,
    crash: crash.promise,
    started: started.resolve,
    unlisten: () => {
      for (const [name, listener] of listeners) events.off(name, listener);
    },
  };
}

function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}
