import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../../support/standin/engine/types.ts';
import { decodeNumber, encodeNumber } from '../../support/standin/net/oracle-number.ts';

function decode(bytes: Uint8Array): number | Decimal | undefined {
  return decodeNumber(bytes, 0, bytes.length);
}

describe('NUMBER on the wire', () => {
  it.each([
    [0, '80'],
    [1, 'c1 02'],
    [100, 'c2 02'],
    [12.34, 'c1 0d 23'],
    [0.01, 'c0 02'],
    [-42, '3e 3b 66'],
    [1.5, 'c1 02 33'],
    [-99.99, '3e 02 02 66'],
  ])('writes %d as %s', (value, bytes) => {
    expect(Buffer.from(encodeNumber(value)).toString('hex')).toBe(bytes.replaceAll(' ', ''));
  });

  it('gives back every integer that a double holds in 15 digits', () => {
    fc.assert(
      fc.property(fc.integer({ min: -999_999_999_999_999, max: 999_999_999_999_999 }), (value) => {
        expect(decode(encodeNumber(value))).toBe(value);
      }),
    );
  });

  it('gives back decimals of up to 15 digits at any scale as the same number', () => {
    const decimals = fc.tuple(
      fc.integer({ min: 1, max: 999_999_999_999_999 }),
      fc.integer({ min: -120, max: 100 }),
      fc.boolean(),
    );
    fc.assert(
      fc.property(decimals, ([digits, exponent, negative]) => {
        const value = Number(`${negative ? '-' : ''}${digits}e${exponent}`);
        expect(decode(encodeNumber(value))).toBe(value);
      }),
      { numRuns: 1000 },
    );
  });

  it('gives back longer numbers digit by digit as a Decimal', () => {
    const long = fc.tuple(
      fc.stringMatching(/^[1-9][0-9]{14,25}[1-9]$/),
      fc.stringMatching(/^[0-9]{0,8}[1-9]$/),
      fc.boolean(),
    );
    fc.assert(
      fc.property(long, ([whole, fraction, negative]) => {
        const text = `${negative ? '-' : ''}${whole}.${fraction}`;
        expect(decode(encodeNumber(new Decimal(text)))).toEqual(new Decimal(text));
      }),
    );
  });

  it('knows bytes that are no number', () => {
    expect(decode(Uint8Array.of(0xc1, 0xff))).toBeUndefined();
    expect(decode(Uint8Array.of(0xc1))).toBeUndefined();
  });
});
