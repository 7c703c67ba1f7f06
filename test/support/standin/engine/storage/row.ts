import type { Value } from '../types.ts';
import type { Transaction } from './transaction.ts';

export type Values = readonly Value[];

/**
 * A row in its two versions: `committed` is what other sessions see (null: not there), `current` what its owner sees
 * (null: deleted). The owner is the one transaction that has inserted, changed, deleted or locked it; without an owner
 * both are the same.
 */
export class Row {
  committed: Values | null;
  current: Values | null;
  owner: Transaction | null;

  constructor(current: Values, owner: Transaction) {
    this.committed = null;
    this.current = current;
    this.owner = owner;
  }

  seenBy(transaction: Transaction): Values | null {
    return this.owner === transaction ? this.current : this.committed;
  }

  get isGone(): boolean {
    return this.committed === null && this.current === null && this.owner === null;
  }
}
