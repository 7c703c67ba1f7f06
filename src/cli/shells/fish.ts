import type { Command, CommandOption } from '../command.ts';
import { LIST_BACKUPS, optionsOf, takesFile, VERSION_OPTION, type CompletionFacts } from './facts.ts';

const NO_COMMAND = '__fish_use_subcommand';

/** The completion script for fish 3 and later. */
export function fishScript({ program, commands, defaultCommand, keys }: CompletionFacts): string {
  const rule = (condition: string, rest: string): string => `complete -c ${program} -n ${quoted(condition)} ${rest}`;
  const optionRules = (condition: string, options: readonly (readonly [string, CommandOption])[]): string[] =>
    options.map(([name, option]) => rule(condition, optionText(name, option, keys)));
  const run = commands.find(({ name }) => name === defaultCommand);
  const lines = [
    ...commands.map(({ name, summary }) => rule(NO_COMMAND, `-a ${name} -d ${quoted(summary)}`)),
    ...optionRules(NO_COMMAND, [...(run === undefined ? [] : optionsOf(run)), ['version', VERSION_OPTION]]),
    ...commands.flatMap((command) => {
      const condition = `__fish_seen_subcommand_from ${command.name}`;
      const words = wordRules(command, program).map(([more, rest]) => rule(`${condition}; and ${more}`, rest));
      return [...optionRules(condition, optionsOf(command)), ...words];
    }),
  ];
  return `# fish completion for ${program}: ${program} completion fish > ~/.config/fish/completions/${program}.fish
complete -c ${program} -f
${lines.join('\n')}
`;
}

function wordRules({ words = {} }: Command, program: string): [condition: string, rest: string][] {
  const names = Object.keys(words);
  if (names.length === 0) return [];
  const withBackups = names.filter((word) => words[word] === 'backups');
  const first: [string, string] = [
    `not __fish_seen_subcommand_from ${names.join(' ')}`,
    `-a ${quoted(names.join(' '))}`,
  ];
  if (withBackups.length === 0) return [first];
  return [
    first,
    [`__fish_seen_subcommand_from ${withBackups.join(' ')}`, `-a ${quoted(`(${program} ${LIST_BACKUPS})`)}`],
  ];
}

function optionText(name: string, option: CommandOption, keys: readonly string[]): string {
  const short = option.short === undefined ? '' : `-s ${option.short} `;
  return `${short}-l ${name} ${valueText(name, option, keys)}-d ${quoted(option.summary)}`;
}

function valueText(name: string, option: CommandOption, keys: readonly string[]): string {
  if (option.type !== 'string') return '';
  if (takesFile(option)) return '-r -F ';
  return name === 'set' ? `-x -a ${quoted(keys.map((key) => `${key}=`).join(' '))} ` : '-x ';
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
}
