import { isAscii, isUtf8 } from 'node:buffer';

const LONE_SURROGATE = /\p{Surrogate}/u;
const BYTE_ORDER_MARK = '\uFEFF';

/** The payload as text, or undefined when it is not UTF-8. A byte order mark is left out. */
export function readText(payload: Buffer): string | undefined {
  // The common case by far, and several times as fast to turn into a string.
  if (isAscii(payload)) return payload.toString('latin1');
  if (!isUtf8(payload)) return undefined;
  const text = payload.toString('utf8');
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}

/** True when the text has half a surrogate pair, which UTF-8 can't express. JSON's `\ud800` makes one. */
export function isBrokenText(text: string): boolean {
  return LONE_SURROGATE.test(text);
}

/** The text; as a JSON string, quotes included, where UTF-8 can't express it. */
export function escapeBrokenText(text: string): string {
  return isBrokenText(text) ? JSON.stringify(text) : text;
}

/**
 * The text without the NULs and blanks at its end: a C or PLC string of a fixed length is filled up with them. One that
 * consists of nothing else is empty.
 */
export function unpadded(text: string): string {
  let end = text.length;
  while (end > 0 && isPadding(text.charCodeAt(end - 1))) end -= 1;
  return end === text.length ? text : text.slice(0, end);
}

function isPadding(code: number): boolean {
  return code === 0 || code === 0x20;
}
