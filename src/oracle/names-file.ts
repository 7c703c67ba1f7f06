import { isDescriptor, parseDescriptor } from '../core/connect-descriptor.ts';

/** An entry of tnsnames.ora as it stands there. */
export interface NamesEntry {
  /** In upper case; an entry may have several, with commas between them. */
  readonly names: readonly string[];
  readonly value: string;
  /** The first line of it, from 1. */
  readonly line: number;
}

const CONTINUATION = /^[\s()]/;

/**
 * The entries of a tnsnames.ora. One begins at the beginning of a line; lines that begin with a blank or a parenthesis
 * go on with it; # begins a comment. So an entry that is broken harms none but itself here. Entries of other files
 * (IFILE) are left to the driver. [Oracle Database Net Services Reference, "Local Naming Parameters in the tnsnames.ora
 * File"; node-oracledb `lib/thin/sqlnet/paramParser.js`]
 */
export function readNames(text: string): NamesEntry[] {
  const found: { line: number; text: string }[] = [];
  for (const [i, whole] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = whole.replace(/#.*$/, '').trimEnd();
    if (line === '') continue;
    const last = found.at(-1);
    if (CONTINUATION.test(line) && last !== undefined) last.text += ` ${line.trim()}`;
    else found.push({ line: i + 1, text: line });
  }
  return found.flatMap(({ line, text: entry }) => {
    const at = entry.indexOf('=');
    if (at < 1) return [];
    const names = entry.slice(0, at).toUpperCase().split(',');
    return [{ names: names.map((name) => name.trim()), value: entry.slice(at + 1).trim(), line }];
  });
}

/** The name and the line of an entry that is no whole descriptor, or undefined. */
export function brokenEntry(text: string): { readonly name: string; readonly line: number } | undefined {
  const entry = readNames(text).find(({ value }) => value.startsWith('(') && !isDescriptor(parseDescriptor(value)));
  return entry === undefined ? undefined : { name: entry.names[0] ?? '', line: entry.line };
}
