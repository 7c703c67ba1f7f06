import type { ConfigError } from '../core/errors.ts';

/** Everything that is wrong with a configuration, at once. No text in it holds a secret. */
export class ConfigErrors extends Error {
  readonly errors: readonly ConfigError[];

  constructor(errors: readonly ConfigError[]) {
    super(errors.map(({ path, message }) => `${path}: ${message}`).join('\n'));
    this.name = 'ConfigErrors';
    this.errors = errors;
  }
}

/** A configuration file that is not there or can't be read. */
export class ConfigFileError extends Error {
  readonly path: string;

  constructor(path: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'ConfigFileError';
    this.path = path;
  }
}
