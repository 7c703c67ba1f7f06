import type { Environment, Output } from '../command.ts';

export type Colour = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

/** Wraps a text in the codes of a colour, or leaves it as it is. */
export type Paint = (colour: Colour, text: string) => string;

const CODES: Readonly<Record<Colour, readonly [on: number, off: number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
};

export const plain: Paint = (_colour, text) => text;

/** Colours for a terminal that has them, unless NO_COLOR is set [no-color.org]. */
export function paintFor({ isTTY }: Output, env: Environment): Paint {
  const isWanted = (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  if (isTTY !== true || !isWanted) return plain;
  return (colour, text) => {
    const [on, off] = CODES[colour];
    return `\u001B[${on}m${text}\u001B[${off}m`;
  };
}
