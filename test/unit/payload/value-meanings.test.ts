import { describe, expect, it } from 'vitest';

import type { Subscription } from '../../../src/config/config.ts';
import { fillSubscription, subscriptionProblems } from '../../../src/config/kinds/subscription-fields.ts';
import { createDecoder } from '../../../src/payload/decoder.ts';
import { decodeOne, type Row } from './decode-rows.ts';

type Said = Partial<Subscription>;

/** One value through each of the formats, of a subscription that says this. */
function throughAll(said: Said, value: unknown, beside: Readonly<Record<string, unknown>> = {}): Row[] {
  const json = { each: '/tag_values/*', plc: 'P', value: 'value', timestamp: 'timestamp', quality: 'quality' };
  const formats: readonly (readonly [given: object, payload: unknown])[] = [
    [{ format: 'polling' }, { plc_code: 'P', tag_values: { T: { value, ...beside } } }],
    [
      { format: 'scalar', plcCode: 'P', tagAddress: 'T' },
      { value, ...beside },
    ],
    [{ format: 'json', json }, { tag_values: { T: { value, ...beside } } }],
  ];
  return formats.map(([given, payload]) => {
    const subscription = { topic: '#', ...said, ...given };
    expect(subscriptionProblems(subscription)).toEqual([]);
    const { reason, rows } = decodeOne(payload, 'a', createDecoder([fillSubscription(subscription)], '{plc}.{tag}'));
    expect(reason).toBeUndefined();
    expect(rows.map(({ name }) => name)).toEqual(['P.T']);
    return rows[0]!;
  });
}

