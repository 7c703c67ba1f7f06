import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { JsonSyntaxError, parseJson } from '../../../src/config/json-reader.ts';

function failureOf(text: string): JsonSyntaxError {
  try {
    parseJson(text);
  } catch (thrown) {
    if (thrown instanceof JsonSyntaxError) return thrown;
    throw thrown;
  }
  throw new Error('was read without an error');
}

function outcomeOf(parse: (text: string) => unknown, text: string): unknown {
  try {
    return { value: parse(text) };
  } catch (thrown) {
    return thrown instanceof JsonSyntaxError && thrown.message.includes('a second time') ? 'named twice' : 'refused';
  }
}

describe('parseJson', () => {
  it('reads what JSON.parse reads, to the same value', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('refuses what JSON.parse refuses, and takes what it takes', () => {
    const damaged = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', '{', '"', ',', ':', '\\', '\u0000', '0', 'e'))
      .map(([text, n, piece]) => {
        const at = n % (text.length + 1);
        return text.slice(0, at) + piece + text.slice(at + 1);
      });
    fc.assert(
      fc.property(damaged, (text) => {
        const outcome = outcomeOf(parseJson, text);
        fc.pre(outcome !== 'named twice' && !text.includes('/'));
        expect(outcome).toEqual(outcomeOf(JSON.parse, text));
      }),
    );
  });

  it.each([
    ['a line comment', '{ // why "a": 1\n "a": 2 }'],
    ['a line comment at the end', '{"a": 2} // end'],
    ['a block comment', '/* one\n two **/ { "a" /**/ : 2 }'],
    ['a byte order mark', '\uFEFF{"a":2}'],
    ['comment signs inside text', '{"a":2}'],
  ])('passes over %s', (_what, text) => {
    expect(parseJson(text)).toEqual({ a: 2 });
  });

  it('leaves comment signs in text alone', () => {
    expect(parseJson(String.raw`{"url": "mqtt://h", "b": "/* no */", "c": "\" // no"}`)).toEqual({
      url: 'mqtt://h',
      b: '/* no */',
      c: '" // no',
    });
  });

  it.each([
    ['', 1, 1, 'ends before'],
    ['{\n  "a": 1,\n}', 3, 1, 'expected a key'],
    ['{"a" 1}', 1, 6, 'expected :'],
    ['{"a": 1 "b": 2}', 1, 9, 'expected , or }'],
    ['[1 2]', 1, 4, 'expected , or ]'],
    ['{\r\n"a": hunter2\r\n}', 2, 6, 'expected a value'],
    ['{"a": "hunter2\n"}', 1, 7, 'not closed on its line'],
    ['{"a": "hun\\ter\\2"}', 1, 7, 'begins no escape'],
    ['{"a": 1} x', 1, 10, 'nothing may follow'],
    ['{"a": 1, "a": 2}', 1, 10, 'a second time'],
    ['/* open', 1, 1, 'not closed'],
    ['{"a": 01}', 1, 8, 'expected , or }'],
    ["{'a': 1}", 1, 2, 'expected a key'],
    ['[NaN]', 1, 2, 'expected a value'],
    ['"\\', 1, 1, 'not closed'],
  ])('says where %j goes wrong', (text, line, column, message) => {
    const failure = failureOf(text);
    expect([failure.line, failure.column]).toEqual([line, column]);
    expect(failure.message).toContain(message);
    expect(failure.message).not.toContain('hun');
  });

  it('takes __proto__ for a key like any other', () => {
    const read = parseJson('{"__proto__": {"polluted": true}}') as Record<string, unknown>;
    expect(Object.keys(read)).toEqual(['__proto__']);
    expect(read['polluted']).toBeUndefined();
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('refuses a document nested without end instead of running out of stack', () => {
    expect(failureOf('['.repeat(100_000)).message).toContain('nested deeper');
  });
});
