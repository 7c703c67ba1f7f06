/** A heap table: its definition, its rows in order of insertion, and the changes that transactions make to them. */
import { SqlFault } from '../faults.ts';
import type { Expression, ValueType } from '../sql/ast.ts';
import type { Value } from '../types.ts';
import type { Values } from './row.ts';
import { Row } from './row.ts';
import type { Change, Transaction } from './transaction.ts';
import { UniqueIndex } from './unique-index.ts';

export interface TableColumn {
  readonly name: string;
  readonly type: ValueType;
  readonly declared: string;
  nullable: boolean;
  readonly defaultValue: { readonly expression: Expression; readonly text: string } | undefined;
  /** `"S"."T"."C"` */
  readonly path: string;
}

export interface Constraint {
  readonly name: string;
  readonly isNamed: boolean;
  readonly kind: 'PRIMARY KEY' | 'UNIQUE' | 'CHECK' | 'NOT NULL';
  readonly columns: readonly number[];
  /** The condition of CHECK and NOT NULL. */
  readonly text: string;
  /** False when a row breaks a CHECK. */
  readonly test?: (values: Values) => boolean;
}

export interface TableIndex {
  readonly name: string;
  readonly unique: boolean;
  readonly columns: readonly number[];
}

const COMPACT_FROM = 256;

export class Table {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly TableColumn[];
  constraints: Constraint[] = [];
  /** All indexes, for the dictionary. */
  indexes: TableIndex[] = [];
  uniqueIndexes: UniqueIndex[] = [];
  checks: Constraint[] = [];
  /** Privileges granted on it, by user. */
  readonly grants = new Map<string, Set<string>>();
  /** Rows that were counted and not kept. */
  countedRows = 0;
  #rows: Row[] = [];
  #gone = 0;

  constructor(schema: string, name: string, columns: readonly TableColumn[]) {
    this.schema = schema;
    this.name = name;
    this.columns = columns;
  }

  get rows(): readonly Row[] {
    return this.#rows;
  }

  get isLocked(): boolean {
    return this.#rows.some((row) => row.owner !== null);
  }

  columnIndex(name: string): number {
    return this.columns.findIndex((column) => column.name === name);
  }

  /** The rows that are there must be committed. ORA-01452 when two of them have the same key; nothing is added then. */
  addUniqueIndex(name: string, columns: readonly number[]): void {
    const index = new UniqueIndex(name, columns);
    for (const row of this.#rows) {
      if (row.committed === null) continue;
      if (index.rowsOf(row.committed).length > 0) throw new SqlFault(1452);
      index.add(row.committed, row);
    }
    this.uniqueIndexes.push(index);
    this.indexes.push({ name, unique: true, columns });
  }

  dropIndex(name: string): void {
    this.indexes = this.indexes.filter((index) => index.name !== name);
    this.uniqueIndexes = this.uniqueIndexes.filter((index) => index.name !== name);
  }

  /** With the index of a key. */
  removeConstraint(constraint: Constraint): void {
    this.constraints = this.constraints.filter((other) => other !== constraint);
    this.checks = this.checks.filter((other) => other !== constraint);
    if (constraint.kind === 'PRIMARY KEY' || constraint.kind === 'UNIQUE') this.dropIndex(constraint.name);
  }

  truncate(): void {
    this.#rows = [];
    this.#gone = 0;
    this.countedRows = 0;
    for (const index of this.uniqueIndexes) index.clear();
  }

  /** ORA-02290 for the first CHECK that is broken. */
  check(values: Values): void {
    for (const { name, test } of this.checks) {
      if (test?.(values) === false) throw new SqlFault(2290, { constraint: `${this.schema}.${name}` });
    }
  }

  /** Starts what the rows of one INSERT statement are added to. */
  beginInsert(transaction: Transaction): InsertedRows {
    return new InsertedRows(this, transaction);
  }

  /** Answers the transaction to wait for, or undefined when the row is in. Throws ORA-00001. */
  insert(values: Values, inserted: InsertedRows): Transaction | undefined {
    const { transaction } = inserted;
    const holder = this.#keyConflict(values, transaction, undefined);
    if (holder !== undefined) return holder;
    const row = new Row(values, transaction);
    for (const index of this.uniqueIndexes) index.add(values, row);
    this.#rows.push(row);
    inserted.add(row);
    return undefined;
  }

  /** Takes the row for `transaction`. Answers the transaction to wait for when another one has it. */
  lock(row: Row, transaction: Transaction): Transaction | undefined {
    if (row.owner === transaction) return undefined;
    if (row.owner !== null) return row.owner;
    transaction.record(new RowChange(this, row));
    row.owner = transaction;
    return undefined;
  }

