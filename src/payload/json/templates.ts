import { scalarText, type Cursor } from './cursor.ts';
import { compilePath, MappingError } from './paths.ts';

/** Fills a template in; undefined: something that it names is not there. */
export type Template = (at: Cursor) => string | undefined;

const PARTS = /(\{[^{}]*\})/;
/** The n-th level, the n-th from the end, or all from the n-th on. */
const LEVEL = /^(?:(-?[1-9]\d{0,4})|([1-9]\d{0,4})\.\.)$/;
/** More than any name may have: what is longer is refused, and not put together for each row of a message before. */
const MAX_PART_LENGTH = 1_024;
const KEY = /^(\^*)#$/;

/**
 * Text with `{path}`, `{#}` (the item's key or index; `{^#}` that of what it lies in), `{2}` (a level of the topic,
 * from 1), `{-1}` (the last one) and `{3..}` (the third and all that follow). Throws MappingError.
 */
export function compileTemplate(text: string, depth: number): Template {
  const parts = text.split(PARTS).filter((part) => part !== '');
  if (parts.some((part) => !PARTS.test(part) && /[{}]/.test(part))) {
    throw new MappingError('must be text with {path}, {#} for the key and {2} for a level of the topic');
  }
  const compiled = parts.map((part) => (PARTS.test(part) ? compilePart(part.slice(1, -1), depth) : () => part));
  const [only] = compiled;
  if (compiled.length === 1 && only !== undefined) return only;
  return (at) => {
    let whole = '';
    for (const part of compiled) {
      const filled = part(at);
      if (filled === undefined) return undefined;
      whole += filled.length <= MAX_PART_LENGTH ? filled : filled.slice(0, MAX_PART_LENGTH);
    }
    return whole;
  };
}

/** The first of several that can be filled in. */
export function firstTemplate(templates: readonly Template[]): Template {
  const [only] = templates;
  if (templates.length === 1 && only !== undefined) return only;
  return (at) => {
    for (const template of templates) {
      const filled = template(at);
      if (filled !== undefined && filled !== '') return filled;
    }
    return undefined;
  };
}

/** How many levels a topic must have for each of the template's. */
export function topicLevels(text: string): number[] {
  return [...text.matchAll(/\{-?([1-9]\d{0,4})(?:\.\.)?\}/g)].map((match) => Number(match[1]));
}

/** A template that is the same for all items of a message. */
export function isOfMessage(text: string): boolean {
  return [...text.matchAll(/\{([^{}]*)\}/g)].every(([, inside = '']) => LEVEL.test(inside) || inside.startsWith('/'));
}

function compilePart(inside: string, depth: number): Template {
  const level = LEVEL.exec(inside);
  if (level !== null) {
    const [, one, from] = level;
    if (from !== undefined) return ({ levels }) => levels.slice(Number(from) - 1).join('/');
    const index = Number(one);
    return ({ levels }) => levels.at(index > 0 ? index - 1 : index);
  }
  const key = KEY.exec(inside);
  if (key !== null) {
    const at = depth - key[1]!.length;
    if (at < 1) throw new MappingError(`must not ask for {${inside}}: "each" has ${depth} steps`);
    return ({ keys }) => {
      const found = keys[at];
      return typeof found === 'number' ? String(found) : found;
    };
  }
  const read = compilePath(inside, depth);
  return (at) => scalarText(read(at), at);
}
