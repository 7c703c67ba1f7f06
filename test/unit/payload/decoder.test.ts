import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { TagValues } from '../../../src/core/tag-values.ts';
import { createDecoder } from '../../../src/payload/decoder.ts';
import { decodeOne, row, ROUTES } from './decode-rows.ts';

describe('createDecoder', () => {
  it('reads a topic by the first route that matches it', () => {
    const decoder = createDecoder(
      [
        { topic: 'a/special', format: 'scalar', plcCode: 'S', tagAddress: '{2}' },
        { topic: '$share/group/a/#', format: 'scalar', plcCode: 'L{1}', tagAddress: '{2}-{9}{x}' },
      ],
      '{plc}/{tag}',
    );
    expect(decodeOne('1', 'a/special', decoder).rows).toStrictEqual([row('S/special', { number: 1 })]);
    expect(decodeOne('1', 'a/other', decoder).rows).toStrictEqual([row('La/other-{x}', { number: 1 })]);
  });

  it('says that no route matches, again and again', () => {
    const decoder = createDecoder(ROUTES, '{tag}');
    for (const topic of ['other', 'other', 'x'.repeat(2_000)]) {
      const { reason, values } = decodeOne('1', topic, decoder);
      expect(reason?.code).toBe('NO_ROUTE');
      expect(values.length).toBe(0);
    }
  });

  it('gives the values of one tag the same tag object', () => {
    const decoder = createDecoder(ROUTES, '{plc}.{tag}');
    const first = decodeOne({ plc_code: 'P', tag_values: { A: 1, B: 2 } }, 'plc/1/tags', decoder);
    const second = decodeOne({ plc_code: 'P', tag_values: { B: 2, A: 1 } }, 'plc/2/tags', decoder);
    expect(second.values.tags[1]).toBe(first.values.tags[0]);
    expect(second.values.tags[0]).toBe(first.values.tags[1]);
  });

  it('names tags right whatever came before', () => {
    const decoder = createDecoder(ROUTES, '{plc}.{tag}');
    const messages = fc.record({
      plc: fc.constantFrom('P', 'Q', 'R'),
      keys: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', '1', '2', '__proto__'), { maxLength: 7 }),
    });
    fc.assert(
      fc.property(messages, ({ plc, keys }) => {
        const json = `{"plc_code":"${plc}","tag_values":{${keys.map((key, i) => `"${key}":${i}`).join(',')}}}`;
        const { rows } = decodeOne(json, 'plc/1/tags', decoder);
        const found = new Map(rows.map(({ name, number }) => [name, number]));
        expect(rows).toHaveLength(keys.length);
        expect(found).toStrictEqual(new Map(keys.map((key, i) => [`${plc}.${key}`, i])));
      }),
    );
  });

  it('decodes into a list that was used before', () => {
    const decoder = createDecoder(ROUTES, '{plc}.{tag}');
    const into = new TagValues(1);
    const send = (payload: string): void => {
      into.clear();
      decoder.decode({ number: 1, topic: 'plc/1/tags', payload: Buffer.from(payload), receivedAtMs: 0 }, into);
    };
    send('{"plc_code":"P","tag_values":{"A":[1],"B":"text"}}');
    send('{"plc_code":"P","tag_values":{"A":1}}');
    expect([into.length, into.numbers[0], into.texts[0], into.problems[0]]).toStrictEqual([1, 1, null, undefined]);
  });
});

describe('hostile payloads', () => {
  const topics = fc.constantFrom('plc/1/tags', 'line/1/tags', 'plant/a/b', 'other');

  it('of any bytes neither throw nor leave half a message', () => {
    const decoder = createDecoder(ROUTES, '{plc}.{tag}');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), topics, (bytes, topic) => {
        const { reason, values } = decodeOne(Buffer.from(bytes), topic, decoder);
        expect(reason === undefined || values.length === 0).toBe(true);
      }),
    );
  });

  it('of any JSON neither throw nor leave half a message', () => {
    const decoder = createDecoder(ROUTES, '{plc}.{tag}');
    const near = fc.record(
      { plc_code: fc.jsonValue(), timestamp: fc.jsonValue(), quality: fc.jsonValue(), tag_values: fc.jsonValue() },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), near), topics, (document, topic) => {
        const { reason, values } = decodeOne(JSON.stringify(document), topic, decoder);
        expect(reason === undefined || values.length === 0).toBe(true);
      }),
    );
  });

  it('nested 100,000 deep harm no other value', () => {
    const deep = `${'['.repeat(100_000)}9007199254740993${']'.repeat(100_000)}`;
    const json = `{"plc_code":"P","tag_values":{"A":1,"B":${deep},"C":9007199254740993}}`;
    expect(decodeOne(json).rows).toStrictEqual([
      row('P.A', { number: 1 }),
      row('P.B', { text: json, problem: 'VALUE_NOT_SCALAR' }),
      row('P.C', { number: 9007199254740992, text: '9007199254740993' }),
    ]);
    expect(decodeOne(deep, 'plant/a/b').rows).toStrictEqual([row('a.b', { text: deep, problem: 'VALUE_NOT_SCALAR' })]);
    expect(decodeOne(deep).reason?.code).toBe('NOT_AN_OBJECT');
  });

  it('with texts, names and numbers of a megabyte are taken whole', () => {
    const long = 'ä'.repeat(500_000);
    const digits = '7'.repeat(1_000_000);
    const json = `{"plc_code":"P","tag_values":{"A":"${long}","${long}":1,"B":${digits}}}`;
    expect(decodeOne(json).rows).toStrictEqual([
      row('P.A', { text: long }),
      row(`P.${long}`, { number: 1 }),
      row('P.B', { text: digits, problem: 'VALUE_NOT_FINITE' }),
    ]);
    expect(decodeOne(digits, 'plant/a/b').rows[0]?.problem).toBe('VALUE_NOT_FINITE');
    expect(decodeOne(long, 'plant/a/b').rows[0]?.text).toBe(long);
  });

  it('with more tags than are remembered are taken whole, and so is what follows', () => {
    const decoder = createDecoder(ROUTES, '{plc}.{tag}');
    const keys = Array.from({ length: 150_000 }, (_, i) => `t${i}`);
    const json = `{"plc_code":"P","tag_values":{${keys.map((key, i) => `"${key}":${i}`).join(',')}}}`;
    for (let round = 0; round < 2; round += 1) {
      const { rows } = decodeOne(json, 'plc/1/tags', decoder);
      expect(rows).toHaveLength(150_000);
      expect(rows.filter(({ name, number }) => name !== `P.t${number}`)).toStrictEqual([]);
    }
  });
});
