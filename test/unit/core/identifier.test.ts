import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseName, quoteName, storedName } from '../../../src/core/identifier.ts';

describe('quoteName', () => {
  it.each([
    ['tag_data', '"TAG_DATA"'],
    ['TAG_DATA', '"TAG_DATA"'],
    ['Plant.tag_data', '"PLANT"."TAG_DATA"'],
    ['"Tag Data"', '"Tag Data"'],
    ['plant."tag.data"', '"PLANT"."tag.data"'],
    ['a1_$#', '"A1_$#"'],
    ['"wärme"', '"wärme"'],
    ['timestamp', '"TIMESTAMP"'],
  ])('makes %s into %s', (text, expected) => {
    expect(quoteName(text)).toBe(expected);
  });

  it.each([
    '',
    ' ',
    ' tag',
    'tag ',
    '1tag',
    '_tag',
    'tag-data',
    'tag data',
    'wärme',
    'a.b.c',
    'a.',
    '.a',
    'a..b',
    '""',
    '"',
    '"a',
    'a"',
    '"a""b"',
    '"a"b',
    'a"b"',
    '"a\0b"',
    'tag;drop table x',
    'tag--',
    'tag/**/',
    'tag@link',
    'a\n',
  ])('refuses %j', (text) => {
    expect(() => quoteName(text)).toThrow(RangeError);
  });

  it('never gives SQL that is more than one or two quoted names, whatever it is given', () => {
    const hostile = fc.string({
      unit: fc.constantFrom('a', 'Z', '1', '_', '.', '"', "'", ';', ' ', '-', '\0', 'é', '\\'),
    });
    fc.assert(
      fc.property(fc.oneof(hostile, fc.string({ unit: 'binary' })), (text) => {
        const sql = parseName(text, 2) === undefined ? '"REFUSED"' : quoteName(text);
        expect(sql).toMatch(/^"[^"\0]+"(?:\."[^"\0]+")?$/);
      }),
      { numRuns: 1000 },
    );
  });

  it('is stable: what it gives, it gives again', () => {
    const name = fc.stringMatching(/^(?:[a-zA-Z][a-zA-Z0-9_$#]{0,30}|"[^"\0]{1,30}")$/);
    fc.assert(
      fc.property(name, (text) => {
        expect(quoteName(quoteName(text))).toBe(quoteName(text));
      }),
    );
  });
});

describe('parseName', () => {
  it('gives the parts as the database stores them', () => {
    expect(parseName('plant."Tag"', 2)).toEqual(['PLANT', 'Tag']);
  });

  it('refuses more parts than it may have', () => {
    expect(parseName('plant.tag', 1)).toBeUndefined();
  });

  it('takes 128 bytes and no more', () => {
    expect(parseName('a'.repeat(128), 1)).toHaveLength(1);
    expect(parseName('a'.repeat(129), 1)).toBeUndefined();
    expect(parseName(`"${'ä'.repeat(64)}"`, 1)).toHaveLength(1);
    expect(parseName(`"${'ä'.repeat(65)}"`, 1)).toBeUndefined();
  });
});

describe('storedName', () => {
  it('gives a column as the database stores it, and what is no name as it is', () => {
    expect(['tag_name', '"Tag name"', 'plant.tag', ''].map(storedName)).toEqual([
      'TAG_NAME',
      'Tag name',
      'plant.tag',
      '',
    ]);
  });
});
