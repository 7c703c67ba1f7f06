import { gzipSync } from 'node:zlib';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { sparkplugPayload, type MetricParts, type PayloadParts } from '../../../support/sparkplug-encoder.ts';
import { Listener, RECEIVED_AT_MS, type SparkplugRow } from './sparkplug-rows.ts';

const TOPIC = 'spBv1.0/G/NDATA/N';
const TIME_MS = 1_700_000_000_000;

function hear(parts: PayloadParts, options = {}): readonly SparkplugRow[] | string {
  return new Listener({ options }).hear(TOPIC, sparkplugPayload(parts));
}

/** Number, text and, where there is one, the problem of a metric `m`. */
function valueOf(metric: MetricParts): readonly unknown[] {
  const [row] = hear({ timeMs: TIME_MS, seq: 1, metrics: [{ name: 'm', ...metric }] }) as readonly SparkplugRow[];
  const [, number, text, , , problem] = row!;
  return problem === undefined ? [number, text] : [number, text, problem];
}

describe('the value of a metric', () => {
  const cases: readonly (readonly [string, MetricParts, readonly unknown[]])[] = [
    ['Int8 in its own width', { type: 1, int: 255 }, [-1, null]],
    ['Int8 sign-extended', { type: 1, int: 4_294_967_295 }, [-1, null]],
    ['Int16 in the other field', { type: 2, long: 65_535 }, [-1, null]],
    ['Int32', { type: 3, int: 2_147_483_648 }, [-2_147_483_648, null]],
    ['Int32 sign-extended to 64 bits', { type: 3, long: -5n }, [-5, null]],
    ['UInt8', { type: 5, int: 255 }, [255, null]],
    ['UInt32 in the other field', { type: 7, long: 4_294_967_295 }, [4_294_967_295, null]],
    ['Int64', { type: 4, long: -1n }, [-1, null]],
    ['Int64 beyond 2^53', { type: 4, long: -9_007_199_254_740_993n }, [-9_007_199_254_740_992, '-9007199254740993']],
    ['Int64 that a double equals', { type: 4, long: 2n ** 60n }, [2 ** 60, null]],
    ['UInt64', { type: 8, long: 2n ** 64n - 1n }, [2 ** 64, '18446744073709551615']],
    ['Float', { type: 9, float: 0.1 }, [0.10000000149011612, null]],
    ['Double -0', { type: 10, double: -0 }, [0, null]],
    ['Double Infinity', { type: 10, double: Infinity }, [null, 'Infinity']],
    ['Double -Infinity', { type: 10, double: -Infinity }, [null, '-Infinity']],
    ['Double as an integer', { type: 10, int: 7 }, [7, null]],
    ['Boolean', { type: 11, boolean: true }, [1, null]],
    ['Boolean as an integer', { type: 11, int: 5 }, [1, null]],
    ['String', { type: 12, string: 'Größe' }, [null, 'Größe']],
    ['an empty String', { type: 12, string: '' }, [null, '']],
    ['a String with U+FFFD', { type: 12, string: '\uFFFD' }, [null, '\uFFFD']],
    ['a String that is not UTF-8', { type: 12, string: Buffer.from([0xff]) }, [null, '/w==', 'VALUE_NOT_UTF8']],
    ['DateTime', { type: 13, long: TIME_MS }, [TIME_MS, '2023-11-14T22:13:20.000Z']],
    ['DateTime beyond all calendars', { type: 13, long: 2n ** 63n }, [2 ** 63, null]],
    ['Text', { type: 14, string: 'a' }, [null, 'a']],
    ['Bytes', { type: 17, bytes: Buffer.from([0, 1, 255]) }, [null, 'AAH/']],
    ['null', { type: 3, isNull: true }, [null, null]],
    ['null beside a value', { type: 3, isNull: true, int: 1 }, [null, null]],
    ['a value that is said not to be null', { type: 3, isNull: false, int: 1 }, [1, null]],
    ['no value', { type: 3 }, [null, null]],
    ['Int8Array', { type: 22, bytes: Buffer.from([255, 1]) }, [null, '[-1,1]']],
    ['UInt64Array', { type: 29, bytes: Buffer.alloc(8, 255) }, [null, '[18446744073709551615]']],
    ['FloatArray', { type: 30, bytes: Buffer.from([0, 0, 192, 127, 0, 0, 128, 63]) }, [null, '["NaN",1]']],
    ['an array that is cut off', { type: 24, bytes: Buffer.from([1, 0]) }, [null, null, 'VALUE_MALFORMED']],
    [
      'BooleanArray that is cut off',
      { type: 32, bytes: Buffer.from([9, 0, 0, 0, 1]) },
      [null, null, 'VALUE_MALFORMED'],
    ],
    ['StringArray that is cut off', { type: 33, bytes: Buffer.from('ab') }, [null, null, 'VALUE_MALFORMED']],
    ['an empty StringArray', { type: 33, bytes: Buffer.alloc(0) }, [null, '[]']],
    ['a type that nobody knows', { type: 99, int: 4_294_967_295 }, [4_294_967_295, null]],
    ['a text without a type', { string: 'x' }, [null, 'x']],
  ];

  it.each(cases)('%s', (_what, metric, expected) => {
    expect(valueOf(metric)).toEqual(expected);
  });

  it('is read in its declared width whatever field and extension it has', () => {
    const widths = [8, 16, 32, 64];
    fc.assert(
      fc.property(
        fc.nat(3),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.boolean(),
        (w, given, isSigned) => {
          const width = widths[w]!;
          const value = isSigned ? BigInt.asIntN(width, given) : BigInt.asUintN(width, given);
          const [number, text] = valueOf({ type: (isSigned ? 1 : 5) + w, long: value });
          expect(BigInt((text as string | null) ?? (number as number))).toBe(value);
          expect(number).toBe(Number(value));
        },
      ),
    );
  });
});

