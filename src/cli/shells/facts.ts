import type { Command, CommandOption } from '../command.ts';

/** What a shell's script is made from: the same tables as the help. */
export interface CompletionFacts {
  readonly program: string;
  readonly commands: readonly Command[];
  /** The command whose options may stand without it. */
  readonly defaultCommand: string;
  /** The configuration keys that `--set` takes. */
  readonly keys: readonly string[];
}

/** Prints the names of the backups; nothing where the configuration can't be read. */
export const LIST_BACKUPS = 'backups list --names 2>/dev/null';

export const HELP_OPTION: CommandOption = { type: 'boolean', short: 'h', summary: 'this help' };
export const VERSION_OPTION: CommandOption = { type: 'boolean', short: 'V', summary: 'the version' };

/** The options of a command by name, with those that every one has. */
export function optionsOf(command: Command): [string, CommandOption][] {
  return [...Object.entries(command.options), ['help', HELP_OPTION]];
}

/** The flags of an option, such as `-c` and `--config`. */
export function flagsOf(name: string, { short }: CommandOption): string[] {
  return short === undefined ? [`--${name}`] : [`-${short}`, `--${name}`];
}

/** The flags of all commands that are followed by a value. */
export function flagsWithValue(commands: readonly Command[]): string[] {
  return flagsWhere(commands, ({ type }) => type === 'string');
}

/** The flags of all commands that are followed by the name of a file. */
export function flagsWithFile(commands: readonly Command[]): string[] {
  return flagsWhere(commands, takesFile);
}

function flagsWhere(commands: readonly Command[], isWanted: (option: CommandOption) => boolean): string[] {
  const flags = commands.flatMap(({ options }) =>
    Object.entries(options).flatMap(([name, option]) => (isWanted(option) ? flagsOf(name, option) : [])),
  );
  return [...new Set(flags)];
}

/** The option is followed by the name of a file. */
export function takesFile({ placeholder }: CommandOption): boolean {
  return placeholder === 'FILE';
}

/** The text in single quotes, as bash and zsh read it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
