/** What a package of the bridge may be licensed under, by the names of SPDX: all that may be handed on freely. */
export const ALLOWED_LICENCES: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'UPL-1.0',
]);

/**
 * Whether an SPDX expression, such as `(Apache-2.0 OR UPL-1.0)`, can be met by allowed licences: one side of each OR,
 * both of each AND. What is no expression is not allowed, nor is a licence with an exception (WITH), which nobody has
 * read. [SPDX 2.3, annex D]
 */
export function isAllowedLicence(expression: string): boolean {
  const tokens = expression.match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;
  const takes = (word: string): boolean => {
    if (tokens[at] !== word) return false;
    at += 1;
    return true;
  };
  const one = (): boolean => {
    if (takes('(')) {
      const isMet = either();
      return takes(')') && isMet;
    }
    const name = tokens[at] ?? '';
    at += 1;
    return ALLOWED_LICENCES.has(name);
  };
  // Each side is read to its end, whatever the other one says.
  const both = (): boolean => {
    let isMet = one();
    while (takes('AND')) isMet = one() && isMet;
    return isMet;
  };
  const either = (): boolean => {
    let isMet = both();
    while (takes('OR')) isMet = both() || isMet;
    return isMet;
  };
  return either() && at === tokens.length;
}
