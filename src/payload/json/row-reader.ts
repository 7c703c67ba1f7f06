import type { Reason } from '../../core/errors.ts';
import type { TagValues } from '../../core/tag-values.ts';
import type { NameTables } from '../name-tables.ts';
import { badTimestamp, reasonFor } from '../reasons.ts';
import type { NamedTag, PlcTags, TagCatalog } from '../tag-name.ts';
import { isBrokenText, unpadded } from '../text.ts';
import type { TimeSource } from '../time-forms.ts';
import type { CompiledRow } from './compile-row.ts';
import { isContainer, isObject, memberOf, type Cursor } from './cursor.ts';
import { isLongNumber, LongNumber } from './exact-parser.ts';
import { jsonText } from './json-text.ts';
import { jsonReason } from './reasons.ts';
import { DetailsReader } from './row-columns.ts';

/** Where the rows go, and what they have in common. */
export interface Target {
  readonly into: TagValues;
  readonly tags: TagCatalog;
  /** For the rows of mappings that name no PLC. */
  readonly tagsWithoutPlc: TagCatalog;
  readonly names: NameTables;
  readonly receivedAtMs: number;
  /** An escape in the payload may have made half a surrogate pair: it was valid UTF-8. */
  readonly mayBeBroken: boolean;
  /** The document is from the exact parser, so that what it has is what was sent. */
  readonly isExact: boolean;
}

const MAX_FLATTENED_LEVELS = 32;
const MAX_ADDRESS_LENGTH = 1_000;
const MAX_PLC_CODE_LENGTH = 255;
const SHOWN_ADDRESS_LENGTH = 100;

/**
 * Makes the rows of one mapping from a document. One object for all messages, so that a row costs no object of its
 * own: `begin` a message, `read` its documents. Each item that is wanted gives its rows whatever it is; one that
 * can't be written carries a problem.
 */
export class RowReader {
  readonly #row: CompiledRow;
  readonly #depth: number;
  readonly #isPlain: boolean;
  /** Undefined: the rows have nothing besides. */
  readonly #details: DetailsReader | undefined;

  #at!: Cursor;
  #target!: Target;
  /** The cursor's side for the reading of times. */
  readonly #source: TimeSource & { receivedAtMs: number };
  #plcTags: PlcTags | undefined;
  /** Of the table of the item at hand. */
  #names: ReturnType<NameTables['of']> | undefined;
  #plcProblem: Reason | undefined;
  #carried!: Record<string, unknown>;

  // Of the item at hand.
  #timeMs = 0;
  #timeProblem: Reason | undefined;
  #quality = '';
  // Items of one message mostly have the same time.
  #lastTime: unknown;
  #lastTimeMs = 0;
  #lastTimeProblem: Reason | undefined;
  #lastNested: unknown;
  #lastNestedText = '';

  constructor(row: CompiledRow, keepsQualityCode = false) {
    this.#row = row;
    const { columns, qualitySource } = row;
    const isDescribed = columns.length > 0 || keepsQualityCode;
    this.#details = isDescribed ? new DetailsReader(columns, keepsQualityCode ? qualitySource : undefined) : undefined;
    this.#depth = row.steps.length;
    this.#isPlain = row.when === undefined && row.isIncluded === undefined && row.isExcluded === undefined;
    this.#source = {
      receivedAtMs: 0,
      exactDigits: (given) => (given instanceof LongNumber ? given.text : undefined),
      needDigits: () => (this.#at.needsExact = true),
    };
  }

  begin(at: Cursor, target: Target): void {
    this.#at = at;
    this.#target = target;
    this.#source.receivedAtMs = target.receivedAtMs;
    this.#carried = Object.create(null) as Record<string, unknown>;
    this.#lastTime = undefined;
    this.#lastNested = undefined;
    const { isExact, mayBeBroken } = target;
    this.#details?.begin({ source: this.#source, mayBeBroken, isExact });
  }

