import { ConfigErrors } from '../config/config-errors.ts';
import { type Command, CommandError, CONFIG_OPTIONS, flagOption } from './command.ts';
import { EXIT } from './exit-codes.ts';

export const checkCommand: Command = {
  name: 'check',
  summary: 'says everything that is wrong with the configuration',
  usage: `Usage: mqtt-oracle-bridge check [--config FILE]...

Reads the configuration as run would and prints ok, or every error, one a line:
the key, what must stand there and what does. It touches neither broker nor database.

Exit code 0 when the configuration is good, 78 when it is not, 66 when a file is missing.

Examples:
  mqtt-oracle-bridge check --config config/bridge.json
  mqtt-oracle-bridge check -c /etc/mqtt-oracle-bridge/bridge.json -c site.json
  BRIDGE_MQTT_URL=mqtt://broker mqtt-oracle-bridge check`,
  options: {
    ...CONFIG_OPTIONS,
    connect: { type: 'boolean', summary: 'try broker and database too (not available in this version)' },
  },
  run: async ({ values }, io) => {
    if (flagOption(values, 'connect')) {
      throw new CommandError(EXIT.usage, 'check --connect is not available in this version');
    }
    try {
      io.loadConfig(values, 'run');
    } catch (thrown) {
      if (!(thrown instanceof ConfigErrors)) throw thrown;
      io.stdout.write(thrown.errors.map(({ path, message }) => `${path}: ${message}\n`).join(''));
      return EXIT.config;
    }
    io.stdout.write('ok\n');
    return EXIT.ok;
  },
};
