/**
 * A logged-on session: its cursors, and how a statement call becomes an engine's execution and an answer.
 *
 * A cursor remembers statement, bind types and whether row counts are wanted, as re-executions bring none of them. A
 * statement that failed to parse has a cursor too. Calls answer at once, or with a promise where the engine waits for a
 * lock or a fault does.
 */
import {
  type Column,
  type ExecuteResult,
  OraError,
  type Session,
  type Statement,
  type StatementKind,
  type Value,
} from '../engine/types.ts';
import {
  CallStatus,
  type RowId,
  statementTypes,
  writeBindDirections,
  writeDescription,
  writeEndOfCall,
  writeReturnParameters,
  writeRows,
} from './answers.ts';
import type { FaultPoint } from './fault-point.ts';
import type { Dialect } from './negotiation.ts';
import { CallFunction, type StatementCall } from './request.ts';
import type { RowReader } from './row-reader.ts';
import { guessKind, returnsValues, tablePosition } from './sql-text.ts';
import type { Stats } from './stats.ts';
import type { BindType } from './values.ts';
import { Writer } from './wire.ts';

const MAX_OPEN_CURSORS = 300;
const NO_DATA_FOUND = { code: 1403, text: 'ORA-01403: no data found' };
const ERRORS_IN_ARRAY = { code: 24_381, text: 'ORA-24381: error(s) in array DML' };
const DDL: ReadonlySet<StatementKind> = new Set(['CREATE TABLE', 'DROP TABLE', 'TRUNCATE']);
const DML: ReadonlySet<StatementKind> = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);

export interface Answer {
  readonly payload: Writer;
  /** An error: break and reset come first. */
  readonly failed: boolean;
}

export interface Cursor {
  readonly id: number;
  sql: string;
  statement: Statement | undefined;
  binds: readonly BindType[];
  rowCounts: boolean;
  /** The result's columns as the client knows them. */
  described: readonly Column[];
  rows: readonly (readonly Value[])[];
  position: number;
  headerSent: boolean;
}

export interface SqlSessionOptions {
  readonly session: Session;
  readonly dialect: Dialect;
  readonly faults: FaultPoint;
  readonly stats: Stats;
  /** Arrays of INSERTs are counted and not executed. */
  readonly countOnly: boolean;
  /** Added to a request's sequence number to make the session's count of calls. */
  readonly sequenceBase: number;
  /** No call status says that a transaction is open. */
  readonly hidesTransactions: boolean;
}

export class SqlSession {
  readonly session: Session;
  readonly #options: SqlSessionOptions;
  readonly #cursors = new Map<number, Cursor>();
  #hasCommitted = false;

  constructor(options: SqlSessionOptions) {
    this.session = options.session;
    this.#options = options;
  }

  get dialect(): Dialect {
    return this.#options.dialect;
  }

  cursor(id: number): Cursor | undefined {
    return this.#cursors.get(id);
  }

  closeCursors(ids: readonly number[]): void {
    for (const id of ids) this.#cursors.delete(id);
  }

  /** `ALTER SESSION SET CURRENT_SCHEMA`, as a client sends it with its next call; an unknown schema is not reported. */
  setSchema(schema: string): void {
    try {
      void this.session.execute(this.session.parse(`ALTER SESSION SET CURRENT_SCHEMA = ${schema}`), [[]]);
    } catch (error) {
      if (!(error instanceof OraError)) throw error;
    }
  }

  /** True when the rows of this call need only be counted. */
  onlyCounts(call: StatementCall): boolean {
    if (!this.#options.countOnly || call.iterations < 2) return false;
    return guessKind(call.sql ?? this.cursor(call.cursorId)?.sql ?? '') === 'INSERT';
  }

  /** The error for a call whose rows can't even be read, or undefined. */
  refusal(call: StatementCall): OraError | undefined {
    if (call.unsupportedBind !== undefined) {
      return new OraError(3115, 'unsupported network datatype or representation');
    }
    // Clients send no values for the binds behind INTO.
    return returnsValues(call.sql ?? this.cursor(call.cursorId)?.sql ?? '')
      ? new OraError(3001, 'unimplemented feature: the stand-in has no RETURNING')
      : undefined;
  }

  /** Carries out an execute, re-execute or fetch. */
  run(call: StatementCall, rows: RowReader | undefined, signal: AbortSignal): Answer | Promise<Answer> {
    let cursor: Cursor | undefined;
    const failed = (error: unknown): Answer => {
      if (error instanceof OraError) return this.#failure(call, cursor, error);
      throw error;
    };
    try {
      cursor = this.#open(call);
      const opened = cursor;
      const kind = call.function === CallFunction.fetch ? 'fetch' : 'execute';
      const facts = { kind, sql: call.sql ?? cursor.sql, user: this.session.user } as const;
      const answer = this.#options.faults.around(facts, signal, (rowErrors) =>
        call.function === CallFunction.fetch
          ? this.#fetch(call, opened)
          : this.#execute(call, opened, rows, signal, rowErrors),
      );
      return answer instanceof Promise ? answer.catch(failed) : answer;
    } catch (error) {
      return failed(error);
    }
  }

