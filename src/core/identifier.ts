/**
 * Names of Oracle tables and columns as a person writes them in the configuration.
 *
 * Unquoted names are letters, digits, `_`, `$`, `#`, begin with a letter and mean their upper case; quoted ones are
 * taken as they stand. A table may have a schema before it. What goes into SQL is always quoted, so that no name is
 * ever more than a name. [Oracle Database SQL Language Reference, "Database Object Names and Qualifiers"]
 */

const PART = /"(?<quoted>[^"\0]+)"|(?<plain>[A-Za-z][A-Za-z0-9_$#]*)/y;
const MAX_BYTES = 128;

/** The parts of a dotted name as the database stores them, or undefined when it is no name. */
export function parseName(text: string, maxParts: number): string[] | undefined {
  const parts: string[] = [];
  let at = 0;
  for (;;) {
    PART.lastIndex = at;
    const groups = PART.exec(text)?.groups;
    if (groups === undefined) return undefined;
    const part = groups['quoted'] ?? groups['plain']?.toUpperCase() ?? '';
    if (Buffer.byteLength(part) > MAX_BYTES) return undefined;
    parts.push(part);
    at = PART.lastIndex;
    if (at === text.length) return parts.length <= maxParts ? parts : undefined;
    if (text[at] !== '.') return undefined;
    at += 1;
  }
}

/** The name of a column as the database stores it; what is no name stays as it is. */
export function storedName(column: string): string {
  return parseName(column, 1)?.[0] ?? column;
}

/** Whether two names of tables or columns mean the same, however they are written. What is no name is like none. */
export function isSameName(a: string, b: string): boolean {
  const [left, right] = [parseName(a, 2), parseName(b, 2)];
  return left !== undefined && right !== undefined && left.join('\0') === right.join('\0');
}

/**
 * `tag_data` → `"TAG_DATA"`, `plant.tag_data` → `"PLANT"."TAG_DATA"`. Throws RangeError for what `parseName` refuses.
 */
export function quoteName(text: string): string {
  const parts = parseName(text, 2);
  if (parts === undefined) throw new RangeError(`not a name: ${text}`);
  return parts.map((part) => `"${part}"`).join('.');
}
