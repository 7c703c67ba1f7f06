import { describe, expect, it } from 'vitest';

import type { Subscription } from '../../../src/config/config.ts';
import { fillSubscription, subscriptionProblems } from '../../../src/config/kinds/subscription-fields.ts';
import { destinationsNamedBy } from '../../../src/config/row-targets.ts';
import { createDecoder } from '../../../src/payload/decoder.ts';
import { decodeOne } from './decode-rows.ts';

const ALL = { origin: true, qualityCode: true };

function through(subscription: object, payload: unknown, keeps = ALL, retained = false): ReturnType<typeof decodeOne> {
  const filled = fillSubscription({ topic: 'plant/+/tags', ...subscription });
  return decodeOne(payload, 'plant/7/tags', createDecoder([filled], '{tag}', { keeps }), retained);
}

const jsonRows = (...rows: object[]): object => ({ format: 'json', json: { rows } });

function fieldsOf({ values }: ReturnType<typeof decodeOne>): unknown[] {
  return Array.from({ length: values.length }, (_, i) => Object.fromEntries(values.details?.[i]?.fields ?? []));
}

function codesOf({ values }: ReturnType<typeof decodeOne>): (number | null)[] {
  return Array.from({ length: values.length }, (_, i) => values.details?.[i]?.qualityCode ?? null);
}

describe('where a value came from', () => {
  const polling = { format: 'polling' };
  const payload = { plc_code: 'P', tag_values: { A: 1, B: 2 } };

  it('is one object for all messages of a topic', () => {
    const decoder = createDecoder([fillSubscription({ topic: '#' })], '{tag}', { keeps: ALL });
    const [first, second] = [decodeOne(payload, 'plant/7', decoder), decodeOne(payload, 'plant/7', decoder)];
    expect(first.values.origins?.[0]).toEqual({ topic: 'plant/7', levels: ['plant', '7'], retained: false });
    for (const { values } of [first, second]) {
      for (const i of [0, 1]) expect(values.origins?.[i]).toBe(first.values.origins?.[0]);
    }
  });

  it('says whether the message was retained', () => {
    expect(through(polling, payload, ALL, true).values.origins?.[1]?.retained).toBe(true);
  });

  it('is not kept where no column asks for it', () => {
    const { values } = through(polling, { ...payload, quality: 192 }, { origin: false, qualityCode: false });
    expect([values.origins, values.details]).toEqual([undefined, undefined]);
  });
});

describe('the quality as a number', () => {
  it('is that of the message or of the value, in polling', () => {
    const values = {
      A: 1,
      B: { value: 2, quality: 0 },
      C: { value: 3, quality: 'GOOD' },
      D: { value: 4, quality: '64' },
    };
    const made = through({ format: 'polling' }, { plc_code: 'P', quality: 192, tag_values: values });
    expect(codesOf(made)).toEqual([192, 0, null, 64]);
  });

  it('is one object for values that follow each other with it, in polling', () => {
    const values = { A: { value: 1, quality: 64 }, B: { value: 2, quality: 64 } };
    const { details } = through({ format: 'polling' }, { plc_code: 'P', tag_values: values }).values;
    expect(details?.[0]).toEqual({ qualityCode: 64, fields: undefined });
    expect(details?.[1]).toBe(details?.[0]);
  });

  it('is read in json as it stands, by a scale too, and is none where the payload has none', () => {
    const row = { each: '/*', tag: '{id}', value: 'v', quality: 'q', qualityScale: 'opcUa' };
    const items = [192, 2_147_483_648, { Code: 5, Symbol: 'x' }, {}, 'Good', true, null].map((q, id) => ({
      id,
      v: 1,
      q,
    }));
    expect(codesOf(through(jsonRows(row), items))).toEqual([192, 2_147_483_648, 5, 0, null, null, null]);
  });

  it('of a scalar is that of an object', () => {
    const scalar = { format: 'scalar', plcCode: '{1}', tagAddress: '{2}' };
    expect(codesOf(through(scalar, { value: 1, quality: 192 }))).toEqual([192]);
    expect(codesOf(through(scalar, '5'))).toEqual([null]);
  });
});

