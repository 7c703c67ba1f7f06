import { replaysByItself } from '../backup/files/file-facts.ts';
import { isSealedName } from '../backup/files/file-name.ts';
import type { ListedFile } from '../backup/replay/listing.ts';
import { sleep, systemClock } from '../core/clock.ts';
import { printable } from '../core/printable.ts';
import type { Config } from '../config/config.ts';
import { reachableHost } from '../ops/http.ts';
import { CommandError, type CommandArgs, type Io } from './command.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { ProgressLine } from './progress-line.ts';

/** Who replays: the running bridge, or this process. */
export interface Replayer {
  files(): Promise<readonly ListedFile[]>;
  /** Throws CommandError when the file can't be replayed. */
  request(file: string): Promise<void>;
  /** False: when it has to wait, nobody will see it go on. */
  readonly staysOn: boolean;
}

const POLL_MS = 300;
const ANSWER_WITHIN_MS = 5000;

/** `backups replay [FILE…]`: has the running bridge do it, or does it itself where none runs. */
export async function replayBackups({ positionals, values }: CommandArgs, io: Io): Promise<ExitCode> {
  const wrong = positionals.find((name) => !isSealedName(name));
  if (wrong !== undefined) throw new CommandError(EXIT.usage, `not the name of a file in backup.dir: ${wrong}`);
  const config = io.loadConfig(values, 'any');
  const running = await findBridge(config);
  if (running !== undefined) return replayAll(running, positionals, io);
  const { openOwnReplay } = await import('./own-replay.ts');
  const own = await openOwnReplay(io.loadConfig(values, 'run'));
  try {
    return await replayAll(own, positionals, io);
  } finally {
    await own.close();
  }
}

async function replayAll(replayer: Replayer, named: readonly string[], io: Io): Promise<ExitCode> {
  const files = named.length > 0 ? named : (await replayer.files()).filter(replaysByItself).map(({ file }) => file);
  if (files.length === 0) io.stdout.write('No sealed backups to replay.\n');
  const line = new ProgressLine(io.stdout);
  let exitCode: ExitCode = EXIT.ok;
  for (const file of files) await replayer.request(file);
  for (const file of files) {
    const failure = await follow(file, replayer, line);
    if (failure === undefined) line.say(`${file}: replayed`);
    else line.say(`${file}: ${printable(failure.problem)}`);
    exitCode = failure?.exitCode ?? exitCode;
    if (failure?.exitCode === EXIT.unavailable) break;
  }
  return exitCode;
}

interface Failure {
  readonly exitCode: ExitCode;
  readonly problem: string;
}

/** Resolves when the file is replayed and gone, or can't be. */
async function follow(file: string, replayer: Replayer, line: ProgressLine): Promise<Failure | undefined> {
  let lastProblem: string | undefined;
  for (;;) {
    const listed = (await replayer.files()).find((each) => each.file === file);
    if (listed === undefined || listed.request?.state === 'done') return undefined;
    const { request, replayedRows, rows } = listed;
    if (request?.state === 'failed') return { exitCode: EXIT.inputOutput, problem: request.problem ?? 'failed' };
    if (request?.state === 'waiting' && request.problem !== lastProblem) {
      lastProblem = request.problem;
      if (!replayer.staysOn) return { exitCode: EXIT.unavailable, problem: lastProblem ?? 'waiting' };
      line.say(`${file}: waiting: ${printable(lastProblem ?? '')}`);
    }
    line.show(file, replayedRows, rows);
    await sleep(systemClock, POLL_MS);
  }
}

/** Undefined when nothing listens there. */
async function findBridge({ http }: Config): Promise<Replayer | undefined> {
  if (!http.enabled || http.port === 0) return undefined;
  const base = `http://${reachableHost(http.host)}:${http.port}`;
  try {
    await ask(`${base}/api/backups`, {});
  } catch (error) {
    if (error instanceof CommandError) throw error;
    return undefined;
  }
  if (http.token === '') {
    throw new CommandError(
      EXIT.config,
      `http.token is empty, so the running bridge at ${base} takes no requests: set it for both and start the bridge again`,
    );
  }
  const headers = { authorization: `Bearer ${http.token}` };
  return {
    staysOn: true,
    files: async () => JSON.parse(await askOrFail(`${base}/api/backups`, {}, base)) as ListedFile[],
    request: async (file) => {
      await askOrFail(`${base}/api/backups/${encodeURIComponent(file)}/replay`, { method: 'POST', headers }, base);
    },
  };
}

async function askOrFail(url: string, init: RequestInit, base: string): Promise<string> {
  try {
    return await ask(url, init);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(EXIT.unavailable, `the bridge at ${base} can't be reached any more`);
  }
}

/** The exit code for each answer that is none; others mean that no bridge of this version listens there. */
const REFUSALS: Readonly<Record<number, ExitCode>> = {
  401: EXIT.config,
  403: EXIT.config,
  404: EXIT.inputOutput,
  409: EXIT.inputOutput,
};

async function ask(url: string, init: RequestInit): Promise<string> {
  const deadline = new AbortController();
  const cancel = systemClock.setTimer(ANSWER_WITHIN_MS, () => deadline.abort());
  try {
    const response = await fetch(url, { ...init, signal: deadline.signal, redirect: 'error' });
    const text = await response.text();
    if (response.ok) return text;
    const exitCode = REFUSALS[response.status] ?? EXIT.unavailable;
    throw new CommandError(
      exitCode,
      `${new URL(url).origin} answered ${response.status}: ${printable(messageIn(text))}`,
    );
  } finally {
    cancel();
  }
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
