/**
 * NUMBER: exact decimal arithmetic. A value is a JavaScript number when that holds it in at most 15 significant digits,
 * else a `Decimal`. Results keep 40 significant digits; 1e126 and more is ORA-01426, less than 1e-130 is zero.
 */
import { SqlFault } from '../faults.ts';
import { Decimal } from '../types.ts';

export type NumberValue = number | Decimal;

/** `digits × 10^-scale`. */
interface Parts {
  readonly digits: bigint;
  readonly scale: number;
}

const MAX_DIGITS = 40;
const DOUBLE_DIGITS = 15;
const MAX_EXACT = 1e15;
const MAX_EXPONENT = 126;
const MIN_EXPONENT = -130;
const NUMBER_TEXT = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

function power(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}

function partsOfText(text: string): Parts | undefined {
  const match = NUMBER_TEXT.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  if (whole === '' && fraction === '') return undefined;
  const digits = BigInt(`${sign === '-' ? '-' : ''}${whole}${fraction}`);
  return { digits, scale: fraction.length - Number(exponent) };
}

function partsOf(value: NumberValue): Parts {
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new SqlFault(1426);
    if (Number.isSafeInteger(value)) return { digits: BigInt(value), scale: 0 };
  }
  return partsOfText(typeof value === 'number' ? String(value) : value.text)!;
}

function countDigits(digits: bigint): number {
  return digits.toString().length - (digits < 0n ? 1 : 0);
}

function divideRounded(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const remainder = dividend % divisor;
  const doubled = (remainder < 0n ? -remainder : remainder) * 2n;
  if (doubled < (divisor < 0n ? -divisor : divisor)) return quotient;
  return dividend < 0n === divisor < 0n ? quotient + 1n : quotient - 1n;
}

/** Rounds half away from zero to `scale` digits behind the point; a negative scale rounds before it. */
function roundParts(parts: Parts, scale: number): Parts {
  if (parts.scale <= scale) return parts;
  return { digits: divideRounded(parts.digits, power(parts.scale - scale)), scale };
}

