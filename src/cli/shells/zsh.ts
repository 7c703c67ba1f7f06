import type { Command, CommandOption } from '../command.ts';
import {
  flagsOf,
  flagsWithValue,
  LIST_BACKUPS,
  optionsOf,
  quoted,
  takesFile,
  VERSION_OPTION,
  type CompletionFacts,
} from './facts.ts';

/** The completion script for zsh's compsys: a file in `fpath`, or sourced after `compinit`. */
export function zshScript({ program, commands, defaultCommand, keys }: CompletionFacts): string {
  const run = commands.find(({ name }) => name === defaultCommand);
  const withoutCommand: [string, CommandOption][] = [
    ...(run === undefined ? [] : optionsOf(run)),
    ['version', VERSION_OPTION],
  ];
  return `#compdef ${program}
# zsh completion for ${program}: ${program} completion zsh > "\${fpath[1]}/_${program}"
_mqtt_oracle_bridge_keys() {
  compadd -S '=' -- ${keys.join(' ')}
}
_mqtt_oracle_bridge_backups() {
  local -a files
  files=("\${(@f)$(_call_program backups ${program} ${LIST_BACKUPS})}")
  (($#files)) && compadd -- "\${(@)files:#}"
}
_mqtt_oracle_bridge() {
  local i command=''
  for ((i = 2; i < CURRENT; i++)); do
    case $words[i] in
      ${flagsWithValue(commands).join(' | ')}) ((i++)) ;;
      -*) ;;
      *)
        command=$words[i]
        break
        ;;
    esac
  done
  if [[ -n $command ]]; then
    words=("\${(@)words[i,-1]}")
    ((CURRENT -= i - 1))
  fi
  case $command in
    '')
      local -a commands=(
${commands.map(({ name, summary }) => `        ${quoted(`${name}:${summary}`)}`).join('\n')}
      )
      _arguments -S ${withoutCommand.map(([name, option]) => optionSpec(name, option)).join(' ')} '1:command:{_describe command commands}'
      ;;
${commands.map(commandCase).join('\n')}
  esac
}
if [[ $funcstack[1] == _${program} ]]; then
  _mqtt_oracle_bridge "$@"
else
  compdef _mqtt_oracle_bridge ${program}
fi
`;
}

function commandCase(command: Command): string {
  const specs = optionsOf(command).map(([name, option]) => optionSpec(name, option));
  return `    ${command.name}) _arguments -S ${[...specs, ...wordSpecs(command)].join(' ')} ;;`;
}

function wordSpecs({ takesPositionals, words = {} }: Command): string[] {
  const names = Object.keys(words);
  // Behind a word that zsh does not expect it completes no options.
  if (names.length === 0) return takesPositionals === true ? [quoted('*:word:()')] : [];
  const withBackups = names.filter((word) => words[word] === 'backups');
  const first = quoted(`1:word:(${names.join(' ')})`);
  if (withBackups.length === 0) return [first];
  // words[1] is the command here, and options may stand before the word.
  const isBackups = `(( \${words[(I)(${withBackups.join('|')})]} ))`;
  return [first, quoted(`*:file:{${isBackups} && _mqtt_oracle_bridge_backups}`)];
}

function optionSpec(name: string, option: CommandOption): string {
  const flags = flagsOf(name, option);
  const more = option.multiple === true ? quoted('*') : quoted(`(${flags.join(' ')})`);
  const argument = option.type === 'string' ? valueSpec(name, option) : '';
  const text = quoted(`[${option.summary.replaceAll(/[[\]\\]/g, String.raw`\$&`)}]${argument}`);
  return flags.length === 1 ? `${more}${flags[0]}${text}` : `${more}{${flags.join(',')}}${text}`;
}

function valueSpec(name: string, option: CommandOption): string {
  const { placeholder = 'value' } = option;
  const values = takesFile(option) ? '_files' : name === 'set' ? '_mqtt_oracle_bridge_keys' : ' ';
  return `:${placeholder}:${values}`;
}
