import type { BackupFileInfo } from '../../backup/files/file-info.ts';
import { BackupFolder, UnknownFileError } from '../../backup/files/folder.ts';
import { findBackup, scanBackups } from '../../backup/files/scan.ts';
import { outlooks, type OutlookOf } from '../../backup/replay/outlooks.ts';
import { destinationsOf } from '../../config/destinations.ts';
import { suggestion } from '../../core/suggestion.ts';
import { systemClock } from '../../core/clock.ts';
import { coerceError, systemErrorCode } from '../../core/errors.ts';
import { nodeFileSystem } from '../../core/node-filesystem.ts';
import { backupFacts, backupNames, backupTable, recordLines } from '../text/backups-text.ts';
import { CommandError, CONFIG_OPTIONS, flagOption, type Command, type CommandArgs, type Io } from '../command.ts';
import { EXIT, EXIT_MEANINGS, type ExitCode } from '../exit-codes.ts';

const SHOWN_ROWS = 10;

type Action = (args: CommandArgs, io: Io) => Promise<ExitCode>;

const ACTIONS: Readonly<Record<string, Action>> = {
  list,
  show,
  discard,
  replay: async (args, io) => (await import('./replay-backups.ts')).replayBackups(args, io),
};

export const backupsCommand: Command = {
  name: 'backups',
  summary: 'lists, shows, replays and discards the CSV backups',
  usage: `Usage: mqtt-oracle-bridge backups list [--json | --names]
       mqtt-oracle-bridge backups show FILE [--json]
       mqtt-oracle-bridge backups replay [FILE...] [--to NAME]
       mqtt-oracle-bridge backups discard FILE [--yes]

Works on backup.dir of the configuration, beside a running bridge too. Reading changes
nothing. What is discarded is gone: its values will never reach Oracle. A file that the
running bridge still writes is sealed first.

Replay writes rows to Oracle and then deletes the file. A running bridge is asked to do
it, and to discard, over its local socket (control.socket; as its user or root) or over
HTTP (http.token); where none runs, the command does it itself. The bridge replays its
backups by itself: name a FILE to replay rejected rows after their cause is mended,
undecodable messages after their subscription is, or a file from another gateway that
was copied into backup.dir. Without FILE, all sealed backups. What is refused again, or
still can't be decoded, goes to a new file.

With --to all rows of FILE go to the destination NAME of the configuration (default: the
one of oracle.table), whomever they are for: what to do with the files of a destination
that is not in oracle.destinations any more. A replay that has begun can't be sent elsewhere.

Examples:
  mqtt-oracle-bridge backups list
  mqtt-oracle-bridge backups show rejected_20251102_143000.csv
  mqtt-oracle-bridge backups replay rejected_20251102_143000.csv
  mqtt-oracle-bridge backups replay undecodable_20251102_143000.csv
  mqtt-oracle-bridge backups replay backup_20251102_143000.csv --to alarms
  mqtt-oracle-bridge backups discard rejected_20251102_143000.csv`,
  exitCodes: {
    0: 'done',
    66: EXIT_MEANINGS[66],
    69: 'replay: neither a running bridge nor Oracle can do it now',
    74: "no such file, or it can't be read, replayed or discarded",
    78: EXIT_MEANINGS[78],
  },
  options: {
    json: { type: 'boolean', summary: 'list and show: print JSON' },
    names: { type: 'boolean', summary: 'list: print names only, one a line' },
    to: { type: 'string', placeholder: 'NAME', summary: 'replay: the destination that all rows of FILE go to' },
    yes: { type: 'boolean', short: 'y', summary: 'discard: do not ask' },
    ...CONFIG_OPTIONS,
  },
  takesPositionals: true,
  words: { list: 'nothing', show: 'backups', replay: 'backups', discard: 'backups' },
  run: async (args, io) => {
    const [name = 'list'] = args.positionals;
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
    if (action === undefined) {
      const hint = suggestion(name, Object.keys(ACTIONS));
      throw new CommandError(EXIT.usage, `backups: list, show, replay or discard, not ${name}${hint}`);
    }
    try {
      return await action({ values: args.values, positionals: args.positionals.slice(1) }, io);
    } catch (error) {
      if (error instanceof UnknownFileError) throw new CommandError(EXIT.inputOutput, error.message);
      if (systemErrorCode(error) === undefined) throw error;
      throw new CommandError(EXIT.inputOutput, coerceError(error).message);
    }
  },
};

function folderOf({ values }: CommandArgs, io: Io): BackupFolder {
  return new BackupFolder(io.loadConfig(values, 'any').backup.dir, nodeFileSystem);
}

function outlooksIn(folder: BackupFolder, { values }: CommandArgs, io: Io): Promise<OutlookOf> {
  return outlooks(
    folder,
    destinationsOf(io.loadConfig(values, 'any').oracle).map(({ name }) => name),
  );
}

async function list(args: CommandArgs, io: Io): Promise<ExitCode> {
  if (args.positionals.length > 0) throw new CommandError(EXIT.usage, 'backups list takes no file');
  const folder = folderOf(args, io);
  const files = await scanBackups(folder);
  const outlookOf = await outlooksIn(folder, args, io);
  const facts = files.map((file) => backupFacts(file, outlookOf(file)));
  const { columns, isTTY } = io.stdout;
  if (flagOption(args.values, 'names')) io.stdout.write(backupNames(files));
  else if (flagOption(args.values, 'json')) io.stdout.write(`${JSON.stringify(facts, null, 2)}\n`);
  else if (files.length === 0) io.stdout.write(`No backup files in ${folder.directory}.\n`);
  else io.stdout.write(backupTable(files, outlookOf, systemClock.now(), isTTY === true ? columns : undefined));
  return EXIT.ok;
}

async function show(args: CommandArgs, io: Io): Promise<ExitCode> {
  const folder = folderOf(args, io);
  const file = await onlyFile(args, 'show', folder);
  const outlook = (await outlooksIn(folder, args, io))(file);
  const lines = await recordLines(folder, file, outlook, SHOWN_ROWS);
  if (flagOption(args.values, 'json')) {
    io.stdout.write(`${JSON.stringify({ ...backupFacts(file, outlook), firstRows: lines.records }, undefined, 2)}\n`);
    return EXIT.ok;
  }
  io.stdout.write(`${lines.head}\n${lines.text}`);
  return EXIT.ok;
}

async function discard(args: CommandArgs, io: Io): Promise<ExitCode> {
  const folder = folderOf(args, io);
  const file = await onlyFile(args, 'discard', folder);
  const { discardBackup } = await import('./discard-backup.ts');
  return discardBackup(args, io, io.loadConfig(args.values, 'any'), folder, file);
}

/** The file that the command names, found by its exact name among those of the directory. */
async function onlyFile({ positionals }: CommandArgs, action: string, folder: BackupFolder): Promise<BackupFileInfo> {
  const [name] = positionals;
  if (name === undefined || positionals.length > 1) {
    throw new CommandError(EXIT.usage, `backups ${action} takes one file; see backups list`);
  }
  const file = await findBackup(folder, name);
  if (file === undefined) throw new UnknownFileError(name);
  return file;
}
