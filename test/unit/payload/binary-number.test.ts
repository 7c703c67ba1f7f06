import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createDecoder, type Route } from '../../../src/payload/decoder.ts';
import { BINARY_TYPE_NAMES, binaryTypeBytes, type BinaryTypeName } from '../../../src/payload/binary-number.ts';
import type { ScalarOptions } from '../../../src/payload/scalar.ts';
import { decodeOne, row } from './decode-rows.ts';

const TOPIC = 'plant/press1/temperature';

function decodeBinary(bytes: readonly number[] | Buffer, options: Partial<ScalarOptions>) {
  const route = { topic: '#', format: 'scalar', plcCode: '{2}', tagAddress: '{3}', scalar: options } as const;
  return decodeOne(Buffer.from(bytes), TOPIC, createDecoder([route satisfies Route], '{plc}.{tag}'));
}

describe('a scalar message that is a binary number', () => {
  // 12.5 is 41 48 00 00 and 1 is 3f f0 …; a double that is no integer has no digits to keep.
  const cases: readonly (readonly [name: BinaryTypeName, bytes: readonly number[], number: number, text?: string])[] = [
    ['int8', [0xff], -1],
    ['uint8', [0xff], 255],
    ['int16be', [0xff, 0xfe], -2],
    ['int16le', [0xfe, 0xff], -2],
    ['uint16be', [0x01, 0x02], 258],
    ['uint16le', [0x01, 0x02], 513],
    ['int32be', [0x80, 0, 0, 0], -2_147_483_648],
    ['int32le', [0, 0, 0, 0x80], -2_147_483_648],
    ['uint32be', [0x80, 0, 0, 0], 2_147_483_648],
    ['uint32le', [0, 0, 0, 0x80], 2_147_483_648],
    ['int64be', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], -1],
    ['int64be', [0, 0x20, 0, 0, 0, 0, 0, 1], 9_007_199_254_740_992, '9007199254740993'],
    ['int64le', [1, 0, 0, 0, 0, 0, 0x20, 0], 9_007_199_254_740_992, '9007199254740993'],
    ['uint64be', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 2 ** 64, '18446744073709551615'],
    ['uint64le', [1, 0, 0, 0, 0, 0, 0, 0], 1],
    ['float32be', [0x41, 0x48, 0, 0], 12.5],
    ['float32le', [0, 0, 0x48, 0x41], 12.5],
    ['float32be', [0x80, 0, 0, 0], 0],
    ['float64be', [0x3f, 0xf0, 0, 0, 0, 0, 0, 0], 1],
    ['float64le', [0, 0, 0, 0, 0, 0, 0xf0, 0x3f], 1],
    ['float64be', [0x7f, 0xef, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Number.MAX_VALUE],
  ];

  it.each(cases.map((each) => [each[0], each[1], each[2], each[3] ?? null] as const))(
    'of type %s in %j is %d',
    (binary, bytes, number, text) => {
      expect(decodeBinary(bytes, { binary }).rows).toStrictEqual([row('press1.temperature', { number, text })]);
    },
  );

  it('has its words swapped, and not the bytes in them', () => {
    const swapped = (binary: BinaryTypeName, bytes: readonly number[]): number =>
      decodeBinary(bytes, { binary, wordSwap: true }).rows[0]!.number;
    expect(swapped('float32be', [0, 0, 0x41, 0x48])).toBe(12.5);
    expect(swapped('float32le', [0x48, 0x41, 0, 0])).toBe(12.5);
    expect(swapped('uint32be', [0x00, 0x02, 0x00, 0x01])).toBe(0x0001_0002);
    expect(swapped('int64be', [0, 4, 0, 3, 0, 2, 0, 1])).toBe(0x0001_0002_0003_0004);
    expect(swapped('uint16be', [1, 2])).toBe(258);
    expect(swapped('uint8', [7])).toBe(7);
  });

  it('is rejected where it is no finite number', () => {
    const { rows } = decodeBinary([0x7f, 0xc0, 0, 0], { binary: 'float32be' });
    expect(rows).toStrictEqual([row('press1.temperature', { text: 'NaN', problem: 'VALUE_NOT_FINITE' })]);
    const { rows: infinite } = decodeBinary([0xff, 0x80, 0, 0], { binary: 'float32be' });
    expect(infinite).toStrictEqual([row('press1.temperature', { text: '-Infinity', problem: 'VALUE_NOT_FINITE' })]);
  });

  it('is undecodable where it has another length', () => {
    const { reason, values } = decodeBinary([1, 2, 3], { binary: 'float32be' });
    expect(reason).toStrictEqual({
      code: 'BINARY_LENGTH',
      message: 'the payload has 3 bytes, and a number of type float32be has 4',
    });
    expect(values.length).toBe(0);
  });

  it('comes back from its bytes in each type and order, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...BINARY_TYPE_NAMES),
        fc.boolean(),
        fc.uint8Array({ minLength: 8, maxLength: 8 }),
        (binary, wordSwap, random) => {
          const bytes = Buffer.from(random.slice(0, binaryTypeBytes(binary)));
          const { reason, rows } = decodeBinary(bytes, { binary, wordSwap });
          expect(reason).toBeUndefined();
          // The same number in the other order of bytes has the same value.
          const other = /[bl]e$/.test(binary)
            ? (binary.replace(/[bl]e$/, binary.endsWith('be') ? 'le' : 'be') as BinaryTypeName)
            : binary;
          const reversed = Buffer.from(bytes).reverse();
          expect(decodeBinary(reversed, { binary: other, wordSwap }).rows).toStrictEqual(rows);
        },
      ),
    );
  });
});

describe('an empty scalar message', () => {
  const decodeEmpty = (options: Partial<ScalarOptions> | undefined, retained = false) => {
    const route = { topic: '#', format: 'scalar', plcCode: '{2}', tagAddress: '{3}', scalar: options } as const;
    return decodeOne(Buffer.alloc(0), TOPIC, createDecoder([route], '{plc}.{tag}'), retained);
  };

  it('is no value', () => {
    expect(decodeEmpty(undefined).skipped).toBe(true);
    expect(decodeEmpty({ binary: 'int16be' }).skipped).toBe(true);
  });

  it('is NULL where the subscription says so, and never where it was retained', () => {
    expect(decodeEmpty({ empty: 'null' }).rows).toStrictEqual([row('press1.temperature', {})]);
    expect(decodeEmpty({ empty: 'null', binary: 'int16be' }).rows).toStrictEqual([row('press1.temperature', {})]);
    expect(decodeEmpty({ empty: 'null' }, true).skipped).toBe(true);
  });
});
