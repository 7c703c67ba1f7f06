import { describe, expect, it } from 'vitest';

import { decodeOne, RECEIVED_AT_MS, row, type Row } from './decode-rows.ts';

const AT = '2025-11-02T14:30:25.123Z';
const AT_MS = Date.parse(AT);

describe('a polling message', () => {
  it('becomes one value a tag, stamped with the message', () => {
    const { reason, rows, values } = decodeOne({
      timestamp: AT,
      plc_code: 'PLC01',
      tag_values: {
        D100: 12.5,
        M10: true,
        M11: false,
        S1: 'RUN',
        D101: null,
        D102: { value: 7, quality: 'BAD', timestamp: 1762093825124, unit: 'bar' },
      },
    });
    expect(reason).toBeUndefined();
    expect(rows).toStrictEqual([
      row('PLC01.D100', { number: 12.5, timeMs: AT_MS }),
      row('PLC01.M10', { number: 1, timeMs: AT_MS }),
      row('PLC01.M11', { number: 0, timeMs: AT_MS }),
      row('PLC01.S1', { text: 'RUN', timeMs: AT_MS }),
      row('PLC01.D101', { timeMs: AT_MS }),
      row('PLC01.D102', { number: 7, quality: 'BAD', timeMs: 1762093825124 }),
    ]);
    expect(values.tags[0]).toStrictEqual({ plcCode: 'PLC01', address: 'D100', name: 'PLC01.D100' });
    expect([...values.messageNos.subarray(0, 6)]).toStrictEqual([7, 7, 7, 7, 7, 7]);
    expect([...values.valueNos.subarray(0, 6)]).toStrictEqual([0, 1, 2, 3, 4, 5]);
    expect([...values.receivedAtMs.subarray(0, 6)]).toStrictEqual(Array.from({ length: 6 }, () => RECEIVED_AT_MS));
  });

  const ofD1: readonly (readonly [title: string, value: string, expected: Partial<Row>])[] = [
    ['a negative zero', '-0', { number: 0 }],
    ['an empty string', '""', { text: '' }],
    ['text like a number', '"NaN"', { text: 'NaN' }],
    ['the largest safe integer', '9007199254740991', { number: 9007199254740991 }],
    ['2^53, which a double holds', '9007199254740992', { number: 9007199254740992 }],
    ['2^53 + 1, which none does', '9007199254740993', { number: 9007199254740992, text: '9007199254740993' }],
    ['-(2^53 + 1)', '-9007199254740993', { number: -9007199254740992, text: '-9007199254740993' }],
    [
      'a long integer',
      '123456789012345678901234567890',
      { number: 1.2345678901234568e29, text: '123456789012345678901234567890' },
    ],
    ['an integer in exponents', '1e20', { number: 1e20 }],
    ['the largest double', '1.7976931348623157e308', { number: Number.MAX_VALUE }],
    ['too large a number', '1e999', { text: '1e999', problem: 'VALUE_NOT_FINITE' }],
    ['too small a number', '-1e999', { text: '-1e999', problem: 'VALUE_NOT_FINITE' }],
    ['an integer of 400 digits', '1'.repeat(400), { text: '1'.repeat(400), problem: 'VALUE_NOT_FINITE' }],
    ['an array', '[1,9007199254740993]', { text: '[1,9007199254740993]', problem: 'VALUE_NOT_SCALAR' }],
    ['an object without a value', '{"v":1}', { text: '{"v":1}', problem: 'VALUE_NOT_SCALAR' }],
    ['an object whose value is one', '{"value":{"a":1}}', { text: '{"a":1}', problem: 'VALUE_NOT_SCALAR' }],
    ['a null value with quality', '{"value":null,"quality":"BAD"}', { quality: 'BAD' }],
    [
      'a large integer in an object',
      '{"value":9007199254740993}',
      { number: 9007199254740992, text: '9007199254740993' },
    ],
    ['half a surrogate pair', String.raw`"a\ud800"`, { text: String.raw`"a\ud800"`, problem: 'TEXT_NOT_UNICODE' }],
    ['a whole surrogate pair', String.raw`"\ud83d\ude00"`, { text: '😀' }],
    ['text that imitates a marked number', String.raw`"\u00009007199254740993"`, { text: '\u00009007199254740993' }],
    ['unset time and quality', '{"value":1,"timestamp":null,"quality":null}', { number: 1 }],
    [
      'a bad time',
      '{"value":1,"timestamp":"2025-02-30T00:00:00.000Z"}',
      { number: 1, timeMs: Number.NaN, problem: 'BAD_TIMESTAMP' },
    ],
    [
      'a time of the wrong type',
      '{"value":1,"timestamp":true}',
      { number: 1, timeMs: Number.NaN, problem: 'BAD_TIMESTAMP' },
    ],
    [
      'too large a time',
      '{"value":1,"timestamp":9007199254740993}',
      { number: 1, timeMs: Number.NaN, problem: 'BAD_TIMESTAMP' },
    ],
    ['a quality that is a number', '{"value":1,"quality":192}', { number: 1, quality: '192' }],
    ['an empty quality', '{"value":1,"quality":""}', { number: 1 }],
    [
      'a quality as it is given',
      '{"value":1,"quality":"good, non-specific"}',
      { number: 1, quality: 'good, non-specific' },
    ],
    ['a quality of 65 bytes', `{"value":1,"quality":"${'é'.repeat(32)}x"}`, { number: 1, quality: 'é'.repeat(8) }],
    ['a quality of 64 bytes', `{"value":1,"quality":"${'é'.repeat(32)}"}`, { number: 1, quality: 'é'.repeat(32) }],
    ['a broken quality', String.raw`{"value":1,"quality":"\ude00"}`, { number: 1, quality: String.raw`"\ude00"` }],
    [
      'a quality that is an object',
      '{"value":1,"quality":{"a":9007199254740993}}',
      { number: 1, quality: '{"a":90071992547' },
    ],
    ['a quality of many digits', '{"value":1,"quality":9007199254740993}', { number: 1, quality: '9007199254740993' }],
    ['a text of a fixed length', String.raw`"RUN\u0000\u0000  \u0000"`, { text: 'RUN' }],
    ['a text of blanks', '"   "', { text: '' }],
    ['a text that begins with blanks', '"  RUN "', { text: '  RUN' }],
  ];

  it.each(ofD1)('takes %s', (_title, value, expected) => {
    // The neighbours must come out the same whatever stands between them.
    const { rows } = decodeOne(`{"plc_code":"P","tag_values":{"A":0.1,"D1":${value},"Z":"\\u0000z"}}`);
    expect(rows).toStrictEqual([row('P.A', { number: 0.1 }), row('P.D1', expected), row('P.Z', { text: '\0z' })]);
  });

  it('gives a bad time of the message to those values only that have none of their own', () => {
    const { rows, values } = decodeOne({
      timestamp: 'yesterday',
      quality: 5,
      plc_code: 'P',
      tag_values: { A: 1, B: { value: 2, timestamp: AT }, C: { value: 3, timestamp: AT, quality: 'BAD' } },
    });
    expect(rows).toStrictEqual([
      row('P.A', { number: 1, timeMs: Number.NaN, quality: '5', problem: 'BAD_TIMESTAMP' }),
      row('P.B', { number: 2, timeMs: AT_MS, quality: '5' }),
      row('P.C', { number: 3, timeMs: AT_MS, quality: 'BAD' }),
    ]);
    expect(values.problems[0]?.message).toContain('not "yesterday"');
  });

  it('passes its quality on to its values', () => {
    const { rows } = decodeOne({
      quality: 'UNCERTAIN',
      plc_code: 'P',
      tag_values: { A: 1, B: { value: 2, quality: 'GOOD' } },
    });
    expect(rows.map(({ quality }) => quality)).toStrictEqual(['UNCERTAIN', 'GOOD']);
  });

  it('shortens what it shows of a bad value', () => {
    const { values } = decodeOne({ plc_code: 'P', tag_values: { A: { value: 1, timestamp: 'x'.repeat(1_000_000) } } });
    expect(values.problems[0]?.message.length).toBeLessThan(250);
  });

  it('keeps tags with the names of object members apart from these', () => {
    const { rows } = decodeOne(
      '{"plc_code":"P","tag_values":{"__proto__":1,"constructor":{"value":2},"toString":3,"length":4}}',
    );
    expect(rows).toStrictEqual([
      row('P.__proto__', { number: 1 }),
      row('P.constructor', { number: 2 }),
      row('P.toString', { number: 3 }),
      row('P.length', { number: 4 }),
    ]);
  });

  it('takes no time, quality or value from a prototype that the payload names', () => {
    const { rows } = decodeOne('{"plc_code":"P","tag_values":{"A":{"__proto__":{"value":1,"quality":"BAD"}}}}');
    expect(rows).toStrictEqual([
      row('P.A', { text: '{"__proto__":{"value":1,"quality":"BAD"}}', problem: 'VALUE_NOT_SCALAR' }),
    ]);
  });

  it('counts the last of a key that comes twice', () => {
    const { rows } = decodeOne('{"plc_code":"P","tag_values":{"A":9007199254740993,"B":1,"A":2,"A":9007199254740995}}');
    expect(rows).toStrictEqual([
      row('P.A', { number: 9007199254740996, text: '9007199254740995' }),
      row('P.B', { number: 1 }),
    ]);
  });

  it('marks tags without a name or with a broken one', () => {
    const { rows } = decodeOne(String.raw`{"plc_code":"P","tag_values":{"":1,"\ud800":2,"C":3}}`);
    expect(rows).toStrictEqual([
      row('P.', { number: 1, problem: 'TAG_NAME_EMPTY' }),
      row(String.raw`"P.\ud800"`, { number: 2, problem: 'TAG_NAME_NOT_UNICODE' }),
      row('P.C', { number: 3 }),
    ]);
  });

  it('may have no values', () => {
    expect(decodeOne({ plc_code: 'P', tag_values: {} })).toMatchObject({ reason: undefined, rows: [] });
  });

  it.each([
    ['"PLC9"', 'plc/1/tags', 'PLC9.A'],
    ['"PLC9"', 'line/4/tags', 'PLC9.A'],
    ['17', 'line/4/tags', '17.A'],
    ['9007199254740993', 'plc/1/tags', '9007199254740993.A'],
    ['""', 'line/4/tags', '4.A'],
    ['null', 'line/4/tags', '4.A'],
  ])('with the plc_code %s on %s has the tag %s', (plcCode, topic, name) => {
    expect(decodeOne(`{"plc_code":${plcCode},"tag_values":{"A":1}}`, topic).rows).toStrictEqual([
      row(name, { number: 1 }),
    ]);
  });

  it('without a plc_code takes it from the topic', () => {
    expect(decodeOne({ tag_values: { A: 1 } }, 'line/4/tags').rows).toStrictEqual([row('4.A', { number: 1 })]);
  });

  it.each([
    [' ', 'INVALID_JSON'],
    ['{"tag_values":{"A":1}', 'INVALID_JSON'],
    ['{"plc_code":"P","tag_values":{"A":NaN}}', 'INVALID_JSON'],
    ['null', 'NOT_AN_OBJECT'],
    ['[]', 'NOT_AN_OBJECT'],
    ['12', 'NOT_AN_OBJECT'],
    ['{"plc_code":"P"}', 'TAG_VALUES_MISSING'],
    ['{"plc_code":"P","tag_values":null}', 'TAG_VALUES_MISSING'],
    ['{"plc_code":"P","tag_values":[1]}', 'TAG_VALUES_MISSING'],
    ['{"tag_values":{"A":1}}', 'PLC_CODE_MISSING'],
    ['{"plc_code":"","tag_values":{"A":1}}', 'PLC_CODE_MISSING'],
    [String.raw`{"plc_code":"\u0000 \u0000","tag_values":{"A":1}}`, 'PLC_CODE_MISSING'],
    ['{"plc_code":{},"tag_values":{"A":1}}', 'PLC_CODE_INVALID'],
    ['{"plc_code":false,"tag_values":{"A":1}}', 'PLC_CODE_INVALID'],
  ])('is undecodable as %s: %s', (payload, code) => {
    const { reason, values } = decodeOne(payload);
    expect(reason?.code).toBe(code);
    expect(values.length).toBe(0);
  });

  it('takes the padding off its PLC code', () => {
    const padded = String.raw`{"plc_code":"P1\u0000\u0000","tag_values":{"A":1}}`;
    expect(decodeOne(padded).rows).toStrictEqual([row('P1.A', { number: 1 })]);
    const blank = '{"plc_code":"    ","tag_values":{"A":1}}';
    expect(decodeOne(blank, 'line/L1/tags').rows).toStrictEqual([row('L1.A', { number: 1 })]);
  });

  it('says where the JSON is broken', () => {
    expect(decodeOne('{"a":1 "b":2}').reason?.message).toContain('position 7');
  });

  it('is undecodable when it is not UTF-8, and read when it begins with a byte order mark', () => {
    const json = '{"plc_code":"Ä","tag_values":{"A":1}}';
    expect(decodeOne(Buffer.from(json, 'latin1')).reason?.code).toBe('INVALID_UTF8');
    expect(decodeOne(`\uFEFF${json}`).rows).toStrictEqual([row('Ä.A', { number: 1 })]);
  });
});
