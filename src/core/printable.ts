/**
 * A text from a PLC, a broker, a database or a file name as one line with control characters spelt out, so that the
 * text can't steer the terminal that shows it.
 */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}/gu, (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`);
}