describe('the columns of a json mapping', () => {
  const item = { id: 'a', v: 1, unit: 'bar', n: '12.5', at: 1_700_000_000_123 };
  const document = { site: 'S1', batch: 'B-17', big: 1, items: [item, { id: 'b', v: 2 }] };
  const columns = {
    batch: '/batch',
    unit: ['unit', '/site'],
    number: { path: 'n', type: 'number' },
    at: { path: 'at', type: 'time', timestampFormat: 'epochMs' },
    place: '{/site}-{2}#{#}',
    whole: '/items/1',
  };
  const row = { each: '/items/*', tag: '{id}', value: 'v', columns };

  it('are what stands at their paths, for each item', () => {
    const whole = '{"id":"b","v":2}';
    expect(fieldsOf(through(jsonRows(row), document))).toEqual([
      { batch: 'B-17', unit: 'bar', number: 12.5, at: 1_700_000_000_123, place: 'S1-7#0', whole },
      { batch: 'B-17', unit: 'S1', number: null, at: null, place: 'S1-7#1', whole },
    ]);
  });

  it('are one object for items that have the same, and none for rows of another mapping', () => {
    const first = { ...row, columns: { batch: '/batch' } };
    const { values } = through(jsonRows(first, { each: '/', tag: 'big', value: '/big' }), document);
    expect(values.details?.[0]).toBe(values.details?.[1]);
    expect(values.details?.[2]).toBeNull();
  });

  it('have the digits of numbers that no double holds', () => {
    const json = '{"v":1,"id":12345678901234567890,"o":{"n":12345678901234567890}}';
    const made = through(jsonRows({ tag: 't', value: 'v', columns: { id: 'id', o: 'o' } }), json);
    expect(fieldsOf(made)).toEqual([{ id: '12345678901234567890', o: '{"n":12345678901234567890}' }]);
  });

  it.each([
    ['number', 'abc', 'COLUMN_NOT_A_NUMBER'],
    ['number', {}, 'COLUMN_NOT_A_NUMBER'],
    ['number', '', 'COLUMN_NOT_A_NUMBER'],
    ['time', 'yesterday', 'COLUMN_NOT_A_TIME'],
    ['text', '\ud800', 'COLUMN_NOT_UNICODE'],
  ])('reject a row alone whose %s is %j', (type, found, problem) => {
    const mapping = { each: '/*', tag: '{id}', value: 'v', columns: { c: { path: 'c', type } } };
    const made = through(jsonRows(mapping), [
      { id: 'a', v: 1, c: found },
      { id: 'b', v: 2 },
    ]);
    expect(made.rows.map((each) => each.problem)).toEqual([problem, undefined]);
  });

  it('are refused in the configuration where they mean nothing, with their place', () => {
    const of = (given: unknown): string[] =>
      subscriptionProblems({ topic: 'a/+', ...jsonRows({ tag: 't', value: 'v', columns: given }) }).map(
        ({ at, must }) => `${at} ${must}`,
      );
    expect(of({ 'a b': '/x' })[0]).toContain('.json.rows[0].columns must be an object of names of columns');
    expect(of({ a: { path: '/x', type: 'date' } })[0]).toContain('.json.rows[0].columns must be');
    expect(of({ a: { path: '/x', timestampFormat: 'iso' } })[0]).toContain('.json.rows[0].columns must be');
    expect(of({ a: '^/x' })[0]).toContain('.json.rows[0].columns.a must not lead above the document');
    expect(of({ a: '{7}' })[0]).toContain('.json.rows[0].columns.a must not name level 7');
    expect(of({ a: { path: '/x', type: 'time', timestampFormat: 'qqqq' } })[0]).toContain(
      '.json.rows[0].columns.a.timestampFormat must be a form of time',
    );
    expect(of({ a: '/x', b: 'x{/y}', c: { path: ['/x', 'y'] } })).toEqual([]);
  });
});

describe('the destination of a json mapping', () => {
  const rows = [
    { tag: 'a', value: '/a', to: 'alarms' },
    { tag: 'b', value: '/b' },
  ];

  it('is that of its rows, and no others', () => {
    const subscription = { ...fillSubscription({ topic: '#', ...jsonRows(...rows) }), to: 'energy' };
    const { values } = decodeOne({ a: 1, b: 2 }, 'plant/7/tags', createDecoder([subscription], '{tag}'));
    expect([values.destinationOf(0), values.destinationOf(1)]).toEqual(['alarms', 'energy']);
  });

  it('is named by the subscription, with its own', () => {
    const filled = (more: object): Subscription => fillSubscription({ topic: 'a', ...more });
    const named = (more: object): readonly string[] => destinationsNamedBy(filled(more));
    expect(destinationsNamedBy({ ...filled(jsonRows(...rows)), to: 'energy' })).toEqual(['alarms', 'energy']);
    expect(named(jsonRows(...rows))).toEqual(['alarms', 'default']);
    expect(named({ format: 'polling' })).toEqual(['default']);
  });

  it('must be a name', () => {
    const given = { topic: 'a', ...jsonRows({ tag: 't', to: 'a b' }) };
    expect(subscriptionProblems(given)[0]?.must).toContain('must be the name of a destination');
  });
});
