import type { Profile } from '../faults.ts';
import type { Catalog } from '../storage/catalog.ts';
import type { Values } from '../storage/row.ts';
import type { Transaction } from '../storage/transaction.ts';
import type { ConversionContext } from '../values/convert.ts';

/** What a statement knows of its session and database. */
export interface SessionContext extends ConversionContext {
  readonly user: string;
  readonly sessionId: number;
  readonly profile: Profile;
  readonly catalog: Catalog;
  readonly maxStringBytes: number;
  readonly systemPrivileges: readonly string[];
  readonly characterSet: string;
  readonly quotaBytes: number;
  /** Of the profile that every user has. */
  readonly limits: Readonly<Record<string, string>>;
  readonly passwordExpiresAtMs: number | undefined;
  /** INSERT counts its rows and keeps none. */
  readonly countOnly: boolean;
  /** The running transaction; a new one after each commit and rollback. */
  readonly transaction: Transaction;
  commit(): void;
  rollback(): void;
}

/** What changes from row to row while a statement runs. One object serves a whole statement. */
export interface Evaluation {
  row: Values;
  binds: Values;
  /** ROWNUM of the row in hand. */
  rowNumber: number;
  /** Results of the aggregate functions of the group in hand. */
  aggregates: Values;
  /** SQL%ROWCOUNT */
  rowCount: number;
}

export const NO_VALUES: Values = [];

export function newEvaluation(binds: Values): Evaluation {
  return { row: NO_VALUES, binds, rowNumber: 0, aggregates: NO_VALUES, rowCount: 0 };
}
