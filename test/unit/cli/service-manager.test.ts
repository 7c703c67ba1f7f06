import { describe, expect, it } from 'vitest';

import { serviceManager } from '../../../src/cli/process/service-manager.ts';

describe('serviceManager', () => {
  it.each([
    ['no environment of systemd', {}, undefined],
    ['an empty socket', { NOTIFY_SOCKET: '' }, undefined],
    ['a socket alone', { NOTIFY_SOCKET: '/run/n', PATH: '/bin' }, 0],
    ['a watchdog', { NOTIFY_SOCKET: '/run/n', PATH: '/bin', WATCHDOG_USEC: '60000000' }, 60_000],
    ['a watchdog of this process', { NOTIFY_SOCKET: '@n', WATCHDOG_USEC: '500000', WATCHDOG_PID: '42' }, 500],
    ['a watchdog of another process', { NOTIFY_SOCKET: '@n', WATCHDOG_USEC: '500000', WATCHDOG_PID: '41' }, 0],
    ['a watchdog that is no number', { NOTIFY_SOCKET: '@n', WATCHDOG_USEC: 'soon' }, 0],
    ['a watchdog below zero', { NOTIFY_SOCKET: '@n', WATCHDOG_USEC: '-1' }, 0],
  ])('takes %s', (_what, env: Record<string, string>, watchdogMs) => {
    const manager = serviceManager(env, 42);
    expect(manager?.watchdogMs).toBe(watchdogMs);
    expect(manager?.notifySocket).toBe(watchdogMs === undefined ? undefined : env['NOTIFY_SOCKET']);
  });
});