describe('the quality of a metric', () => {
  const cases: readonly (readonly [MetricParts['quality'], string, string])[] = [
    [undefined, 'GOOD', 'GOOD'],
    [null, 'GOOD', 'GOOD'],
    [192, 'GOOD', 'GOOD'],
    [0, 'BAD', 'GOOD'],
    [500, 'STALE', 'STALE'],
    [24, 'BAD', 'GOOD'],
    [64, 'UNCERTAIN', 'GOOD'],
    [216, 'GOOD', 'GOOD'],
    [777, '777', '777'],
    [1_073_742_080, 'UNCERTAIN', 'UNCERTAIN'],
    [-2_147_483_136, 'BAD', 'BAD'],
    [-2_147_483_132, 'STALE', 'STALE'],
    [true, 'GOOD', 'GOOD'],
    [false, 'BAD', 'BAD'],
    ['Bad, Comm Failure', 'Bad, Comm Failure', 'Bad, Comm Failure'],
  ];

  it.each(cases)('%s is %s, and %s for Ignition', (quality, sparkplug, ignition) => {
    const metric = { name: 'm', type: 3, int: 1, ...(quality === undefined ? {} : { quality }) };
    const parts = { timeMs: TIME_MS, metrics: [metric] };
    const expected = (text: string): SparkplugRow[] => [['G/N.m', 1, null, TIME_MS, text]];
    expect(hear(parts)).toEqual(expected(sparkplug));
    expect(hear(parts, { quality: 'ignition' })).toEqual(expected(ignition));
  });
});

describe('the time of a row', () => {
  const parts = {
    timeMs: TIME_MS,
    metrics: [
      { name: 'own', type: 3, int: 1, timeMs: 5 },
      { name: 'none', type: 3, int: 2 },
    ],
  };

  it.each([
    ['metric', [5, TIME_MS]],
    ['payload', [TIME_MS, TIME_MS]],
    ['receipt', [RECEIVED_AT_MS, RECEIVED_AT_MS]],
  ])('is that of the %s where it is wanted', (timestamp, expected) => {
    const rows = hear(parts, { timestamp }) as readonly SparkplugRow[];
    expect(rows.map(([, , , timeMs]) => timeMs)).toEqual(expected);
  });

  it('is that of receipt where nothing else is told, and a problem where no calendar reaches', () => {
    expect(hear({ metrics: [{ name: 'm', type: 3, int: 1 }] })).toEqual([['G/N.m', 1, null, RECEIVED_AT_MS, 'GOOD']]);
    expect(hear({ metrics: [{ name: 'm', type: 3, int: 1, timeMs: 2 ** 60 }] })).toEqual([
      ['G/N.m', 1, null, null, 'GOOD', 'BAD_TIMESTAMP'],
    ]);
  });
});

