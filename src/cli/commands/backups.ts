import type { BackupFileInfo } from '../../backup/files/file-info.ts';
import { BackupFolder, UnknownFileError } from '../../backup/files/folder.ts';
import { findBackup, scanBackups } from '../../backup/files/scan.ts';
import { outlooks, type OutlookOf } from '../../backup/replay/outlooks.ts';
import { destinationsOf } from '../../config/destinations.ts';
import { suggestion } from '../../core/suggestion.ts';
import { systemClock } from '../../core/clock.ts';
import { ifThere } from '../../core/durable-file.ts';
import { coerceError, systemErrorCode } from '../../core/errors.ts';
import { nodeFileSystem } from '../../core/node-filesystem.ts';
import { plural } from '../../core/wording.ts';
import { countReasons, namedRecords, type NamedFields } from '../backups/records.ts';
import { backupFacts, backupNames, backupTable, type ListedBackup } from '../text/backups-text.ts';
import { factsText, payloadOf, recordText, terminalText, textOf } from '../text/shown-file.ts';
import {
  CommandError,
  CONFIG_OPTIONS,
  flagOption,
  textOption,
  type Command,
  type CommandArgs,
  type Io,
} from '../command.ts';
import { EXIT, EXIT_MEANINGS, type ExitCode } from '../exit-codes.ts';

const SHOWN_ROWS = 10;

type Action = (args: CommandArgs, io: Io) => Promise<ExitCode>;

const ACTIONS: Readonly<Record<string, Action>> = {
  list,
  show,
  discard,
  fix,
  replay: async (args, io) => (await import('./replay-backups.ts')).replayBackups(args, io),
};

