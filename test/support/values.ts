import { TagValues } from '../../src/core/tag-values.ts';

export const RECEIVED_AT_MS = Date.UTC(2025, 10, 2, 14, 30, 25, 123);

/** A list of values of one message: numbers are values of tags `PLC01.D0`, `PLC01.D1` …, strings their texts. */
export function valuesOf(...items: readonly (number | string | null)[]): TagValues {
  const values = new TagValues(items.length);
  for (const [i, item] of items.entries()) {
    const tag = { plcCode: 'PLC01', address: `D${i}`, name: `PLC01.D${i}` };
    const number = typeof item === 'number' ? item : Number.NaN;
    values.push(tag, number, typeof item === 'string' ? item : null, RECEIVED_AT_MS, 'GOOD');
  }
  values.stamp(1, RECEIVED_AT_MS);
  return values;
}
