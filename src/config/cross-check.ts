import type { Config } from './config.ts';

/** A rule between keys. It is asked only when each of the keys is good in itself. */
export interface CrossCheck {
  /** The first one is the path that the error names. */
  readonly keys: readonly [string, ...string[]];
  /** What is wrong, as `must …`, or undefined. */
  check(config: Config): string | undefined;
}
