import { createInterface } from 'node:readline/promises';

import type { BackupFileInfo } from '../../backup/files/file-info.ts';
import type { BackupFolder } from '../../backup/files/folder.ts';
import type { Config } from '../../config/config.ts';
import { plural } from '../../core/wording.ts';
import { CommandError, flagOption, type CommandArgs, type Io } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { findRunningBridge, NoEntryError, type RunningBridge } from '../remote/running-bridge.ts';

/**
 * `backups discard FILE`: has the running bridge do it, which seals the file first; does it itself where none runs, or
 * where the one that runs takes no requests from here, as far as the file is sealed.
 */
export async function discardBackup(
  { values }: CommandArgs,
  io: Io,
  config: Config,
  folder: BackupFolder,
  file: BackupFileInfo,
): Promise<ExitCode> {
  const bridge = await bridgeFor(config, file);
  if (bridge === undefined && file.state === 'open') {
    const problem = 'no bridge runs, and the one that wrote it was cut off: the next start seals it, then discard it';
    throw new CommandError(EXIT.inputOutput, `${file.name}: ${problem}`);
  }
  if (!flagOption(values, 'yes') && !(await isConfirmed(file, io))) {
    io.stdout.write('Nothing was discarded.\n');
    return EXIT.ok;
  }
  if (bridge === undefined) await folder.discard(file.name);
  else await bridge.post(`/api/backups/${encodeURIComponent(file.name)}/discard`);
  io.stdout.write(`${file.name} was discarded.\n`);
  return EXIT.ok;
}

async function bridgeFor(config: Config, { state }: BackupFileInfo): Promise<RunningBridge | undefined> {
  try {
    return await findRunningBridge(config);
  } catch (error) {
    if (error instanceof NoEntryError && state === 'sealed') return undefined;
    throw error;
  }
}

async function isConfirmed({ name, rows, state }: BackupFileInfo, io: Io): Promise<boolean> {
  if (!process.stdin.isTTY || io.stdout.isTTY !== true) {
    throw new CommandError(EXIT.usage, 'backups discard asks on a terminal only; --yes discards without asking');
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    // Ctrl-C and Ctrl-D close it without an answer.
    const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
    const more = state === 'open' ? ' and those that come until then' : '';
    const question = terminal.question(`Discard ${name} (${plural(rows, 'row')}${more}) for good? [y/N] `);
    const answer = await Promise.race([question, closed]);
    return /^y(?:es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}
