import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { isInexactInteger, markInexactNumbers, stringifyExactly } from '../../../src/payload/exact-json.ts';

describe('markInexactNumbers', () => {
  it.each([
    ['[9007199254740993]', '9007199254740993'],
    ['[-9007199254740993]', '-9007199254740993'],
    ['[1e999]', '1e999'],
    ['[-1E+999]', '-1E+999'],
    [`[${'9'.repeat(400)}]`, '9'.repeat(400)],
  ])('turns the number in %.30s into a marked string', (json, literal) => {
    const exact = markInexactNumbers(json);
    expect(JSON.parse(exact.text)).toStrictEqual([exact.marker + literal]);
  });

  it.each([
    '[9007199254740991]',
    '[9007199254740992]',
    '[1e20]',
    '[0.12345678901234567890123]',
    '[-0]',
    '["12345678901234567891"]',
  ])('leaves %s as it is', (json) => {
    expect(markInexactNumbers(json).text).toBe(json);
  });

  it('takes no string of the document for a number, however it is escaped', () => {
    const json = String.raw`{"\\":9007199254740993,"\"":"\\\"9007199254740993","a\\\\":["9007199254740993\\",1]}`;
    const { text, marker } = markInexactNumbers(json);
    expect(JSON.parse(text)).toStrictEqual({
      '\\': `${marker}9007199254740993`,
      '"': '\\"9007199254740993',
      'a\\\\': ['9007199254740993\\', 1],
    });
  });

  it('chooses a marker that no string of the document begins with', () => {
    const strings = fc.array(fc.string({ unit: fc.constantFrom('\0', '\\', 'u0000', '"', '1') }));
    fc.assert(
      fc.property(strings, (texts) => {
        const { text, marker } = markInexactNumbers(JSON.stringify(texts));
        expect(JSON.parse(text)).toStrictEqual(texts);
        expect(texts.filter((each) => each.includes(marker))).toStrictEqual([]);
      }),
    );
  });

  it('is linear in a document of nothing but escapes', () => {
    const json = JSON.stringify([`${'\0'.repeat(100_000)}x${'\\"'.repeat(300_000)}`]);
    expect(markInexactNumbers(json)).toStrictEqual({ text: json, marker: '\0'.repeat(100_001) });
  });
});

describe('stringifyExactly', () => {
  it('writes the document as it was, with its numbers', () => {
    const json = String.raw`{"a":[9007199254740993,1e999,"\u00009007199254740993",{"b":-9007199254740995}],"c":"\"\u0000"}`;
    const { text, marker } = markInexactNumbers(json);
    expect(stringifyExactly(JSON.parse(text), marker)).toBe(json);
  });

  it('is JSON.stringify where nothing is marked', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = JSON.stringify(value);
        const exact = markInexactNumbers(json);
        expect(stringifyExactly(JSON.parse(exact.text), exact.marker)).toBe(json);
      }),
    );
  });
});

describe('isInexactInteger', () => {
  it('is true for just the integers that no double equals', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }), (integer) => {
        const literal = String(integer);
        expect(isInexactInteger(literal, Number(literal))).toBe(BigInt(Number(literal)) !== integer);
      }),
    );
  });
});
