import { LongNumber } from './exact-parser.ts';

/** The place in a document where a row is being made: the item, and what it lies in. */
export interface Cursor {
  /** What stands at each step of `each`: 0 the document, the last one in use the item. */
  readonly values: unknown[];
  /** Under which key or index each of them stands in the one before; the document under ''. */
  readonly keys: (string | number)[];
  /** The topic's levels. */
  readonly levels: readonly string[];
  /** A number was looked at that JSON.parse may have spoilt: the message must be read again, exactly. */
  needsExact: boolean;
}

export function createCursor(levels: readonly string[]): Cursor {
  return { values: [], keys: [''], levels, needsExact: false };
}

/** Reads something at a cursor; undefined: nothing is there. */
export type Reader = (at: Cursor) => unknown;

/** Not an array, not null, not a number of many digits. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof LongNumber);
}

export function isContainer(value: unknown): value is Readonly<Record<string, unknown>> | readonly unknown[] {
  return typeof value === 'object' && value !== null && !(value instanceof LongNumber);
}

const INDEX = /^(?:0|[1-9]\d{0,9})$/;

/** A member of an object by its own key, an element of an array by its index; undefined for all else. */
export function memberOf(container: unknown, key: string): unknown {
  if (Array.isArray(container)) return INDEX.test(key) ? (container as unknown[])[Number(key)] : undefined;
  return isObject(container) && Object.hasOwn(container, key) ? container[key] : undefined;
}

/** Keys that may be had of a container without being members of it: those of every object, and a LongNumber's one. */
const NEEDS_CARE: ReadonlySet<string> = new Set([...Object.getOwnPropertyNames(Object.prototype), 'text']);

/** The same for one key, several times as fast: whether it needs care is settled here. */
export function compileMember(key: string): (container: unknown) => unknown {
  if (INDEX.test(key) || NEEDS_CARE.has(key)) return (container) => memberOf(container, key);
  return (container) =>
    typeof container === 'object' && container !== null && !Array.isArray(container)
      ? (container as Readonly<Record<string, unknown>>)[key]
      : undefined;
}

/**
 * A scalar as it stands in names and patterns; undefined for what has no such text. Marks the cursor where digits may
 * be lost.
 */
export function scalarText(value: unknown, at: Cursor): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') {
    if (!(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) at.needsExact = true;
    return String(value);
  }
  if (typeof value === 'boolean') return String(value);
  return value instanceof LongNumber ? value.text : undefined;
}
