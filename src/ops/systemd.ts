import { execFile } from 'node:child_process';

import { type CancelTimer, type Clock, withDeadline } from '../core/clock.ts';
import { systemErrorCode } from '../core/errors.ts';
import { type Logger, RepeatedError } from '../core/logger.ts';
import { problemPhrases } from './problems.ts';
import type { Health } from './routes.ts';
import type { Status } from './status.ts';

/*
 * Telling systemd how the service is doing [sd_notify(3)].
 *
 * Node has no datagram sockets of the unix kind, so a child process says it: systemd-notify. It is never told
 * `--no-block`: without that it waits until systemd has taken the message, for systemd finds out which unit a sender
 * belongs to by the process, and ignores one that is gone already. As the sender is not the main process, the unit
 * needs NotifyAccess=all. One child at a time, so that the order stays.
 */

/** The variables of the environment by which systemd asks to be told. */
export interface ServiceManager {
  /** $NOTIFY_SOCKET */
  readonly notifySocket: string;
  /** $PATH, to find systemd-notify. */
  readonly path: string;
  /** $WATCHDOG_USEC in milliseconds; 0: no watchdog. */
  readonly watchdogMs: number;
}

/** Sends assignments such as `READY=1` as one message; resolves when systemd has it. */
export type SendToSystemd = (assignments: readonly string[]) => Promise<void>;

export interface SystemdOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly send: SendToSystemd;
  readonly watchdogMs: number;
  status(): Status;
  health(): Health;
}

const SEND_WITHIN_MS = 10_000;
const CLOSE_WITHIN_MS = 2000;
/** How often the status line is looked at; it is sent only when it has changed. */
const STATUS_EVERY_MS = 5000;

/** Nothing of the process's own environment goes to the child: there may be secrets in it. */
export function systemdNotify({ notifySocket, path }: ServiceManager): SendToSystemd {
  const options = { env: { NOTIFY_SOCKET: notifySocket, PATH: path }, timeout: SEND_WITHIN_MS };
  return (assignments) =>
    new Promise((resolve, reject) => {
      execFile('systemd-notify', [...assignments], options, (error) => (error === null ? resolve() : reject(error)));
    });
}

/** Tells systemd from `ready` to `stop`. Calls never throw: a message that cannot be sent is logged. */
export class Systemd {
  readonly #options: SystemdOptions;
  readonly #failures: RepeatedError;
  #sending: Promise<void> = Promise.resolve();
  #isUseless = false;
  #isStopping = false;
  #wasHealthy = true;
  #isFeeding = false;
  #lastLine = '';
  #cancelStatus: CancelTimer = () => {};
  #cancelWatchdog: CancelTimer = () => {};

  constructor(options: SystemdOptions) {
    this.#options = options;
    this.#failures = new RepeatedError(options.log, options.clock, 'systemd not notified', 'warn');
  }

  /** The bridge has started: from now on the watchdog is fed and the status told. */
  ready(): void {
    if (this.#isStopping) return;
    this.#lastLine = statusLine(this.#options.status());
    void this.#send(['READY=1', `STATUS=${this.#lastLine}`]);
    this.#watchStatus();
    if (this.#options.watchdogMs > 0) this.#feedWatchdog();
  }

  reloading(): void {
    if (!this.#isStopping) void this.#send(['RELOADING=1']);
  }

  reloaded(): void {
    if (!this.#isStopping) void this.#send(['READY=1']);
  }

  /** The watchdog rests: systemd waits for TimeoutStopSec now. */
  stopping(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#cancelStatus();
    this.#cancelWatchdog();
    void this.#send(['STOPPING=1', 'STATUS=stopping']);
  }

  /** Resolves when the last message is sent, or after 2 s. */
  async stop(): Promise<void> {
    this.stopping();
    await withDeadline(this.#options.clock, CLOSE_WITHIN_MS, 'systemd', this.#sending).catch(() => {});
  }

  #watchStatus(): void {
    this.#cancelStatus = this.#options.clock.setTimer(STATUS_EVERY_MS, () => {
      const line = statusLine(this.#options.status());
      if (line !== this.#lastLine) void this.#send([`STATUS=${line}`]);
      this.#lastLine = line;
      this.#watchStatus();
    });
  }

  /**
   * Feeds the watchdog at half its time, as sd_watchdog_enabled(3) recommends. A hung event loop feeds nothing, which
   * is the point.
   */
  #feedWatchdog(): void {
    const health = this.#options.health();
    if (health.ok) void this.#feed();
    else if (this.#wasHealthy) {
      this.#options.log.error('not healthy: the watchdog is not fed', { problems: health.problems });
    }
    this.#wasHealthy = health.ok;
    this.#cancelWatchdog = this.#options.clock.setTimer(this.#options.watchdogMs / 2, () => this.#feedWatchdog());
  }

  /** Feeds the watchdog, unless a message that does so still waits for systemd to take it. */
  async #feed(): Promise<void> {
    if (this.#isFeeding) return;
    this.#isFeeding = true;
    await this.#send(['WATCHDOG=1']);
    this.#isFeeding = false;
  }

  #send(assignments: readonly string[]): Promise<void> {
    this.#sending = this.#sendAfter(this.#sending, assignments);
    return this.#sending;
  }

  async #sendAfter(before: Promise<void>, assignments: readonly string[]): Promise<void> {
    await before;
    if (this.#isUseless) return;
    try {
      await this.#options.send(assignments);
      this.#failures.over();
    } catch (error) {
      this.#failed(assignments, error);
    }
  }

  #failed(assignments: readonly string[], error: unknown): void {
    if (systemErrorCode(error) !== 'ENOENT') {
      this.#failures.report({ assignments, error });
      return;
    }
    this.#isUseless = true;
    const remedy = 'install the package systemd, or run the unit with Type=exec and without WatchdogSec=';
    this.#options.log.warn('systemd-notify is not there: systemd is told nothing', { remedy });
  }
}

/**
 * The bridge's state in one line, as `systemctl status` shows it. Without numbers, as the line would change all the
 * time.
 */
export function statusLine(status: Status): string {
  const found = problemPhrases(status);
  return found.length === 0 ? 'all is well' : found.join('; ');
}
