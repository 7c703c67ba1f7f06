import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { BUILT_BRIDGE } from '../support/built-bridge.ts';
import { tieToThisProcess } from '../support/tied-process.ts';
import { until } from '../support/until.ts';

const PASSWORD = 'zQ-not-for-the-log';

interface Running {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  stdout: string;
  stderr: string;
}

let directory: string;
let children: ChildProcess[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bridge-cli-'));
  children = [];
});

afterEach(() => {
  for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
  rmSync(directory, { recursive: true });
});

/** The command line as a process, in a directory of its own. */
function start(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const child = spawn(process.execPath, [BUILT_BRIDGE, ...argv], {
    cwd: directory,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  tieToThisProcess(child);
  children.push(child);
  const exited = once(child, 'close').then(([code]) => code as number | null);
  const running: Running = { child, exited, stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (running.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (running.stderr += chunk.toString()));
  return running;
}

function file(name: string, content: unknown): string {
  writeFileSync(join(directory, name), JSON.stringify(content));
  return name;
}

/** A configuration that runs, with nobody to talk to: port 9 (discard) answers nowhere. */
function runnable(more: Readonly<Record<string, object>> = {}): string {
  return file('bridge.json', {
    bridge: { id: 'cli-test', drainTimeoutMs: 2000 },
    mqtt: { url: 'mqtt://127.0.0.1:9' },
    oracle: { connectString: '127.0.0.1:9/none', user: 'bridge', password: PASSWORD },
    http: { port: 0 },
    ...more,
  });
}

describe('the process', () => {
  it.each([
    ['--version', 0],
    ['--help', 0],
    ['frobnicate', 64],
    ['check --config none.json', 66],
    ['run', 66],
    ['status --url http://127.0.0.1:9', 69],
    ['run --set mqtt.url=http://x', 78],
    ['check --set mqtt.url=http://x', 78],
  ])('%s exits with %i', async (line, exitCode) => {
    const running = start(line.split(' '));
    expect(await running.exited).toBe(exitCode);
    expect(running.stderr === '').toBe(exitCode === 0 || line.startsWith('check --set'));
  });

  it('reads the file that BRIDGE_CONFIG names', async () => {
    const running = start(['check'], { BRIDGE_CONFIG: runnable() });
    expect(await running.exited).toBe(0);
    expect(running.stdout).toMatch(/^note: .*\nok\n$/);
  });

  it('finds config/bridge.json by itself', async () => {
    mkdirSync(join(directory, 'config'));
    file('config/bridge.json', { http: { port: 'from the search path' } });
    const running = start(['check']);
    expect(await running.exited).toBe(78);
    expect(running.stdout).toContain('not "from the search path"');
  });

  it('does not mind a reader that goes away', async () => {
    const running = start(['config', '--example']);
    running.child.stdout?.destroy();
    expect(await running.exited).toBe(0);
    expect(running.stderr).toBe('');
  });
});

describe('the running bridge', () => {
  it.each([
    ['SIGTERM', ['run', '--config']],
    ['SIGINT', ['--config']],
  ] as const)('says what it is, drains on %s and exits with 0, secrets unspoken', async (signal, argv) => {
    const running = start([...argv, runnable()]);
    await until('the start', () => running.stdout.includes('"bridge started"'));
    running.child.kill(signal);
    expect(await running.exited).toBe(0);
    const [first = ''] = running.stdout.split('\n');
    expect(JSON.parse(first)).toMatchObject({
      message: 'bridge starting',
      bridgeId: 'cli-test',
      version: expect.stringMatching(/^\d+\.\d+/),
      node: process.version,
      configFiles: ['bridge.json'],
    });
    expect(running.stdout).toContain(`"signal":"${signal}"`);
    expect(running.stdout + running.stderr).not.toContain(PASSWORD);
  });

  it('exits with 70 when an error was caught by nobody, and logs it', async () => {
    const preload = join(directory, 'fail-on-demand.mjs');
    writeFileSync(preload, `process.on('SIGUSR2', () => void Promise.reject(new TypeError('caught by nobody')));`);
    const running = start(['run', '--config', runnable()], { NODE_OPTIONS: `--import=${preload}` });
    await until('the start', () => running.stdout.includes('"bridge started"'));
    running.child.kill('SIGUSR2');
    expect(await running.exited).toBe(70);
    expect(running.stdout).toContain('"message":"internal error"');
    expect(running.stdout).toContain('caught by nobody');
  });

  it('exits with 69 when its port is taken, and names port and key', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const running = start(['run', '--config', runnable({ http: { port } })]);
    const exitCode = await running.exited;
    server.close();
    expect(exitCode).toBe(69);
    expect(running.stdout).toContain(`http.port: ${port} on 127.0.0.1 is taken`);
  });

  it('exits with 73 when a directory cannot be created, and names it', async () => {
    const dir = join(directory, file('taken', 'a file'), 'backup');
    const running = start(['run', '--config', runnable({ backup: { dir } })]);
    expect(await running.exited).toBe(73);
    expect(running.stdout).toContain(`can't create the directory ${dir}`);
  });
});
