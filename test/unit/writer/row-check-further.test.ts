import { describe, expect, it } from 'vitest';

import { originOf } from '../../../src/core/value-details.ts';
import { checkRows, rowCheckOf } from '../../../src/writer/row-check.ts';
import { valuesOf } from '../../support/values.ts';

const OPTIONS = rowCheckOf(
  {
    valueType: 'binary_double',
    columns: { text: 'tag_text', place: '{topic}' },
    fields: [
      { name: 'batch', holds: 'text' },
      { name: 'temp', holds: 'number' },
      { name: 'made_at', holds: 'time' },
    ],
  },
  100,
);

describe('what further columns hold', () => {
  it.each([
    ['a text that is too long', 'batch', 'ä'.repeat(51), 'TEXT_TOO_LONG', 'column batch has 102 bytes'],
    ['a number that NUMBER can not hold', 'temp', 1e126, 'COLUMN_VALUE', 'column temp needs a number'],
    ['a text in the place of a number', 'temp', '12,5', 'COLUMN_VALUE', 'column temp needs a number'],
    ['a time of no calendar', 'made_at', 1e15, 'COLUMN_VALUE', 'column made_at needs a time'],
    ['a text in the place of a time', 'made_at', 'now', 'COLUMN_VALUE', 'column made_at needs a time'],
  ])('rejects a row where it is %s, and no other', (_what, name, found, code, message) => {
    const values = valuesOf(1, 2, 3);
    values.details = [null, { qualityCode: Number.NaN, fields: new Map([[name, found]]) }, null];
    const refused = checkRows(values, OPTIONS);
    expect(refused.map(({ index, reason }) => [index, reason.code])).toEqual([[1, code]]);
    expect(refused[0]!.reason.message).toContain(message);
  });

  it('rejects a row whose topic is too long', () => {
    const values = valuesOf(1, 2);
    values.setOrigin(0, originOf('x'.repeat(101), false));
    expect(checkRows(values, OPTIONS).map(({ index }) => index)).toEqual([0]);
  });

  it('passes where it is good, or NULL', () => {
    const values = valuesOf(1, 2);
    const good = new Map<string, string | number | null>([
      ['batch', 'ä'.repeat(50)],
      ['temp', -1e-130],
      ['made_at', null],
    ]);
    values.details = [{ qualityCode: 1, fields: good }, null];
    expect(checkRows(values, OPTIONS)).toEqual([]);
  });
});
