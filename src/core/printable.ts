/**
 * What came from PLCs, brokers, databases and file names, for a terminal that it must not steer: one line, control
 * characters spelt out.
 */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}/gu, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`);
}
