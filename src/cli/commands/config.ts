import { REFERENCE_FILES } from '../../config/reference/reference.ts';
import { type Command, CommandError, flagOption } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

export const configCommand: Command = {
  name: 'config',
  summary: 'prints the configuration reference',
  usage: `Usage: mqtt-oracle-bridge config --json-schema | --markdown | --example

Prints every key of the configuration with its meaning, default, bounds and
environment name, in one of three forms.

Examples:
  mqtt-oracle-bridge config --example > config/bridge.json
  mqtt-oracle-bridge config --json-schema > config/bridge.schema.json`,
  exitCodes: { 0: 'printed' },
  options: {
    'json-schema': { type: 'boolean', summary: 'a JSON Schema, for editors' },
    markdown: { type: 'boolean', summary: 'the reference, for reading' },
    example: { type: 'boolean', summary: 'a configuration file with every key and a comment on each' },
  },
  run: async ({ values }, io) => {
    const [asked, another] = REFERENCE_FILES.filter(({ option }) => flagOption(values, option));
    if (asked === undefined || another !== undefined) {
      throw new CommandError(EXIT.usage, 'config: give one of --json-schema, --markdown and --example');
    }
    io.stdout.write(asked.generate());
    return EXIT.ok;
  },
};
