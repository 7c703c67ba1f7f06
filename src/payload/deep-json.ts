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
 * A parsed document, or a part of one, as JSON, however deep: JSON.stringify takes only what the stack has room for.
 * `literalOf`: the text of an object that stands for a single value; undefined for all others.
 */
export function deepJsonText(
  root: unknown,
  literalOf: (value: object) => string | undefined = () => undefined,
): string {
  const parts: string[] = [];
  /** What is still to be written, the next one last. */
  const todo: unknown[] = [root];
  while (todo.length > 0) {
    const next = todo.pop();
    if (next instanceof Mark) {
      parts.push(next.text);
    } else if (typeof next !== 'object' || next === null) {
      parts.push(JSON.stringify(next));
    } else if (Array.isArray(next)) {
      parts.push('[');
      todo.push(ARRAY_END);
      for (let i = next.length - 1; i >= 0; i -= 1) {
        todo.push(next[i]);
        if (i > 0) todo.push(COMMA);
      }
    } else {
      const literal = literalOf(next);
      if (literal === undefined) openObject(next, parts, todo);
      else parts.push(literal);
    }
  }
  return parts.join('');
}

function openObject(value: object, parts: string[], todo: unknown[]): void {
  parts.push('{');
  todo.push(OBJECT_END);
  const keys = Object.keys(value);
  for (let i = keys.length - 1; i >= 0; i -= 1) {
    const key = keys[i]!;
    todo.push((value as Record<string, unknown>)[key], new Mark(`${i > 0 ? ',' : ''}${JSON.stringify(key)}:`));
  }
}
