/**
 * What went wrong with the database, as the writer needs to know it.
 *
 * - `connection`: lost or not to be had; a fresh connection may help
 * - `passing`: try the same again
 * - `resource`: the database is short of something (space, quota); a DBA must act
 * - `configuration`: wrong password, no such table or column, no right; a person must act, and trying often does harm
 * - `refused`: the database answered in order that it does not take these rows, or this statement; whether the rows are
 *   to blame or the database shows only when others are taken
 * - `mistake`: the driver refused what we bound; the row check should have caught it
 */
export type DatabaseErrorKind = 'connection' | 'passing' | 'resource' | 'configuration' | 'refused' | 'mistake';

/** The code of a DatabaseError: the compare-and-set of the ledger found another place, and nothing was written. */
export const LEDGER_MOVED = 'LEDGER_MOVED';

export class DatabaseError extends Error {
  readonly kind: DatabaseErrorKind;
  /** The code of the database or its driver: `ORA-00942`, `NJS-503` … */
  readonly code: string;
  /** What a person can do about the error, or empty. */
  readonly remedy: string;
  /** True when the statement may have been committed although it failed. */
  readonly outcomeUnknown: boolean;
  /** The rows are good once a DBA has acted: what is refused for this is held, not rejected. */
  readonly isHeld: boolean;

  constructor(
    kind: DatabaseErrorKind,
    code: string,
    message: string,
    more: {
      readonly remedy?: string;
      readonly outcomeUnknown?: boolean;
      readonly isHeld?: boolean;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'DatabaseError';
    this.kind = kind;
    this.code = code;
    this.remedy = more.remedy ?? '';
    this.outcomeUnknown = more.outcomeUnknown ?? false;
    this.isHeld = more.isHeld ?? false;
  }

  /** The same error, with this advice. */
  withRemedy(remedy: string): DatabaseError {
    if (remedy === this.remedy) return this;
    const { cause, code, isHeld, kind, message, outcomeUnknown } = this;
    return new DatabaseError(kind, code, message, { cause, isHeld, outcomeUnknown, remedy });
  }
}

/**
 * Something is so that the code's own rules exclude it: a fault of the program and of nobody else. Nothing was written
 * or sent because of it.
 */
export class InternalError extends Error {
  /** `found`: what shows it, for the log. */
  constructor(message: string, found: object) {
    super(`internal error: ${message}: ${JSON.stringify(found)}`);
    this.name = 'InternalError';
  }
}

/** One configuration error: where it is, what stands there and what may stand there, in `message`. */
export class ConfigError extends Error {
  readonly path: string;

  constructor(path: string, message: string) {
    super(message);
    this.name = 'ConfigError';
    this.path = path;
  }
}

/** Turns whatever was thrown into an Error. */
export function coerceError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** A message that its broker can't take, by what it says or has shown: it was not sent. */
export class NotTakenError extends Error {}

/** The code of a system error such as `ENOSPC`, or undefined. */
export function systemErrorCode(thrown: unknown): string | undefined {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

const NO_ROOM_CODES = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** The disk refused for want of room: its own, a quota's, or that of a file. */
export function lacksRoom(thrown: unknown): boolean {
  return NO_ROOM_CODES.has(systemErrorCode(thrown) ?? '');
}

/** Why a value, a batch or a message did not go its way: a stable code and a sentence for a person. */
export interface Reason {
  readonly code: string;
  readonly message: string;
}
