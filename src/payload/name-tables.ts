import type { EarlierMessages } from './format-memory.ts';

/** The names of one table by their keys. */
type Names = ReadonlyMap<string, string>;

/** What one message tells: its tables, each with keys and their names, as JSON can hold it. */
export type ToldTables = readonly (readonly [
  table: string,
  names: readonly (readonly [key: string, name: string])[],
])[];

const PREFIX = 'names ';
const NONE: Names = new Map();

/**
 * Names that messages of one topic tell for the values of others: a metadata topic gives what data refer to by id. A
 * topic's last message counts, from the next message on, with all of its tables; what it does not tell any more is
 * forgotten. Where two topics tell the same table, it is that of the first by the alphabet, whichever came last: after
 * a restart it must be the same.
 */
export class NameTables {
  readonly #memory: EarlierMessages;
  /** By table, then by the topic that tells it. */
  readonly #tables = new Map<string, Map<string, Names>>();
  readonly #told = new Map<string, ToldTables>();
  #isLoaded = false;

  /** Reads the memory when it is first asked: it must have started by then. */
  constructor(memory: EarlierMessages) {
    this.#memory = memory;
  }

  /** Empty where nobody has told the table. */
  of(table: string): Names {
    this.#load();
    const byTopic = this.#tables.get(table);
    if (byTopic === undefined) return NONE;
    const [first = ''] = [...byTopic.keys()].sort();
    return byTopic.get(first) ?? NONE;
  }

  /** Holds from the next message on. Throws MemoryFullError, and changes nothing, when there is no room for it. */
  note(topic: string, messageNo: number, tables: ToldTables): void {
    this.#load();
    this.#memory.note(PREFIX + topic, messageNo, tables.length === 0 ? undefined : tables);
    this.#use(topic, tables);
  }

  #load(): void {
    if (this.#isLoaded) return;
    this.#isLoaded = true;
    for (const key of this.#memory.keys()) {
      if (key.startsWith(PREFIX)) this.#use(key.slice(PREFIX.length), this.#memory.get(key) as ToldTables);
    }
  }

  #use(topic: string, tables: ToldTables): void {
    for (const [table] of this.#told.get(topic) ?? []) {
      const byTopic = this.#tables.get(table);
      byTopic?.delete(topic);
      if (byTopic?.size === 0) this.#tables.delete(table);
    }
    if (tables.length === 0) this.#told.delete(topic);
    else this.#told.set(topic, tables);
    for (const [table, names] of tables) {
      const byTopic = this.#tables.get(table) ?? new Map<string, Names>();
      byTopic.set(topic, new Map(names));
      this.#tables.set(table, byTopic);
    }
  }
}
