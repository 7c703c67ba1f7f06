/**
 * NUMBER on the wire: an exponent byte, then digits in base 100.
 *
 *   zero      80
 *   positive  exponent = 192 + digit pairs before the point, digits + 1
 *   negative  exponent inverted, 101 - digit, and a closing 102 when there are fewer than 20 pairs
 */
import { Decimal } from '../engine/types.ts';

const MAX_PAIRS = 20;
const ZERO = 0x80;
const NEGATIVE_END = 102;
/** Up to here base-100 pairs make a whole number, and a power of 100, that a double holds exactly. */
const EXACT_PAIRS = 7;
const POWERS_OF_100 = Array.from({ length: 12 }, (_, power) => Number(`1e${power * 2}`));

/**
 * Reads `bytes[start..end)`. A number of at most 15 significant digits comes as a JavaScript number, else a `Decimal`;
 * undefined for bytes that are no NUMBER.
 */
export function decodeNumber(bytes: Uint8Array, start: number, end: number): number | Decimal | undefined {
  const head = bytes[start]!;
  if (end - start === 1) return head === ZERO ? 0 : undefined;
  const negative = head < 0x80;
  const last = negative && bytes[end - 1] === NEGATIVE_END ? end - 1 : end;
  const pairs = last - start - 1;
  const pointAfter = (negative ? 0xff ^ head : head) - 192;
  if (pairs < 1 || pairs > MAX_PAIRS) return undefined;
  const shift = pointAfter - pairs;
  if (pairs <= EXACT_PAIRS && shift >= -11 && pointAfter <= EXACT_PAIRS) {
    let whole = 0;
    for (let i = start + 1; i < last; i++) {
      const digit = negative ? 101 - bytes[i]! : bytes[i]! - 1;
      if (digit < 0 || digit > 99) return undefined;
      whole = whole * 100 + digit;
    }
    const value = shift >= 0 ? whole * POWERS_OF_100[shift]! : whole / POWERS_OF_100[-shift]!;
    return negative ? -value : value;
  }
  let digits = '';
  for (let i = start + 1; i < last; i++) {
    const digit = negative ? 101 - bytes[i]! : bytes[i]! - 1;
    if (digit < 0 || digit > 99) return undefined;
    digits += String(digit).padStart(2, '0');
  }
  return fromDigits(digits, pointAfter * 2, negative);
}

function fromDigits(digits: string, pointAfter: number, negative: boolean): number | Decimal {
  const whole = digits.slice(0, Math.max(0, pointAfter)).padEnd(pointAfter, '0').replace(/^0+/, '');
  const fraction = ('0'.repeat(Math.max(0, -pointAfter)) + digits.slice(Math.max(0, pointAfter))).replace(/0+$/, '');
  const text = `${negative ? '-' : ''}${whole || '0'}${fraction && '.'}${fraction}`;
  const significant = digits.replace(/^0+|0+$/g, '').length;
  return significant <= 15 ? Number(text) : new Decimal(text);
}

/** The bytes of a finite number or of decimal text; digits beyond 40 are cut off. */
export function encodeNumber(value: number | Decimal): Uint8Array {
  const text = typeof value === 'number' ? String(value) : value.text;
  const match = /^(-?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(text);
  if (match === null) throw new RangeError(`not a NUMBER: ${text}`);
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const all = whole + fraction;
  const leading = all.length - all.replace(/^0+/, '').length;
  const digits = all.replace(/^0+|0+$/g, '');
  if (digits === '') return Uint8Array.of(ZERO);
  const point = whole.length - leading + Number(exponent);
  const pointAfter = Math.ceil(point / 2);
  const padded = (point % 2 === 0 ? '' : '0') + digits;
  const negative = sign === '-';
  const bytes = [negative ? 0xff ^ (192 + pointAfter) : 192 + pointAfter];
  for (let at = 0; at < padded.length && at < MAX_PAIRS * 2; at += 2) {
    const pair = Number(padded.slice(at, at + 2).padEnd(2, '0'));
    bytes.push(negative ? 101 - pair : pair + 1);
  }
  if (negative && bytes.length <= MAX_PAIRS) bytes.push(NEGATIVE_END);
  return Uint8Array.from(bytes);
}
