import type { Clock } from '../core/clock.ts';
import type { Destination } from '../core/columns.ts';
import { DatabaseError } from '../core/errors.ts';
import { InterruptibleConnections } from './interruptible-connections.ts';
import type { ConnectionLender } from './lease.ts';
import { createMerge } from './merge.ts';
import { toDatabaseError } from './ora-errors.ts';
import { createInsert, type RowStatement } from './statements.ts';
import { TableDictionary, type FoundTable } from './table-dictionary.ts';
import { mayCatch, mergeKey, mergeTarget } from './table-keys.ts';

/** A DBA may give the table another key at any time, and the database tells nobody. */
const KEY_IS_KNOWN_FOR_MS = 60_000;

/**
 * The statement that the rows of a destination are written with. For `ignore` and `update` the data dictionary is asked
 * first for the keys of the table, so that nobody has to say them a second time, and wrong: an `ignore` without a key
 * would double rows without a word, and a MERGE by columns that are no key would read the whole table for each row and
 * might change many.
 */
export class WriteStatement {
  readonly #destination: Destination;
  readonly #connections: InterruptibleConnections;
  readonly #dictionary: TableDictionary;
  readonly #clock: Clock;
  readonly #insert: RowStatement;
  #found: { readonly statement: RowStatement; readonly atMs: number } | undefined;
  #finding: Promise<RowStatement> | undefined;

  constructor(destination: Destination, connections: ConnectionLender, clock: Clock) {
    this.#destination = destination;
    this.#connections = new InterruptibleConnections(connections);
    this.#dictionary = new TableDictionary(this.#connections);
    this.#clock = clock;
    this.#insert = createInsert(destination);
  }

  /** Throws DatabaseError, with the code NO_KEY where the table has no key that `onDuplicate` could go by. */
  async get(): Promise<RowStatement> {
    if (this.#destination.onDuplicate === 'reject') return this.#insert;
    const found = this.#found;
    if (found !== undefined && this.#clock.monotonic() - found.atMs < KEY_IS_KNOWN_FOR_MS) return found.statement;
    this.#finding ??= this.#find().finally(() => (this.#finding = undefined));
    return this.#finding;
  }

  /** The table may be another one now: its keys are read again before the next use. */
  forget(): void {
    this.#found = undefined;
  }

  /** Whoever waits for `get` is told at once: the data dictionary does not answer. */
  interrupt(): void {
    this.#connections.interrupt();
  }

  async #find(): Promise<RowStatement> {
    const { onDuplicate, table } = this.#destination;
    const found = await this.#dictionary.find(table, await this.#dictionary.currentSchema());
    // The keys of what lies behind a view or a link can't be seen, but they are kept all the same.
    const isSeen = found.state === 'found' && found.type !== 'VIEW';
    if (!isSeen && onDuplicate === 'update') throw notSeen(this.#destination, found.state);
    // What is not there may be a table without a key by the next time.
    if (!isSeen) return found.state === 'absent' ? this.#insert : this.#keep(this.#insert);
    const keys = await this.#dictionary.uniqueKeys(found.table);
    if (onDuplicate === 'ignore') {
      if (!keys.some((key) => mayCatch(key, this.#destination))) throw noKey(this.#destination);
      return this.#keep(this.#insert);
    }
    const key = mergeKey(keys, this.#destination);
    if (key === undefined) throw noKey(this.#destination);
    const target = mergeTarget(key, await this.#dictionary.columns(found.table), this.#destination);
    return this.#keep(createMerge(this.#destination, target));
  }

  #keep(statement: RowStatement): RowStatement {
    this.#found = { statement, atMs: this.#clock.monotonic() };
    return statement;
  }
}

function noKey({ onDuplicate, table }: Destination): DatabaseError {
  const why = `"onDuplicate": "${onDuplicate}" needs one`;
  return new DatabaseError('configuration', 'NO_KEY', `${table} has no key over columns that are written: ${why}`, {
    remedy: `The DBA must add one: \`mqtt-oracle-bridge check --connect\` prints the statement.`,
  });
}

function notSeen({ table }: Destination, state: FoundTable['state']): DatabaseError {
  if (state === 'absent') return toDatabaseError(new Error('ORA-00942: table or view does not exist'), false);
  return new DatabaseError(
    'configuration',
    'NO_KEY',
    `${table} is a view or lies behind a link: its key can't be seen`,
    {
      remedy: 'With "onDuplicate": "update" name the table itself.',
    },
  );
}
