import { replaysByItself } from '../../backup/files/file-facts.ts';
import { isSealedName } from '../../backup/files/file-name.ts';
import { KINDS } from '../../backup/files/kinds.ts';
import type { ListedFile } from '../../backup/replay/listing.ts';
import { sleep, systemClock } from '../../core/clock.ts';
import { printable } from '../../core/printable.ts';
import { plural } from '../../core/wording.ts';
import { CommandError, textOption, type CommandArgs, type Io } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { findRunningBridge } from '../remote/running-bridge.ts';
import type { Replayer } from '../replay/replayer.ts';
import { runningReplay } from '../replay/running-replay.ts';
import { ProgressLine } from '../text/progress-line.ts';

const POLL_MS = 300;

/** `backups replay [FILE…] [--to NAME]`: has the running bridge do it, or does it itself where none runs. */
export async function replayBackups({ positionals, values }: CommandArgs, io: Io): Promise<ExitCode> {
  const wrong = positionals.find((name) => !isSealedName(name));
  if (wrong !== undefined) throw new CommandError(EXIT.usage, `not the name of a file in backup.dir: ${wrong}`);
  const to = textOption(values, 'to');
  if (to !== undefined && positionals.length === 0) {
    throw new CommandError(EXIT.usage, 'backups replay: --to needs the names of the files');
  }
  const config = io.loadConfig(values, 'any');
  const bridge = await findRunningBridge(config);
  if (bridge !== undefined) return replayAll(runningReplay(bridge), positionals, to, io);
  const { openOwnReplay } = await import('../replay/own-replay.ts');
  const own = await openOwnReplay(io.loadConfig(values, 'run'));
  try {
    return await replayAll(own, positionals, to, io);
  } finally {
    await own.close();
  }
}

/** Has the files replayed, or all sealed backups where none is named, and follows it to its end. */
export async function replayAll(
  replayer: Replayer,
  named: readonly string[],
  to: string | undefined,
  io: Io,
): Promise<ExitCode> {
  const files = named.length > 0 ? named : (await replayer.files()).filter(replaysByItself).map(({ file }) => file);
  if (files.length === 0) io.stdout.write('No sealed backups to replay.\n');
  const line = new ProgressLine(io.stdout);
  let exitCode: ExitCode = EXIT.ok;
  const before = await replayer.files();
  for (const file of files) await replayer.request(file, to);
  for (const file of files) {
    const failure = await follow(file, replayer, line);
    if (failure === undefined) line.say(`${file}: replayed${await leftText(file, before, replayer)}`);
    else line.say(`${file}: ${printable(failure.problem)}`);
    exitCode = failure?.exitCode ?? exitCode;
    if (failure?.exitCode === EXIT.unavailable) break;
  }
  for (const text of refusals(before, await replayer.files())) line.say(text);
  return exitCode;
}

/** Messages that still can't be decoded are in a new file, which bears the time of the one that they were in. */
async function leftText(file: string, before: readonly ListedFile[], replayer: Replayer): Promise<string> {
  const former = before.find((each) => each.file === file);
  if (former?.kind !== 'undecodable') return '';
  const known = new Set(before.map((each) => each.file));
  const isLeft = (each: ListedFile): boolean =>
    each.kind === 'undecodable' && each.createdAt === former.createdAt && !known.has(each.file);
  const left = (await replayer.files()).find(isLeft);
  return left === undefined ? '' : `, but for ${plural(left.rows, 'message')} still undecodable: ${left.file}`;
}

/** Rows that were refused are in files that are new, or have more; those of a running bridge may be among them. */
function refusals(before: readonly ListedFile[], after: readonly ListedFile[]): string[] {
  const rowsBefore = new Map(before.map((each) => [each.file, each.rows]));
  return after.flatMap(({ file, kind, rows }) => {
    const more = rows - (rowsBefore.get(file) ?? 0);
    return KINDS[kind].isSetApart && more > 0 ? [`${plural(more, 'row')} refused meanwhile: ${file}`] : [];
  });
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