  /** Commits, with the faults of a commit around it. */
  commit(sql: string | undefined, signal: AbortSignal): void | Promise<void> {
    return this.#options.faults.around({ kind: 'commit', sql, user: this.session.user }, signal, () => {
      this.session.commit();
      this.#hasCommitted = true;
      this.#options.stats.commits++;
    });
  }

  #open(call: StatementCall): Cursor {
    if (call.cursorId !== 0) {
      const cursor = this.#cursors.get(call.cursorId);
      if (cursor === undefined) throw new OraError(1001, 'invalid cursor');
      if (call.sql !== undefined) cursor.sql = call.sql;
      return cursor;
    }
    if (this.#cursors.size >= MAX_OPEN_CURSORS) throw new OraError(1000, 'maximum open cursors exceeded');
    let id = 1;
    while (this.#cursors.has(id)) id++;
    const cursor: Cursor = {
      id,
      sql: call.sql ?? '',
      statement: undefined,
      binds: [],
      rowCounts: false,
      described: [],
      rows: [],
      position: 0,
      headerSent: false,
    };
    this.#cursors.set(id, cursor);
    return cursor;
  }

  #execute(
    call: StatementCall,
    cursor: Cursor,
    rows: RowReader | undefined,
    signal: AbortSignal,
    faultErrors: ReadonlyMap<number, OraError> | undefined,
  ): Answer | Promise<Answer> {
    const refusal = this.refusal(call);
    if (refusal !== undefined) throw refusal;
    if (call.sql !== undefined) cursor.statement = this.session.parse(call.sql);
    const { statement } = cursor;
    if (statement === undefined) throw new OraError(1003, 'no statement parsed');
    if (call.binds !== undefined && call.binds.length > 0) cursor.binds = call.binds;
    if (call.rowCounts !== undefined) cursor.rowCounts = call.rowCounts;
    if (call.describeOnly || !call.executes) return this.#unexecuted(call, cursor, statement);
    const bound = cursor.binds.length;
    if (bound < statement.bindNames.length) throw new OraError(1008, 'not all variables bound');
    if ((call.batchErrors || cursor.rowCounts) && !DML.has(statement.kind)) {
      throw new OraError(28_714, 'batch errors and row counts are for INSERT, UPDATE, DELETE and MERGE');
    }
    const rowErrors = merged(rows?.errors, faultErrors);
    const result = this.onlyCounts(call)
      ? counted(rows?.count ?? 0)
      : this.session.execute(statement, rows === undefined || rows.rows.length === 0 ? [[]] : rows.rows, {
          batchErrors: call.batchErrors,
          signal,
          ...(rowErrors === undefined ? {} : { rowErrors }),
        });
    return result instanceof Promise
      ? result.then((done) => this.#finish(call, cursor, statement, done, signal))
      : this.#finish(call, cursor, statement, result, signal);
  }

  #finish(
    call: StatementCall,
    cursor: Cursor,
    statement: Statement,
    result: ExecuteResult,
    signal: AbortSignal,
  ): Answer | Promise<Answer> {
    if (result.error !== undefined) return this.#failure(call, cursor, result.error, result);
    if (statement.kind === 'SELECT') {
      cursor.rows = result.rows;
      cursor.position = 0;
      cursor.headerSent = false;
    }
    const answer = (committed: boolean): Answer =>
      statement.kind === 'SELECT'
        ? this.#rowsAnswer(call, cursor, statement)
        : this.#changesAnswer(call, cursor, statement, result, committed);
    if (!call.commit || result.batchErrors.length > 0) return answer(false);
    const committing = this.commit(cursor.sql, signal);
    return committing instanceof Promise ? committing.then(() => answer(true)) : answer(true);
  }

  #fetch(call: StatementCall, cursor: Cursor): Answer {
    if (cursor.statement?.kind !== 'SELECT') throw new OraError(1002, 'fetch out of sequence');
    return this.#rowsAnswer(call, cursor, cursor.statement);
  }

  /** Described or defined only. */
  #unexecuted(call: StatementCall, cursor: Cursor, statement: Statement): Answer {
    return statement.kind === 'SELECT'
      ? this.#rowsAnswer(call, cursor, statement)
      : this.#changesAnswer(call, cursor, statement, counted(0), false);
  }

  #rowsAnswer(call: StatementCall, cursor: Cursor, statement: Statement): Answer {
    const payload = new Writer(1024);
    const { dialect } = this.#options;
    const { columns } = statement;
    if (call.describeOnly || call.sql !== undefined) {
      writeDescription(payload, dialect, columns);
      cursor.described = columns;
    } else checkUnchanged(cursor.described, columns);
    const from = cursor.position;
    const to = Math.min(cursor.rows.length, from + call.fetchRows);
    if (to > from) {
      writeRows(payload, {
        columns,
        rows: cursor.rows,
        from,
        to,
        asked: call.fetchRows,
        firstFetch: !cursor.headerSent,
      });
      cursor.headerSent = true;
    }
    cursor.position = to;
    const exhausted = to - from < call.fetchRows;
    this.#returnParameters(payload, call, cursor, 0, undefined);
    writeEndOfCall(payload, dialect, {
      ...this.#endOf(call, cursor),
      status: this.status(CallStatus.idle),
      rowCount: to,
      iterations: to > from ? 1 : 0,
      ...(exhausted ? { error: NO_DATA_FOUND } : {}),
    });
    return { payload, failed: false };
  }

  #changesAnswer(
    call: StatementCall,
    cursor: Cursor,
    statement: Statement,
    result: ExecuteResult,
    committed: boolean,
  ): Answer {
    const payload = new Writer();
    const { dialect, stats } = this.#options;
    const changes = DML.has(statement.kind);
    if (statement.kind === 'PLSQL' && cursor.binds.length > 0) writeBindDirections(payload, cursor.binds.length);
    const counts = cursor.rowCounts ? result.rowCounts : undefined;
    this.#returnParameters(payload, call, cursor, changes ? (committed ? 2 : 1) : 0, counts);
    const ended = DDL.has(statement.kind)
      ? this.status(CallStatus.ddl)
      : committed
        ? CallStatus.committed
        : this.status(CallStatus.idle);
    writeEndOfCall(payload, dialect, {
      ...this.#endOf(call, cursor),
      status: ended,
      rowCount: result.rowCount,
      iterations: Math.max(1, call.iterations),
      rowId: changes && result.rowCount > 0 ? inventRowId(stats.changeNumber) : undefined,
      ...(result.batchErrors.length > 0 ? { error: ERRORS_IN_ARRAY, batchErrors: result.batchErrors } : {}),
    });
    return { payload, failed: false };
  }

  #failure(call: StatementCall, cursor: Cursor | undefined, error: OraError, result?: ExecuteResult): Answer {
    const payload = new Writer();
    if (cursor?.rowCounts === true && result !== undefined) {
      this.#returnParameters(payload, call, cursor, 1, result.rowCounts);
    }
    writeEndOfCall(payload, this.#options.dialect, {
      ...this.#endOf(call, cursor),
      status: this.status(DDL.has(kindOf(cursor)) ? CallStatus.ddl : CallStatus.idle),
      position: error.position,
      rowCount: result?.rowCount ?? 0,
      iterations: result?.rowCounts.length ?? 0,
      error: { code: error.code, text: error.text },
    });
    return { payload, failed: true };
  }

  /** 08 follows every execute; a re-execution has it only for its row counts. */
  #returnParameters(
    payload: Writer,
    call: StatementCall,
    cursor: Cursor,
    dml: number,
    rowCounts: readonly number[] | undefined,
  ): void {
    if (call.function !== CallFunction.execute && rowCounts === undefined) return;
    const changeNumber = ++this.#options.stats.changeNumber;
    writeReturnParameters(payload, { changeNumber, cursorId: cursor.id, dml, rowCounts });
  }

  #endOf(
    call: StatementCall,
    cursor: Cursor | undefined,
  ): { [key in 'sequence' | 'call' | 'cursorId' | 'statementType' | 'position']: number } {
    const sql = cursor?.sql ?? '';
    return {
      sequence: (this.#options.sequenceBase + call.sequence) & 0xffff,
      call: call.sequence,
      cursorId: cursor?.id ?? 0,
      statementType: statementTypes[kindOf(cursor)],
      position: call.sql === undefined ? 0 : tablePosition(sql),
    };
  }

  /** The call status that tells of an open transaction, or `otherwise`. */
  status(otherwise: number): number {
    if (this.session.inTransaction && !this.#options.hidesTransactions) return CallStatus.inTransaction;
    return this.#hasCommitted ? otherwise | CallStatus.hasCommitted : otherwise;
  }
}

function kindOf(cursor: Cursor | undefined): StatementKind {
  return cursor?.statement?.kind ?? guessKind(cursor?.sql ?? '');
}

/** A table may have been made anew since the client was told of its columns: drivers parse again at these errors. */
function checkUnchanged(described: readonly Column[], columns: readonly Column[]): void {
  if (columns.length < described.length) throw new OraError(1007, 'variable not in select list');
  const changed = described.findIndex(({ type }, index) => type !== columns[index]!.type);
  if (changed < 0) return;
  const text = `inconsistent datatypes: expected ${described[changed]!.type} got ${columns[changed]!.type}`;
  throw new OraError(932, text);
}

function merged(
  a: ReadonlyMap<number, OraError> | undefined,
  b: ReadonlyMap<number, OraError> | undefined,
): ReadonlyMap<number, OraError> | undefined {
  const all = new Map([...(a ?? []), ...(b ?? [])]);
  return all.size > 0 ? all : undefined;
}

function counted(rows: number): ExecuteResult {
  return { rowCount: rows, rowCounts: Array.from({ length: rows }, () => 1), batchErrors: [], rows: [] };
}

function inventRowId(changeNumber: number): RowId {
  return { object: 72_731, file: 24, block: 128 + (changeNumber >> 6), slot: changeNumber & 0x3f };
}
