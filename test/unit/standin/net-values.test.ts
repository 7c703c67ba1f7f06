import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OraError, Timestamp } from '../../support/standin/engine/types.ts';
import { DateDecoder, encodeDate } from '../../support/standin/net/oracle-date.ts';
import { StringCache } from '../../support/standin/net/string-cache.ts';
import {
  type BindType,
  decodeShort,
  encodeBinary,
  OracleType,
  readValue,
  skipValue,
} from '../../support/standin/net/values.ts';
import { Reader, Writer } from '../../support/standin/net/wire.ts';

function bind(type: number): BindType {
  return { type, maxBytes: 22, national: false };
}

describe('binary numbers', () => {
  it('gives back every double but NaN bit by bit', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (value) => {
        const bytes = Buffer.from(encodeBinary(value, false));
        expect(decodeShort(bind(OracleType.binaryDouble), bytes, 0, 8)).toBe(value);
      }),
    );
  });

  it('gives back NaN', () => {
    const bytes = Buffer.from(encodeBinary(NaN, false));
    expect(decodeShort(bind(OracleType.binaryDouble), bytes, 0, 8)).toBeNaN();
  });

  it('gives back every float', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true }), (value) => {
        const bytes = Buffer.from(encodeBinary(value, true));
        expect(decodeShort(bind(OracleType.binaryFloat), bytes, 0, 4)).toBe(value);
      }),
    );
  });

  it('orders doubles as their bytes are ordered', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (a, b) => {
        fc.pre(a < b);
        expect(Buffer.compare(encodeBinary(a, false), encodeBinary(b, false))).toBe(-1);
      }),
    );
  });
});

describe('dates', () => {
  const instants = fc.integer({ min: Date.UTC(1, 0, 1), max: Date.UTC(9999, 11, 31) });

  it('gives back timestamps to the nanosecond', () => {
    const decoder = new DateDecoder();
    fc.assert(
      fc.property(instants, fc.integer({ min: 0, max: 999_999 }), (ms, ns) => {
        const bytes = encodeDate(new Timestamp(ms, ns), 'TIMESTAMP');
        expect(decoder.decode(bytes, 0, bytes.length, false)).toEqual(new Timestamp(ms, ns));
      }),
    );
  });

  it('gives back the offset of a time zone', () => {
    const decoder = new DateDecoder();
    fc.assert(
      fc.property(instants, fc.integer({ min: -719, max: 840 }), (ms, offset) => {
        const bytes = encodeDate(new Timestamp(ms, 0, offset), 'TIMESTAMP WITH TIME ZONE');
        expect(decoder.decode(bytes, 0, 13, true)).toEqual(new Timestamp(ms, 0, offset));
      }),
    );
  });

  it('leaves out nanoseconds that are zero', () => {
    expect(encodeDate(new Timestamp(1000), 'TIMESTAMP')).toHaveLength(7);
    expect(encodeDate(new Timestamp(1001), 'TIMESTAMP')).toHaveLength(11);
    expect(encodeDate(new Timestamp(1001), 'DATE')).toHaveLength(7);
  });

  it('refuses fields that are no date', () => {
    const zeros = Buffer.from('6464000001010100000000', 'hex');
    expect(() => new DateDecoder().decode(zeros, 0, 7, false)).toThrow(OraError);
  });
});

describe('values in a stream', () => {
  const texts = fc.string({ minLength: 1, maxLength: 40_000, size: 'max' });

  it('reads texts of any length, and knows where they end', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const bytes = new Writer().text(text).done();
        const reader = new Reader();
        reader.append(bytes, 0, bytes.length);
        expect(readValue(bind(OracleType.varchar), reader)).toBe(text);
        expect(skipValue(bytes, 0, bytes.length)).toBe(bytes.length);
        expect(skipValue(bytes, 0, bytes.length - 1)).toBe(-1);
      }),
      { numRuns: 50 },
    );
  });

  it('never mistakes one cached string for another', () => {
    const cache = new StringCache();
    const words = fc.array(fc.string({ unit: 'binary', maxLength: 30 }), { maxLength: 50 });
    fc.assert(
      fc.property(words, (list) => {
        for (const word of [...list, ...list]) {
          const bytes = Buffer.from(`xx${word}yy`);
          expect(cache.get(bytes, 2, bytes.length - 4)).toBe(bytes.toString('utf8', 2, bytes.length - 2));
        }
      }),
    );
  });
});
