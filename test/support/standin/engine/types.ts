/**
 * What the network side of the stand-in database and its SQL engine say to each other.
 *
 * A SQL value is null, a string, a number, or one of the three classes below. NUMBER is a JavaScript number when that
 * holds it exactly in at most 15 significant digits, else a `Decimal`.
 */

import type { SessionName } from './values/settings.ts';

/** A NUMBER with more digits than a double keeps, as plain decimal text such as `-12345678901234567890.5`. */
export class Decimal {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/**
 * DATE, TIMESTAMP and TIMESTAMP WITH TIME ZONE. `ms` are the date and time fields read as if they were UTC, in epoch
 * milliseconds (for WITH TIME ZONE: real UTC), `ns` the nanoseconds below that millisecond (0 to 999,999),
 * `offsetMinutes` only WITH TIME ZONE and WITH LOCAL TIME ZONE, where it is the reading session's.
 */
export class Timestamp {
  readonly ms: number;
  readonly ns: number;
  readonly offsetMinutes: number | undefined;
  constructor(ms: number, ns = 0, offsetMinutes?: number) {
    this.ms = ms;
    this.ns = ns;
    this.offsetMinutes = offsetMinutes;
  }
}

export type Value = null | string | number | Decimal | Timestamp | Uint8Array;

export type TypeName =
  | 'VARCHAR2'
  | 'CHAR'
  | 'RAW'
  | 'NUMBER'
  | 'BINARY_FLOAT'
  | 'BINARY_DOUBLE'
  | 'DATE'
  | 'TIMESTAMP'
  | 'TIMESTAMP WITH TIME ZONE'
  | 'TIMESTAMP WITH LOCAL TIME ZONE';

/** A column of a table or of a query's result. */
export interface Column {
  readonly name: string;
  readonly type: TypeName;
  /** Bytes for VARCHAR2, CHAR and RAW as stored at most; 22 for NUMBER, 8 for BINARY_DOUBLE, 7, 11, 13 for dates. */
  readonly maxBytes: number;
  /** For VARCHAR2 and CHAR: the declared length, and whether it counts characters. */
  readonly length?: number;
  readonly charSemantics?: boolean;
  /** NUMBER: undefined when not declared. TIMESTAMP: `scale` holds the fractional digits. */
  readonly precision?: number;
  readonly scale?: number;
  readonly nullable: boolean;
}

/** `OTHER`: ALTER SESSION and the like, taken and ignored. */
export type StatementKind =
  'CREATE TABLE' | 'DROP TABLE' | 'TRUNCATE' | 'INSERT' | 'UPDATE' | 'DELETE' | 'MERGE' | 'SELECT' | 'PLSQL' | 'OTHER';

/** A parsed statement. It may be executed any number of times, by the session that parsed it. */
export interface Statement {
  readonly kind: StatementKind;
  readonly sql: string;
  /**
   * Bind names in order of appearance, upper case; `:1` is "1". A name that appears twice stands twice, except in
   * PL/SQL.
   */
  readonly bindNames: readonly string[];
  /** Result columns of a SELECT, else empty. */
  readonly columns: readonly Column[];
}

/** An ORA error. `position` is the offset in the SQL text, where one is known. */
export class OraError extends Error {
  readonly code: number;
  readonly position: number;
  /** `message` comes without the leading `ORA-nnnnn: `; text after a line feed (`ORA-06512: …`) is allowed. */
  constructor(code: number, message: string, position = 0) {
    super(message);
    this.code = code;
    this.position = position;
  }
  /** As a client shows it: `ORA-00942: table or view does not exist`. */
  get text(): string {
    return `ORA-${String(this.code).padStart(5, '0')}: ${this.message}`;
  }
}

export interface ExecuteOptions {
  /** Go on after a row that fails (DML only). */
  readonly batchErrors?: boolean;
  /** Faults on demand: errors for the row with that offset, instead of executing it. */
  readonly rowErrors?: ReadonlyMap<number, OraError>;
  /** How long to wait for another session's lock; aborted when the client breaks the call: then ORA-01013. */
  readonly signal?: AbortSignal;
}

export interface ExecuteResult {
  /** Rows changed, or for a SELECT the rows found. */
  readonly rowCount: number;
  /** DML: rows changed by each iteration, up to the failing one. */
  readonly rowCounts: readonly number[];
  /** With `batchErrors`; not sorted by offset: value checks first, then keys, as a real server does. */
  readonly batchErrors: readonly { readonly offset: number; readonly error: OraError }[];
  /** Without `batchErrors`: the error that stopped an array; the iterations before it stay in the transaction. */
  readonly error?: OraError;
  /** SELECT only. */
  readonly rows: readonly (readonly Value[])[];
}

/** One session: its own transaction, its own view of what is committed. */
export interface Session {
  readonly user: string;
  /** True from the first change (or row lock) to commit or rollback. */
  readonly inTransaction: boolean;
  /** What the client says of itself; an empty text takes it back. */
  setName(name: SessionName, text: string): void;
  /** Throws OraError (900 to 942 and the like). */
  parse(sql: string): Statement;
  /**
   * Executes once a row of binds; a statement without binds gets one empty row. DDL commits first, as Oracle does.
   * Answers at once where it can and with a promise where it waits for another session's lock. Throws OraError.
   */
  execute(
    statement: Statement,
    rows: readonly (readonly Value[])[],
    options?: ExecuteOptions,
  ): ExecuteResult | Promise<ExecuteResult>;
  commit(): void;
  rollback(): void;
  /** Rolls back and frees its locks. */
  close(): void;
}

export interface Engine {
  /** `user` as it logged on, upper case: also its schema. */
  openSession(user: string): Session;
  /** For assertions and the demo: runs SQL in a session of its own and commits. */
  query(sql: string, user?: string): Promise<Record<string, Value>[]>;
}
