import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, link, lstat, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { askSocket } from '../../../src/cli/remote/socket-request.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { controlPath, controlPathProblem } from '../../../src/core/control-path.ts';
import { createActions } from '../../../src/ops/actions.ts';
import { plain } from '../../../src/ops/answers.ts';
import { ControlSocket } from '../../../src/ops/control-socket.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

let dir = '';
const opened: ControlSocket[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'control-'));
});

afterEach(async () => {
  for (const each of opened.splice(0)) await each.stop();
  await rm(dir, { recursive: true });
});

async function open(path = join(dir, 'control.sock'), access: 'owner' | 'group' = 'owner', isOwnDirectory = true) {
  const log = new RecordingLogger();
  const asked: string[] = [];
  const actions = createActions({
    token: undefined,
    replay: (file) => Promise.resolve(void asked.push(file)).then(() => undefined),
    discard: () => Promise.resolve({ status: 409, message: 'it is being replayed' }),
    seal: () => Promise.resolve(undefined),
    mend: () => Promise.resolve(undefined),
  });
  const routes = { '/healthz': () => plain(200, 'well') };
  const socket = new ControlSocket({ path, access, isOwnDirectory, routes, actions, clock: systemClock, log });
  opened.push(socket);
  await socket.start();
  const problem = log.entries.find(({ message }) => message === 'no control socket')?.fields?.['error'];
  return { asked, path, problem, socket };
}

/** As a bridge that is killed leaves it: bound by a process that is gone. */
async function leaveStale(path: string): Promise<void> {
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.send('ready'))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  await once(child, 'message');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect((await lstat(path)).isSocket()).toBe(true);
}

describe('the control socket', () => {
  it.each([
    ['owner', 0o600],
    ['group', 0o660],
  ] as const)('is open to the %s and to nobody else', async (access, mode) => {
    const { path } = await open(undefined, access);
    expect((await stat(path)).mode & 0o777).toBe(mode);
    expect(await readdir(dir)).toEqual(['control.sock']);
  });

  it('does without a token what a request over HTTP needs it for', async () => {
    const { asked, path } = await open();
    expect(await askSocket(path, 'POST', '/api/backups/a.csv/replay')).toMatchObject({ status: 202, isGood: true });
    expect(await askSocket(path, 'POST', '/api/backups/a.csv/discard')).toMatchObject({ status: 409, isGood: false });
    expect(await askSocket(path, 'GET', '/healthz')).toEqual({ status: 200, isGood: true, text: 'well\n' });
    expect(asked).toEqual(['a.csv']);
  });

  it('is gone after a stop, whose name another one may take', async () => {
    const { path, socket } = await open();
    await socket.stop();
    expect(await readdir(dir)).toEqual([]);
    await expect(askSocket(path, 'GET', '/healthz')).rejects.toMatchObject({ code: 'ENOENT' });
    expect((await open()).problem).toBeUndefined();
  });

  it('takes the place of what a killed process has left, with its own leftovers', async () => {
    const path = join(dir, 'control.sock');
    await leaveStale(path);
    await mkdir(join(dir, '.cs-abcdef'));
    await writeFile(join(dir, '.cs-abcdef', 's'), '');
    expect((await open(path)).problem).toBeUndefined();
    expect(await askSocket(path, 'GET', '/healthz')).toMatchObject({ status: 200 });
    expect(await readdir(dir)).toEqual(['control.sock']);
  });

  it('leaves that of another bridge alone, at the start and at the stop', async () => {
    const first = await open();
    const second = await open();
    expect(second.problem).toBe(`another process listens at ${first.path}`);
    await second.socket.stop();
    expect(await askSocket(first.path, 'GET', '/healthz')).toMatchObject({ status: 200 });
    expect(await readdir(dir)).toEqual(['control.sock']);
  });

  it('of two that start at once on what was left, is one', async () => {
    const path = join(dir, 'control.sock');
    await leaveStale(path);
    const both = await Promise.all([open(path, 'owner', false), open(path, 'owner', false)]);
    expect(both.filter(({ problem }) => problem === undefined)).toHaveLength(1);
    expect(await askSocket(path, 'GET', '/healthz')).toMatchObject({ status: 200 });
  });

  it('does not take away at its stop what another has put there', async () => {
    const { path, socket } = await open();
    await rm(path);
    const other = await open(join(dir, 'other.sock'));
    await link(other.path, path);
    await socket.stop();
    expect((await readdir(dir)).toSorted()).toEqual(['control.sock', 'other.sock']);
  });

  it('touches no file that is no socket, and says what is missing', async () => {
    await writeFile(join(dir, 'control.sock'), 'a diary');
    expect((await open()).problem).toBe(`${join(dir, 'control.sock')} is there, and is no socket`);
    expect((await open(join(dir, 'nowhere', 'control.sock'))).problem).toContain('ENOENT');
  });

  it('says that its path is too long, instead of lying elsewhere', async () => {
    const path = join(dir, 'x'.repeat(100), 'control.sock');
    await mkdir(join(dir, 'x'.repeat(100)));
    const { problem } = await open(path);
    expect(problem).toContain('control.socket must be a path of at most');
    expect(problem).toContain(`needs ${Buffer.byteLength(path)}`);
    expect(await readdir(dir)).toEqual(['x'.repeat(100)]);
  });

  it.skipIf(process.getuid?.() === 0)('keeps no bridge from starting where it can not be made', async () => {
    await chmod(dir, 0o500);
    try {
      expect((await open()).problem).toContain('EACCES');
    } finally {
      await chmod(dir, 0o700);
    }
  });
});

describe('the path of the control socket', () => {
  const place = { control: { enabled: true, socket: '' }, journal: { dir: '/var/lib/bridge/journal' } };

  it('is in the journal directory unless another is configured, and nowhere on Windows', () => {
    expect(controlPath(place, 'linux')).toBe('/var/lib/bridge/journal/control.sock');
    expect(controlPath({ ...place, control: { enabled: true, socket: '/run/b.sock' } }, 'linux')).toBe('/run/b.sock');
    expect(controlPath({ ...place, control: { enabled: false, socket: '/run/b.sock' } }, 'linux')).toBeUndefined();
    expect(controlPath(place, 'win32')).toBeUndefined();
  });

  it('may have as many bytes as the system takes', () => {
    const most = process.platform === 'linux' ? 107 : 103;
    const path = (bytes: number): string => `/${'x'.repeat(bytes - '/'.length - '/control.sock'.length)}/control.sock`;
    expect(controlPathProblem(path(most))).toBeUndefined();
    expect(controlPathProblem(path(most + 1))).toContain(`at most ${most} bytes`);
  });
});