function plainText({ digits, scale }: Parts): string {
  const sign = digits < 0n ? '-' : '';
  const text = (digits < 0n ? -digits : digits).toString();
  if (scale <= 0) return sign + text + '0'.repeat(-scale);
  const padded = text.padStart(scale + 1, '0');
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

function valueOf(parts: Parts): NumberValue {
  if (parts.digits === 0n) return 0;
  const rounded = roundParts(parts, parts.scale - Math.max(0, countDigits(parts.digits) - MAX_DIGITS));
  const text = rounded.digits.toString();
  const zeros = text.length - text.replace(/0+$/, '').length;
  const stripped = { digits: rounded.digits / power(zeros), scale: rounded.scale - zeros };
  const significant = countDigits(stripped.digits);
  const exponent = significant - stripped.scale;
  if (exponent > MAX_EXPONENT) throw new SqlFault(1426);
  if (exponent <= MIN_EXPONENT) return 0;
  if (significant <= DOUBLE_DIGITS) return Number(`${stripped.digits}e${-stripped.scale}`);
  return new Decimal(plainText(stripped));
}

/** Text such as `-1.5e3` to a NUMBER; undefined when it is none. Blanks around it are allowed. */
export function parseNumber(text: string): NumberValue | undefined {
  const parts = partsOfText(text.trim());
  return parts === undefined ? undefined : valueOf(parts);
}

/** A literal, which the lexer has already checked. */
export function parseNumberLiteral(text: string): NumberValue {
  return parseNumber(text)!;
}

/** A double or a decimal of any form as NUMBER keeps it. ORA-01426 for NaN, infinity and 1e126 or more. */
export function toNumberValue(value: NumberValue): NumberValue {
  if (typeof value === 'number') {
    if (Number.isInteger(value) && value < MAX_EXACT && value > -MAX_EXACT) return value + 0;
    if (Math.abs(value) < 1e21 && Number(value.toPrecision(DOUBLE_DIGITS)) === value && Math.abs(value) > 1e-100) {
      return value;
    }
  }
  return valueOf(partsOf(value));
}

/** As stored in NUMBER(precision, scale): rounded to the scale, undefined when it has too many digits then. */
export function fitNumber(value: NumberValue, precision: number, scale: number): NumberValue | undefined {
  if (typeof value === 'number' && Number.isInteger(value) && scale >= 0) {
    const limit = Math.min(MAX_EXACT, 10 ** (precision - scale));
    if (value < limit && value > -limit) return value + 0;
  }
  const rounded = roundParts(partsOf(value), scale);
  if (rounded.digits === 0n) return 0;
  if (countDigits(rounded.digits) - rounded.scale > precision - scale) return undefined;
  return valueOf(rounded);
}

export function compareNumbers(left: NumberValue, right: NumberValue): number {
  if (typeof left === 'number' && typeof right === 'number') return compareDoubles(left, right);
  if (typeof left === 'number' && !Number.isFinite(left)) return left === -Infinity ? -1 : 1;
  if (typeof right === 'number' && !Number.isFinite(right)) return right === -Infinity ? 1 : -1;
  const [a, b] = aligned(partsOf(left), partsOf(right));
  return a < b ? -1 : Number(a > b);
}

/** NaN equals itself and is greater than anything else. */
function compareDoubles(left: number, right: number): number {
  if (left < right) return -1;
  if (left > right) return 1;
  return left === right ? 0 : Number(Number.isNaN(left)) - Number(Number.isNaN(right));
}

function aligned(left: Parts, right: Parts): [bigint, bigint, number] {
  const scale = Math.max(left.scale, right.scale);
  return [left.digits * power(scale - left.scale), right.digits * power(scale - right.scale), scale];
}

export type Arithmetic = '+' | '-' | '*' | '/';

/** ORA-01476 for a division by zero. */
export function calculate(operator: Arithmetic, left: NumberValue, right: NumberValue): NumberValue {
  if (typeof left === 'number' && typeof right === 'number' && operator !== '/') {
    const quick = calculateDouble(operator, left, right);
    const isExact = Number.isInteger(left) && Number.isInteger(right) && quick < MAX_EXACT && quick > -MAX_EXACT;
    if (isExact) return quick;
  }
  const a = partsOf(left);
  const b = partsOf(right);
  if (operator === '*') return valueOf({ digits: a.digits * b.digits, scale: a.scale + b.scale });
  if (operator === '/') return divide(a, b);
  const [x, y, scale] = aligned(a, b);
  return valueOf({ digits: operator === '+' ? x + y : x - y, scale });
}

function divide(dividend: Parts, divisor: Parts): NumberValue {
  if (divisor.digits === 0n) throw new SqlFault(1476);
  const shift = MAX_DIGITS + 1 + Math.max(0, countDigits(divisor.digits) - countDigits(dividend.digits));
  const digits = divideRounded(dividend.digits * power(shift), divisor.digits);
  return valueOf({ digits, scale: dividend.scale - divisor.scale + shift });
}

/** BINARY_DOUBLE arithmetic: never an error. */
export function calculateDouble(operator: Arithmetic, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      break;
  }
  return left / right;
}

/** Rounds half away from zero. */
export function roundNumber(value: NumberValue, scale: number): NumberValue {
  return valueOf(roundParts(partsOf(value), scale));
}

export function toDouble(value: NumberValue): number {
  return typeof value === 'number' ? value : Number(value.text);
}

/** As TO_CHAR without a format writes it: no zero before the point. */
export function numberText(value: NumberValue): string {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return Number.isNaN(value) ? 'Nan' : value > 0 ? 'Inf' : '-Inf';
  }
  return plainText(partsOf(value)).replace(/^(-?)0\./, '$1.');
}
