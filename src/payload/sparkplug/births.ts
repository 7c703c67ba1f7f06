import { MAX_MESSAGE_VALUES, TooManyValuesError } from '../../core/tag-values.ts';
import { reasonFor } from '../reasons.ts';
import type { NamedTag, PlcTags, TagCatalog } from '../tag-name.ts';
import { TWO_POW_32 } from './proto-reader.ts';

const MAX_SAFE_HIGH = 0x1f_ffff;

/** A 64-bit alias: a number as long as one can hold it. */
export type Alias = number | bigint;

export function aliasOf(low: number, high: number): Alias {
  return high <= MAX_SAFE_HIGH ? high * TWO_POW_32 + low : (BigInt(high) << 32n) | BigInt(low);
}

/** Of the node, not of the plant: when it was born, its commands. No rows are made of them. */
const NO_ROWS = /^(?:bdSeq$|Node Control\/|Device Control\/)/;

/** A longer name fits no column of the kind. */
const MAX_NAME_LENGTH = 1_000;
const SHOWN_NAME_LENGTH = 100;
/** Small numbers are found by their place; so that there are few gaps, not those that are far beyond the count. */
const MAX_GAPS = 64;

export function isNameTooLong(name: string): boolean {
  return name.length > MAX_NAME_LENGTH;
}

/** A metric as its birth declares it. */
export class Definition {
  readonly name: string;
  /** Its number on the wire; 0: the birth does not say. */
  readonly type: number;
  readonly alias: Alias | undefined;
  /** A template's members stand in the birth beside it, by `name/member`. */
  readonly isTemplate: boolean;
  readonly isRow: boolean;
  #named: NamedTag | undefined;

  constructor(name: string, type: number, alias: Alias | undefined, isTemplate = false) {
    this.name = name;
    this.type = type;
    this.alias = alias;
    this.isTemplate = isTemplate;
    this.isRow = !NO_ROWS.test(name);
  }

  /** The tag under which its values are written, which is the `index`-th of its message. */
  tagOf(tags: TagCatalog, plcCode: string, index: number): NamedTag {
    if (this.#named?.tag.plcCode === plcCode) return this.#named;
    const plcTags = tags.ofPlc(plcCode);
    this.#named = isNameTooLong(this.name) ? this.#tooLong(plcTags, index) : plcTags.at(index, this.name);
    return this.#named;
  }

  /** One name of megabytes may stand in each row of a message. */
  #tooLong(tags: PlcTags, index: number): NamedTag {
    const shown = `${this.name.slice(0, SHOWN_NAME_LENGTH)}…`;
    return { ...tags.at(index, shown), problem: reasonFor('TAG_NAME_TOO_LONG', this.name) };
  }
}

/** What JSON can hold of a definition: name, type, alias as text, 1 for a template. */
type Written = readonly [name: string, type: number, alias?: string | null, isTemplate?: 1];

/** The metrics of an edge node, or of one of its devices, as the last birth declares them. */
export class Born {
  readonly byName = new Map<string, Definition>();
  readonly #bySmallAlias: (Definition | undefined)[] = [];
  readonly #byAlias = new Map<Alias, Definition>();
  /** A name may have several aliases. */
  readonly #all: Definition[] = [];

  /** Of two with one alias, or one name, the later one counts. Throws TooManyValuesError. */
  add(definition: Definition): void {
    if (this.#all.length >= MAX_MESSAGE_VALUES) throw new TooManyValuesError();
    this.#all.push(definition);
    this.byName.set(definition.name, definition);
    const { alias } = definition;
    if (alias === undefined) return;
    // What has a place is not in the map, whichever came first.
    if (typeof alias === 'number' && alias < this.#all.length + MAX_GAPS) {
      while (this.#bySmallAlias.length <= alias) this.#bySmallAlias.push(undefined);
      this.#bySmallAlias[alias] = definition;
      this.#byAlias.delete(alias);
    } else {
      this.#byAlias.set(alias, definition);
    }
  }

  /** The metric with the alias of these two halves, 32 bits each; undefined: there is none. */
  withAlias(low: number, high: number): Definition | undefined {
    if (high === 0 && low < this.#bySmallAlias.length) {
      const found = this.#bySmallAlias[low];
      if (found !== undefined) return found;
    }
    return this.#byAlias.get(aliasOf(low, high));
  }

  /** For `FormatMemory`; `read` takes it. */
  write(): readonly Written[] {
    return this.#all.map(({ name, type, alias, isTemplate }): Written => {
      const text = alias === undefined ? null : String(alias);
      if (isTemplate) return [name, type, text, 1];
      return text === null ? [name, type] : [name, type, text];
    });
  }

  static read(written: readonly Written[]): Born {
    const born = new Born();
    for (const [name, type, text = null, isTemplate] of written) {
      born.add(new Definition(name, type, text === null ? undefined : parseAlias(text), isTemplate === 1));
    }
    return born;
  }
}

function parseAlias(text: string): Alias {
  const exact = BigInt(text);
  return exact <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(exact) : exact;
}

/** What is kept of an edge node's birth. */
export interface NodeContent {
  /** Number of the message. */
  readonly birthNo: number;
  /** As digits; null: the birth has none. */
  readonly bdSeq: string | null;
  readonly timeMs: number | null;
  readonly metrics: readonly Written[];
}

/** What is kept of a device's birth: it holds as long as its edge node is not born again. */
export interface DeviceContent {
  readonly nodeBirthNo: number;
  readonly timeMs: number | null;
  readonly metrics: readonly Written[];
}
