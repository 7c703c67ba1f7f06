import type { Command } from '../command.ts';
import {
  flagsOf,
  flagsWithFile,
  flagsWithValue,
  LIST_BACKUPS,
  optionsOf,
  quoted,
  type CompletionFacts,
} from './facts.ts';

/**
 * For bash 4 and later. Names of files are compared and never expanded, as `compgen -W` would. Bash cuts words at `=`
 * and `:`, hence the two in the loop that looks for the command.
 */
export function bashScript({ program, commands, defaultCommand, keys }: CompletionFacts): string {
  const isDefault = ({ name }: Command): boolean => name === defaultCommand;
  const names = commands.map(({ name }) => name).join(' ');
  return `# bash completion for ${program}; in ~/.bashrc: source <(${program} completion bash)
_mqtt_oracle_bridge() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  local command='' word='' name i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      ${flagsWithValue(commands).join(' | ')})
        [[ \${COMP_WORDS[i + 1]} == '=' ]] && i=$((i + 1))
        i=$((i + 1))
        ;;
      '=' | ':') i=$((i + 1)) ;;
      -*) ;;
      *)
        if [[ -z $command ]]; then
          command=\${COMP_WORDS[i]}
        elif [[ -z $word ]]; then
          word=\${COMP_WORDS[i]}
        fi
        ;;
    esac
  done
  case $previous in
    ${flagsWithFile(commands).join(' | ')})
      compopt -o default 2>/dev/null
      return
      ;;
    --set)
      compopt -o nospace 2>/dev/null
      COMPREPLY=($(compgen -W ${quoted(keys.map((key) => `${key}=`).join(' '))} -- "$current"))
      return
      ;;
    '=' | ':'${otherFlags(commands)}) return ;;
  esac
  if [[ $current == -* ]]; then
    case $command in
${commands.map((command) => optionsCase(command, isDefault(command))).join('\n')}
    esac
    return
  fi
  case "$command/$word" in
    /) COMPREPLY=($(compgen -W '${names}' -- "$current")) ;;
${commands.flatMap(wordsCases).join('\n')}
  esac
}
complete -F _mqtt_oracle_bridge ${program}
`;
}

/** The flags that take a value of which nothing is known. */
function otherFlags(commands: readonly Command[]): string {
  const known = new Set(['--set', ...flagsWithFile(commands)]);
  const flags = flagsWithValue(commands).filter((flag) => !known.has(flag));
  return flags.map((flag) => ` | ${flag}`).join('');
}

function optionsCase(command: Command, isDefault: boolean): string {
  const flags = optionsOf(command).flatMap(([name, option]) => flagsOf(name, option));
  const all = isDefault ? [...flags, '-V', '--version'] : flags;
  const pattern = isDefault ? `'' | ${command.name}` : command.name;
  return `      ${pattern}) COMPREPLY=($(compgen -W ${quoted(all.join(' '))} -- "$current")) ;;`;
}

function wordsCases({ name: command, words = {} }: Command): string[] {
  const names = Object.keys(words);
  if (names.length === 0) return [];
  const withBackups = names.filter((word) => words[word] === 'backups');
  const first = `    ${command}/) COMPREPLY=($(compgen -W ${quoted(names.join(' '))} -- "$current")) ;;`;
  if (withBackups.length === 0) return [first];
  return [
    first,
    `    ${withBackups.map((word) => `${command}/${word}`).join(' | ')})
      while IFS= read -r name; do
        [[ $name == "$current"* ]] && COMPREPLY+=("$(printf '%q' "$name")")
      done < <("\${COMP_WORDS[0]}" ${LIST_BACKUPS})
      ;;`,
  ];
}
