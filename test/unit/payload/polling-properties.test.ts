import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { decodeOne } from './decode-rows.ts';

describe('any polling message', () => {
  it('expands any JSON to each of its tag values once, whatever stands beside it', () => {
    const others = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 8 });
    fc.assert(
      fc.property(others, fc.jsonValue(), fc.jsonValue(), (tagValues, timestamp, quality) => {
        const json = { plc_code: 'P', timestamp, quality, tag_values: tagValues };
        const { reason, rows, values } = decodeOne(JSON.stringify(json));
        expect(reason).toBeUndefined();
        const sent = Object.keys(tagValues);
        expect(sent.map((_key, i) => values.tags[i]!.address)).toStrictEqual(sent);
        const alone = sent.map((key) => decodeOne({ ...json, tag_values: { [key]: tagValues[key] } }).rows);
        expect(rows).toStrictEqual(alone.flat());
      }),
    );
  });

  it('gives every number and every text back', () => {
    const scalars = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.string(),
      fc.boolean(),
      fc.constant(null),
    );
    fc.assert(
      fc.property(fc.array(scalars, { maxLength: 20 }), (sent) => {
        const { rows } = decodeOne({
          plc_code: 'P',
          tag_values: Object.fromEntries(sent.map((each, i) => [`t${i}`, each])),
        });
        expect(rows.map(({ number, text }) => [number, text])).toStrictEqual(
          sent.map((each) =>
            typeof each === 'string'
              ? [Number.NaN, each.replace(/[ \0]+$/, '')]
              : [each === null ? Number.NaN : Number(each) + 0, exactText(each)],
          ),
        );
      }),
    );
  });

  it('gives the digits of every integer back', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: -(2n ** 100n), max: 2n ** 100n }), { maxLength: 20 }), (sent) => {
        const { rows } = decodeOne(
          `{"plc_code":"P","tag_values":{${sent.map((each, i) => `"t${i}":${each}`).join(',')}}}`,
        );
        expect(rows.map(({ number, text }) => BigInt(text ?? number))).toStrictEqual(sent);
        expect(rows.map(({ number }) => number)).toStrictEqual(sent.map(Number));
      }),
    );
  });
});

/** JSON.stringify writes large doubles below 1e21 in plain digits, which needn't be the digits of the double. */
function exactText(sent: unknown): string | null {
  if (typeof sent !== 'number' || Number.isSafeInteger(sent) || !Number.isInteger(sent)) return null;
  const literal = String(sent);
  return /^-?\d+$/.test(literal) && BigInt(literal) !== BigInt(sent) ? literal : null;
}
