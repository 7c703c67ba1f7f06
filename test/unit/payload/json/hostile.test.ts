import { gzipSync } from 'node:zlib';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SKIPPED } from '../../../../src/core/message.ts';
import { TagValues } from '../../../../src/core/tag-values.ts';
import { createDecoder } from '../../../../src/payload/decoder.ts';
import type { JsonOptions } from '../../../../src/payload/json/mapping.ts';
import { PRESET_NAMES } from '../../../../src/payload/json/presets.ts';

/** What became of it: how many rows, and how many of them with a problem; or the code of the reason. */
function decode(json: JsonOptions, payload: string | Buffer): string {
  const subscription = { topic: '#', qos: 1, format: 'json', plcCode: '', tagAddress: '', json } as const;
  const values = new TagValues(64);
  const message = { number: 1, topic: 'a/b/c', payload: Buffer.from(payload), receivedAtMs: 1_700_000_000_000 };
  const outcome = createDecoder([subscription], '{plc}.{tag}').decode(message, values);
  if (outcome === SKIPPED) return outcome;
  if (outcome !== undefined) return outcome.code;
  return `${values.length} rows, ${values.problems.slice(0, values.length).filter((each) => each !== undefined).length} refused`;
}

const DEEP = 100_000;

describe('a hostile payload', () => {
  it.each<[string, JsonOptions, string, string | Buffer]>([
    [
      'of 100,000 members',
      { each: '/*' },
      '100000 rows, 0 refused',
      `{${Array.from({ length: 100_000 }, (_, i) => `"k${i}":${i}`).join(',')}}`,
    ],
    [
      'of 100,000 elements',
      { each: '/*', tag: '{id}', value: 'v' },
      '100000 rows, 0 refused',
      `[${Array.from({ length: 100_000 }, (_, i) => `{"id":"t${i}","v":${i}}`).join(',')}]`,
    ],
    [
      'of 100,000 long integers',
      { each: '/*' },
      '100000 rows, 0 refused',
      `[${Array.from({ length: 100_000 }, (_, i) => `90071992547409${String(i).padStart(5, '0')}`).join(',')}]`,
    ],
    ['of 100,000 documents', { each: '/*' }, '100000 rows, 0 refused', '{"a":1}\n'.repeat(100_000)],
    ['100,000 arrays deep', { each: '/*' }, '1 rows, 1 refused', `${'['.repeat(DEEP)}${']'.repeat(DEEP)}`],
    [
      '100,000 objects deep, to be flattened',
      { each: '/*', flatten: '.' },
      '1 rows, 1 refused',
      `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`,
    ],
    [
      'deep, and with a long integer',
      { each: '/*' },
      '1 rows, 1 refused',
      `${'['.repeat(DEEP)}9007199254740993${']'.repeat(DEEP)}`,
    ],
    ['deep, and cut off', { each: '/*' }, 'INVALID_JSON', '['.repeat(DEEP)],
    [
      'with keys of every object',
      { each: '/*' },
      '4 rows, 1 refused',
      '{"__proto__":{"polluted":1},"constructor":1,"toString":2,"hasOwnProperty":3}',
    ],
    [
      'with one endless name in each row',
      { each: '/v/*', tag: '{/n}.{#}' },
      '2000 rows, 2000 refused',
      JSON.stringify({ n: 'x'.repeat(1_000_000), v: Array.from({ length: 2000 }, () => 1) }),
    ],
    [
      'with one endless PLC code in each row',
      { each: '/v/*', plc: '{/n}', tag: '{#}' },
      '2000 rows, 2000 refused',
      JSON.stringify({ n: 'x'.repeat(1_000_000), v: Array.from({ length: 2000 }, () => 1) }),
    ],
    [
      'with the document for a value of each row',
      { each: '/*', tag: '{#}', value: '/' },
      '20000 rows, 20000 refused',
      `[${'1,'.repeat(19_999)}1]`,
    ],
    [
      'with one endless quality',
      { each: '/v/*', quality: '/q' },
      '2000 rows, 0 refused',
      JSON.stringify({ q: 'é'.repeat(1_000_000), v: Array.from({ length: 2000 }, () => 1) }),
    ],
    [
      'with one endless time',
      { each: '/v/*', timestamp: '/t' },
      '2000 rows, 2000 refused',
      JSON.stringify({ t: '1'.repeat(1_000_000), v: Array.from({ length: 2000 }, () => 1) }),
    ],
    ['with an endless number', { each: '/*' }, '1 rows, 1 refused', `[${'9'.repeat(1_000_000)}]`],
    ['with an endless string of backslashes', { each: '/*' }, '1 rows, 0 refused', `["${'\\\\'.repeat(500_000)}"]`],
    [
      'with quotes that are escaped',
      { each: '/*' },
      '1 rows, 0 refused',
      `[9007199254740993.0,"${'\\"'.repeat(200_000)}"]`.replace('9007199254740993.0,', ''),
    ],
    ['that comes to 1 GiB', { each: '/*' }, 'INFLATED_TOO_LARGE', gzipSync(Buffer.alloc(64 * 1024 * 1024))],
    ['of white space', { each: '/*' }, 'skipped', ' '.repeat(1_000_000)],
    ['of no text', { each: '/*' }, 'INVALID_UTF8', Buffer.from([0xff, 0xfe, 0x00, 0x80])],
  ])('%s', (_what, json, became, payload) => {
    expect(decode(json, payload)).toBe(became);
  });

  it('does not pollute what every object has', () => {
    decode(
      { each: '/*', carry: ['__proto__'], tag: '{#}', value: ['x', '.'] },
      '[{"__proto__":{"polluted":1}},{"x":1}]',
    );
    decode({ each: '/*/*', names: '/0' }, '[["__proto__"],[{"polluted":1}]]');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('any payload', () => {
  const key = fc.oneof(
    fc.constantFrom(
      ...'values v q t id timestamp Messages Payload Value StatusCode fields metrics tags name payload n bn bt __proto__'.split(
        ' ',
      ),
    ),
    fc.string({ maxLength: 5 }),
  );
  const scalar = fc.oneof(
    fc.jsonValue({ maxDepth: 0 }),
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map((n) => `#${n}`),
    fc.constantFrom(1_700_000_000_000, '2024-01-01T00:00:00Z', 'ua-data', 'NotifyStatus', 'DDATA', true, null),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      scalar,
      fc.array(tie('tree'), { maxLength: 5 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 5 }),
    ),
  }));
  const document = tree.map((value) => (JSON.stringify(value) ?? 'null').replaceAll(/"#(-?\d+)"/g, '$1'));
  const bytes = fc.oneof(
    document.map((text) => Buffer.from(text)),
    fc.array(document, { maxLength: 3 }).map((texts) => Buffer.from(texts.join('\n'))),
    fc.tuple(document, fc.nat(), fc.nat(255)).map(([text, at, byte]) => {
      const spoilt = Buffer.from(text);
      spoilt[at % spoilt.length] = byte;
      return spoilt;
    }),
    fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array)),
    document.map((text) => gzipSync(text, { level: 1 })),
  );

  it.each(PRESET_NAMES)('becomes rows, a reason or nothing by the preset %s, the same each time', (preset) => {
    fc.assert(
      fc.property(bytes, (payload) => {
        const became = decode({ preset }, payload);
        expect(became).toMatch(/^(?:\d+ rows, \d+ refused|skipped|[A-Z_\d]+)$/);
        expect(decode({ preset }, payload)).toBe(became);
      }),
      { seed: 1104, numRuns: 150 },
    );
  });
});
