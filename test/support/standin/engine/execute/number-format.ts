/** Number format models of the simple kind: `9`, `0`, `.`, `,`, `G`, `D`, `FM`. */
import { SqlFault } from '../faults.ts';
import type { NumberValue } from '../values/decimal.ts';
import { numberText, parseNumber, roundNumber } from '../values/decimal.ts';

/** As TO_CHAR does: one place for the sign, `#` when the number does not fit. ORA-01481 for any other format. */
export function formatNumber(value: NumberValue, format: string): string {
  const match = /^(FM)?([90,G]*)(?:[.D]([90]*))?$/i.exec(format);
  if (match === null) throw new SqlFault(1481);
  const [, fill, whole = '', fraction = ''] = match;
  const isTrimmed = fill !== undefined;
  const text = numberText(roundNumber(value, fraction.length));
  const negative = text.startsWith('-');
  const [digits = '', decimals = ''] = text.replace('-', '').split('.');
  const integer = fillInteger(digits === '0' && fraction !== '' ? '' : digits, whole);
  const width = whole.length + 1 + (fraction === '' ? 0 : fraction.length + 1);
  if (integer === undefined) return '#'.repeat(width);
  const shown = isTrimmed ? decimals.padEnd(fraction.lastIndexOf('0') + 1, '0') : decimals.padEnd(fraction.length, '0');
  const point = /[.D]/i.test(format) ? '.' : '';
  const result = (negative ? '-' : '') + integer + point + shown;
  return isTrimmed ? result : result.padStart(width);
}

/** The digits with the format's zeros and group separators; undefined when there are too many. */
function fillInteger(digits: string, whole: string): string | undefined {
  const places = whole.replaceAll(/[,G]/gi, '').length;
  if (digits.length > places) return undefined;
  const firstZero = whole.replaceAll(/[,G]/gi, '').indexOf('0');
  const padded = digits.padStart(firstZero < 0 ? 0 : places - firstZero, '0');
  let result = '';
  let rest = padded.length;
  for (let i = whole.length - 1; i >= 0 && rest > 0; i--) {
    result = (/[,G]/i.test(whole[i]!) ? ',' : padded[--rest]!) + result;
  }
  return result;
}

/** TO_NUMBER with a format: group separators are skipped. */
export function parseFormattedNumber(text: string): NumberValue {
  const number = parseNumber(text.replaceAll(',', ''));
  if (number === undefined) throw new SqlFault(1722, { value: text });
  return number;
}