  /** Adds the rows of a document. False when nothing stood at `each`, and something had to. */
  read(document: unknown): boolean {
    this.#at.values[0] = document;
    this.#plcTags = undefined;
    this.#names = undefined;
    const { into } = this.#target;
    const { isOptional, to } = this.#row;
    if (to !== undefined) into.sendTo(to);
    const found = this.#walk(0);
    if (to !== undefined) into.sendTo(undefined);
    if (this.#details !== undefined) into.describe(null);
    return found || isOptional;
  }

  /** True when something stood there, be it empty. */
  #walk(step: number): boolean {
    if (step === this.#depth) {
      this.#emit();
      return true;
    }
    const { kind } = this.#row.steps[step]!;
    const container = step === this.#row.namedStep ? this.#withNames(step) : this.#at.values[step];
    if (kind === 'every') return this.#walkAll(step, container);
    if (kind === 'oneOrEach') {
      if (Array.isArray(container)) return this.#walkAll(step, container);
      return isObject(container) && this.#enter(step, '0', container);
    }
    const key = (this.#row.steps[step] as { readonly key: string }).key;
    const member = memberOf(container, key);
    return member !== undefined && this.#enter(step, key, member);
  }

  #walkAll(step: number, container: unknown): boolean {
    if (Array.isArray(container)) {
      if (step + 1 === this.#depth) return this.#emitAll(container);
      let found = container.length === 0;
      for (let i = 0; i < container.length && !this.#isInVain(); i += 1) {
        if (this.#enter(step, i, container[i])) found = true;
      }
      return found;
    }
    if (!isObject(container)) return false;
    let found = true;
    let hasMembers = false;
    for (const key in container) {
      if (this.#isInVain()) break;
      if (!hasMembers) found = false;
      hasMembers = true;
      if (this.#enter(step, key, container[key])) found = true;
    }
    return found;
  }

  /** The elements are the items: by far the most of what there is to walk through. */
  #emitAll(items: readonly unknown[]): true {
    const { keys, values } = this.#at;
    for (let i = 0; i < items.length && !this.#isInVain(); i += 1) {
      values[this.#depth] = items[i];
      keys[this.#depth] = i;
      this.#emit();
    }
    return true;
  }

  /** The message has to be read again from its beginning, exactly, and what is found now does not count. */
  #isInVain(): boolean {
    return this.#at.needsExact && !this.#target.isExact;
  }

  #enter(step: number, key: string | number, value: unknown): boolean {
    this.#at.values[step + 1] = value;
    this.#at.keys[step + 1] = key;
    return this.#walk(step + 1);
  }

  /** The array at this step as an object with the names for keys. */
  #withNames(step: number): unknown {
    const array = this.#at.values[step];
    const names = this.#row.names(this.#at);
    if (!Array.isArray(array) || !Array.isArray(names)) return undefined;
    const entries = array.map((element: unknown, i): [string, unknown] => {
      const name: unknown = names[i];
      return [typeof name === 'string' ? name : String(i), element];
    });
    const object: unknown = Object.fromEntries(entries);
    this.#at.values[step] = object;
    return object;
  }

  #emit(): void {
    const row = this.#row;
    const at = this.#at;
    if (row.carry.length > 0) this.#carry();
    if (row.when !== undefined && !row.when(at)) return;
    const address = this.#nameOf(row.tag(at) ?? '');
    if (!this.#isPlain && !this.#isWantedItem(address)) return;
    const value = row.value(at);
    if (value === undefined && row.missing === 'skip') return;
    this.#readTime();
    this.#quality = row.quality(at);
    if (this.#plcTags === undefined || !row.isPlcOfMessage) this.#plcTags = this.#findPlc();
    if (this.#details !== undefined) this.#target.into.describe(this.#details.read(at));
    this.#push(address, value);
  }

  /** What the dictionary has for the address; the address itself where nobody has told it a name. */
  #nameOf(address: string): string {
    const { isTableOfMessage, table } = this.#row;
    if (table === undefined) return address;
    if (this.#names === undefined || !isTableOfMessage) this.#names = this.#target.names.of(table(this.#at) ?? '');
    return this.#names.get(address) ?? address;
  }

  /** Members that the item lacks, from those before it. */
  #carry(): void {
    const item = this.#at.values[this.#depth];
    if (!isObject(item)) return;
    for (const name of this.#row.carry) if (Object.hasOwn(item, name)) this.#carried[name] = item[name];
    this.#at.values[this.#depth] = { ...this.#carried, ...item };
  }

  #isWantedItem(address: string): boolean {
    const name = this.#key() || address;
    if (this.#row.isExcluded?.(name) === true) return false;
    // Of what is flattened the keys of what it comes to are asked.
    const isFlattened = this.#row.flatten !== undefined && isContainer(this.#row.value(this.#at));
    return isFlattened || this.#row.isIncluded?.(name) !== false;
  }

  /** The item's, where it is a member of an object; else empty. */
  #key(): string {
    const key = this.#at.keys[this.#depth];
    return typeof key === 'string' ? key : '';
  }

  #readTime(): void {
    const found = this.#row.time?.(this.#at);
    if (found === undefined || found === null) {
      this.#timeMs = this.#target.receivedAtMs;
      this.#timeProblem = undefined;
      return;
    }
    if (found !== this.#lastTime) {
      this.#lastTime = found;
      this.#lastTimeMs = this.#row.readTime(found, this.#source);
      this.#lastTimeProblem = Number.isNaN(this.#lastTimeMs) ? this.#badTime(found) : undefined;
    }
    this.#timeMs = this.#lastTimeMs;
    this.#timeProblem = this.#lastTimeProblem;
  }

  /** A time relative to that of receipt is none when it is asked whether the payload has one. */
  #badTime(found: unknown): Reason | undefined {
    if (Number.isNaN(this.#target.receivedAtMs)) return undefined;
    return badTimestamp(this.#row.timeFormat, found instanceof LongNumber ? found.text : found);
  }

  #findPlc(): PlcTags {
    this.#plcProblem = undefined;
    if (this.#row.plc === undefined) return this.#target.tagsWithoutPlc.ofPlc('');
    const plcCode = this.#row.plc(this.#at) ?? '';
    if (plcCode === '') this.#plcProblem = jsonReason('PLC_CODE_EMPTY');
    if (plcCode.length > MAX_PLC_CODE_LENGTH) {
      this.#plcProblem = reasonFor('PLC_CODE_TOO_LONG', plcCode);
      return this.#target.tags.ofPlc(`${plcCode.slice(0, SHOWN_ADDRESS_LENGTH)}…`);
    }
    return this.#target.tags.ofPlc(plcCode);
  }

  #push(address: string, value: unknown): void {
    if (typeof value === 'number') {
      if (!(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) this.#at.needsExact = true;
      if (this.#row.nulls?.has(value) === true) this.#add(address, Number.NaN, null, undefined);
      // -0 is 0: Oracle has one zero only.
      else this.#add(address, value + 0, null, undefined);
    } else if (typeof value === 'string') this.#pushText(address, unpadded(value));
    else if (typeof value === 'boolean') this.#add(address, value ? 1 : 0, null, undefined);
    else if (value === null) this.#add(address, Number.NaN, null, undefined);
    else if (value === undefined) this.#pushMissing(address);
    else if (value instanceof LongNumber) this.#pushLong(address, value.text);
    else if (this.#row.flatten === undefined) this.#pushNested(address, value);
    else this.#flatten(address, this.#key(), value, 0, this.#row.flatten);
  }

  #pushMissing(address: string): void {
    const problem = this.#row.missing === 'null' ? undefined : jsonReason('VALUE_MISSING');
    this.#add(address, Number.NaN, null, problem);
  }

  #pushLong(address: string, literal: string): void {
    const number = Number(literal);
    if (this.#row.nulls?.has(number) === true) this.#add(address, Number.NaN, null, undefined);
    else if (Number.isFinite(number)) this.#add(address, number, literal, undefined);
    else this.#add(address, Number.NaN, literal, reasonFor('VALUE_NOT_FINITE', literal));
  }

  #pushText(address: string, text: string): void {
    const { nulls, textMeaning } = this.#row;
    if (nulls?.has(text) === true) return this.#add(address, Number.NaN, null, undefined);
    const meaning = textMeaning?.(text);
    if (meaning === null) return this.#add(address, Number.NaN, null, undefined);
    if (meaning !== undefined) return this.#pushMeaning(address, meaning);
    if (this.#target.mayBeBroken && isBrokenText(text)) {
      return this.#add(address, Number.NaN, JSON.stringify(text), reasonFor('TEXT_NOT_UNICODE'));
    }
    return this.#add(address, Number.NaN, text, undefined);
  }

  #pushMeaning(address: string, meaning: string | number): void {
    const number = Number(meaning);
    if (this.#row.nulls?.has(number) === true) this.#add(address, Number.NaN, null, undefined);
    else if (typeof meaning === 'string' && isLongNumber(meaning)) this.#pushLong(address, meaning);
    else this.#add(address, number + 0, null, undefined);
  }

  /**
   * An object or array as it stands, as the text or beside the reason. Its numbers keep their digits, so only an
   * exact document can give it.
   */
  #pushNested(address: string, value: unknown): void {
    if (!this.#target.isExact) this.#at.needsExact = true;
    const text = this.#target.isExact ? this.#textOf(value) : null;
    this.#add(
      address,
      Number.NaN,
      text,
      this.#row.nested === 'text' ? undefined : reasonFor('VALUE_NOT_SCALAR', value),
    );
  }

  /** Many items may have one and the same object for their value, of their parent's or the document's. */
  #textOf(value: unknown): string {
    if (value !== this.#lastNested) {
      this.#lastNested = value;
      this.#lastNestedText = jsonText(value);
    }
    return this.#lastNestedText;
  }

  /** `key`: by which it is included or excluded, from the item's own key on. */
  #flatten(address: string, key: string, value: unknown, level: number, separator: string): void {
    if (level === MAX_FLATTENED_LEVELS) return this.#pushNested(address, value);
    const container = value as Readonly<Record<string, unknown>>;
    for (const name in container) {
      const memberKey = key === '' ? name : `${key}${separator}${name}`;
      const memberAddress = address === '' ? name : `${address}${separator}${name}`;
      if (this.#row.isExcluded?.(memberKey) === true) continue;
      const member = container[name];
      if (isContainer(member)) this.#flatten(memberAddress, memberKey, member, level + 1, separator);
      else if (this.#row.isIncluded?.(memberKey) !== false) this.#push(memberAddress, member);
    }
    return undefined;
  }

  #add(address: string, number: number, text: string | null, problem: Reason | undefined): void {
    const { into } = this.#target;
    const named =
      address.length <= MAX_ADDRESS_LENGTH ? this.#plcTags!.at(into.length, address) : this.#tooLong(address);
    into.push(
      named.tag,
      number,
      text,
      this.#timeMs,
      this.#quality,
      named.problem ?? this.#plcProblem ?? problem ?? this.#timeProblem ?? this.#details?.problem,
    );
  }

  /** One name of megabytes may stand in each row of a message. */
  #tooLong(address: string): NamedTag {
    const shown = `${address.slice(0, SHOWN_ADDRESS_LENGTH)}…`;
    return { ...this.#plcTags!.at(this.#target.into.length, shown), problem: reasonFor('TAG_NAME_TOO_LONG', address) };
  }
}
