import { ConfigError } from '../core/errors.ts';

/** One source of settings: a file, the environment or the flags. A later layer wins over an earlier one. */
export interface Layer {
  /** Values by path: `oracle.pool.min`. Only paths that exist. */
  readonly values: Map<string, unknown>;
  /**
   * Where a value comes from, by path, for errors: `site.json`, `BRIDGE_MQTT_URL`; nothing where that goes without
   * saying.
   */
  readonly origins: Map<string, string>;
  readonly errors: ConfigError[];
  /** Paths whose value can't be known for the errors above: no further complaint about them is due. */
  readonly unknown: Set<string>;
}

export function newLayer(): Layer {
  return { values: new Map(), origins: new Map(), errors: [], unknown: new Set() };
}

/** A configuration error with where the value came from. */
export function errorAt(path: string, message: string, origin: string | undefined): ConfigError {
  return new ConfigError(path, origin === undefined ? message : `${message} (from ${origin})`);
}
