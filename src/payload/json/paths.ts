/**
 * Where something stands in a document: JSON Pointers [RFC 6901], and what a mapping needs besides.
 *
 *     /a/b    from the document         /    the document itself
 *     a/b     from the item             .    the item itself (./a is a)
 *     ^/a     from what the item lies in, ^^/a from what that lies in;  ^ is that itself
 *     #       as a whole step: the key or index of the item
 *
 * In `each` a step may be `*`, every element or member, or `[]`, every element of an array, where something else
 * stands for an array of one. In keys ~0 is ~, ~1 is /, and ~*, ~#, ~[, ~^ and ~. are the character itself.
 */
import { compileMember, memberOf, type Cursor, type Reader } from './cursor.ts';

/** A path, template or other text of a mapping that means nothing; the message says what it must be. */
export class MappingError extends Error {
  constructor(must: string) {
    super(must);
    this.name = 'MappingError';
  }
}

export type Step =
  { readonly kind: 'key'; readonly key: string } | { readonly kind: 'every' | 'oneOrEach' | 'itemKey' };

export interface Path {
  /** How many levels above the item it begins, or at the document. */
  readonly from: number | 'document';
  readonly steps: readonly Step[];
}

const ESCAPED = /~[01*#[^.]/g;
const MAX_STEPS = 64;

/** Throws MappingError. */
export function parsePath(text: string): Path {
  if (text === '') throw new MappingError('must be a path, such as "v" of the item or "/timestamp" of the document');
  if (text === '/') return { from: 'document', steps: [] };
  if (text.startsWith('/')) return { from: 'document', steps: stepsOf(text.slice(1)) };
  const [ups = ''] = /^\^*/.exec(text)!;
  const rest = text.slice(ups.length);
  if (ups === '') {
    if (rest === '.') return { from: 0, steps: [] };
    return { from: 0, steps: stepsOf(rest.startsWith('./') ? rest.slice(2) : rest) };
  }
  if (rest === '') return { from: ups.length, steps: [] };
  if (!rest.startsWith('/')) throw new MappingError('must have a / after ^, as in "^/name"');
  return { from: ups.length, steps: stepsOf(rest.slice(1)) };
}

/** The steps of `each`, from the document. Throws MappingError. */
export function parseEach(text: string): readonly Step[] {
  if (!text.startsWith('/')) throw new MappingError('must be a path from the document, such as "/values/*"');
  const steps = text === '/' ? [] : text.slice(1).split('/').map(eachStep);
  if (steps.length > MAX_STEPS) throw new MappingError(`must have at most ${MAX_STEPS} steps`);
  return steps;
}

/**
 * `depth`: how many steps the item lies below the document. Throws MappingError where the path leads above it.
 */
export function compilePath(text: string, depth: number): Reader {
  const { from, steps } = parsePath(text);
  const start = from === 'document' ? 0 : depth - from;
  if (start < 0) throw new MappingError(`must not lead above the document, as "${'^'.repeat(Number(from))}" does`);
  const [first, ...others] = steps.map((step) => compileStep(step, depth));
  if (first === undefined) return ({ values }) => values[start];
  if (others.length === 0) return (at) => first(at.values[start], at);
  return (at) => {
    let value = first(at.values[start], at);
    for (const next of others) value = next(value, at);
    return value;
  };
}

function compileStep(step: Step, depth: number): (container: unknown, at: Cursor) => unknown {
  if (step.kind === 'key') return compileMember(step.key);
  return (container, at) => memberOf(container, String(at.keys[depth]));
}

function stepsOf(text: string): Step[] {
  const steps = text.split('/').map((each): Step => (each === '#' ? { kind: 'itemKey' } : keyStep(each)));
  if (steps.length > MAX_STEPS) throw new MappingError(`must have at most ${MAX_STEPS} steps`);
  return steps;
}

function eachStep(text: string): Step {
  if (text === '*') return { kind: 'every' };
  return text === '[]' ? { kind: 'oneOrEach' } : keyStep(text);
}

function keyStep(text: string): Step {
  if (text === '*') throw new MappingError('must not have * as a step: only "each" goes through several');
  if (text.replaceAll(ESCAPED, '').includes('~')) {
    throw new MappingError('must spell ~ as ~0 (and / in a key as ~1)');
  }
  return {
    kind: 'key',
    key: text.replaceAll(ESCAPED, ([, mark]) => (mark === '0' ? '~' : mark === '1' ? '/' : mark!)),
  };
}
