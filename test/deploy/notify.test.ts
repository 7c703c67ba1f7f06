import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { BUILT_BRIDGE } from '../support/built-bridge.ts';
import { tieToThisProcess } from '../support/tied-process.ts';
import { until } from '../support/until.ts';
import { missingTool, ROOT } from './tools.ts';

/**
 * Node has no such sockets. Descriptors that come along, such as that of systemd-notify's barrier, are closed, as
 * systemd does.
 */
const RECEIVER = `
import json, socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print('[]', flush=True)
while True:
    print(json.dumps(receiver.recv(4096).decode().split()), flush=True)
`;

const missing = missingTool('systemd-notify', 'python3');

describe.skipIf(missing !== undefined)(
  `the bridge under systemd${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    let directory: string;
    let children: ChildProcess[];

    beforeEach(() => {
      directory = mkdtempSync(join(tmpdir(), 'notify-'));
      children = [];
    });

    afterEach(async () => {
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      }
      rmSync(directory, { recursive: true, force: true });
    });

    async function startReceiver(): Promise<{ socket: string; messages: string[][] }> {
      const socket = join(directory, 'notify');
      const receiver = spawn('python3', ['-c', RECEIVER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
      children.push(receiver);
      const messages: string[][] = [];
      createInterface({ input: receiver.stdout }).on('line', (line) => messages.push(JSON.parse(line) as string[]));
      await until('the receiver to listen', () => messages.length > 0);
      messages.length = 0;
      return { socket, messages };
    }

    function startBridge(env: NodeJS.ProcessEnv): {
      child: ChildProcess;
      exited: Promise<unknown[]>;
      log: () => string;
    } {
      const file = join(directory, 'bridge.json');
      const config = {
        bridge: { id: 'notify-test', drainTimeoutMs: 2000 },
        mqtt: { url: 'mqtt://127.0.0.1:9' },
        oracle: { connectString: '127.0.0.1:9/none', user: 'bridge', password: 'x' },
        journal: { dir: join(directory, 'journal') },
        backup: { dir: join(directory, 'backup') },
        http: { port: 0 },
      };
      writeFileSync(file, JSON.stringify(config));
      const child = spawn(process.execPath, [BUILT_BRIDGE, 'run', '--config', file], {
        cwd: ROOT,
        env: { PATH: process.env['PATH'], ...env },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      tieToThisProcess(child);
      children.push(child);
      let log = '';
      child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
      return { child, exited: once(child, 'exit'), log: () => log };
    }

    it('is ready, feeds the watchdog, reloads and stops in the order that systemd expects', async () => {
      const { socket, messages } = await startReceiver();
      const { child, exited } = startBridge({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: '400000' });
      const states = (): string[] => messages.map(([first = '']) => first);
      const fed = (): number => states().filter((state) => state === 'WATCHDOG=1').length;
      await until('the watchdog to be fed', () => fed() >= 3, 30_000);
      expect(messages[0]).toEqual(['READY=1', expect.stringMatching(/^STATUS=/), ...messages[0]!.slice(2)]);
      child.kill('SIGHUP');
      await until('the reload', () => states().filter((state) => state === 'READY=1').length === 2);
      child.kill('SIGTERM');
      expect(await exited).toEqual([0, null]);
      // A barrier behind each: systemd-notify lives until systemd knows whose message it was.
      expect(states().filter((_state, index) => index % 2 === 1)).toEqual(
        messages.slice(messages.length / 2).map(() => 'BARRIER=1'),
      );
      const told = states().filter((state) => !/^(?:WATCHDOG|STATUS|BARRIER)=/.test(state));
      expect(told).toEqual(['READY=1', 'RELOADING=1', 'READY=1', 'STOPPING=1']);
      expect(states().lastIndexOf('WATCHDOG=1')).toBeLessThan(states().indexOf('STOPPING=1'));
    });

    it('runs without systemd-notify, and says so once', async () => {
      const { socket } = await startReceiver();
      const { child, exited, log } = startBridge({ NOTIFY_SOCKET: socket, WATCHDOG_USEC: '100000', PATH: directory });
      await until('the warning', () => log().includes('systemd-notify is not there'), 30_000);
      child.kill('SIGTERM');
      expect(await exited).toEqual([0, null]);
      expect(log().split('systemd-notify is not there')).toHaveLength(2);
    });
  },
);
