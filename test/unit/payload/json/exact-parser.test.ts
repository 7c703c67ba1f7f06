import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ExactJsonError, isLongNumber, LongNumber, parseDocuments } from '../../../../src/payload/json/exact-parser.ts';
import { jsonText } from '../../../../src/payload/json/json-text.ts';

/** What JSON.parse makes of a text: a value, or undefined for what it refuses. */
function plain(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The same with doubles, where the parser kept the digits. */
function inDoubles(value: unknown): unknown {
  if (value instanceof LongNumber) return Number(value.text);
  if (Array.isArray(value)) return value.map(inDoubles);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, member]): [string, unknown] => [key, inDoubles(member)]);
  return Object.fromEntries(entries);
}

function exact(text: string): unknown {
  try {
    return inDoubles(parseDocuments(text)[0]);
  } catch (thrown) {
    if (thrown instanceof ExactJsonError) return undefined;
    throw thrown;
  }
}

describe('the exact parser', () => {
  it('agrees with JSON.parse on any JSON but for the digits of long numbers, however it is spaced', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(0, 1, '\t', '\r\n'), (text, space) => {
        const spaced = JSON.stringify(JSON.parse(text), null, space);
        expect(inDoubles(parseDocuments(spaced))).toStrictEqual([JSON.parse(spaced)]);
      }),
      { seed: 1101, numRuns: 500 },
    );
  });

  it('agrees with it on what is none, for texts that are nearly JSON', () => {
    const pieces = fc.constantFrom(
      ...'{}[]:,"\\/ \n0123456789.-+eEtruefalsn'.split(''),
      '"a"',
      'true',
      '\\u00',
      '1e5',
      '\u0001',
      '\u00a0',
      '{"a":',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        const wanted = plain(text);
        const found = exact(text);
        // Several documents are refused by JSON.parse alone.
        const isBeyond = wanted === undefined && found !== undefined && parseDocuments(text).length > 1;
        expect(isBeyond ? undefined : found).toStrictEqual(wanted);
      }),
      { seed: 1102, numRuns: 3000 },
    );
  });

  it('knows of any integer, however long, whether a double equals it', () => {
    const integers = fc.oneof(
      fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }),
      fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }),
      // Doubles, their neighbours, and powers of ten, at which a digit is added in rounding.
      fc
        .tuple(fc.bigInt({ min: 0n, max: 2n ** 53n }), fc.nat(40), fc.integer({ min: -1, max: 1 }))
        .map(([n, shift, off]) => (n << BigInt(shift)) + BigInt(off)),
      fc.tuple(fc.nat(30), fc.integer({ min: -2, max: 2 })).map(([tens, off]) => 10n ** BigInt(tens) + BigInt(off)),
    );
    fc.assert(
      fc.property(integers, (integer) => {
        expect(isLongNumber(String(integer))).toBe(BigInt(Number(integer)) !== integer);
      }),
      { seed: 1103, numRuns: 3000 },
    );
  });

  it('keeps the digits of any integer, and gives them back as JSON', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: -(2n ** 90n), max: 2n ** 90n })), (integers) => {
        const text = `[${integers.join(',')}]`;
        const [parsed] = parseDocuments(text);
        const texts = (parsed as unknown[]).map((each) =>
          each instanceof LongNumber ? each.text : String(BigInt(each as number)),
        );
        expect(texts).toStrictEqual(integers.map(String));
      }),
      { seed: 1103 },
    );
    const text = '{"a":[9007199254740993,1e999,{"b":-18446744073709551615}],"c":"x","__proto__":0.5}';
    expect(jsonText(parseDocuments(text)[0])).toBe(text);
  });

  it('takes __proto__ for a key, and of a key that comes twice the last value', () => {
    for (const text of [
      '{"__proto__":{"x":1}}',
      '{"a":1,"b":2,"a":3}',
      '{"2":1,"1":2,"2":3}',
      '{"__proto__":1,"__proto__":2}',
    ]) {
      expect(jsonText(parseDocuments(text)[0])).toBe(JSON.stringify(JSON.parse(text)));
    }
    expect(Object.getPrototypeOf(parseDocuments('{"__proto__":{"x":1}}')[0])).toBe(Object.prototype);
  });

  it('takes any depth', () => {
    const depth = 200_000;
    const text = `${'['.repeat(depth)}9007199254740993${']'.repeat(depth)}`;
    expect(jsonText(parseDocuments(text)[0])).toBe(text);
  });

  it.each([
    ['[NaN]', true],
    ['{"a":-Infinity}', true],
    ['[nan]', true],
    ['[NaNa]', false],
    ['{"a":1,}', false],
    ['[1,]', false],
    ['{a:1}', false],
    ['"a\nb"', false],
    ['"\\x"', false],
    ['01', false],
    ['1.', false],
    ['.5', false],
    ['+1', false],
    ['', false],
    ['"', false],
    ["'a'", false],
  ])('refuses %j, and says whether it is a number that is none', (text, isNotFinite) => {
    expect(() => parseDocuments(text)).toThrow(expect.objectContaining({ name: 'ExactJsonError', isNotFinite }));
  });
});
