const VERSION = /^(\d+)\.(\d+)\.(\d+)$/;
const PARTS = ['major', 'minor', 'patch'] as const;

/** The release can't be made; nothing was changed. */
export class Refusal extends Error {}

/**
 * The version to be released, `wanted` being one or the part to count up. `isReleased`: the present one has been, so
 * that another one must be greater; else it may be the present one. Throws Refusal, which says what is allowed.
 */
export function nextVersion(current: string, wanted: string, isReleased: boolean): string {
  const part = PARTS.findIndex((name) => name === wanted);
  if (part !== -1) return countUp(numbersOf(current), part);
  const order = compare(numbersOf(wanted), numbersOf(current));
  if (order > 0 || (order === 0 && !isReleased)) return wanted;
  const allowed = isReleased ? `greater than ${current}, which has been released` : `${current} or greater`;
  throw new Refusal(`version: must be ${allowed}: ${wanted}`);
}

function numbersOf(text: string): number[] {
  const numbers = VERSION.exec(text)?.slice(1).map(Number);
  if (numbers === undefined)
    throw new Refusal(`version: must be major, minor, patch or three numbers such as 1.2.3: ${text}`);
  return numbers;
}

function countUp(numbers: readonly number[], part: number): string {
  return numbers.map((number, i) => (i < part ? number : i === part ? number + 1 : 0)).join('.');
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((number, i) => number !== b[i]);
  return at === -1 ? 0 : a[at]! - b[at]!;
}
