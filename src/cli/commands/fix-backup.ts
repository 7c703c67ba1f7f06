import { chown, open, readFile, stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';

import type { BackupFileInfo } from '../../backup/files/file-info.ts';
import { findBackup } from '../../backup/files/scan.ts';
import { UnknownFileError, type BackupFolder } from '../../backup/files/folder.ts';
import { CsvError } from '../../backup/csv/csv.ts';
import type { Config } from '../../config/config.ts';
import { destinationsOf } from '../../config/destinations.ts';
import { removeIfThere, withSynced } from '../../core/durable-file.ts';
import { systemErrorCode } from '../../core/errors.ts';
import { mendedName } from '../../core/mended-name.ts';
import { figureText, plural } from '../../core/wording.ts';
import { MAX_TEXT_BYTES } from '../../oracle/statements.ts';
import { MessageTrial } from '../../try-message.ts';
import { checkRows, rowCheckOf } from '../../writer/row-check.ts';
import { CommandError, textOption, type CommandArgs, type Io } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { readMended, type MendedRow } from '../mend/mended-csv.ts';
import {
  exportLines,
  mendedColumns,
  mendedLines,
  MistakesError,
  type MendCount,
  type Mending,
} from '../mend/mending.ts';
import { MessageMending } from '../mend/mending-messages.ts';
import { RowMending } from '../mend/mending-rows.ts';
import { findRunningBridge, NoEntryError, type RunningBridge } from '../remote/running-bridge.ts';
import { runningReplay } from '../replay/running-replay.ts';
import { replayAll } from './replay-backups.ts';

const MENDED_ENDING = '.mend.csv';
const FILE_MODE = 0o600;

/** `backups fix FILE [--out PATH]`, and back again: `backups fix FILE --take PATH`. */
export async function fixBackup(args: CommandArgs, io: Io, folder: BackupFolder, name: string): Promise<ExitCode> {
  const config = io.loadConfig(args.values, 'any');
  const [out, take] = [textOption(args.values, 'out'), textOption(args.values, 'take')];
  const bridge = await findRunningBridge(config).catch((error: unknown) => {
    // Who only reads a sealed file needs none.
    if (error instanceof NoEntryError && take === undefined) return undefined;
    throw error;
  });
  const file = await sealedFile(folder, name, bridge);
  const mending = mendingOf(file, config);
  if (out !== undefined && take !== undefined) {
    throw new CommandError(
      EXIT.usage,
      'backups fix: --out gives the rows to a person, --take takes them back: not both',
    );
  }
  if (take === undefined) return exportFile(folder, file, mending, out, io);
  const taken = { folder, file, mending, mended: await mendedRows(take, mending, io), from: take };
  const count = await validated(taken);
  if (bridge !== undefined) return takeBy(bridge, taken, count, io);
  const { openOwnReplay } = await import('../replay/own-replay.ts');
  const own = await openOwnReplay(io.loadConfig(args.values, 'run'));
  try {
    if (isChanged(count)) await prepared(taken, (by) => own.replace(file.name, by));
    return await said(taken, count, io, () => replayAll(own, [file.name], undefined, io));
  } finally {
    await own.close();
  }
}

/** The file, which gets no more rows. */
async function sealedFile(
  folder: BackupFolder,
  name: string,
  bridge: RunningBridge | undefined,
): Promise<BackupFileInfo> {
  let file = await findBackup(folder, name);
  if (file?.state === 'open' && bridge !== undefined) {
    await bridge.post(`/api/backups/${encodeURIComponent(name)}/seal`);
    file = await findBackup(folder, name);
  }
  if (file === undefined) throw new UnknownFileError(name);
  const unsealed = 'it is not sealed: the running bridge does that within an hour, or the next start';
  const problem = file.state === 'open' ? unsealed : file.problem;
  if (problem !== undefined) throw new CommandError(EXIT.inputOutput, `${name}: ${problem}`);
  return file;
}

function mendingOf({ kind, name }: BackupFileInfo, config: Config): Mending {
  if (kind === 'rejected') {
    const checks = new Map(destinationsOf(config.oracle).map((each) => [each.name, rowCheckOf(each, MAX_TEXT_BYTES)]));
    return new RowMending((values, destination) => {
      const check = checks.get(destination);
      return check === undefined ? [] : checkRows(values, check);
    });
  }
  if (kind === 'undecodable') {
    const trial = new MessageTrial(config, MAX_TEXT_BYTES);
    return new MessageMending((topic, payload, receivedAtMs) => trial.try({ topic, payload, receivedAtMs }, 1));
  }
  throw new CommandError(
    EXIT.usage,
    `backups fix takes rejected and undecodable files; ${name} is of the kind ${kind}`,
  );
}

async function exportFile(
  folder: BackupFolder,
  file: BackupFileInfo,
  mending: Mending,
  out = basename(file.name, '.csv') + MENDED_ENDING,
  io: Io,
): Promise<ExitCode> {
  const lines = exportLines(folder, file, mending);
  if (out === '-') {
    for await (const line of lines) io.stdout.write(line);
    return EXIT.ok;
  }
  if (resolve(dirname(out)) === resolve(folder.directory)) {
    throw new CommandError(
      EXIT.usage,
      `--out: not in backup.dir, where ${basename(out)} would pass for rows to replay`,
    );
  }
  const handle = await open(out, 'wx', FILE_MODE).catch((error: unknown) => {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
    throw new CommandError(
      EXIT.inputOutput,
      `${out} is there already, and may have been mended: name another with --out`,
    );
  });
  try {
    for await (const line of lines) await handle.appendFile(line);
  } finally {
    await handle.close();
  }
  io.stdout.write(`${out}: mend it, then: mqtt-oracle-bridge backups fix ${file.name} --take ${out}\n`);
  return EXIT.ok;
}

interface Taken {
  readonly folder: BackupFolder;
  readonly file: BackupFileInfo;
  readonly mending: Mending;
  readonly mended: ReadonlyMap<string, MendedRow>;
  /** Where they came from, for a person. */
  readonly from: string;
}

async function mendedRows(path: string, mending: Mending, io: Io): Promise<ReadonlyMap<string, MendedRow>> {
  const bytes = path === '-' ? await allOf(io) : await readFile(path);
  const needed = mendedColumns(mending).filter((column) => !mending.reasons.includes(column));
  return unlessMistaken(path, () => Promise.resolve(readMended(bytes, needed)));
}

async function allOf({ stdin }: Io): Promise<Buffer> {
  if (stdin === undefined) throw new CommandError(EXIT.usage, '--take -: there is no standard input');
  const chunks: Uint8Array[] = [];
  for await (const chunk of stdin()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Reads all of it through, before anything is changed. */
async function validated({ file, folder, from, mended, mending }: Taken): Promise<MendCount> {
  const count = { changed: 0, dropped: 0, rows: 0 };
  await unlessMistaken(from, async () => {
    for await (const _line of mendedLines(folder, file, mending, mended, count));
  });
  if (count.rows > 0) return count;
  throw new CommandError(EXIT.usage, `${from}: all rows are dropped: that is backups discard ${file.name}`);
}

async function unlessMistaken<T>(from: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof CsvError || error instanceof MistakesError)) throw error;
    const mistakes = error.message.split('\n').map((line) => `${from}: ${line}`);
    throw new CommandError(EXIT.dataError, `${mistakes.join('\n')}\nnothing was changed`);
  }
}

