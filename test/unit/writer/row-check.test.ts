import { describe, expect, it } from 'vitest';

import { checkRows, type RowCheckOptions } from '../../../src/writer/row-check.ts';
import { valuesOf } from '../../support/values.ts';

const OPTIONS: RowCheckOptions = { maxTextBytes: 4000, valueType: 'binary_double', hasTextColumn: true };

function codesOf(values: ReturnType<typeof valuesOf>, options: Partial<RowCheckOptions> = {}): [number, string][] {
  return checkRows(values, { ...OPTIONS, ...options }).map(({ index, reason }) => [index, reason.code]);
}

describe('checkRows', () => {
  it('finds nothing wrong with numbers, texts and NULL', () => {
    expect(codesOf(valuesOf(1.5, 'RUN', null, -0, Number.MAX_VALUE, ''))).toEqual([]);
  });

  it('finds a value that is not finite, and only that one', () => {
    expect(codesOf(valuesOf(1, Number.POSITIVE_INFINITY, 2, Number.NEGATIVE_INFINITY))).toEqual([
      [1, 'VALUE_NOT_FINITE'],
      [3, 'VALUE_NOT_FINITE'],
    ]);
  });

  it.each([
    ['4000 bytes', 'x'.repeat(4000), []],
    ['4001 bytes', 'x'.repeat(4001), [[0, 'TEXT_TOO_LONG']]],
    ['1333 three-byte characters', '水'.repeat(1333), []],
    ['1334 three-byte characters', '水'.repeat(1334), [[0, 'TEXT_TOO_LONG']]],
    ['1000 four-byte characters', '🏭'.repeat(1000), []],
    ['1001 four-byte characters', '🏭'.repeat(1001), [[0, 'TEXT_TOO_LONG']]],
  ])('counts a text in UTF-8: %s', (_title, text, expected) => {
    expect(codesOf(valuesOf(text))).toEqual(expected);
  });

  it('refuses dates that the driver would send as garbage', () => {
    const values = valuesOf(1, 2, 3, 4, 5);
    values.timesMs.set([
      Date.parse('0001-01-01T00:00:00Z'),
      Date.parse('0001-01-01T00:00:00Z') - 1,
      Date.parse('9999-12-31T23:59:59.999Z'),
      Date.parse('9999-12-31T23:59:59.999Z') + 1,
      Number.NaN,
    ]);
    expect(codesOf(values)).toEqual([
      [1, 'TIMESTAMP_OUT_OF_RANGE'],
      [3, 'TIMESTAMP_OUT_OF_RANGE'],
      [4, 'TIMESTAMP_OUT_OF_RANGE'],
    ]);
  });

  it('refuses what NUMBER cannot hold only where the column is one', () => {
    const values = valuesOf(1e126, 9.9e125, 1e-131, 1e-130, 0, -1e126);
    expect(codesOf(values)).toEqual([]);
    expect(codesOf(values, { valueType: 'number' }).map(([index]) => index)).toEqual([0, 2, 5]);
  });

  it('refuses a text where there is no column for it, rather than lose it', () => {
    expect(codesOf(valuesOf(1, 'RUN', null), { hasTextColumn: false })).toEqual([[1, 'NO_TEXT_COLUMN']]);
  });

  it('hands on what was found while decoding', () => {
    const values = valuesOf(1, 2);
    values.problems[1] = { code: 'BAD_TIMESTAMP', message: 'x' };
    expect(checkRows(values, OPTIONS)).toEqual([{ index: 1, reason: { code: 'BAD_TIMESTAMP', message: 'x' } }]);
  });

  it('checks the tag name, the address and the quality', () => {
    const long = 'x'.repeat(4001);
    const values = valuesOf(1, 2, 3);
    values.tags[0] = { plcCode: 'P', address: 'A', name: long };
    values.tags[1] = { plcCode: 'P', address: long, name: 'P.A' };
    values.qualities[2] = long;
    expect(codesOf(values).map(([index]) => index)).toEqual([0, 1, 2]);
  });
});