describe('in every format', () => {
  const qualities: readonly (readonly [quality: Said['quality'], given: unknown, written: string])[] = [
    [undefined, 'GOOD', 'GOOD'],
    [undefined, 192, '192'],
    [undefined, true, 'true'],
    [undefined, { Code: 5 }, '{"Code":5}'],
    ['opcDa', 192, 'GOOD'],
    ['opcDa', 216, 'GOOD'],
    ['opcDa', 64, 'UNCERTAIN'],
    ['opcDa', 0, 'BAD'],
    ['opcDa', 24, 'BAD'],
    ['opcDa', '192', 'GOOD'],
    ['opcDa', 'good, non-specific', 'GOOD'],
    ['opcUa', 0, 'GOOD'],
    ['opcUa', 2_150_694_912, 'BAD'],
    ['opcUa', 0x4000_0000, 'UNCERTAIN'],
    ['opcUa', { Code: 2_150_694_912, Symbol: 'BadNoCommunication' }, 'BAD'],
    ['opcUa', 'BadNoCommunication', 'BAD'],
    ['siemens', 3, 'GOOD'],
    ['siemens', 1, 'UNCERTAIN'],
    ['siemens', 0, 'BAD'],
    ['ignition', 192, 'GOOD'],
    ['ignition', 500, 'STALE'],
    ['boolean', true, 'GOOD'],
    ['boolean', false, 'BAD'],
    ['boolean', 'false', 'BAD'],
    [{ '0': 'GOOD', '1': 'BAD' }, 0, 'GOOD'],
    [{ '0': 'GOOD', '1': 'BAD' }, '1', 'BAD'],
    [{ true: 'GOOD', '*': 'DOUBTFUL' }, false, 'DOUBTFUL'],
    // What can't be read is written as it is, as far as the column goes.
    ['opcDa', -7, '-7'],
    ['siemens', 9, '9'],
    ['boolean', 'perhaps', 'perhaps'],
    [{ '0': 'GOOD' }, 7, '7'],
    ['opcDa', 'the device did not answer', 'the device did n'],
    ['siemens', [1, 2, 3], '[1,2,3]'],
    ['siemens', null, 'GOOD'],
  ];

  it.each(qualities)('a quality by %j reads %j as %s', (quality, given, written) => {
    const rows = throughAll(quality === undefined ? {} : { quality }, 1, { quality: given });
    for (const row of rows) expect(row).toMatchObject({ number: 1, quality: written, problem: undefined });
  });

  it('a time without a zone is of the time zone of the subscription, in summer and in winter', () => {
    const said = { timeZone: 'Europe/Berlin' };
    const at = (timestamp: string): string[] =>
      throughAll(said, 1, { timestamp }).map(({ timeMs }) => new Date(timeMs).toISOString());
    expect(at('2025-07-01T12:00:00')).toEqual(Array.from({ length: 3 }, () => '2025-07-01T10:00:00.000Z'));
    expect(at('2025-12-01T12:00:00')).toEqual(Array.from({ length: 3 }, () => '2025-12-01T11:00:00.000Z'));
    expect(at('2025-12-01T12:00:00Z')).toEqual(Array.from({ length: 3 }, () => '2025-12-01T12:00:00.000Z'));
    // The clock goes from 2 to 3 and, in autumn, from 3 to 2: the hour that comes twice is the first one.
    expect(at('2025-03-30T01:59:59')[0]).toBe('2025-03-30T00:59:59.000Z');
    expect(at('2025-03-30T03:00:00')[0]).toBe('2025-03-30T01:00:00.000Z');
    expect(at('2025-10-26T02:30:00')[0]).toBe('2025-10-26T00:30:00.000Z');
    expect(at('2025-10-26T03:00:00')[0]).toBe('2025-10-26T02:00:00.000Z');
  });

  const times: readonly (readonly [timestampFormat: string, given: unknown, iso: string])[] = [
    ['epochS', 1_700_000_000, '2023-11-14T22:13:20.000Z'],
    ['epochS', 1_700_000_000.12, '2023-11-14T22:13:20.120Z'],
    ['epochS', '1700000000.5', '2023-11-14T22:13:20.500Z'],
    ['epochMs', 1_700_000_000_123, '2023-11-14T22:13:20.123Z'],
    ['epochMs', '1700000000123', '2023-11-14T22:13:20.123Z'],
    ['epochUs', 1_700_000_000_123_456, '2023-11-14T22:13:20.123Z'],
    ['epochNs', '1700000000123456789', '2023-11-14T22:13:20.123Z'],
    ['iso', '2023-11-14T22:13:20.1234567Z', '2023-11-14T22:13:20.123Z'],
    ['iso', '2023-11-14T22:13:20.123456789+00:00', '2023-11-14T22:13:20.123Z'],
    ['dd.MM.yyyy HH:mm:ss', '14.11.2023 22:13:20', '2023-11-14T22:13:20.000Z'],
  ];

  it.each(times)('a time of the form %s reads %j', (timestampFormat, timestamp, iso) => {
    for (const row of throughAll({ timestampFormat }, 1, { timestamp })) {
      expect([new Date(row.timeMs).toISOString(), row.problem]).toEqual([iso, undefined]);
    }
  });

  it('a time of another form is refused, and the words say which it must be', () => {
    for (const row of throughAll({ timestampFormat: 'epochS' }, 1, { timestamp: '2023-11-14T22:13:20Z' })) {
      expect(row).toMatchObject({ timeMs: Number.NaN, problem: 'BAD_TIMESTAMP' });
    }
  });

  it('texts are texts unless the subscription says otherwise', () => {
    for (const text of ['12.5', '12,5', 'ON', '+7', '1e3']) {
      for (const row of throughAll({}, text)) expect(row).toMatchObject({ number: Number.NaN, text });
    }
  });

  const texts: readonly (readonly [said: Said, given: string, number: number, text: string | null])[] = [
    [{ numbersInText: true }, '12.5', 12.5, null],
    [{ numbersInText: true }, ' +7 ', 7, null],
    [{ numbersInText: true }, '-1.5e3', -1500, null],
    [{ numbersInText: true }, '9007199254740993', 9_007_199_254_740_992, '9007199254740993'],
    [{ numbersInText: true }, '12,5', Number.NaN, '12,5'],
    [{ numbersInText: true }, '', Number.NaN, ''],
    [{ numbersInText: true }, '0x10', Number.NaN, '0x10'],
    [{ decimalComma: true }, '12,5', 12.5, null],
    [{ decimalComma: true }, '-1.234,5', -1234.5, null],
    [{ decimalComma: true }, '12.5', Number.NaN, '12.5'],
    [{ words: { ON: 1, OFF: 0 } }, 'ON', 1, null],
    [{ words: { ON: 1, OFF: 0 } }, 'OFF', 0, null],
    [{ words: { ON: 1, OFF: 0 } }, 'on', Number.NaN, 'on'],
    [{ words: { '---': null } }, '---', Number.NaN, null],
    [{ words: { ON: 1 } }, 'ON \u0000\u0000', 1, null],
    [{ words: { toString: 3 } }, 'toString', 3, null],
    [{ words: {} }, 'constructor', Number.NaN, 'constructor'],
  ];

  it.each(texts)('with %j the text %j is %d and %j', (said, given, number, text) => {
    for (const row of throughAll(said, given)) expect(row).toMatchObject({ number, text, problem: undefined });
  });

  it('a bare text of a scalar has the same meanings', () => {
    const said = {
      topic: '#',
      format: 'scalar',
      plcCode: 'P',
      tagAddress: 'T',
      words: { ON: 1 },
      decimalComma: true,
    } as const;
    const decoder = createDecoder([fillSubscription(said)], '{tag}');
    expect(decodeOne('ON', 'a', decoder).rows[0]).toMatchObject({ number: 1, text: null });
    expect(decodeOne('12,5', 'a', decoder).rows[0]).toMatchObject({ number: 12.5, text: null });
  });
});

