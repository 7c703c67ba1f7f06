import { SqlFault } from '../faults.ts';
import { keyOf } from '../values/convert.ts';
import type { Row, Values } from './row.ts';
import type { Transaction } from './transaction.ts';

type KeyPart = string | number | null;
type Leaf = Map<KeyPart, Row | Row[]>;
type Level = Map<KeyPart, Level> | Leaf;

const NO_ROWS: readonly Row[] = [];

/**
 * The rows of a table by a key: a map for each column of the key, one inside the other, so that no key has to be put
 * together into a text. A row stands here under the key of each of its versions, so a key that a transaction has
 * deleted or is about to insert is found by others, who wait for it. Keys of nothing but nulls are not kept.
 */
export class UniqueIndex {
  readonly name: string;
  /** Positions of the key's columns. */
  readonly columns: readonly number[];
  readonly #root: Level = new Map();

  constructor(name: string, columns: readonly number[]) {
    this.name = name;
    this.columns = columns;
  }

  #part(values: Values, depth: number): KeyPart {
    const value = values[this.columns[depth]!]!;
    return value === null ? null : keyOf(value);
  }

  #isAllNull(values: Values): boolean {
    return this.columns.every((column) => values[column] === null);
  }

  /** The innermost map; undefined when it is not there and not to be made. */
  #leaf(values: Values, isMade: boolean): Leaf | undefined {
    let level = this.#root;
    for (let depth = 0; depth < this.columns.length - 1; depth++) {
      const outer = level as Map<KeyPart, Level>;
      const part = this.#part(values, depth);
      let inner = outer.get(part);
      if (inner === undefined) {
        if (!isMade) return undefined;
        inner = new Map();
        outer.set(part, inner);
      }
      level = inner;
    }
    return level as Leaf;
  }

  #last(values: Values): KeyPart {
    return this.#part(values, this.columns.length - 1);
  }

  hasSameKey(one: Values | null, other: Values | null): boolean {
    if (one === null || other === null) return false;
    return this.columns.every((_, depth) => this.#part(one, depth) === this.#part(other, depth));
  }

  /** Rows that have the key of `values` in one of their versions. */
  rowsOf(values: Values): readonly Row[] {
    const found = this.#leaf(values, false)?.get(this.#last(values));
    if (found === undefined) return NO_ROWS;
    return Array.isArray(found) ? found : [found];
  }

  /**
   * Whether `transaction` may put `self` (undefined: a new row) under the key of `values`. Answers the transaction to
   * wait for, undefined when the key is free; throws ORA-00001 when it is taken for good.
   */
  conflict(values: Values, transaction: Transaction, self: Row | undefined): Transaction | undefined {
    const found = this.#leaf(values, false)?.get(this.#last(values));
    if (found === undefined || this.#isAllNull(values)) return undefined;
    for (const row of Array.isArray(found) ? found : [found]) {
      if (row === self) continue;
      const isSettled = row.owner === null || row.owner === transaction;
      const committed = isSettled || this.hasSameKey(row.committed, values);
      const current = this.hasSameKey(isSettled ? row.seenBy(transaction) : row.current, values);
      if (committed && current) throw new SqlFault(1);
      if (!isSettled && (committed || current)) return row.owner!;
    }
    return undefined;
  }

  add(values: Values, row: Row): void {
    if (this.#isAllNull(values)) return;
    const leaf = this.#leaf(values, true)!;
    const last = this.#last(values);
    const found = leaf.get(last);
    if (found === undefined) leaf.set(last, row);
    else if (!Array.isArray(found)) {
      if (found !== row) leaf.set(last, [found, row]);
    } else if (!found.includes(row)) found.push(row);
  }

  remove(values: Values, row: Row): void {
    const leaf = this.#leaf(values, false);
    const last = this.#last(values);
    const found = leaf?.get(last);
    if (found === row) leaf!.delete(last);
    else if (Array.isArray(found)) {
      const others = found.filter((other) => other !== row);
      if (others.length === 0) leaf!.delete(last);
      else leaf!.set(last, others.length === 1 ? others[0]! : others);
    }
  }

  clear(): void {
    this.#root.clear();
  }
}
