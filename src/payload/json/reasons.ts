import { reasonsOf } from '../reasons.ts';

/** What `json` has to say besides what all formats have. */
export const jsonReason = reasonsOf({
  // The whole message can't be decoded.
  JSON_NOT_FINITE: (found) => `the payload holds a number that is none, which JSON does not have: ${found}`,
  INFLATE_FAILED: (found) => `the payload is compressed, and broken: ${found}`,
  INFLATED_TOO_LARGE: (found) => `the payload comes to more than ${found} bytes when it is decompressed`,
  ROWS_MISSING: (found) => `nothing stands at ${found}, where the mapping has the rows`,
  NAMES_FULL: (found) => `the names that the message tells can't be remembered: ${found}`,
  // One value can't be written.
  PLC_CODE_EMPTY: () => 'there is no PLC code where the subscription looks for one',
  COLUMN_NOT_A_NUMBER: (column) => `what the mapping has for the column ${column} is no number`,
  COLUMN_NOT_A_TIME: (column) => `what the mapping has for the column ${column} is no time of its form`,
  COLUMN_NOT_UNICODE: (column) => `the text for the column ${column} contains half a surrogate pair`,
  VALUE_MISSING: () => 'there is no value where the mapping looks for one',
});
