import type { Reason } from '../core/errors.ts';

const SHOWN_CHARACTERS = 60;

/** Each code, and what a person is told; `found` is what stood there instead, quoted and shortened. The codes are stable. */
const MESSAGES = {
  // The whole message can't be decoded.
  NO_ROUTE: (found: string) => `no subscription says how to read the topic ${found}`,
  INVALID_UTF8: () => 'the payload is not valid UTF-8',
  INVALID_JSON: (found: string) => `the payload is not valid JSON: ${found}`,
  NOT_AN_OBJECT: (found: string) => `the payload must be a JSON object, not ${found}`,
  TAG_VALUES_MISSING: (found: string) => `"tag_values" must be an object, not ${found}`,
  PLC_CODE_MISSING: () => 'there is no "plc_code", and the subscription does not take it from the topic',
  PLC_CODE_INVALID: (found: string) => `"plc_code" must be a string or a number, not ${found}`,
  PLC_CODE_TOO_LONG: (found: string) => `the PLC code must have at most 255 characters, not ${found}`,
  JSON_NOT_FINITE: (found: string) => `the payload holds a number that is none, which JSON does not have: ${found}`,
  INFLATE_FAILED: (found: string) => `the payload is compressed, and broken: ${found}`,
  INFLATED_TOO_LARGE: (found: string) => `the payload comes to more than ${found} bytes when it is decompressed`,
  ROWS_MISSING: (found: string) => `nothing stands at ${found}, where the mapping has the rows`,
  NUL_RUN_TOO_LONG: () => 'texts with long runs of U+0000 stand beside many numbers that no double holds',
  // One value can't be written.
  TAG_NAME_EMPTY: () => 'the tag has no address, or an empty name',
  TAG_NAME_NOT_UNICODE: () => 'the name of the tag contains half a surrogate pair; it is given as JSON',
  TAG_NAME_TOO_LONG: (found: string) => `the address of the tag has more than 1000 characters: ${found}`,
  PLC_CODE_EMPTY: () => 'there is no PLC code where the subscription looks for one',
  VALUE_MISSING: () => 'there is no value where the mapping looks for one',
  VALUE_NOT_SCALAR: (found: string) => `the value must be a number, a string, true, false or null, not ${found}`,
  VALUE_NOT_FINITE: (found: string) => `the number ${found} is too large`,
  TEXT_NOT_UNICODE: () => 'the text contains half a surrogate pair; it is given as JSON',
  BAD_TIMESTAMP: (found: string) =>
    `the timestamp must be ISO 8601 or epoch milliseconds, years 1 to 9999, not ${found}`,
  BAD_QUALITY: (found: string) => `the quality must be a string of 1 to 64 bytes, not ${found}`,
} satisfies Record<string, (found: string) => string>;

export type ReasonCode = keyof typeof MESSAGES;

/** `found`: the JSON value that is to blame. */
export function reasonFor(code: ReasonCode, found?: unknown): Reason {
  return { code, message: MESSAGES[code](describe(found)) };
}

/** `form`: the one that the mapping asks for. */
export function badTimestamp(form: string, found: unknown): Reason {
  const message = `the timestamp must be of the form ${form}, years 1 to 9999, not ${describe(found)}`;
  return { code: 'BAD_TIMESTAMP', message };
}

/** The parser's own words say where the error is. */
export function invalidJson(thrown: unknown): Reason {
  const words = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: 'INVALID_JSON', message: MESSAGES.INVALID_JSON(words.replaceAll(/\p{Surrogate}/gu, '\uFFFD')) };
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
