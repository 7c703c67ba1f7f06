/** What the bridge believes of Oracle Database, one point each: what it is, who says so, and how it is tried. */
import type { Place } from './place.ts';

export interface Point {
  /** Short and lasting: `--only` names it, and so does docs/to-confirm.md. */
  readonly id: string;
  /** The belief, as a sentence. */
  readonly belief: string;
  /** What to run to see it, for somebody with another client. */
  readonly how: string;
  /** Who says so outside this project; without one nobody has shown it yet. */
  readonly source?: string;
  /** What it needs beside the rights that all need. */
  readonly needs?: string;
  /** Resolves with what was seen when it is as believed. Throws Differs, NotTried, or what the driver throws. */
  readonly run: (place: Place) => Promise<string>;
}

/** The database does something else. */
export class Differs extends Error {}
/** It could not be tried here. */
export class NotTried extends Error {}

/** Throws Differs unless both are the same as JSON. Returns the text of it. */
export function same(actual: unknown, expected: unknown): string {
  const [seen, believed] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (seen !== believed) throw new Differs(`${seen} rather than ${believed}`);
  return seen;
}

/** The text of the error that the call ends with. Throws Differs when it ends without one, or without the code. */
export async function errorOf(call: Promise<unknown>, code = ''): Promise<string> {
  const text = await call.then(
    () => undefined,
    (error: Error) => error.message,
  );
  if (text === undefined) throw new Differs(`no error${code && ` rather than ${code}`}`);
  if (!text.startsWith(code)) throw new Differs(`${firstLine(text)} rather than ${code}`);
  return firstLine(text);
}

export function firstLine(text: string): string {
  return text.split('\n', 1)[0]!;
}
