import { describe, expect, it } from 'vitest';

import { durationText, plural, sizeText, wrapText } from '../../../src/core/wording.ts';

describe('plural', () => {
  it.each([
    [0, '0 rows'],
    [1, '1 row'],
    [1234, '1,234 rows'],
  ])('%d', (count, text) => {
    expect(plural(count, 'row')).toBe(text);
  });
});

describe('sizeText', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [50 * 2 ** 20, '50 MiB'],
    [2.25 * 2 ** 30, '2.3 GiB'],
  ])('%d', (bytes, text) => {
    expect(sizeText(bytes)).toBe(text);
  });
});

describe('wrapText', () => {
  it('fills lines with words, and leaves a word alone that is too long', () => {
    expect(wrapText('a bb ccc unbreakable d', 5)).toEqual(['a bb', 'ccc', 'unbreakable', 'd']);
  });

  it('gives one line for what fits, and for nothing', () => {
    expect([wrapText('a b', 3), wrapText('', 3)]).toEqual([['a b'], ['']]);
  });
});

describe('durationText', () => {
  it.each([
    [0, '0 s'],
    [45.7, '45 s'],
    [60, '1 min'],
    [12_000, '3 h 20 min'],
    [86_400, '1 d'],
    [200_000, '2 d 7 h'],
  ])('says %d seconds as %s', (seconds, text) => {
    expect(durationText(seconds)).toBe(text);
  });
});
