import { DatabaseError } from '../../../src/core/errors.ts';
import type { LedgerSession } from '../../../src/core/ledger-session.ts';
import { comparePlaces, ORIGIN, type Place } from '../../../src/core/place.ts';
import type { TagValues } from '../../../src/core/tag-values.ts';

export interface WrittenRow {
  readonly name: string;
  readonly number: number;
  readonly text: string | null;
  readonly timeMs: number;
  readonly quality: string;
}

/** A database that keeps its ledger with its rows, and fails on demand. */
export class FakeOracle {
  readonly rows: WrittenRow[] = [];
  readonly ledger = new Map<string, Place>();
  writes = 0;
  /** Called before each call of any kind, and again after a commit: may throw, or never end. */
  before: (call: 'read' | 'write' | 'committed' | 'forget') => void | Promise<void> = () => {};
  /** Rows of this tag are refused one by one. */
  refusedTag: string | undefined;
  /** A batch with this tag is refused as a whole. */
  poisonTag: string | undefined;

  session(stream: string): LedgerSession {
    return {
      readPlace: async () => {
        await this.before('read');
        const place = this.ledger.get(stream);
        if (place === undefined) this.ledger.set(stream, ORIGIN);
        return place ?? ORIGIN;
      },
      write: async (values, move, beforeCommit) => {
        await this.before('write');
        this.writes += 1;
        if (comparePlaces(this.ledger.get(stream) ?? { messageNo: -1, valueNo: 0 }, move!.from) !== 0) {
          throw new DatabaseError('passing', 'LEDGER_MOVED', 'moved');
        }
        const names = values.tags.slice(0, values.length).map(({ name }) => name);
        if (this.poisonTag !== undefined && names.includes(this.poisonTag))
          throw new DatabaseError('mistake', 'NJS-011', 'bind');
        const refused = names.flatMap((name, index) =>
          name === this.refusedTag ? [{ index, reason: { code: 'ORA-12899', message: 'too long' } }] : [],
        );
        if (refused.length > 0) await beforeCommit(refused);
        const indexes = new Set(refused.map(({ index }) => index));
        for (const [i, row] of plain(values).entries()) if (!indexes.has(i)) this.rows.push(row);
        this.ledger.set(stream, move!.to);
        await this.before('committed');
        return move!.to;
      },
      forget: async () => {
        await this.before('forget');
        this.ledger.delete(stream);
      },
      probe: async () => {},
    };
  }

  numbers(): number[] {
    return this.rows.map(({ number }) => number);
  }
}

export function plain(values: TagValues): WrittenRow[] {
  return Array.from({ length: values.length }, (_, i) => ({
    name: values.tags[i]!.name,
    number: values.numbers[i]!,
    text: values.texts[i]!,
    timeMs: values.timesMs[i]!,
    quality: values.qualities[i]!,
  }));
}
