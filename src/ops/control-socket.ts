import { chmod, link, lstat, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';

import type { Clock } from '../core/clock.ts';
import { controlPathProblem, MAKING_PREFIX } from '../core/control-path.ts';
import { ifThere } from '../core/durable-file.ts';
import { coerceError, systemErrorCode } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { RequestServer, type Answering } from './request-server.ts';

export interface ControlSocketOptions extends Answering {
  readonly path: string;
  readonly access: 'owner' | 'group';
  /** Nobody else makes a socket in its directory: what a kill has left of the making there goes. */
  readonly isOwnDirectory: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

const MODES = { owner: 0o600, group: 0o660 } as const;
const ATTEMPTS = 3;
const REMEDY = 'set control.socket to another path; without a socket, backups replay, discard and fix need http.token';

/** Another process listens there, or something else has that name. */
class PathTakenError extends Error {}

/**
 * A Unix socket by which commands on the same machine ask the running bridge for what a request over HTTP needs the
 * token for. Who may open it is who may: the system asks for the right to write to its file.
 *
 * It is made in a directory that nobody else may enter, gets its rights there, and then its name by a hard link, which
 * replaces nothing: of two processes one gets it. What a killed process has left under the name is moved away first,
 * once nobody answers there; what was put there meanwhile is given back. A bridge works without it: no failure here
 * stops a start.
 */
export class ControlSocket {
  readonly #options: ControlSocketOptions;
  readonly #server: RequestServer;
  /** The file that bears the name by this process's hand. */
  #own: Stats | undefined;

  constructor(options: ControlSocketOptions) {
    this.#options = options;
    this.#server = new RequestServer(options);
  }

  /** Listens there, or logs why it can't be, and what to do about it. Never throws. */
  async start(): Promise<void> {
    const { access, log, path } = this.#options;
    try {
      const problem = controlPathProblem(path);
      if (problem !== undefined) throw new Error(`control.socket ${problem}`);
      await this.#open();
      log.info('control socket listening', { path, access });
    } catch (error) {
      await this.#server.stop();
      log.warn('no control socket', { path, error: coerceError(error).message, remedy: REMEDY });
    }
  }

  /** Takes the file away, if it is still this process's, and ends what is under way after 1 s at the latest. */
  async stop(): Promise<void> {
    const { log, path } = this.#options;
    const own = this.#own;
    this.#own = undefined;
    try {
      if (own !== undefined && isSame(await ifThere(lstat(path)), own)) await rm(path, { force: true });
    } catch (error) {
      log.warn('control socket could not be taken away', { path, error: coerceError(error).message });
    }
    await this.#server.stop();
  }

  async #open(): Promise<void> {
    const { access, isOwnDirectory, path } = this.#options;
    if (isOwnDirectory) await removeLeftovers(dirname(path));
    const directory = await mkdtemp(join(dirname(path), MAKING_PREFIX));
    const making = join(directory, 's');
    try {
      await this.#server.listen({ path: making });
      await chmod(making, MODES[access]);
      const made = await lstat(making);
      await takeName(making, path, join(directory, 'stale'));
      this.#own = made;
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }
}

/** Gives the socket its name. Throws PathTakenError, and the system error of the disk. */
async function takeName(making: string, path: string, aside: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    try {
      await link(making, path);
      return;
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
    }
    await removeStale(path, aside);
  }
  throw new PathTakenError(`other processes are after ${path}, too`);
}

/** Takes away what nobody listens at. Throws PathTakenError, and the system error of the disk. */
async function removeStale(path: string, aside: string): Promise<void> {
  const found = await ifThere(lstat(path));
  if (found === undefined) return;
  if (!found.isSocket()) throw new PathTakenError(`${path} is there, and is no socket`);
  if (await isAnswered(path)) throw new PathTakenError(`another process listens at ${path}`);
  if ((await ifThere(rename(path, aside).then(() => true))) === undefined) return;
  if (await isAnswered(aside)) await link(aside, path);
  await rm(aside);
}

function isSame(file: Stats | undefined, other: Stats): boolean {
  return file?.dev === other.dev && file.ino === other.ino;
}

/** False when the file is there and its process is not. Throws the system error of what can't be asked. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise<boolean>((resolve, reject) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      const code = systemErrorCode(error);
      if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(false);
      // Its queue is full.
      else if (code === 'EAGAIN') resolve(true);
      else reject(error);
    });
  });
}

async function removeLeftovers(directory: string): Promise<void> {
  const left = (await readdir(directory)).filter((name) => name.startsWith(MAKING_PREFIX));
  for (const name of left) await rm(join(directory, name), { recursive: true, force: true });
}
