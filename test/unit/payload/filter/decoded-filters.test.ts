import { describe, expect, it } from 'vitest';

import { TagValues } from '../../../../src/core/tag-values.ts';
import { createDecoder, type Route } from '../../../../src/payload/decoder.ts';
import { ExceptionFilter } from '../../../../src/payload/filter/exception-filter.ts';
import { sparkplugPayload } from '../../../support/sparkplug-encoder.ts';
import { decodeOne, RECEIVED_AT_MS } from '../decode-rows.ts';

const POLLING: Route = { topic: 'plc/+/tags', format: 'polling', plcCode: '', tagAddress: '' };
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

function decoded(route: Partial<Route>, tagValues: object, timestamp?: unknown) {
  const decoder = createDecoder([{ ...POLLING, ...route }], '{plc}.{tag}');
  const first = decodeOne({ plc_code: 'P', timestamp, tag_values: tagValues }, 'plc/1/tags', decoder);
  // What a subscription leaves out by name depends on nothing before.
  const again = decodeOne({ plc_code: 'P', timestamp, tag_values: tagValues }, 'plc/1/tags', decoder);
  expect(again.rows).toEqual(first.rows);
  return first;
}

describe('include and exclude', () => {
  const tagValues = { 'Oven.Temp1': 1, 'Oven.Spare1': 2, 'Oven.TempSpare': 3, 'Fan.Speed': 4 };

  it.each<[Partial<Route>, number[]]>([
    [{ include: ['*.Temp*'] }, [1, 3]],
    [{ exclude: ['*Spare*'] }, [1, 4]],
    [{ include: ['*.Temp*', 'P.Fan.Speed'], exclude: ['*Spare*'] }, [1, 4]],
    [{ include: ['Oven.*'] }, []],
    [{ include: [], exclude: [] }, [1, 2, 3, 4]],
  ])('%j go by the tag name, and what is left out is counted', (route, left) => {
    const { rows, values } = decoded(route, tagValues);
    expect(rows.map(({ number }) => number)).toEqual(left);
    expect([...values.valueNos.subarray(0, values.length)]).toEqual(left.map((number) => number - 1));
    expect(values.leftOut).toBe(4 - left.length);
  });

  it('leave a value out whatever is wrong with it, and keep its problem where they do not', () => {
    const { rows, values } = decoded({ exclude: ['*Bad1'] }, { Bad1: [], Bad2: [], Good: 1 });
    expect(rows.map(({ name, problem }) => [name, problem])).toEqual([
      ['P.Bad2', 'VALUE_NOT_SCALAR'],
      ['P.Good', undefined],
    ]);
    expect(values.leftOut).toBe(1);
  });

  it('hold for messages that are read again from a file, and say nothing of what a message is', () => {
    const decoder = createDecoder([{ ...POLLING, exclude: ['*'] }], '{plc}.{tag}');
    const payload = Buffer.from('{"plc_code":"P","timestamp":1762093825123,"tag_values":{"A":1}}');
    const values = new TagValues(1);
    const message = { number: 1, topic: 'plc/1/tags', payload, receivedAtMs: RECEIVED_AT_MS };
    expect(decoder.decodeAside(message, values)).toBeUndefined();
    expect([values.length, values.leftOut]).toEqual([0, 1]);
    expect(decoder.hasOwnTime(message.topic, payload)).toBe(true);
  });

  it('tell of what they leave out where somebody asks', () => {
    const told: string[] = [];
    const onLeftOut = ({ name }: { readonly name: string }): unknown => told.push(name);
    const decoder = createDecoder([{ ...POLLING, exclude: ['*A*'] }], '{plc}.{tag}', { onLeftOut });
    decodeOne({ plc_code: 'P', tag_values: { A1: 1, B: 2, A2: 3 } }, 'plc/1/tags', decoder);
    expect(told).toEqual(['P.A1', 'P.A2']);
  });
});

