import { LongNumber } from './exact-parser.ts';

/** What stands between values, and is no value itself. */
class Mark {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const COMMA = new Mark(',');
const ARRAY_END = new Mark(']');
const OBJECT_END = new Mark('}');

/**
 * A parsed document, or a part of one, as JSON: with the digits of long numbers as they were, and however deep
 * (JSON.stringify takes only what the stack has room for).
 */
export function jsonText(root: unknown): string {
  const parts: string[] = [];
  /** What is still to be written, the next one last. */
  const todo: unknown[] = [root];
  while (todo.length > 0) {
    const next = todo.pop();
    if (next instanceof Mark) {
      parts.push(next.text);
    } else if (next instanceof LongNumber) {
      parts.push(next.text);
    } else if (Array.isArray(next)) {
      parts.push('[');
      todo.push(ARRAY_END);
      for (let i = next.length - 1; i >= 0; i -= 1) {
        todo.push(next[i]);
        if (i > 0) todo.push(COMMA);
      }
    } else if (typeof next === 'object' && next !== null) {
      parts.push('{');
      todo.push(OBJECT_END);
      const keys = Object.keys(next);
      for (let i = keys.length - 1; i >= 0; i -= 1) {
        const key = keys[i]!;
        todo.push((next as Record<string, unknown>)[key], new Mark(`${i > 0 ? ',' : ''}${JSON.stringify(key)}:`));
      }
    } else {
      parts.push(JSON.stringify(next));
    }
  }
  return parts.join('');
}
