import type { ToldTables } from '../name-tables.ts';
import { isObject, memberOf, type Cursor } from './cursor.ts';
import type { DictionaryMapping } from './mapping.ts';
import { parseEach, type Step } from './paths.ts';
import { compileTemplate, type Template } from './templates.ts';

export interface CompiledDictionary {
  readonly steps: readonly Step[];
  readonly table: Template;
  readonly key: Template;
  readonly name: Template;
}

/** Throws MappingError. */
export function compileDictionary({ each, key, name, table }: DictionaryMapping): CompiledDictionary {
  const steps = parseEach(each);
  const compiled = (text: string): Template => compileTemplate(text, steps.length);
  return { steps, table: compiled(table), key: compiled(key), name: compiled(name) };
}

/** Gathers the names that the documents of one message tell. An entry that lacks a part of it is left out. */
export class DictionaryReader {
  readonly #dictionary: CompiledDictionary;
  #tables = new Map<string, Map<string, string>>();
  #isTold = false;

  constructor(dictionary: CompiledDictionary) {
    this.#dictionary = dictionary;
  }

  begin(): void {
    this.#tables = new Map();
    this.#isTold = false;
  }

  /** Reads the cursor's document. False when it tells no names: nothing stands where they would. */
  read(at: Cursor): boolean {
    const isTold = this.#walk(0, at);
    if (isTold) this.#isTold = true;
    return isTold;
  }

  /** Undefined: the message tells none. */
  get told(): ToldTables | undefined {
    return this.#isTold ? [...this.#tables].map(([table, names]) => [table, [...names]] as const) : undefined;
  }

  #walk(step: number, at: Cursor): boolean {
    const { steps } = this.#dictionary;
    if (step === steps.length) {
      this.#take(at);
      return true;
    }
    const here = steps[step]!;
    const container = at.values[step];
    if (here.kind === 'key') return this.#enter(step, here.key, memberOf(container, here.key), at);
    if (here.kind === 'oneOrEach' && isObject(container)) return this.#enter(step, '0', container, at);
    if (Array.isArray(container)) {
      const found = container.map((item: unknown, i) => this.#enter(step, i, item, at));
      return found.length === 0 || found.includes(true);
    }
    if (here.kind !== 'every' || !isObject(container)) return false;
    const found = Object.entries(container).map(([key, item]) => this.#enter(step, key, item, at));
    return found.length === 0 || found.includes(true);
  }

  #enter(step: number, key: string | number, value: unknown, at: Cursor): boolean {
    if (value === undefined) return false;
    at.values[step + 1] = value;
    at.keys[step + 1] = key;
    return this.#walk(step + 1, at);
  }

  #take(at: Cursor): void {
    const table = this.#dictionary.table(at);
    const key = this.#dictionary.key(at);
    const name = this.#dictionary.name(at);
    if (table === undefined || key === undefined || name === undefined || name === '') return;
    const names = this.#tables.get(table) ?? new Map<string, string>();
    names.set(key, name);
    this.#tables.set(table, names);
  }
}
