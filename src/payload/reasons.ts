import type { Reason } from '../core/errors.ts';

const SHOWN_CHARACTERS = 60;

/** What a person is told; `found` is what stood there instead, quoted and shortened. */
type Say = (found: string) => string;

/**
 * Reasons from a table of codes, which are stable: a format has one of its own where those below do not do. The
 * function that it gives takes the JSON value that is to blame.
 */
export function reasonsOf<Code extends string>(
  messages: Readonly<Record<Code, Say>>,
): (code: Code, found?: unknown) => Reason {
  return (code, found) => ({ code, message: messages[code](describe(found)) });
}

/** What several formats have to say. */
export const reasonFor = reasonsOf({
  // The whole message can't be decoded.
  NO_ROUTE: (found) => `no subscription says how to read the topic ${found}`,
  INVALID_UTF8: () => 'the payload is not valid UTF-8',
  NOT_AN_OBJECT: (found) => `the payload must be a JSON object, not ${found}`,
  PLC_CODE_MISSING: () => 'there is no "plc_code", and the subscription does not take it from the topic',
  PLC_CODE_INVALID: (found) => `"plc_code" must be a string or a number, not ${found}`,
  PLC_CODE_TOO_LONG: (found) => `the PLC code must have at most 255 characters, not ${found}`,
  TOO_MANY_VALUES: (found) => `the message has more than ${found} values`,
  NUL_RUN_TOO_LONG: () => 'texts with long runs of U+0000 stand beside many numbers that no double holds',
  // One value can't be written.
  TAG_NAME_EMPTY: () => 'the tag has no address, or an empty name',
  TAG_NAME_TOO_LONG: (found) => `the address of the tag has more than 1000 characters: ${found}`,
  TAG_NAME_NOT_UNICODE: () => 'the name of the tag contains half a surrogate pair; it is given as JSON',
  VALUE_NOT_SCALAR: (found) => `the value must be a number, a string, true, false or null, not ${found}`,
  VALUE_NOT_FINITE: (found) => `the number ${found} is too large`,
  TEXT_NOT_UNICODE: () => 'the text contains half a surrogate pair; it is given as JSON',
  BAD_TIMESTAMP: (found) => `the timestamp must be ISO 8601 or epoch milliseconds, years 1 to 9999, not ${found}`,
});

/** `form`: the one that the mapping asks for. */
export function badTimestamp(form: string, found: unknown): Reason {
  const message = `the timestamp must be of the form ${form}, years 1 to 9999, not ${describe(found)}`;
  return { code: 'BAD_TIMESTAMP', message };
}

/** The parser's own words say where the error is. */
export function invalidJson(thrown: unknown): Reason {
  const words = thrown instanceof Error ? thrown.message : String(thrown);
  const message = `the payload is not valid JSON: ${words.replaceAll(/\p{Surrogate}/gu, '\uFFFD')}`;
  return { code: 'INVALID_JSON', message };
}

function describe(found: unknown): string {
  if (typeof found === 'string') {
    // Quoting also copies, so that a short piece doesn't keep a payload of megabytes in memory.
    if (found.length <= SHOWN_CHARACTERS) return JSON.stringify(found);
    return `${JSON.stringify(found.slice(0, SHOWN_CHARACTERS))}… (${found.length} characters)`;
  }
  if (Array.isArray(found)) return 'an array';
  if (typeof found === 'object' && found !== null) return 'an object';
  if (typeof found === 'number') return String(found);
  return found === undefined ? 'missing' : JSON.stringify(found);
}
