import { SETTINGS } from '../../config/convict.ts';
import { suggestion } from '../../core/suggestion.ts';
import { type Command, CommandError } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { PROGRAM } from '../help.ts';
import { bashScript } from '../shells/bash.ts';
import { fishScript } from '../shells/fish.ts';
import type { CompletionFacts } from '../shells/facts.ts';
import { zshScript } from '../shells/zsh.ts';

const SHELLS: Readonly<Record<string, (facts: CompletionFacts) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** The command line that is completed. */
export interface Completed {
  readonly defaultCommand: string;
  commands(): Promise<readonly Command[]>;
}

/** The list of the commands is handed in, since this command stands in it. */
export const createCompletion = (completed: Completed): Command => ({
  name: 'completion',
  summary: 'prints a script that completes this command line in a shell',
  usage: `Usage: mqtt-oracle-bridge completion bash | zsh | fish

Prints what makes the shell complete commands, options, configuration keys after --set
and the names of backups. For the command by its name, not for "node dist/main.js".

Examples:
  source <(mqtt-oracle-bridge completion bash)       in ~/.bashrc
  mqtt-oracle-bridge completion zsh > "\${fpath[1]}/_mqtt-oracle-bridge"
  mqtt-oracle-bridge completion fish > ~/.config/fish/completions/mqtt-oracle-bridge.fish`,
  exitCodes: { 0: 'printed' },
  options: {},
  takesPositionals: true,
  words: Object.fromEntries(Object.keys(SHELLS).map((shell) => [shell, 'nothing'])),
  run: async ({ positionals }, io) => {
    const [shell = '', extra] = positionals;
    const script = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
    if (script === undefined || extra !== undefined) {
      const hint = suggestion(shell, Object.keys(SHELLS));
      throw new CommandError(EXIT.usage, `completion: give one of bash, zsh and fish${hint}`);
    }
    io.stdout.write(script(await collectFacts(completed)));
    return EXIT.ok;
  },
});

async function collectFacts(completed: Completed): Promise<CompletionFacts> {
  const settings = [...SETTINGS.values()].filter(({ sensitive }) => sensitive !== true);
  return {
    program: PROGRAM,
    commands: await completed.commands(),
    defaultCommand: completed.defaultCommand,
    keys: settings.map(({ path }) => path),
  };
}
