import { isatty } from 'node:tty';

import type { Config } from '../../config/config.ts';
import { secretFiles } from '../../config/text-layers.ts';
import { configWarnings } from '../../config/warnings.ts';
import { systemClock } from '../../core/clock.ts';
import type { RootLogger } from '../../core/logger.ts';
import type { OnStep } from '../../core/steps.ts';
import { type Command, CommandError, CONFIG_OPTIONS, type Environment } from '../command.ts';
import { configFiles } from '../configuration.ts';
import { EXIT_MEANINGS, type ExitCode } from '../exit-codes.ts';
import { killAtStep } from '../process/kill-at-step.ts';
import { createReload } from '../process/reload.ts';
import { SecretWatch } from '../process/secret-watch.ts';
import { notifyServiceManager } from '../process/service-manager.ts';
import { describeStartFailure } from '../process/start-failure.ts';
import { supervise } from '../process/supervise.ts';
import { packageVersion } from '../version.ts';

const HANG_MARGIN_MS = 10_000;

export const runCommand: Command = {
  name: 'run',
  summary: 'runs the bridge (also without a command)',
  usage: `Usage: mqtt-oracle-bridge [run] [--config FILE]...

Runs the bridge until it is told to stop. SIGTERM and SIGINT (Ctrl-C) let it write what
it holds, for up to bridge.drainTimeoutMs, and exit with 0; a second one stops it at
once. Nothing that was acknowledged to the broker is lost either way.

SIGHUP has it read the same files, secrets and flags again and apply what needs no
restart, such as log.level, mqtt.subscriptions and writer.batchSize; the log says what
was applied and what needs a restart. A configuration with an error changes nothing.

A file that BRIDGE_ORACLE_PASSWORD_FILE or BRIDGE_ORACLE_WALLETPASSWORD_FILE names, and
the files in oracle.walletDir, are watched: what changes there is taken over by itself.

Examples:
  mqtt-oracle-bridge run --config config/bridge.json
  mqtt-oracle-bridge run -c bridge.json -c site.json      site.json wins, key by key
  mqtt-oracle-bridge run --set log.level=debug --set log.format=text
  BRIDGE_ORACLE_PASSWORD_FILE=/run/secrets/oracle mqtt-oracle-bridge`,
  exitCodes: {
    0: 'told to stop, and stopped',
    66: EXIT_MEANINGS[66],
    69: 'http.port is taken, or its host is none of this machine',
    73: EXIT_MEANINGS[73],
    74: "a directory or file can't be read or written",
    78: 'wrong configuration, each error on standard error; or a later version left journal or backups',
  },
  options: CONFIG_OPTIONS,
  run: async ({ values }, io) => {
    const config = io.loadConfig(values, 'run');
    const onStep = killAtStep(io.env);
    const log = await openLog(config);
    log.info('bridge starting', {
      bridgeId: config.bridge.id,
      version: packageVersion(),
      node: process.version,
      configFiles: configFiles(values, io.env),
    });
    for (const { message, path } of configWarnings(config))
      log.warn('configuration is hardly meant so', { key: path, message });
    const exitCode = await live(config, log, onStep, io.env, () => io.loadConfig(values, 'run'));
    await log.close();
    return exitCode;
  },
};

async function openLog(config: Config): Promise<RootLogger> {
  const { createLogger } = await import('../../core/logger.ts');
  try {
    return createLogger(config.log);
  } catch (thrown) {
    const { exitCode, problem } = describeStartFailure(thrown, config);
    throw new CommandError(exitCode, `log.file: ${problem}`);
  }
}

async function live(
  config: Config,
  log: RootLogger,
  onStep: OnStep,
  env: Environment,
  load: () => Config,
): Promise<ExitCode> {
  try {
    const { Bridge } = await import('../../bridge.ts');
    const bridge = new Bridge(config, { version: packageVersion(), clock: systemClock, log, onStep });
    const hangTimeoutMs = config.oracle.callTimeoutMs + HANG_MARGIN_MS;
    const { drainTimeoutMs } = config.bridge;
    const notified = notifyServiceManager(bridge, env, { clock: systemClock, log });
    const { reload, takeSecrets, takeWallet } = createReload({
      ...notified,
      config,
      load,
      log,
      apply: (changed) => bridge.reload(changed),
      renew: (changed) => bridge.renewSecrets(changed),
    });
    const watch = new SecretWatch({
      files: secretFiles(env),
      walletDir: config.oracle.walletDir,
      clock: systemClock,
      log,
      onSecrets: takeSecrets,
      onWallet: takeWallet,
    });
    const times = { clock: systemClock, drainTimeoutMs, hangTimeoutMs };
    watch.start();
    try {
      return await supervise(notified.bridge, process, { ...times, log, reload, isTerminalGone: watchTerminal() });
    } finally {
      watch.stop();
    }
  } catch (error) {
    const { exitCode, problem } = describeStartFailure(error, config);
    log.error('bridge could not start', { problem, error });
    return exitCode;
  }
}

/** True when a standard stream was a terminal at the start and is none any more: that terminal has hung up. */
function watchTerminal(): () => boolean {
  const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor));
  return () => terminals.some((descriptor) => !isatty(descriptor));
}