describe('a template', () => {
  const members = [
    { name: 'rpm', type: 2, int: 65_531 },
    { name: 'in', type: 19, template: { members: [{ name: 'deep', type: 11, boolean: true }] } },
  ];

  it('is flattened to its members', () => {
    expect(hear({ timeMs: TIME_MS, metrics: [{ name: 'M', type: 19, template: { members } }] })).toEqual([
      ['G/N.M/rpm', -5, null, TIME_MS, 'GOOD'],
      ['G/N.M/in/deep', 1, null, TIME_MS, 'GOOD'],
    ]);
  });

  it('makes no rows as a definition', () => {
    expect(hear({ metrics: [{ name: 'M', type: 19, template: { isDefinition: true, members } }] })).toEqual([]);
  });

  it('gives its members the types of the birth', () => {
    const listener = new Listener();
    const birth = sparkplugPayload({ seq: 0, metrics: [{ name: 'M', alias: 3, type: 19, template: { members } }] });
    listener.hear('spBv1.0/G/NBIRTH/N', birth);
    const data = { alias: 3, template: { members: [{ name: 'rpm', int: 65_530 }] } };
    expect(listener.hear(TOPIC, sparkplugPayload({ timeMs: TIME_MS, seq: 1, metrics: [data] }))).toEqual([
      ['G/N.M/rpm', -6, null, TIME_MS, 'GOOD'],
    ]);
  });

  it('is refused when it is nested too deep', () => {
    let template: NonNullable<MetricParts['template']> = { members: [] };
    for (let i = 0; i < 50; i += 1) template = { members: [{ name: 'x', template }] };
    expect(hear({ metrics: [{ name: 'M', type: 19, template }] })).toBe('SPARKPLUG_MALFORMED');
  });
});

describe('a payload that is none', () => {
  const good = sparkplugPayload({
    timeMs: TIME_MS,
    seq: 3,
    metrics: [
      { name: 'a', type: 4, long: 2n ** 63n, timeMs: TIME_MS, quality: 0 },
      { name: 'b', string: 'text' },
    ],
  });

  it.each([
    ['a text', Buffer.from('OFFLINE')],
    ['JSON', Buffer.from('{"timestamp":1}')],
    ['fields that are not of a payload', Buffer.from([0x78, 1])],
    ['an integer without an end', Buffer.alloc(12, 0xff)],
    ['a length beyond the end', Buffer.from([0x12, 0xff, 0xff, 0xff, 0xff, 0x7f])],
    ['a wrong wire type', Buffer.from([0x09, 1, 2, 3, 4, 5, 6, 7, 8])],
    ['a group', Buffer.from([0x18, 1, 0x13])],
    ['field number 0', Buffer.from([0x18, 1, 0x00])],
  ])('is refused with a reason: %s', (_what, payload) => {
    expect(new Listener().hear(TOPIC, payload)).toBe('SPARKPLUG_MALFORMED');
  });

  it('is refused or read, never more, at whatever byte it is cut off', () => {
    for (let length = 1; length < good.length; length += 1) {
      const outcome = new Listener().hear(TOPIC, good.subarray(0, length));
      const isGood = typeof outcome === 'string' ? outcome === 'SPARKPLUG_MALFORMED' : outcome.length < 3;
      expect([length, isGood]).toEqual([length, true]);
    }
  });

  it('harms nothing, whatever the bytes are', () => {
    const listener = new Listener();
    const topics = ['NBIRTH/N', 'NDATA/N', 'NDEATH/N', 'DBIRTH/N/D', 'DDATA/N/D', 'DDEATH/N/D'];
    const flipped = fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => {
      const bytes = Buffer.from(good);
      bytes[at] = byte;
      return bytes;
    });
    const anything = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(flipped, anything), fc.constantFrom(...topics), (payload, topic) => {
        const outcome = listener.hear(`spBv1.0/G/${topic}`, payload);
        expect(['string', 'object']).toContain(typeof outcome);
        expect(outcome).not.toBe('INTERNAL');
      }),
      { numRuns: 1000 },
    );
  }, 60_000);
});

describe('a compressed envelope', () => {
  const inner = sparkplugPayload({ timeMs: TIME_MS, seq: 1, metrics: [{ name: 'm', type: 3, int: 5 }] });
  const envelope = (body: Buffer): PayloadParts => ({ uuid: 'SPBV1.0_COMPRESSED', body });

  it('is opened', () => {
    expect(hear(envelope(gzipSync(inner)))).toEqual([['G/N.m', 5, null, TIME_MS, 'GOOD']]);
  });

  it.each([
    ['is not compressed', inner],
    ['is cut off', gzipSync(inner).subarray(0, 20)],
    ['is empty', Buffer.alloc(0)],
    ['would fill the memory', gzipSync(Buffer.alloc(17 * 1024 * 1024))],
  ])('is refused when its body %s', (_what, body) => {
    expect(hear(envelope(body))).toBe('SPARKPLUG_MALFORMED');
  });
});