  /** Writes a row that the transaction has locked. Answers the transaction to wait for; throws ORA-00001. */
  update(row: Row, values: Values, transaction: Transaction): Transaction | undefined {
    const holder = this.#keyConflict(values, transaction, row);
    if (holder !== undefined) return holder;
    transaction.record(new RowChange(this, row));
    for (const index of this.uniqueIndexes) index.add(values, row);
    row.current = values;
    return undefined;
  }

  /** Deletes a row that the transaction has locked. */
  delete(row: Row, transaction: Transaction): void {
    transaction.record(new RowChange(this, row));
    row.current = null;
  }

  #keyConflict(values: Values, transaction: Transaction, self: Row | undefined): Transaction | undefined {
    for (const index of this.uniqueIndexes) {
      try {
        const holder = index.conflict(values, transaction, self);
        if (holder !== undefined) return holder;
      } catch (error) {
        throw error instanceof SqlFault ? error.with(this.#duplicate(index, values)) : error;
      }
    }
    return undefined;
  }

  #duplicate(index: UniqueIndex, values: Values): Record<string, string> {
    const names = index.columns.map((column) => this.columns[column]!.name);
    const parts = index.columns.map((column, i) => `${names[i]}:${describe(values[column]!)}`);
    return {
      constraint: `${this.schema}.${index.name}`,
      table: `${this.schema}.${this.name}`,
      columns: names.join(','),
      values: parts.join(', '),
    };
  }

  /** A row that no version is left of; it is taken out later, with others. */
  forget(row: Row): void {
    this.#gone++;
    while (this.#rows.length > 0 && this.#rows.at(-1)!.isGone) {
      this.#rows.pop();
      this.#gone--;
    }
    if (this.#gone < COMPACT_FROM || this.#gone * 2 < this.#rows.length) return;
    this.#rows = this.#rows.filter((other) => other !== row && !other.isGone);
    this.#gone = 0;
  }
}

function describe(value: Value): string {
  if (value === null) return 'NULL';
  if (typeof value === 'object') return 'text' in value ? value.text : keyText(value);
  return String(value);
}

function keyText(value: object): string {
  return 'ms' in value && typeof value.ms === 'number' ? new Date(value.ms).toISOString() : '…';
}

/** The rows of one INSERT statement: one entry of the transaction, however many rows there are. */
export class InsertedRows implements Change {
  readonly transaction: Transaction;
  readonly #table: Table;
  readonly #rows: Row[] = [];

  constructor(table: Table, transaction: Transaction) {
    this.#table = table;
    this.transaction = transaction;
  }

  add(row: Row): void {
    if (this.#rows.length === 0) this.transaction.record(this);
    this.#rows.push(row);
  }

  undo(): void {
    for (const row of this.#rows.reverse()) {
      for (const index of this.#table.uniqueIndexes) index.remove(row.current!, row);
      row.current = null;
      row.owner = null;
      this.#table.forget(row);
    }
  }

  commit(): void {
    for (const row of this.#rows) {
      row.committed = row.current;
      row.owner = null;
      if (row.current === null) this.#table.forget(row);
    }
  }
}

/** A lock, update or delete of one row. */
class RowChange implements Change {
  readonly #table: Table;
  readonly #row: Row;
  readonly #before: Values | null;
  readonly #owner: Transaction | null;

  constructor(table: Table, row: Row) {
    this.#table = table;
    this.#row = row;
    this.#before = row.current;
    this.#owner = row.owner;
  }

  undo(): void {
    const row = this.#row;
    const after = row.current;
    row.current = this.#before;
    row.owner = this.#owner;
    if (after !== this.#before) this.#restoreKeys(after);
  }

  #restoreKeys(after: Values | null): void {
    const row = this.#row;
    for (const index of this.#table.uniqueIndexes) {
      const isKept = index.hasSameKey(after, row.current) || index.hasSameKey(after, row.committed);
      if (after !== null && !isKept) index.remove(after, row);
      if (row.current !== null) index.add(row.current, row);
    }
  }

  commit(): void {
    const row = this.#row;
    const wasOwned = row.owner !== null;
    row.committed = row.current;
    row.owner = null;
    if (this.#before !== null && this.#before !== row.current) this.#dropKeys(this.#before);
    if (row.current === null && wasOwned) this.#table.forget(row);
  }

  #dropKeys(before: Values): void {
    for (const index of this.#table.uniqueIndexes) {
      if (!index.hasSameKey(before, this.#row.current)) index.remove(before, this.#row);
    }
  }
}
