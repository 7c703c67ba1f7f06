import type { LogFields, Logger } from '../../src/core/logger.ts';
import type { Trace } from './trace.ts';

/** What the bridge logs, as lines of the trace. */
export class SimLogger implements Logger {
  readonly #trace: Trace;
  readonly #fields: LogFields;

  constructor(trace: Trace, fields: LogFields = {}) {
    this.#trace = trace;
    this.#fields = fields;
  }

  error(message: string, fields?: LogFields): void {
    this.#write('ERROR', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#write('WARN', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#write('info', message, fields);
  }

  debug(message: string, fields?: LogFields): void {
    this.#write('debug', message, fields);
  }

  child(fields: LogFields): Logger {
    return new SimLogger(this.#trace, { ...this.#fields, ...fields });
  }

  #write(level: string, message: string, fields: LogFields = {}): void {
    this.#trace(() => {
      const pairs = Object.entries({ ...this.#fields, ...fields }).map(([key, value]) => `${key}=${text(value)}`);
      return `  log ${level} ${message} ${pairs.join(' ')}`;
    });
  }
}

function text(value: unknown): string {
  if (value instanceof Error) return value.message;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
