import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import type { Health } from '../../ops/routes.ts';
import type { Status } from '../../ops/status.ts';
import { type ServiceManager, Systemd, systemdNotify } from '../../ops/systemd.ts';
import type { Environment } from '../command.ts';
import type { Supervised } from './supervise.ts';

/** The bridge that systemd is told about: the one of bridge.ts, or a test's. */
export interface Reported extends Supervised {
  status(): Status;
  health(): Health;
}

export interface Notified {
  /** The same bridge, whose start and end systemd is told of. */
  readonly bridge: Supervised;
  onReloading(): void;
  onReloaded(): void;
}

/** Has systemd told how the bridge is doing, where it asks for that: a unit with Type=notify. */
export function notifyServiceManager(
  bridge: Reported,
  env: Environment,
  parts: { readonly clock: Clock; readonly log: Logger },
): Notified {
  const manager = serviceManager(env, process.pid);
  if (manager === undefined) return { bridge, onReloading: () => {}, onReloaded: () => {} };
  const systemd = new Systemd({
    ...parts,
    send: systemdNotify(manager),
    watchdogMs: manager.watchdogMs,
    status: () => bridge.status(),
    health: () => bridge.health(),
  });
  return {
    bridge: {
      start: async () => {
        await bridge.start();
        systemd.ready();
      },
      drain: () => {
        systemd.stopping();
        return bridge.drain();
      },
      stop: async () => {
        systemd.stopping();
        await bridge.stop();
        await systemd.stop();
      },
    },
    onReloading: () => systemd.reloading(),
    onReloaded: () => systemd.reloaded(),
  };
}

/** Undefined where nobody wants to be told. A watchdog of another process does not count [sd_watchdog_enabled(3)]. */
export function serviceManager(env: Environment, pid: number): ServiceManager | undefined {
  const notifySocket = env['NOTIFY_SOCKET'] ?? '';
  if (notifySocket === '') return undefined;
  const watched = env['WATCHDOG_PID'] ?? '';
  const isOurs = watched === '' || watched === String(pid);
  const usec = Number(env['WATCHDOG_USEC'] ?? '');
  const watchdogMs = isOurs && Number.isSafeInteger(usec) && usec > 0 ? usec / 1000 : 0;
  return { notifySocket, path: env['PATH'] ?? '/usr/bin:/bin', watchdogMs };
}
