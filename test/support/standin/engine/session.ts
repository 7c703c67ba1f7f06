/**
 * A session: parses, executes, and owns one transaction. A statement is compiled when it is parsed and again when DDL
 * has changed the catalog since.
 */
import { compileStatement } from './execute/compile-statement.ts';
import type { SessionContext } from './execute/context.ts';
import type { Plan } from './execute/plan.ts';
import type { Profile } from './faults.ts';
import { renderFault, SqlFault } from './faults.ts';
import type { ParsedStatement } from './sql/parse-statement.ts';
import { parseStatement } from './sql/parse-statement.ts';
import type { Catalog } from './storage/catalog.ts';
import { Transaction } from './storage/transaction.ts';
import { runSteps } from './storage/waiting.ts';
import type { Column, ExecuteOptions, ExecuteResult, Session, Statement, StatementKind, Value } from './types.ts';
import { defaultSettings, type SessionName } from './values/settings.ts';

/** What all sessions of an engine have in common. */
export interface Database {
  readonly catalog: Catalog;
  readonly profile: Profile;
  readonly maxStringBytes: number;
  readonly systemPrivileges: readonly string[];
  readonly characterSet: string;
  readonly quotaBytes: number;
  readonly limits: Readonly<Record<string, string>>;
  readonly passwordExpiresAtMs: number | undefined;
  readonly countOnly: boolean;
  now(): number;
}

class PreparedStatement implements Statement {
  readonly kind: StatementKind;
  readonly sql: string;
  readonly bindNames: readonly string[];
  readonly parsed: ParsedStatement;
  columns: readonly Column[] = [];
  compiled: Plan | undefined;
  catalogVersion = -1;

  constructor(sql: string, parsed: ParsedStatement) {
    this.sql = sql;
    this.parsed = parsed;
    this.kind = parsed.kind;
    this.bindNames = parsed.bindNames;
  }
}

const ONE_ROW_WITHOUT_BINDS: readonly (readonly Value[])[] = [[]];

export class EngineSession implements Session {
  readonly user: string;
  readonly #context: SessionContext;
  readonly #transaction = new Transaction();
  /** Aborts what waits when the session is closed. */
  readonly #closing = new AbortController();

  constructor(user: string, sessionId: number, database: Database) {
    this.user = user;
    this.#context = {
      ...database,
      now: () => database.now(),
      user,
      sessionId,
      settings: defaultSettings(),
      transaction: this.#transaction,
      commit: () => this.commit(),
      rollback: () => this.rollback(),
    };
  }

  get inTransaction(): boolean {
    return this.#transaction.isActive;
  }

  setName(name: SessionName, text: string): void {
    this.#context.settings.names.set(name, text);
    if (text === '') this.#context.settings.names.delete(name);
  }

  parse(sql: string): Statement {
    try {
      const statement = new PreparedStatement(sql, parseStatement(sql, this.#context.maxStringBytes));
      this.#compile(statement);
      return statement;
    } catch (error) {
      throw renderFault(error, this.#context.profile);
    }
  }

  #compile(statement: PreparedStatement): Plan {
    const { version } = this.#context.catalog;
    if (statement.compiled === undefined || statement.catalogVersion !== version) {
      statement.compiled = compileStatement(statement.parsed.tree, this.#context);
      statement.columns = statement.compiled.columns;
      statement.catalogVersion = version;
    }
    return statement.compiled;
  }

  execute(
    statement: Statement,
    rows: readonly (readonly Value[])[],
    options: ExecuteOptions = {},
  ): ExecuteResult | Promise<ExecuteResult> {
    const { mark } = this.#transaction;
    try {
      const result = this.#start(statement as PreparedStatement, rows, options);
      if (!(result instanceof Promise)) return thrownIfSingle(result, rows.length);
      return result.then(
        (value) => thrownIfSingle(value, rows.length),
        (error: unknown) => this.#fail(error, mark),
      );
    } catch (error) {
      return this.#fail(error, mark);
    }
  }

  #start(
    statement: PreparedStatement,
    rows: readonly (readonly Value[])[],
    options: ExecuteOptions,
  ): ExecuteResult | Promise<ExecuteResult> {
    const compiled = this.#compile(statement);
    const bindRows = rows.length === 0 ? ONE_ROW_WITHOUT_BINDS : rows;
    if (bindRows.some((row) => row.length < statement.bindNames.length)) throw new SqlFault(1008);
    const closed = this.#closing.signal;
    const signals = options.signal === undefined ? [closed] : [closed, options.signal];
    return runSteps(compiled.execute(bindRows, options), this.#transaction, signals);
  }

  #fail(error: unknown, mark: number): never {
    this.#transaction.rollbackTo(mark);
    throw renderFault(error, this.#context.profile);
  }

  commit(): void {
    this.#transaction.commit();
  }

  rollback(): void {
    this.#transaction.rollback();
  }

  close(): void {
    this.#closing.abort();
    this.#transaction.rollback();
  }
}

/** The error of a single row is thrown; one that stopped an array is part of its result. */
function thrownIfSingle(result: ExecuteResult, rows: number): ExecuteResult {
  if (result.error !== undefined && rows <= 1) throw result.error;
  return result;
}
