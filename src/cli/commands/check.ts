import { ConfigErrors } from '../../config/config-errors.ts';
import type { Config } from '../../config/config.ts';
import { configNotes, configWarnings, type ConfigWarning } from '../../config/warnings.ts';
import { printable } from '../../core/printable.ts';
import { plural } from '../../core/wording.ts';
import { type Command, CONFIG_OPTIONS, flagOption, type Io } from '../command.ts';
import { EXIT, EXIT_MEANINGS, type ExitCode } from '../exit-codes.ts';

export const checkCommand: Command = {
  name: 'check',
  summary: 'says what is wrong with the configuration; with --connect, also with broker, database and disk',
  usage: `Usage: mqtt-oracle-bridge check [--connect] [--config FILE]...

Reads the configuration as run would and prints ok, or every error, one a line:
the key, what must stand there and what does. It touches neither broker nor database.
A line that begins with "warning:" is about what is allowed and hardly meant, such as a
topic filter whose wildcards name no PLC; one that begins with "note:" says what follows
from the configuration, such as where the PLC code is taken from.

With --connect it then tries the broker, Oracle and the directories, and prints a line
for each thing it looked at, with what to do about what is wrong: the GRANT for the DBA,
the setting of the broker. At the broker it also tries what becomes of messages over a lost
connection, with clients of its own and topics below notices.baseTopic/probe, and ends with
a verdict: exactly once, maybe doubled, not fit.
  ✓ ok       as it must be
  ! warning  the bridge runs, but something will be worse than it could be
  ! unknown  cannot be found out from here; see to it
  ✗ failed   the bridge cannot do its work like this
It disturbs no running bridge: it has client ids, sessions and topics of its own at the
broker and leaves nothing there, executes nothing in the database but queries of the
dictionary, and needs no lock. Run it as the user that the bridge runs as.

Examples:
  mqtt-oracle-bridge check --config config/bridge.json
  mqtt-oracle-bridge check -c /etc/mqtt-oracle-bridge/bridge.json -c site.json
  sudo -u bridge mqtt-oracle-bridge check --connect
  BRIDGE_MQTT_URL=mqtt://broker mqtt-oracle-bridge check`,
  exitCodes: {
    0: 'all is well; warnings are allowed',
    66: EXIT_MEANINGS[66],
    69: 'with --connect: something failed',
    78: EXIT_MEANINGS[78],
  },
  options: {
    ...CONFIG_OPTIONS,
    connect: { type: 'boolean', summary: 'try broker, database and directories too' },
  },
  run: async ({ values }, io) => {
    let config: Config;
    try {
      config = io.loadConfig(values, 'run');
    } catch (thrown) {
      if (!(thrown instanceof ConfigErrors)) throw thrown;
      io.stdout.write(thrown.errors.map(({ path, message }) => `${path}: ${message}\n`).join(''));
      return EXIT.config;
    }
    const warnings = configWarnings(config);
    io.stdout.write([...lines('note', configNotes(config)), ...lines('warning', warnings)].join(''));
    if (flagOption(values, 'connect')) return connect(config, io);
    io.stdout.write(warnings.length === 0 ? 'ok\n' : `ok, with ${plural(warnings.length, 'warning')}\n`);
    return EXIT.ok;
  },
};

function lines(what: string, findings: readonly ConfigWarning[]): string[] {
  return findings.map(({ path, message }) => `${what}: ${path}: ${printable(message)}\n`);
}

async function connect(config: Config, io: Io): Promise<ExitCode> {
  const [{ runPreflight }, { systemClock }, { nodeFileSystem }, { createLogger }] = await Promise.all([
    import('../../preflight/preflight.ts'),
    import('../../core/clock.ts'),
    import('../../core/node-filesystem.ts'),
    import('../../core/logger.ts'),
  ]);
  const log = createLogger({ level: 'error', format: 'text', file: '' });
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt);
  try {
    const parts = { clock: systemClock, fileSystem: nodeFileSystem, log, signal: interruption.signal };
    const isGood = await runPreflight(config, parts, (text) => io.stdout.write(text));
    return isGood ? EXIT.ok : EXIT.unavailable;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupt);
    await log.close();
  }
}