export const backupsCommand: Command = {
  name: 'backups',
  summary: 'lists, shows, replays and discards the CSV backups',
  usage: `Usage: mqtt-oracle-bridge backups list [--json | --names]
       mqtt-oracle-bridge backups show FILE [--rows N] [--json]
       mqtt-oracle-bridge backups show FILE --payload N
       mqtt-oracle-bridge backups fix FILE [--out PATH]
       mqtt-oracle-bridge backups fix FILE --take PATH
       mqtt-oracle-bridge backups replay [FILE...] [--to NAME]
       mqtt-oracle-bridge backups discard FILE [--yes]

Works on backup.dir of the configuration, beside a running bridge too. Reading changes
nothing. Times are in UTC. Show prints the whole reason of each row, and the payload of a
message as text, or in hexadecimal; --payload prints that of message N byte by byte, for
a file or for try. What is discarded is gone: its values will never reach Oracle. A file that the
running bridge still writes is sealed first.

Replay writes rows to Oracle and then deletes the file. A running bridge is asked to do
it, and to discard, over its local socket (control.socket; as its user or root) or over
HTTP (http.token); where none runs, the command does it itself. The bridge replays its
backups by itself: name a FILE to replay rejected rows after their cause is mended,
undecodable messages after their subscription is, or a file from another gateway that
was copied into backup.dir. Without FILE, all sealed backups. What is refused again, or
still can't be decoded, goes to a new file.

Fix gives the rows of a rejected file, or the messages of an undecodable one, as a CSV for
a spreadsheet (--out; - is standard output), and takes it back mended (--take; - is
standard input): all of it is checked, then the rows are replayed under the numbers that
they had, each once. The column row stays as it is; "drop" in the column drop leaves a row
out for good; a row that is not there stays as it was.

With --to all rows of FILE go to the destination NAME of the configuration (default: the
one of oracle.table), whomever they are for: what to do with the files of a destination
that is not in oracle.destinations any more. A replay that has begun can't be sent elsewhere.

Examples:
  mqtt-oracle-bridge backups list
  mqtt-oracle-bridge backups show rejected_20251102_143000.csv
  mqtt-oracle-bridge backups show undecodable_20251102_143000.csv --payload 1 > message.json
  mqtt-oracle-bridge backups fix rejected_20251102_143000.csv
  mqtt-oracle-bridge backups fix rejected_20251102_143000.csv --take rejected_20251102_143000.mend.csv
  mqtt-oracle-bridge backups replay rejected_20251102_143000.csv
  mqtt-oracle-bridge backups replay undecodable_20251102_143000.csv
  mqtt-oracle-bridge backups replay backup_20251102_143000.csv --to alarms
  mqtt-oracle-bridge backups discard rejected_20251102_143000.csv`,
  exitCodes: {
    0: 'done',
    65: 'fix: what was mended is not right: each mistake with line and column; nothing was changed',
    66: EXIT_MEANINGS[66],
    69: 'replay: neither a running bridge nor Oracle can do it now',
    74: "no such file, or it can't be read, replayed or discarded",
    78: EXIT_MEANINGS[78],
  },
  options: {
    json: { type: 'boolean', summary: 'list and show: print JSON' },
    names: { type: 'boolean', summary: 'list: print names only, one a line' },
    rows: { type: 'string', placeholder: 'N', summary: 'show: so many rows (default: 10)' },
    payload: { type: 'string', placeholder: 'N', summary: 'show: the payload of message N alone, as it came' },
    out: { type: 'string', placeholder: 'FILE', summary: 'fix: where the CSV goes (default: FILE.mend.csv here)' },
    take: { type: 'string', placeholder: 'FILE', summary: 'fix: the CSV as it was mended' },
    to: { type: 'string', placeholder: 'NAME', summary: 'replay: the destination that all rows of FILE go to' },
    yes: { type: 'boolean', short: 'y', summary: 'discard: do not ask' },
    ...CONFIG_OPTIONS,
  },
  takesPositionals: true,
  words: { list: 'nothing', show: 'backups', fix: 'backups', replay: 'backups', discard: 'backups' },
  run: async (args, io) => {
    const [name = 'list'] = args.positionals;
    const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
    if (action === undefined) {
      const hint = suggestion(name, Object.keys(ACTIONS));
      throw new CommandError(EXIT.usage, `backups: list, show, fix, replay or discard, not ${name}${hint}`);
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
  const { columns, isTTY } = io.stdout;
  if (flagOption(args.values, 'names')) {
    io.stdout.write(backupNames(files));
    return EXIT.ok;
  }
  const outlookOf = await outlooksIn(folder, args, io);
  const listed: ListedBackup[] = [];
  for (const file of files) {
    listed.push({ file, outlook: outlookOf(file), reasons: await ifThere(countReasons(folder, file)) });
  }
  if (flagOption(args.values, 'json')) io.stdout.write(`${JSON.stringify(listed.map(backupFacts), null, 2)}\n`);
  else if (files.length === 0) io.stdout.write(`No backup files in ${folder.directory}.\n`);
  else io.stdout.write(backupTable(listed, systemClock.now(), isTTY === true ? columns : undefined));
  return EXIT.ok;
}

async function show(args: CommandArgs, io: Io): Promise<ExitCode> {
  const folder = folderOf(args, io);
  const file = await onlyFile(args, 'show', folder);
  const payload = numberOption(args, 'payload');
  if (payload !== undefined) return showPayload(folder, file, payload, io);
  const shownRows = numberOption(args, 'rows') ?? SHOWN_ROWS;
  const outlook = (await outlooksIn(folder, args, io))(file);
  const listed = { file, outlook, reasons: await countReasons(folder, file) };
  const isJson = flagOption(args.values, 'json');
  if (!isJson) io.stdout.write(factsText(listed));
  const firstRows: NamedFields[] = [];
  let row = 0;
  for await (const record of namedRecords(folder, file)) {
    row += 1;
    if (row > shownRows) break;
    if (isJson) firstRows.push(withPayloadText(record));
    else io.stdout.write(`\n${recordText(record, row, file.rows)}`);
  }
  if (isJson) io.stdout.write(`${JSON.stringify({ ...backupFacts(listed), firstRows }, undefined, 2)}\n`);
  return EXIT.ok;
}

/** Beside the base64 of a message its payload as the text that it is. */
function withPayloadText(record: NamedFields): NamedFields {
  const base64 = record['payload_base64'];
  return base64 === undefined ? record : { ...record, payload: textOf(payloadOf(base64)) ?? null };
}

/** The payload of one message byte by byte, for a file or another command; on a terminal what can be shown of it. */
async function showPayload(folder: BackupFolder, file: BackupFileInfo, row: number, io: Io): Promise<ExitCode> {
  let at = 0;
  for await (const record of namedRecords(folder, file)) {
    at += 1;
    if (at !== row) continue;
    const base64 = record['payload_base64'];
    if (base64 === undefined) break;
    const payload = payloadOf(base64);
    io.stdout.write(io.stdout.isTTY === true ? terminalText(payload) : payload);
    return EXIT.ok;
  }
  const problem =
    file.kind === 'undecodable' ? `it has ${plural(file.rows, 'message')}, and none of number ${row}` : '';
  throw new CommandError(EXIT.usage, `--payload: ${file.name}: ${problem || 'it has rows, and no messages'}`);
}

function numberOption({ values }: CommandArgs, name: string): number | undefined {
  const text = textOption(values, name);
  if (text === undefined || /^[1-9]\d{0,8}$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new CommandError(EXIT.usage, `--${name}: must be a whole number from 1, not ${JSON.stringify(text)}`);
}

async function discard(args: CommandArgs, io: Io): Promise<ExitCode> {
  const folder = folderOf(args, io);
  const file = await onlyFile(args, 'discard', folder);
  const { discardBackup } = await import('./discard-backup.ts');
  return discardBackup(args, io, io.loadConfig(args.values, 'any'), folder, file);
}

async function fix(args: CommandArgs, io: Io): Promise<ExitCode> {
  const { fixBackup } = await import('./fix-backup.ts');
  return fixBackup(args, io, folderOf(args, io), onlyName(args, 'fix'));
}

/** The file that the command names, found by its exact name among those of the directory. */
async function onlyFile(args: CommandArgs, action: string, folder: BackupFolder): Promise<BackupFileInfo> {
  const name = onlyName(args, action);
  const file = await findBackup(folder, name);
  if (file === undefined) throw new UnknownFileError(name);
  return file;
}

function onlyName({ positionals }: CommandArgs, action: string): string {
  const [name] = positionals;
  if (name !== undefined && positionals.length === 1) return name;
  throw new CommandError(EXIT.usage, `backups ${action} takes one file; see backups list`);
}
