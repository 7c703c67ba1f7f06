import winston from 'winston';

import { type Clock, systemClock, withDeadline } from './clock.ts';
import { coerceError, systemErrorCode } from './errors.ts';
import { LOG_LEVELS, type LogLevel } from './log-level.ts';

export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Message: a constant lower-case phrase. What varies goes into the fields; what was thrown goes under the key `error`.
 */
export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  child(fields: LogFields): Logger;
}

export interface LoggerOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  /** Path of a log file, which is rotated at 10 MB, five are kept; empty for standard output alone. */
  readonly file: string;
}

/** The log of the process; `close` ends the log without losing its last lines. */
export interface RootLogger extends Logger {
  /** Sets the level from the next line on, for all children too. */
  setLevel(level: LogLevel): void;
  /** Resolves when the last lines are written, after 2 s in any case. Never throws. */
  close(): Promise<void>;
}

const LEVELS = Object.fromEntries(LOG_LEVELS.map((level, severity) => [level, severity]));
const FILE_MAX_BYTES = 10_000_000;
const FILES_KEPT = 5;
/** The group may read the file: what ships logs mostly runs as another user. */
const FILE_OPTIONS = { flags: 'a', mode: 0o640 };
/** winston never says that a file which could not be opened is closed. */
const CLOSE_WITHIN_MS = 2000;

export function createLogger(options: LoggerOptions): RootLogger {
  const { format } = winston;
  const stamp = format.timestamp();
  const transports: winston.transport[] = [new winston.transports.Console()];
  if (options.file !== '') {
    const rotation = { maxsize: FILE_MAX_BYTES, maxFiles: FILES_KEPT, tailable: true };
    transports.push(new winston.transports.File({ filename: options.file, ...rotation, options: FILE_OPTIONS }));
  }
  const logger = winston.createLogger({
    levels: LEVELS,
    level: options.level,
    format: format.combine(stamp, expandErrors(), options.format === 'json' ? format.json() : textLine),
    transports,
  });
  let closing: Promise<void> | undefined;
  logger.on('error', () => {}); // a line after the end is no reason for the process to die
  const end = (): Promise<void> =>
    new Promise((resolve) => {
      logger.on('finish', resolve);
      logger.end();
    });
  return {
    ...wrap(logger),
    setLevel: (level) => {
      logger.level = level;
    },
    close: () => (closing ??= withDeadline(systemClock, CLOSE_WITHIN_MS, 'log', end()).catch(() => {})),
  };
}

function wrap(logger: winston.Logger): Logger {
  return {
    error: (message, fields) => void logger.error(message, fields),
    warn: (message, fields) => void logger.warn(message, fields),
    info: (message, fields) => void logger.info(message, fields),
    debug: (message, fields) => void logger.debug(message, fields),
    child: (fields) => wrap(logger.child(fields)),
  };
}

/** winston prints an Error in a field as `{}`. */
const expandErrors = winston.format((info) => {
  if ('error' in info) info['error'] = describeError(info['error']);
  return info;
});

function describeError(thrown: unknown): unknown {
  if (typeof thrown === 'string') return thrown;
  const error = coerceError(thrown);
  const code = systemErrorCode(error);
  const isOwnFault = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
  return {
    message: error.message,
    ...(code === undefined ? {} : { code }),
    ...(isOwnFault ? { stack: error.stack } : {}),
    ...(error.cause === undefined ? {} : { cause: describeError(error.cause) }),
  };
}

const textLine = winston.format.printf((info) => {
  const { timestamp, level, message, ...fields } = info;
  const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${textValue(value)}`);
  return `${String(timestamp)} ${level.toUpperCase().padEnd(5)} ${String(message)}${pairs.join('')}`;
});

function textValue(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=\p{Cc}]+$/u.test(value) ? value : JSON.stringify(value);
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value); // a bigint, or a circle
  }
}

const REPEAT_EVERY_MS = 30_000;

/**
 * An error that keeps coming: the first is logged, then at most one line every 30 s, with how many came since. `over`
 * is called when the error has ended, so that the next one is logged at once again.
 */
export class RepeatedError {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #message: string;
  readonly #level: 'warn' | 'error';
  #loggedAtMs = Number.NEGATIVE_INFINITY;
  #suppressed = 0;

  constructor(log: Logger, clock: Clock, message: string, level: 'warn' | 'error' = 'error') {
    this.#log = log;
    this.#clock = clock;
    this.#message = message;
    this.#level = level;
  }

  report(fields: LogFields): void {
    const now = this.#clock.monotonic();
    if (now - this.#loggedAtMs < REPEAT_EVERY_MS) {
      this.#suppressed += 1;
      return;
    }
    this.#log[this.#level](this.#message, this.#suppressed > 0 ? { ...fields, repeated: this.#suppressed } : fields);
    this.#loggedAtMs = now;
    this.#suppressed = 0;
  }

  over(): void {
    this.#loggedAtMs = Number.NEGATIVE_INFINITY;
    this.#suppressed = 0;
  }
}
