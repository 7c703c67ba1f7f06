import { dirname, join } from 'node:path';

/** Where the local socket of a bridge lies, as its configuration says it. */
export interface ControlPlace {
  readonly control: { readonly enabled: boolean; readonly socket: string };
  readonly journal: { readonly dir: string };
}

/** In the journal's directory, where no other path is configured. */
const SOCKET_NAME = 'control.sock';

/**
 * What is behind the end of a longer path is dropped by Node without a word: the socket would lie elsewhere. sun_path
 * has 108 bytes on Linux [unix(7)] and 104 elsewhere, the last of them for its end.
 */
const MAX_PATH_BYTES = process.platform === 'linux' ? 107 : 103;

/** Undefined where there is to be none: it is switched off, or the system is Windows, which has no such files. */
export function controlPath({ control, journal }: ControlPlace, platform = process.platform): string | undefined {
  if (!control.enabled || platform === 'win32') return undefined;
  return control.socket === '' ? join(journal.dir, SOCKET_NAME) : control.socket;
}

/** Where it is made, before it gets its name: in a directory of its own that nobody else may enter. */
export const MAKING_PREFIX = '.cs-';
const MAKING_NAME = `${MAKING_PREFIX}123456/s`;

/** What is wrong with the path of a socket, as `must …`; undefined: nothing. */
export function controlPathProblem(path: string): string | undefined {
  const bytes = Math.max(...[path, join(dirname(path), MAKING_NAME)].map((each) => Buffer.byteLength(each)));
  if (bytes <= MAX_PATH_BYTES) return undefined;
  return `must be a path of at most ${MAX_PATH_BYTES} bytes for a socket, and ${JSON.stringify(path)} needs ${bytes}`;
}
