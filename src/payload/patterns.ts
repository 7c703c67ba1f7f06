/** A text with `*` for any characters, none included; the whole of the other text must match. */
export function compilePattern(pattern: string): (text: string) => boolean {
  if (!pattern.includes('*')) return (text) => text === pattern;
  return partsInOrder(pattern.split(/\*+/));
}

/** By hand, as a regular expression with several `.*` may take a time that grows with a power of the length. */
function partsInOrder(parts: readonly string[]): (text: string) => boolean {
  const first = parts[0]!;
  const last = parts.at(-1)!;
  const middle = parts.slice(1, -1);
  return (text) => {
    if (!text.startsWith(first) || !text.endsWith(last)) return false;
    let at = first.length;
    for (const part of middle) {
      const found = text.indexOf(part, at);
      if (found === -1) return false;
      at = found + part.length;
    }
    return at <= text.length - last.length;
  };
}

/** True for a text that one of the patterns matches. */
export function compilePatterns(patterns: readonly string[]): (text: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.includes('*')));
  const wild = patterns.filter((pattern) => pattern.includes('*')).map(compilePattern);
  return (text) => exact.has(text) || wild.some((matches) => matches(text));
}