describe('a time that can not be right', () => {
  const seconds = 1_762_093_825;
  const seventies = seconds;

  it('is that of seconds taken for milliseconds: it is written as 1970, and noted', () => {
    const { rows, values } = decoded({}, { A: 1 }, seconds);
    expect(rows).toMatchObject([{ timeMs: seventies, quality: 'GOOD', problem: undefined }]);
    expect([...values.implausible]).toEqual([[0, seventies]]);
  });

  it.each([
    ['a clock that was never set', 0, true],
    ['year 1', '0001-01-01T00:00:00Z', true],
    ['a clock that begins at 2000', '2000-01-01T00:00:00Z', true],
    ['OLE days', 45_963.5, true],
    ['local time for UTC, one hour east', RECEIVED_AT_MS + 60 * MINUTE_MS, true],
    ['a clock that is fast', RECEIVED_AT_MS + 30 * MINUTE_MS, false],
    ['a clock that is faster', RECEIVED_AT_MS + 30 * MINUTE_MS + 1, true],
    ['a buffer of three weeks', RECEIVED_AT_MS - 21 * DAY_MS, false],
    ['just within the window', RECEIVED_AT_MS - 90 * DAY_MS, false],
    ['just outside of it', RECEIVED_AT_MS - 90 * DAY_MS - 1, true],
    ['none, which is that of receipt', undefined, false],
    ['none that can be read', 'noon', false],
  ])('by default: %s', (_what, timestamp, isImplausible) => {
    expect(decoded({}, { A: 1 }, timestamp).values.implausible.size).toBe(Number(isImplausible));
  });

  it('is that of one value among others, and the window is that of the subscription', () => {
    const tagValues = {
      A: 1,
      B: { value: 2, timestamp: RECEIVED_AT_MS - 2 * DAY_MS - 1 },
      C: { value: 3, timestamp: RECEIVED_AT_MS + 3 * MINUTE_MS + 1 },
      D: { value: 4, timestamp: RECEIVED_AT_MS + 3 * MINUTE_MS },
    };
    const plausibleTime = { pastDays: 2, futureMinutes: 3 };
    expect([...decoded({ plausibleTime }, tagValues).values.implausible.keys()]).toEqual([1, 2]);
    const years = { plausibleTime: { pastDays: 36_500, futureMinutes: 0 } };
    expect(decoded(years, { A: 1 }, '2000-01-01T00:00:00Z').values.implausible.size).toBe(0);
  });

  it('becomes that of receipt, where the subscription says so', () => {
    const { rows, values } = decoded({ onImplausibleTime: 'receivedAt' }, { A: 1, B: [] }, seconds);
    expect(rows.map(({ problem, timeMs }) => [timeMs, problem])).toEqual([
      [RECEIVED_AT_MS, undefined],
      [RECEIVED_AT_MS, 'VALUE_NOT_SCALAR'],
    ]);
    expect([...values.implausible]).toEqual([
      [0, seventies],
      [1, seventies],
    ]);
  });

  it('is a reason to reject the row, where the subscription says so', () => {
    const { values } = decoded({ onImplausibleTime: 'reject' }, { A: 1, B: [] }, seconds);
    expect(values.problems[0]).toEqual({
      code: 'TIMESTAMP_IMPLAUSIBLE',
      message:
        'the time 1970-01-21T09:28:13.825Z is more than 90 days before that of receipt, 2025-11-02T15:00:00.000Z (plausibleTime)',
    });
    expect(values.problems[1]?.code).toBe('VALUE_NOT_SCALAR');
    const { values: later } = decoded({ onImplausibleTime: 'reject' }, { A: 1 }, '2099-01-01T00:00:00Z');
    expect(later.problems[0]?.message).toContain('is more than 30 minutes after that of receipt');
  });

  it('does not change whether another message with the same bytes is the same one', () => {
    const payload = Buffer.from(`{"plc_code":"P","timestamp":${seconds},"tag_values":{"A":1}}`);
    for (const onImplausibleTime of ['accept', 'receivedAt', 'reject'] as const) {
      const decoder = createDecoder([{ ...POLLING, onImplausibleTime }], '{plc}.{tag}');
      expect(decoder.hasOwnTime('plc/1/tags', payload)).toBe(true);
    }
  });
});

describe('what Sparkplug calls history', () => {
  it('is noted, passes a deadband, and is not what later values are compared with', () => {
    const sparkplug = { hostId: '', rebirth: true, reorderTimeoutMs: 0, staleRows: false, timestamp: 'metric' };
    const route = { topic: '#', format: 'sparkplugB', plcCode: '', tagAddress: '', sparkplug } as unknown as Route;
    const banded = { ...route, deadband: { absolute: 1 } };
    const decoder = createDecoder([banded], '{plc}.{tag}');
    const filter = new ExceptionFilter([banded]);
    const metric = { name: 'm', type: 10 };
    const metrics = [
      { ...metric, double: 5, timeMs: RECEIVED_AT_MS },
      { ...metric, double: 50, timeMs: RECEIVED_AT_MS + 1, isHistorical: true },
      { ...metric, double: 5.5, timeMs: RECEIVED_AT_MS + 2, isHistorical: false },
    ];
    const payload = sparkplugPayload({ timeMs: RECEIVED_AT_MS, seq: 1, metrics });
    const message = { number: 1, topic: 'spBv1.0/G/NDATA/N', payload, receivedAtMs: RECEIVED_AT_MS };
    const values = new TagValues(1);
    expect(decoder.decode(message, values)).toBeUndefined();
    expect([...values.historical]).toEqual([1]);
    filter.apply(message, decoder.routeOf(message.topic), values);
    expect([...values.numbers.subarray(0, values.length)]).toEqual([5, 50]);
  });
});
