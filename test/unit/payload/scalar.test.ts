import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createDecoder } from '../../../src/payload/decoder.ts';
import { decodeOne, row, type Row } from './decode-rows.ts';

const TOPIC = 'plant/press1/temperature';

describe('a scalar message', () => {
  const cases: readonly (readonly [payload: string, expected: Partial<Row>])[] = [
    ['12.5', { number: 12.5 }],
    [' 12.5\r\n', { number: 12.5 }],
    ['-1.5e3', { number: -1500 }],
    ['-0', { number: 0 }],
    ['0', { number: 0 }],
    ['true', { number: 1 }],
    ['false', { number: 0 }],
    ['null', {}],
    ['  \n', {}],
    ['RUN', { text: 'RUN' }],
    ['  two words  ', { text: 'two words' }],
    ['"12.5"', { text: '12.5' }],
    ['""', { text: '' }],
    [String.raw`"a\nb"`, { text: 'a\nb' }],
    [String.raw`"\ud800"`, { text: String.raw`"\ud800"`, problem: 'TEXT_NOT_UNICODE' }],
    [String.raw`C:\users`, { text: String.raw`C:\users` }],
    ['"open', { text: '"open' }],
    ['{open', { text: '{open' }],
    ['[open', { text: '[open' }],
    ['NaN', { text: 'NaN' }],
    ['Infinity', { text: 'Infinity' }],
    ['TRUE', { text: 'TRUE' }],
    ['007', { text: '007' }],
    ['+12.5', { number: 12.5 }],
    ['+5', { number: 5 }],
    ['.5', { number: 0.5 }],
    ['-.5', { number: -0.5 }],
    ['+.5e1', { number: 5 }],
    ['+9007199254740993', { number: 9007199254740992, text: '9007199254740993' }],
    ['+1e999', { text: '1e999', problem: 'VALUE_NOT_FINITE' }],
    ['+007', { text: '+007' }],
    ['+', { text: '+' }],
    ['.', { text: '.' }],
    ['+-5', { text: '+-5' }],
    ['5.', { text: '5.' }],
    ['12.5\0', { number: 12.5 }],
    ['12.5\r\n\0\0', { number: 12.5 }],
    ['RUN\0\0\0', { text: 'RUN' }],
    ['RUN   \0\0', { text: 'RUN' }],
    ['true\0', { number: 1 }],
    ['\0\0\0\0', {}],
    ['A\0B\0', { text: 'A\0B' }],
    [String.raw`"RUN\u0000  "`, { text: 'RUN' }],
    [String.raw`{"value":"RUN\u0000","quality":"BAD"}`, { text: 'RUN', quality: 'BAD' }],
    ['0x10', { text: '0x10' }],
    ['1,5', { text: '1,5' }],
    ['9007199254740993', { number: 9007199254740992, text: '9007199254740993' }],
    ['1e999', { text: '1e999', problem: 'VALUE_NOT_FINITE' }],
    ['[1,9007199254740993]', { text: '[1,9007199254740993]', problem: 'VALUE_NOT_SCALAR' }],
    ['{"a":1}', { text: '{"a":1}', problem: 'VALUE_NOT_SCALAR' }],
    [
      '{"value":9007199254740993,"quality":"BAD"}',
      { number: 9007199254740992, text: '9007199254740993', quality: 'BAD' },
    ],
    ['{"value":"x","timestamp":"2025-11-02T14:30:25Z"}', { text: 'x', timeMs: Date.UTC(2025, 10, 2, 14, 30, 25) }],
    ['{"value":1,"timestamp":"soon"}', { number: 1, timeMs: Number.NaN, problem: 'BAD_TIMESTAMP' }],
  ];

  it.each(cases)('%j becomes one value', (payload, expected) => {
    expect(decodeOne(payload, TOPIC)).toMatchObject({ reason: undefined, rows: [row('press1.temperature', expected)] });
  });

  it('takes the levels of its topic for plc code and address', () => {
    expect(decodeOne('1', TOPIC).values.tags[0]).toStrictEqual({
      plcCode: 'press1',
      address: 'temperature',
      name: 'press1.temperature',
    });
  });

  it('must have a plc code where the name of the tag has one', () => {
    const { reason, values } = decodeOne('1', 'plant//temperature');
    expect([reason?.code, values.length]).toEqual(['PLC_CODE_MISSING', 0]);
    const decoder = (plcCode: string, name: string) =>
      createDecoder([{ topic: '#', format: 'scalar', plcCode, tagAddress: '{3}' }], name);
    expect(decodeOne('1', 'a/b/c', decoder('', '{plc}.{tag}')).reason?.code).toBe('PLC_CODE_MISSING');
    expect(decodeOne('1', 'a//c', decoder('{2}', '{tag}')).reason?.code).toBe('PLC_CODE_MISSING');
    expect(decodeOne('1', 'a/b/c', decoder('{2}', '{tag}')).rows).toStrictEqual([row('c', { number: 1 })]);
  });

  it('may have no plc code, but must have an address', () => {
    const routes = [{ topic: 'a/#', format: 'scalar', plcCode: '', tagAddress: '{3}' }] as const;
    const decoder = createDecoder(routes, '{tag}');
    expect(decodeOne('1', 'a/b/c', decoder).rows).toStrictEqual([row('c', { number: 1 })]);
    expect(decodeOne('1', 'a/b', decoder).rows).toStrictEqual([row('', { number: 1, problem: 'TAG_NAME_EMPTY' })]);
  });

  it('is undecodable when it is not UTF-8', () => {
    const { reason, values } = decodeOne(Buffer.from([0x31, 0xff]), TOPIC);
    expect(reason?.code).toBe('INVALID_UTF8');
    expect(values.length).toBe(0);
  });

  it('is one value whatever the text, and a problem only by escapes and large numbers', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'grapheme', minLength: 1 }), fc.json()), (payload) => {
        const { reason, rows } = decodeOne(payload, TOPIC);
        expect(reason).toBeUndefined();
        expect(rows).toHaveLength(1);
      }),
    );
  });
});
