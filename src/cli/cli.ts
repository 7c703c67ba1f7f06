import { parseArgs } from 'node:util';

import { ConfigErrors, ConfigFileError } from '../config/config-errors.ts';
import { suggestion } from '../core/suggestion.ts';
import { coerceError, systemErrorCode } from '../core/errors.ts';
import { type Command, CommandError, type CommandArgs, type Io, type Terminal } from './command.ts';
import { COMMANDS, DEFAULT_COMMAND, loadCommands } from './commands.ts';
import { loadConfiguration } from './configuration.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { commandHelp, generalHelp, PROGRAM } from './help.ts';
import { packageVersion } from './version.ts';

/**
 * Runs the command line. Never throws: the result is the exit code, what a person should know is on
 * `terminal.stderr`.
 */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const io: Io = {
    ...terminal,
    loadConfig: (values, need = 'run') => loadConfiguration(values, need, terminal.env),
  };
  try {
    return await dispatch(argv, io);
  } catch (thrown) {
    const failure = describeFailure(thrown);
    terminal.stderr.write(failure.lines.map((line) => `${PROGRAM}: ${line}\n`).join(''));
    return failure.exitCode;
  }
}

async function dispatch(argv: readonly string[], io: Io): Promise<ExitCode> {
  const [first = ''] = argv;
  if (first === '--help' || first === '-h') {
    io.stdout.write(generalHelp(await loadCommands()));
    return EXIT.ok;
  }
  if (first === '--version' || first === '-V') {
    io.stdout.write(`${packageVersion()}\n`);
    return EXIT.ok;
  }
  const isNamed = first !== '' && !first.startsWith('-');
  const load = COMMANDS.get(isNamed ? first : DEFAULT_COMMAND);
  if (load === undefined) {
    const hint = suggestion(first, [...COMMANDS.keys()]);
    throw new CommandError(EXIT.usage, `unknown command ${first}${hint}; see ${PROGRAM} --help`);
  }
  const command = await load();
  const args = parse(command, argv.slice(isNamed ? 1 : 0));
  if (args.values['help'] === true) {
    io.stdout.write(commandHelp(command));
    return EXIT.ok;
  }
  return command.run(args, io);
}

function parse(command: Command, args: readonly string[]): CommandArgs {
  const seeHelp = `; see ${PROGRAM} ${command.name} --help`;
  const help = { type: 'boolean', short: 'h' } as const;
  const options = { ...command.options, help };
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals: true });
    const [extra] = parsed.positionals;
    if (extra === undefined || command.takesPositionals === true) return parsed;
    const hint = suggestion(extra, [...COMMANDS.keys()]);
    throw new CommandError(EXIT.usage, `unexpected argument ${extra}${hint}${seeHelp}`);
  } catch (thrown) {
    if (thrown instanceof CommandError) throw thrown;
    const [sentence = ''] = coerceError(thrown).message.split(/\.(?:\s|$)/);
    const unknown = /^Unknown option '(?<name>--[^']+)'/.exec(sentence)?.groups?.['name'];
    const known = Object.keys(options).map((name) => `--${name}`);
    const hint = unknown === undefined ? '' : suggestion(unknown, [...known, '--version']);
    throw new CommandError(EXIT.usage, sentence + hint + seeHelp);
  }
}

interface Failure {
  readonly exitCode: ExitCode;
  readonly lines: readonly string[];
}

function describeFailure(thrown: unknown): Failure {
  const error = coerceError(thrown);
  if (error instanceof CommandError) return { exitCode: error.exitCode, lines: [error.message] };
  if (error instanceof ConfigFileError) return { exitCode: EXIT.configNotFound, lines: [error.message] };
  if (error instanceof ConfigErrors) {
    return { exitCode: EXIT.config, lines: error.errors.map(({ path, message }) => `${path}: ${message}`) };
  }
  if (systemErrorCode(error) !== undefined && 'syscall' in error) {
    return { exitCode: EXIT.inputOutput, lines: [error.message] };
  }
  return { exitCode: EXIT.internal, lines: [`internal error: ${error.stack ?? error.message}`] };
}
