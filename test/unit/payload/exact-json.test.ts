import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  type ExactJson,
  isInexactInteger,
  markInexactNumbers,
  stringifyExactly,
} from '../../../src/payload/exact-json.ts';

function marked(json: string): ExactJson {
  const exact = markInexactNumbers(json);
  if (exact === undefined) throw new Error('the marks would have been too many');
  return exact;
}

describe('markInexactNumbers', () => {
  it.each([
    ['[9007199254740993]', '9007199254740993'],
    ['[-9007199254740993]', '-9007199254740993'],
    ['[1e999]', '1e999'],
    ['[-1E+999]', '-1E+999'],
    [`[${'9'.repeat(400)}]`, '9'.repeat(400)],
  ])('turns the number in %.30s into a marked string', (json, literal) => {
    const exact = marked(json);
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
    expect(marked(json).text).toBe(json);
  });

  it('takes no string of the document for a number, however it is escaped', () => {
    const json = String.raw`{"\\":9007199254740993,"\"":"\\\"9007199254740993","a\\\\":["9007199254740993\\",1]}`;
    const { text, marker } = marked(json);
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
        const { text, marker } = marked(JSON.stringify(texts));
        expect(JSON.parse(text)).toStrictEqual(texts);
        expect(texts.filter((each) => each.includes(marker))).toStrictEqual([]);
      }),
    );
  });

  it('is linear in a document of nothing but escapes', () => {
    const json = JSON.stringify([`${'\0'.repeat(100_000)}x${'\\"'.repeat(300_000)}`]);
    expect(marked(json)).toStrictEqual({ text: json, marker: '\0'.repeat(100_001) });
  });

  it('refuses to make gigabytes of a document', () => {
    const numbers = (count: number): string => `[${'1e999,'.repeat(count)}0]`;
    const document = (nuls: number, count: number): string => `["${'\\u0000'.repeat(nuls)}",${numbers(count)}]`;
    expect(marked(document(100, 50)).marker).toHaveLength(101);
    expect(marked(document(1, 100_000)).text.length).toBeLessThan(4 * 600_000);
    expect(markInexactNumbers(document(1000, 100_000))).toBeUndefined();
  });
});

describe('stringifyExactly', () => {
  it('writes what is nested deeper than JSON.stringify goes before Node 26', () => {
    const open = '{"a":[1,[],{},"x",null,{"b\\"":';
    const json = `${open.repeat(50_000)}9007199254740993${'}],"c":2}'.repeat(50_000)}`;
    const { text, marker } = marked(json);
    const document: unknown = JSON.parse(text);
    expect(stringifyExactly(document, marker) === json).toBe(true);
  });

  it('writes the document as it was, with its numbers', () => {
    const json = String.raw`{"a":[9007199254740993,1e999,"\u00009007199254740993",{"b":-9007199254740995}],"c":"\"\u0000"}`;
    const { text, marker } = marked(json);
    expect(stringifyExactly(JSON.parse(text), marker)).toBe(json);
  });

  it('is JSON.stringify where nothing is marked', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = JSON.stringify(value);
        const exact = marked(json);
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
