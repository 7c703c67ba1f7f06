import type { Config } from '../config/config.ts';
import type { ConfigNeed } from '../config/load.ts';
import type { ExitCode } from './exit-codes.ts';

/** An option as `util.parseArgs` wants it, with what the help says about it. */
export interface CommandOption {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  /** What stands for the value in the help: `FILE`, which shells complete, `URL`. */
  readonly placeholder?: string;
  /** One line for the help. */
  readonly summary: string;
}

export type OptionValues = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

export interface CommandArgs {
  readonly values: OptionValues;
  readonly positionals: readonly string[];
}

export interface Output {
  /** True for a terminal, which a person watches. */
  readonly isTTY?: boolean;
  /** The width of the terminal. */
  readonly columns?: number;
  write(text: string | Uint8Array): unknown;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the command line is given by its process, or by a test. */
export interface Terminal {
  readonly stdout: Output;
  readonly stderr: Output;
  /** Standard input, opened when it is asked for; absent: there is none. */
  readonly stdin?: () => AsyncIterable<Uint8Array>;
  readonly env: Environment;
}

export interface Io extends Terminal {
  /**
   * Loads the configuration that `--config`, `--set` (see CONFIG_OPTIONS), the environment and the search path name.
   * With `any`, a missing file is an error only when it was named.
   * Throws what `runCli` turns into exit codes 66 and 78: a command need not catch it.
   */
  loadConfig(values: OptionValues, need?: ConfigNeed): Config;
}

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** The help of this command, from `Usage:` to examples, without the lists of options and exit codes. */
  readonly usage: string;
  /** What this command ends with, and what that means here; wrong usage and internal errors go without saying. */
  readonly exitCodes: Readonly<Partial<Record<ExitCode, string>>>;
  readonly options: Readonly<Record<string, CommandOption>>;
  /** Words after the command that are not options: refused with a usage error unless this is true. */
  readonly takesPositionals?: boolean;
  /** The first of these words, for completion, each with what may follow it. */
  readonly words?: Readonly<Record<string, 'backups' | 'nothing'>>;
  run(args: CommandArgs, io: Io): Promise<ExitCode>;
}

/** Ends a command: the message goes to standard error, one line, and the process exits with the code. */
export class CommandError extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string) {
    super(message);
    this.name = 'CommandError';
    this.exitCode = exitCode;
  }
}

/** For each command that reads the configuration; hand `values` on to `io.loadConfig`. */
export const CONFIG_OPTIONS = {
  config: {
    type: 'string',
    short: 'c',
    multiple: true,
    placeholder: 'FILE',
    summary: 'configuration file; may be repeated, a later file wins',
  },
  set: {
    type: 'string',
    multiple: true,
    placeholder: 'KEY=VALUE',
    summary: 'sets one key, such as log.level=debug; wins over files and environment',
  },
} as const satisfies Record<string, CommandOption>;

/** The texts of an option that may be repeated. */
export function textOptions(values: OptionValues, name: string): string[] {
  const value = values[name];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** The text of an option; undefined when it is not given. */
export function textOption(values: OptionValues, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}

export function flagOption(values: OptionValues, name: string): boolean {
  return values[name] === true;
}
