import type { Reason } from '../../../src/core/errors.ts';
import type { LedgerSession } from '../../../src/core/ledger-session.ts';
import type { Place } from '../../../src/core/place.ts';
import type { TagValues } from '../../../src/core/tag-values.ts';
import { FakeStore } from '../../support/fake-store.ts';

export interface WrittenRow {
  readonly name: string;
  readonly number: number;
  readonly text: string | null;
  readonly timeMs: number;
  readonly quality: string;
}

const TOO_LONG: Reason = { code: 'ORA-12899', message: 'too long' };

/** A database that keeps its ledger with its rows, and fails on demand. */
export class FakeOracle {
  writes = 0;
  /** Called before each call of any kind, and again after a commit: may throw, or never end. */
  before: (call: 'read' | 'write' | 'committed' | 'forget') => void | Promise<void> = () => {};
  /** Rows of this tag are refused one by one. */
  refusedTag: string | undefined;
  /** A batch with this tag is refused as a whole. */
  poisonTag: string | undefined;
  readonly store = new FakeStore<WrittenRow>({
    rowOf: plainRow,
    refusalOf: ({ name }) => (name === this.refusedTag ? TOO_LONG : undefined),
    spoilsBatch: ({ name }) => name === this.poisonTag,
  });

  get rows(): readonly WrittenRow[] {
    return this.store.rows;
  }

  get ledger(): Map<string, Place> {
    return this.store.ledger;
  }

  session(stream: string): LedgerSession {
    return {
      interrupt: () => {},
      readPlace: async () => {
        await this.before('read');
        return this.store.readPlace(stream);
      },
      write: async (values, move, beforeCommit) => {
        await this.before('write');
        this.writes += 1;
        const written = await this.store.write(stream, values, move, beforeCommit);
        await this.before('committed');
        return written;
      },
      forget: async () => {
        await this.before('forget');
        this.store.forget(stream);
      },
      probe: async () => {},
    };
  }

  numbers(): number[] {
    return this.rows.map(({ number }) => number);
  }
}

export function plain(values: TagValues): WrittenRow[] {
  return Array.from({ length: values.length }, (_, i) => plainRow(values, i));
}

function plainRow(values: TagValues, i: number): WrittenRow {
  return {
    name: values.tags[i]!.name,
    number: values.numbers[i]!,
    text: values.texts[i]!,
    timeMs: values.timesMs[i]!,
    quality: values.qualities[i]!,
  };
}
