import { existsSync } from 'node:fs';

import { ConfigFileError } from '../config/config-errors.ts';
import type { Config } from '../config/config.ts';
import { type ConfigNeed, loadConfig } from '../config/load.ts';
import { CONFIG_VARIABLE, hasEnvironmentSettings } from '../config/text-layers.ts';
import { CommandError, type Environment, type OptionValues, textOptions } from './command.ts';
import { EXIT } from './exit-codes.ts';

export const SEARCH_PATH = ['config/bridge.json', '/etc/mqtt-oracle-bridge/bridge.json'] as const;

/**
 * The files of `--config`, or else the one that BRIDGE_CONFIG names, or else the first of the search path that
 * exists, or none.
 */
export function configFiles(values: OptionValues, env: Environment): string[] {
  const named = textOptions(values, 'config');
  if (named.length > 0) return named;
  const fromEnvironment = env[CONFIG_VARIABLE];
  if (fromEnvironment !== undefined && fromEnvironment !== '') return [fromEnvironment];
  return SEARCH_PATH.filter((path) => existsSync(path)).slice(0, 1);
}

/** Loads the configuration as `Io.loadConfig` promises. */
export function loadConfiguration(values: OptionValues, need: ConfigNeed, env: Environment): Config {
  const files = configFiles(values, env);
  const flags = settings(values);
  const isEmpty = files.length === 0 && Object.keys(flags).length === 0 && !hasEnvironmentSettings(env);
  if (isEmpty && need === 'run') {
    const places = SEARCH_PATH.join(' nor ');
    const message = `no configuration file: name one with --config or ${CONFIG_VARIABLE}; there is neither ${places}`;
    throw new ConfigFileError(SEARCH_PATH[0], message);
  }
  return loadConfig({ files, env, flags, need });
}

function settings(values: OptionValues): Record<string, string> {
  const pairs = textOptions(values, 'set').map((text): [string, string] => {
    const at = text.indexOf('=');
    if (at < 1) throw new CommandError(EXIT.usage, '--set: must be KEY=VALUE, such as log.level=debug');
    return [text.slice(0, at), text.slice(at + 1)];
  });
  return Object.fromEntries(pairs);
}
