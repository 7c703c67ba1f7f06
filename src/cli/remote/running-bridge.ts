import type { Config } from '../../config/config.ts';
import { controlPath, controlPathProblem } from '../../core/control-path.ts';
import { systemErrorCode } from '../../core/errors.ts';
import { printable } from '../../core/printable.ts';
import { CommandError } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { askBridge, bridgeUrl, type BridgeAnswer } from './bridge-request.ts';
import { askSocket } from './socket-request.ts';

/**
 * The bridge of this configuration, which runs. Both throw CommandError when it refuses, or can't be reached any more.
 */
export interface RunningBridge {
  get(path: string): Promise<string>;
  /** Has something done. */
  post(path: string): Promise<string>;
}

/** A bridge runs, and does nothing for this process. */
export class NoEntryError extends CommandError {}

type Ask = (method: 'GET' | 'POST', path: string) => Promise<BridgeAnswer>;

/**
 * Looks for the running bridge at its local socket, where the rights of the file say who may ask, and then over HTTP,
 * with the token. Undefined when none answers. Throws NoEntryError when one does that takes no requests from here, and
 * CommandError when what listens there is no bridge.
 */
export async function findRunningBridge(config: Config): Promise<RunningBridge | undefined> {
  const path = controlPath(config);
  const denial = path === undefined ? undefined : await denialOf(path);
  if (path !== undefined && denial === 'open') return bridgeAt(path, (...asked) => askSocket(path, ...asked));
  return findOverHttp(config, denial ?? '');
}

/** `open`: a bridge answers there; a sentence: one may be there, and this user may not ask; undefined: none is. */
async function denialOf(path: string): Promise<string | undefined> {
  if (controlPathProblem(path) !== undefined) return undefined;
  try {
    await askSocket(path, 'GET', '/healthz');
    return 'open';
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'EACCES' || code === 'EPERM') {
      return `${path} is open to the user that the bridge runs as, and to root: run this command as one of them`;
    }
    return code === 'ENOENT' || code === 'ECONNREFUSED' ? undefined : `${path} does not answer`;
  }
}

async function findOverHttp({ http }: Config, denial: string): Promise<RunningBridge | undefined> {
  const base = bridgeUrl(http);
  const headers = { authorization: `Bearer ${http.token}` };
  const ask: Ask = (method, path) => askBridge(base + path, method === 'GET' ? {} : { method, headers });
  const isThere = http.enabled && http.port !== 0 && (await answers(ask, base));
  if (!isThere) {
    if (denial !== '') throw new NoEntryError(EXIT.inputOutput, denial);
    return undefined;
  }
  if (http.token !== '') return bridgeAt(base, ask);
  const socket = denial === '' ? 'it has no socket here (control.socket)' : denial;
  throw new NoEntryError(
    EXIT.config,
    `the running bridge at ${base} takes no requests without a token, and http.token is empty; ${socket}`,
  );
}

async function answers(ask: Ask, base: string): Promise<boolean> {
  try {
    refuse(await ask('GET', '/api/backups'), base);
    return true;
  } catch (error) {
    if (error instanceof CommandError) throw error;
    return false;
  }
}

function bridgeAt(place: string, ask: Ask): RunningBridge {
  const textOf = async (method: 'GET' | 'POST', path: string): Promise<string> => {
    let answer: BridgeAnswer;
    try {
      answer = await ask(method, path);
    } catch {
      throw new CommandError(EXIT.unavailable, `the bridge at ${place} can't be reached any more`);
    }
    refuse(answer, place);
    return answer.text;
  };
  return { get: (path) => textOf('GET', path), post: (path) => textOf('POST', path) };
}

/** The exit code for each answer that is none; others mean that no bridge of this version listens there. */
const REFUSALS: Readonly<Record<number, ExitCode>> = {
  401: EXIT.config,
  403: EXIT.config,
  404: EXIT.inputOutput,
  409: EXIT.inputOutput,
};

/** Throws CommandError for an answer that is none. */
function refuse({ isGood, status, text }: BridgeAnswer, place: string): void {
  if (isGood) return;
  const exitCode = REFUSALS[status] ?? EXIT.unavailable;
  throw new CommandError(exitCode, `${place} answered ${status}: ${printable(messageIn(text))}`);
}

function messageIn(text: string): string {
  try {
    const { message } = JSON.parse(text) as { readonly message?: unknown };
    if (typeof message === 'string') return message;
  } catch {
    // plain text
  }
  return text.trim();
}