describe('a nanosecond epoch as a number', () => {
  it('is read with all of its digits', () => {
    const subscription = fillSubscription({ topic: '#', format: 'polling', timestampFormat: 'epochNs' });
    const decoder = createDecoder([subscription], '{tag}');
    // No double holds it: the nearest one is 123,000,064 ns, the next below 122,999,808.
    const json = '{"plc_code":"P","timestamp":1700000000122999999,"tag_values":{"T":1}}';
    expect(decodeOne(json, 'a', decoder).rows[0]).toMatchObject({ timeMs: 1_700_000_000_122.999, problem: undefined });
  });
});

describe('the keys of a subscription', () => {
  it.each([
    [{ timeZone: 'Berlin' }, '.timeZone', 'must be a time zone'],
    [{ timeZone: '+02:00' }, '.timeZone', 'must be a time zone'],
    [{ timestampFormat: 'seconds' }, '.timestampFormat', 'must be a form of time'],
    [{ timestampFormat: 5 }, '.timestampFormat', 'must be a form of time'],
    [{ quality: 'opc' }, '.quality', 'must be "opcDa"'],
    [{ quality: {} }, '.quality', 'must be "opcDa"'],
    [{ quality: { '1': 5 } }, '.quality', 'must be "opcDa"'],
    [{ numbersInText: 'yes' }, '.numbersInText', 'must be true or false'],
    [{ decimalComma: 1 }, '.decimalComma', 'must be true or false'],
    [{ words: { ON: 'one' } }, '.words', 'must be an object of texts'],
    [{ retained: 'once' }, '.retained', 'must be "write" or "skip"'],
    [{ format: 'scalar', tagAddress: 'T', scalar: { binary: 'real' } }, '.scalar.binary', 'must be one of int8'],
    [{ format: 'scalar', tagAddress: 'T', scalar: { words: {} } }, '.scalar.words', 'is not a known key'],
    [{ format: 'scalar', tagAddress: 'T', scalar: { empty: 'zero' } }, '.scalar.empty', 'must be "skip" or "null"'],
    [{ scalar: { binary: 'int8' } }, '.scalar', 'must not be given: it is an option of "format": "scalar"'],
  ])('%j is refused at %s', (given, at, must) => {
    const [problem, ...more] = subscriptionProblems({ topic: '#', ...given });
    expect([problem?.at, more]).toEqual([at, []]);
    expect(problem?.must).toContain(must);
  });
});
