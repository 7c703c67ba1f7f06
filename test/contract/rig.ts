import type { LedgerSession } from '../../src/core/ledger-session.ts';
import { TagValues } from '../../src/core/tag-values.ts';
import type { LostAnswer } from '../support/fake-store.ts';
import { RECEIVED_AT_MS } from '../support/values.ts';

/** One of the databases that tests put in the place of Oracle, empty at first, as the contract sees it. */
export interface Rig {
  /** A stream of the ledger and the table, which all streams share. */
  session(stream: string): LedgerSession;
  /** The same table, without a ledger. */
  withoutLedger(): LedgerSession;
  /** The numbers of all committed rows, in ascending order. */
  numbers(): Promise<number[]>;
  /** Makes value `index` one that the table refuses. */
  refuse(values: TagValues, index: number): void;
  /** Makes value `index` one with which the whole batch is refused. */
  spoil(values: TagValues, index: number): void;
  /** The answer to the next commit is lost. To be called before a write, or in its `beforeCommit`. */
  loseAnswer(how: LostAnswer): void;
  end(): Promise<void>;
}

/** Values with these numbers, which are those of one message; the place of number n of the list is (messageNo, n). */
export function messageOf(messageNo: number, ...numbers: readonly number[]): TagValues {
  const values = new TagValues(numbers.length);
  for (const number of numbers) {
    const tag = { plcCode: 'PLC01', address: `D${number}`, name: `PLC01.D${number}` };
    values.push(tag, number, null, RECEIVED_AT_MS, 'GOOD');
  }
  values.stamp(messageNo, RECEIVED_AT_MS);
  return values;
}

export function ascending(numbers: Iterable<number>): number[] {
  return [...numbers].sort((a, b) => a - b);
}
