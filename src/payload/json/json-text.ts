import { deepJsonText } from '../deep-json.ts';
import { LongNumber } from './exact-parser.ts';

/** A document of the exact parser, or a part of one, as JSON: with the digits of long numbers as they were. */
export function jsonText(root: unknown): string {
  return deepJsonText(root, (value) => (value instanceof LongNumber ? value.text : undefined));
}
