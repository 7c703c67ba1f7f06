import type { EngineOptions } from '../../support/standin/engine/engine.ts';
import { createEngine } from '../../support/standin/engine/engine.ts';
import type { Engine, ExecuteOptions, ExecuteResult, Session, Value } from '../../support/standin/engine/types.ts';
import { OraError } from '../../support/standin/engine/types.ts';

export interface Harness {
  readonly engine: Engine;
  readonly session: Session;
}

export function openEngine(options: EngineOptions = {}, ...ddl: readonly string[]): Harness {
  const engine = createEngine(options);
  const session = engine.openSession('PLANT');
  for (const sql of ddl) run(session, sql);
  return { engine, session };
}

/** Executes what does not have to wait. */
export function run(
  session: Session,
  sql: string,
  rows: readonly (readonly Value[])[] = [],
  options: ExecuteOptions = {},
): ExecuteResult {
  const result = session.execute(session.parse(sql), rows, options);
  if (result instanceof Promise) throw new Error(`waits: ${sql}`);
  return result;
}

/** Executes what must wait for another session. */
export function runWaiting(
  session: Session,
  sql: string,
  rows: readonly (readonly Value[])[] = [],
  options: ExecuteOptions = {},
): Promise<ExecuteResult> {
  const result = session.execute(session.parse(sql), rows, options);
  if (!(result instanceof Promise)) throw new Error(`does not wait: ${sql}`);
  return result;
}

export function select(session: Session, sql: string, ...binds: readonly Value[]): readonly (readonly Value[])[] {
  return run(session, sql, [binds]).rows;
}

/** The first value of the first row. */
export function value(session: Session, sql: string, ...binds: readonly Value[]): Value | undefined {
  return select(session, sql, ...binds)[0]?.[0];
}

/** The text of the error that the statement fails with, or `no error`. */
export function failure(session: Session, sql: string, ...binds: readonly Value[]): string {
  try {
    run(session, sql, [binds]);
    return 'no error';
  } catch (error) {
    if (error instanceof OraError) return error.text;
    throw error;
  }
}

export async function rejection(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'no error';
  } catch (error) {
    if (error instanceof OraError) return error.text;
    throw error;
  }
}
