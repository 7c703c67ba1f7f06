import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { TagValues } from '../../../src/core/tag-values.ts';
import { createDecoder, type Route, type StoredMessages } from '../../../src/payload/decoder.ts';
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

  it('reads by other routes from the next message on, and by a former one what no present one takes in', () => {
    const scalar = (topic: string, plcCode: string) =>
      ({ topic, format: 'scalar', plcCode, tagAddress: '{2}' }) as const;
    const decoder = createDecoder([scalar('a/+', 'old'), scalar('b/+', 'old')], '{plc}.{tag}');
    const nameOn = (topic: string): string | undefined => decodeOne('1', topic, decoder).rows[0]?.name;
    expect([nameOn('a/x'), nameOn('b/x'), nameOn('c/x')]).toEqual(['old.x', 'old.x', undefined]);
    decoder.useRoutes([scalar('c/+', 'new'), scalar('a/+', 'new')]);
    expect([nameOn('a/x'), nameOn('b/x'), nameOn('c/x')]).toEqual(['new.x', 'old.x', 'new.x']);
    decoder.useRoutes([scalar('#', 'all')]);
    expect([nameOn('a/x'), nameOn('b/x')]).toEqual(['all.x', 'all.x']);
    decoder.useRoutes([]);
    expect([nameOn('a/x'), nameOn('b/x')]).toEqual(['all.x', 'all.x']);
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
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), topics, (bytes, topic) => {
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
      row('P.B', { text: deep, problem: 'VALUE_NOT_SCALAR' }),
      row('P.C', { number: 9007199254740992, text: '9007199254740993' }),
    ]);
    expect(decodeOne(deep, 'plant/a/b').rows).toStrictEqual([row('a.b', { text: deep, problem: 'VALUE_NOT_SCALAR' })]);
    expect(decodeOne(deep).reason?.code).toBe('NOT_AN_OBJECT');
  });

  it('do not multiply: what is kept of a message is not many times the message', () => {
    const tags = (value: string, length = 1000): string =>
      Array.from({ length }, (_, i) => `"t${i}":${value}`).join(',');
    const long = 'x'.repeat(100_000);
    const deep = '['.repeat(10_000) + ']'.repeat(10_000);
    const documents = {
      'a long PLC code': `{"plc_code":"${long}","tag_values":{${tags('1')}}}`,
      'a long quality': `{"plc_code":"P","quality":"${long}","tag_values":{${tags('1')}}}`,
      'a long quality that is no text': `{"plc_code":"P","quality":["${long}"],"tag_values":{${tags('1')}}}`,
      'a long time': `{"plc_code":"P","timestamp":"${long}","tag_values":{${tags('1')}}}`,
      'deep values': `{"plc_code":"P","tag_values":{${tags(deep, 30)}}}`,
    };
    for (const [what, json] of Object.entries(documents)) {
      const { rows, values } = decodeOne(json);
      let characters = 0;
      for (const [i, { name, text, quality }] of rows.entries()) {
        const { address, plcCode } = values.tags[i]!;
        const reason = values.problems[i]?.message ?? '';
        characters +=
          name.length + address.length + plcCode.length + quality.length + reason.length + (text?.length ?? 0);
      }
      const isMore = characters > 3 * json.length + 300 * rows.length;
      expect({ what, isMore }).toEqual({ what, isMore: false });
    }
    expect(decodeOne(documents['a long PLC code']).reason?.code).toBe('PLC_CODE_TOO_LONG');
    expect(decodeOne(`{"tag_values":{"a":1}}`, `line/${long.slice(0, 256)}/tags`).reason?.code).toBe(
      'PLC_CODE_TOO_LONG',
    );
    expect(decodeOne(`{"tag_values":{"a":1}}`, `line/${long.slice(0, 255)}/tags`).rows).toHaveLength(1);
    expect(decodeOne(documents['a long quality']).rows[0]).toMatchObject({ quality: long.slice(0, 16) });
  });

  it('whose tags have the names of what objects have anyway are tags like others', () => {
    const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'then'];
    const json = `{"plc_code":"__proto__","tag_values":{${names.map((name, i) => `"${name}":${i}`).join(',')}}}`;
    expect(decodeOne(json).rows).toStrictEqual(names.map((name, i) => row(`__proto__.${name}`, { number: i })));
    const inherited = '{"__proto__":{"plc_code":"P","tag_values":{"a":1}}}';
    expect(decodeOne(inherited).reason?.code).toBe('TAG_VALUES_MISSING');
    const value = '{"plc_code":"P","tag_values":{"a":{"__proto__":{"value":7}}}}';
    expect(decodeOne(value).rows[0]).toMatchObject({ problem: 'VALUE_NOT_SCALAR' });
    expect(({} as Record<string, unknown>)['value']).toBeUndefined();
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

describe('retained messages', () => {
  const routes = [
    { topic: 'plant/+/+', format: 'scalar', plcCode: '{2}', tagAddress: '{3}' },
    { topic: 'skip/+/+', format: 'scalar', plcCode: '{2}', tagAddress: '{3}', retained: 'skip' },
    { topic: 'plc/+/tags', format: 'polling', plcCode: '', tagAddress: '' },
  ] as const satisfies readonly Route[];

  /** A decoder, and what it has told of the messages; `known` are the topics whose last bytes are those that come. */
  function decoderWith(...known: string[]) {
    const told: string[] = [];
    const stored: StoredMessages = {
      has: ({ topic }) => known.includes(topic),
      note: ({ topic }) => void told.push(`stored ${topic}`),
      forget: (topic) => void told.push(`not stored ${topic}`),
    };
    const decoder = createDecoder(routes, '{plc}.{tag}', { stored });
    const outcome = (topic: string, payload: string, retained: boolean): string => {
      const { reason, rows, skipped } = decodeOne(payload, topic, decoder, retained);
      return skipped ? 'skipped' : (reason?.code ?? `${rows.length}`);
    };
    return { decoder, outcome, told };
  }

  it('are skipped where they are stored already, and live ones never', () => {
    const { outcome, told } = decoderWith('plant/a/b');
    expect(outcome('plant/a/b', '1', true)).toBe('skipped');
    expect(outcome('plant/a/b', '1', false)).toBe('1');
    expect(outcome('plant/a/c', '1', true)).toBe('1');
    expect(told).toEqual(['stored plant/a/b', 'stored plant/a/c']);
  });

  it('are skipped where the subscription wants none', () => {
    const { outcome, told } = decoderWith();
    expect(outcome('skip/a/b', '1', true)).toBe('skipped');
    expect(outcome('skip/a/b', '1', false)).toBe('1');
    expect(told).toEqual(['stored skip/a/b']);
  });

  it('are not stored where they gave no values', () => {
    const { outcome, told } = decoderWith();
    expect(outcome('plc/1/tags', '{', true)).toBe('INVALID_JSON');
    expect(outcome('plc/1/tags', '{"plc_code":"P","tag_values":{}}', true)).toBe('0');
    expect(outcome('plc/1/tags', '', false)).toBe('skipped');
    expect(outcome('elsewhere', '1', true)).toBe('NO_ROUTE');
    expect(told).toEqual([...Array.from({ length: 3 }, () => 'not stored plc/1/tags'), 'not stored elsewhere']);
  });

  it('are not asked for when it is asked whether a payload has a time of its own', () => {
    const { decoder, told } = decoderWith();
    const json = '{"plc_code":"P","timestamp":1762093825123,"tag_values":{"A":1}}';
    expect(decoder.hasOwnTime('plc/1/tags', Buffer.from(json))).toBe(true);
    expect(decoder.hasOwnTime('plc/1/tags', Buffer.from(''))).toBe(false);
    expect(told).toEqual([]);
  });
});

describe('the filters that brought no message', () => {
  const message = (topic: string) => ({ number: 1, topic, payload: Buffer.from('1'), receivedAtMs: 0 });
  const scalar = (topic: string) => ({ topic, format: 'scalar', plcCode: '{1}', tagAddress: '{2}' }) as const;

  it('are those of present routes, known over a change of these', () => {
    const decoder = createDecoder([scalar('a/+'), scalar('b/+')], '{plc}.{tag}');
    const before = decoder.silentFilters();
    decoder.decode(message('a/1'), new TagValues(1));
    const after = decoder.silentFilters();
    decoder.useRoutes([scalar('a/+'), scalar('c/+')]);
    expect([before, after, decoder.silentFilters()]).toEqual([['a/+', 'b/+'], ['b/+'], ['c/+']]);
    expect(decoder.routeOf('c/7')?.topic).toBe('c/+');
    expect(decoder.routeOf('d/7')).toBeUndefined();
  });
});
