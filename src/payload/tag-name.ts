import type { Reason } from '../core/errors.ts';
import type { Tag } from '../core/tag-values.ts';
import { reasonFor } from './reasons.ts';
import { escapeBrokenText } from './text.ts';

/** A tag under the key that payloads use for it, and what is wrong with its name, if anything. */
export interface NamedTag {
  readonly key: string;
  readonly tag: Tag;
  readonly problem: Reason | undefined;
}

const MAX_TAGS = 100_000;
/** A longer name fits no column of the kind and is not worth keeping. */
const MAX_KEPT_LENGTH = 1_000;
const MAX_ORDER = 10_000;

/** `{plc}.{tag}` → a function that fills in the two. What else stands in braces stays as it is. */
export function compileTagName(template: string): (plcCode: string, address: string) => string {
  const parts = template.split(/(\{plc\}|\{tag\})/);
  return (plcCode, address) =>
    parts.map((part) => (part === '{plc}' ? plcCode : part === '{tag}' ? address : part)).join('');
}

/**
 * All tags seen so far, one object each. When there are too many of them, or of PLCs (a sender that makes up names),
 * everything is forgotten and made anew: nothing depends on a tag's identity.
 */
export class TagCatalog {
  readonly #template: string;
  readonly #tagName: (plcCode: string, address: string) => string;
  readonly #plcs = new Map<string, PlcTags>();
  readonly #maxTags: number;
  #tagCount = 0;

  constructor(template: string, maxTags = MAX_TAGS) {
    this.#template = template;
    this.#tagName = compileTagName(template);
    this.#maxTags = maxTags;
  }

  /** How many tags are kept, or PLCs where these are more. */
  get size(): number {
    return Math.max(this.#tagCount, this.#plcs.size);
  }

  /** The names have the PLC code in them. */
  get namesPlc(): boolean {
    return this.#template.includes('{plc}');
  }

  /**
   * For values whose PLC nobody names: `{plc}` is left out of the names, with the character between it and what
   * stands beside.
   */
  withoutPlc(): TagCatalog {
    const template = this.#template.replaceAll(/\{plc\}[^{}\w]?/g, '').replace(/[^{}\w]$/, '');
    return new TagCatalog(template, this.#maxTags);
  }

  ofPlc(plcCode: string): PlcTags {
    const known = this.#plcs.get(plcCode);
    if (known !== undefined) return known;
    const tags = new PlcTags((address, isKept) => this.#create(plcCode, address, isKept));
    if (plcCode.length <= MAX_KEPT_LENGTH) {
      if (this.#plcs.size >= this.#maxTags) this.#forgetAll();
      this.#plcs.set(plcCode, tags);
    }
    return tags;
  }

  #create(plcCode: string, address: string, isKept: boolean): NamedTag {
    if (isKept) this.#countTag();
    const name = this.#tagName(plcCode, address);
    const tag = {
      plcCode: escapeBrokenText(plcCode),
      address: escapeBrokenText(address),
      name: escapeBrokenText(name),
    };
    if (address === '' || name === '') return { key: address, tag, problem: reasonFor('TAG_NAME_EMPTY') };
    const isBroken = tag.name !== name || tag.address !== address || tag.plcCode !== plcCode;
    return { key: address, tag, problem: isBroken ? reasonFor('TAG_NAME_NOT_UNICODE') : undefined };
  }

  #countTag(): void {
    if (this.#tagCount >= this.#maxTags) this.#forgetAll();
    this.#tagCount += 1;
  }

  #forgetAll(): void {
    this.#plcs.clear();
    this.#tagCount = 0;
  }
}

/**
 * The tags of one PLC. Messages of one PLC mostly carry the same tags in the same order, so that order is tried first.
 */
export class PlcTags {
  readonly #create: (address: string, isKept: boolean) => NamedTag;
  readonly #byAddress = new Map<string, NamedTag>();
  readonly #lastOrder: NamedTag[] = [];

  constructor(create: (address: string, isKept: boolean) => NamedTag) {
    this.#create = create;
  }

  /** The tag with this address, which is the `index`-th of its message. */
  at(index: number, address: string): NamedTag {
    const expected = this.#lastOrder[index];
    if (expected !== undefined && expected.key === address) return expected;
    let named = this.#byAddress.get(address);
    if (named === undefined) {
      const isKept = address.length <= MAX_KEPT_LENGTH;
      named = this.#create(address, isKept);
      if (!isKept) return named;
      this.#byAddress.set(address, named);
    }
    // A tag that isn't kept leaves a gap, which must not make a sparse array of this.
    if (index <= this.#lastOrder.length && index < MAX_ORDER) this.#lastOrder[index] = named;
    return named;
  }
}
