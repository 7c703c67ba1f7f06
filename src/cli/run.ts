import type { Config } from '../config/config.ts';
import { systemClock, withDeadline } from '../core/clock.ts';
import type { RootLogger } from '../core/logger.ts';
import type { OnStep } from '../core/steps.ts';
import { type Command, CommandError, CONFIG_OPTIONS } from './command.ts';
import { configFiles } from './configuration.ts';
import type { ExitCode } from './exit-codes.ts';
import { killAtStep } from './kill-at-step.ts';
import { describeStartFailure } from './start-failure.ts';
import { supervise } from './supervise.ts';
import { packageVersion } from './version.ts';

const LOG_CLOSE_TIMEOUT_MS = 2000;
const HANG_MARGIN_MS = 10_000;

export const runCommand: Command = {
  name: 'run',
  summary: 'runs the bridge (also without a command)',
  usage: `Usage: mqtt-oracle-bridge [run] [--config FILE]...

Runs the bridge until it is told to stop. SIGTERM and SIGINT (Ctrl-C) let it write what
it holds, for up to bridge.drainTimeoutMs, and exit with 0; a second one stops it at
once. Nothing that was acknowledged to the broker is lost either way.

Examples:
  mqtt-oracle-bridge run --config config/bridge.json
  mqtt-oracle-bridge run -c bridge.json -c site.json      site.json wins, key by key
  mqtt-oracle-bridge run --set log.level=debug --set log.format=text
  BRIDGE_ORACLE_PASSWORD_FILE=/run/secrets/oracle mqtt-oracle-bridge`,
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
    const exitCode = await live(config, log, onStep);
    await withDeadline(systemClock, LOG_CLOSE_TIMEOUT_MS, 'closing the log', log.close()).catch(() => {});
    return exitCode;
  },
};

async function openLog(config: Config): Promise<RootLogger> {
  const { createLogger } = await import('../core/logger.ts');
  try {
    return createLogger(config.log);
  } catch (thrown) {
    const { exitCode, problem } = describeStartFailure(thrown, config);
    throw new CommandError(exitCode, `log.file: ${problem}`);
  }
}

async function live(config: Config, log: RootLogger, onStep: OnStep): Promise<ExitCode> {
  try {
    const { Bridge } = await import('../bridge.ts');
    const bridge = new Bridge(config, { version: packageVersion(), clock: systemClock, log, onStep });
    const hangTimeoutMs = config.oracle.callTimeoutMs + HANG_MARGIN_MS;
    const { drainTimeoutMs } = config.bridge;
    return await supervise(bridge, process, { log, clock: systemClock, drainTimeoutMs, hangTimeoutMs });
  } catch (error) {
    const { exitCode, problem } = describeStartFailure(error, config);
    log.error('bridge could not start', { problem, error });
    return exitCode;
  }
}