/** Makes the new file beside the old one, durable and of its owner, and hands it on; it goes if nobody takes it. */
async function prepared(
  { file, folder, mended, mending }: Taken,
  use: (by: number) => Promise<unknown>,
): Promise<void> {
  const { fileSystem } = folder;
  const path = folder.path(mendedName(file.name, process.pid));
  await removeIfThere(fileSystem, path);
  try {
    await withSynced(fileSystem.create(path), async (made) => {
      const count = { changed: 0, dropped: 0, rows: 0 };
      for await (const line of mendedLines(folder, file, mending, mended, count)) await made.append(Buffer.from(line));
    });
    // What root makes the bridge's user could not read.
    const { gid, uid } = await stat(folder.path(file.name));
    if (process.getuid?.() === 0) await chown(path, uid, gid);
    await folder.sync();
    await use(process.pid);
  } finally {
    await removeIfThere(fileSystem, path);
  }
}

async function takeBy(bridge: RunningBridge, taken: Taken, count: MendCount, io: Io): Promise<ExitCode> {
  const path = `/api/backups/${encodeURIComponent(taken.file.name)}/mend`;
  if (isChanged(count)) await prepared(taken, (by) => bridge.post(`${path}?by=${by}`));
  return said(taken, count, io, () => replayAll(runningReplay(bridge), [taken.file.name], undefined, io));
}

function isChanged({ changed, dropped }: MendCount): boolean {
  return changed + dropped > 0;
}

function said({ file }: Taken, count: MendCount, io: Io, replay: () => Promise<ExitCode>): Promise<ExitCode> {
  const { changed, dropped, rows } = count;
  const noun = file.kind === 'undecodable' ? 'message' : 'row';
  const left = rows - changed;
  io.stdout.write(
    `${file.name}: ${plural(changed, noun)} mended, ${figureText(dropped)} dropped, ${figureText(left)} as before\n`,
  );
  return replay();
}
