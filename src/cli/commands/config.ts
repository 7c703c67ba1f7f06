import { REFERENCE_FILES } from '../../config/reference/reference.ts';
import { suggestion } from '../../core/suggestion.ts';
import { presetSubscription } from '../../payload/json/preset-text.ts';
import { PRESET_NAMES } from '../../payload/json/presets.ts';
import { type Command, CommandError, flagOption, type Io } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';

export const configCommand: Command = {
  name: 'config',
  summary: 'prints the configuration reference',
  usage: `Usage: mqtt-oracle-bridge config --json-schema | --markdown | --example | --preset NAME

Prints every key of the configuration with its meaning, default, bounds and
environment name, in one of three forms; or a subscription for the messages of a
well-known publisher, written out, to change.

Examples:
  mqtt-oracle-bridge config --example > config/bridge.json
  mqtt-oracle-bridge config --json-schema > config/bridge.schema.json
  mqtt-oracle-bridge config --preset kepware`,
  exitCodes: { 0: 'printed' },
  options: {
    'json-schema': { type: 'boolean', summary: 'a JSON Schema, for editors' },
    markdown: { type: 'boolean', summary: 'the reference, for reading' },
    example: { type: 'boolean', summary: 'a configuration file with every key and a comment on each' },
    preset: {
      type: 'string',
      placeholder: 'NAME',
      summary: 'a subscription to change, by the name of a preset (docs/json.md)',
    },
  },
  run: async ({ values }, io) => {
    const preset = values['preset'];
    if (typeof preset === 'string') return printPreset(preset, io);
    const [asked, another] = REFERENCE_FILES.filter(({ option }) => flagOption(values, option));
    if (asked === undefined || another !== undefined) {
      throw new CommandError(EXIT.usage, 'config: give one of --json-schema, --markdown, --example and --preset');
    }
    io.stdout.write(asked.generate());
    return EXIT.ok;
  },
};

function printPreset(name: string, io: Io): ExitCode {
  const text = presetSubscription(name);
  if (text === undefined) {
    const names = PRESET_NAMES.join(', ');
    throw new CommandError(EXIT.usage, `config: --preset must be one of ${names}${suggestion(name, PRESET_NAMES)}`);
  }
  io.stdout.write(text);
  return EXIT.ok;
}
