import { ConfigErrors, ConfigFileError } from '../../config/config-errors.ts';
import type { Config } from '../../config/config.ts';
import { planReload, withSettings } from '../../config/reload.ts';
import { LOG_LEVELS, type LogLevel } from '../../core/log-level.ts';
import type { RootLogger } from '../../core/logger.ts';

export interface ReloadParts {
  /** What the bridge was started with. */
  readonly config: Config;
  /** Reads the configuration anew, as at the start; throws ConfigErrors and ConfigFileError. */
  readonly load: () => Config;
  /** Takes over what can be changed while the bridge runs. */
  readonly apply: (config: Config) => void;
  /** Takes over the secrets alone. */
  readonly renew: (config: Config) => void;
  readonly log: RootLogger;
  /** Told before a reload and after it, whatever came of it: a service manager may want to know. */
  readonly onReloading?: () => void;
  readonly onReloaded?: () => void;
}

export interface Reload {
  /**
   * Called when the process is told to read its configuration again. Never throws: a configuration that is refused
   * leaves everything as it was.
   */
  readonly reload: () => void;
  /** Takes over what has changed in the files of secrets: the new value by the path of each setting. Never throws. */
  readonly takeSecrets: (values: ReadonlyMap<string, string>) => void;
  /** The files of the wallet are others now. Never throws. */
  readonly takeWallet: () => void;
}

/** Makes what the process calls for what changes while it runs. */
export function createReload(parts: ReloadParts): Reload {
  const { apply, load, log, onReloaded, onReloading, renew } = parts;
  let running = parts.config;
  const takeSecrets = (values: ReadonlyMap<string, string>): void => {
    running = withSettings(running, values);
    renew(running);
    log.info('secrets taken over', { keys: [...values.keys()] });
  };
  const takeWallet = (): void => {
    renew(running);
    log.info('wallet taken over', { dir: running.oracle.walletDir });
  };
  const reload = (): void => {
    onReloading?.();
    try {
      const { config, applied, needRestart } = planReload(running, load());
      apply(config);
      for (const key of needRestart) log.warn('key needs a restart: kept as it was', { key });
      logAt(log, running.log.level, config.log.level, () =>
        log.info('configuration reloaded', { applied, needRestart }),
      );
      running = config;
    } catch (error) {
      for (const problem of problemsOf(error))
        log.error('configuration not reloaded: the bridge runs on as it was', problem);
    } finally {
      onReloaded?.();
    }
  };
  return { reload, takeSecrets, takeWallet };
}

/** Changes the level so that the line is seen when either of the two lets it through. */
function logAt(log: RootLogger, before: LogLevel, after: LogLevel, write: () => void): void {
  const isMore = LOG_LEVELS.indexOf(after) > LOG_LEVELS.indexOf(before);
  if (isMore) log.setLevel(after);
  write();
  log.setLevel(after);
}

type Problem = Readonly<Record<string, unknown>>;

function problemsOf(error: unknown): readonly Problem[] {
  if (error instanceof ConfigErrors) return error.errors.map(({ path, message }) => ({ key: path, problem: message }));
  if (error instanceof ConfigFileError) return [{ file: error.path, problem: error.message }];
  return [{ error }];
}
