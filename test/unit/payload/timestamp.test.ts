import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { TimeWriter } from '../../../src/backup/csv/time-text.ts';
import { parseTimestamp } from '../../../src/payload/timestamp.ts';

const FIRST = '0001-01-01T00:00:00.000Z';
const LAST = '9999-12-31T23:59:59.999Z';

describe('parseTimestamp', () => {
  it.each([
    ['2025-11-02T14:30:25.123Z', '2025-11-02T14:30:25.123Z'],
    ['2025-11-02T14:30:25.123z', '2025-11-02T14:30:25.123Z'],
    ['2025-11-02t14:30:25.123Z', '2025-11-02T14:30:25.123Z'],
    ['2025-11-02 14:30:25.123', '2025-11-02T14:30:25.123Z'],
    ['2025-11-02T14:30:25,123Z', '2025-11-02T14:30:25.123Z'],
    ['2025-11-02T14:30:25', '2025-11-02T14:30:25.000Z'],
    ['2025-11-02T14:30Z', '2025-11-02T14:30:00.000Z'],
    ['2025-11-02T14:30:25.1Z', '2025-11-02T14:30:25.100Z'],
    ['2025-11-02T14:30:25.123999999Z', '2025-11-02T14:30:25.123999Z'],
    ['2025-11-02T14:30:25.1234Z', '2025-11-02T14:30:25.123400Z'],
    ['2025-11-02T14:30:25.000001+01:00', '2025-11-02T13:30:25.000001Z'],
    ['2025-11-02T14:30:25.1230009Z', '2025-11-02T14:30:25.123Z'],
    ['2249-01-01T00:00:00.123456Z', '2249-01-01T00:00:00.123Z'],
    ['9999-12-31T23:59:59.9999999Z', LAST],
    ['2025-11-02T14:30:25.123+01:00', '2025-11-02T13:30:25.123Z'],
    ['2025-11-02T14:30:25.123+0100', '2025-11-02T13:30:25.123Z'],
    ['2025-11-02T14:30:25.123+01', '2025-11-02T13:30:25.123Z'],
    ['2025-11-02T14:30:25.123-05:30', '2025-11-02T20:00:25.123Z'],
    ['2025-01-01T00:30:00+01:00', '2024-12-31T23:30:00.000Z'],
    ['2024-02-29T00:00:00.000Z', '2024-02-29T00:00:00.000Z'],
    ['2000-02-29T00:00:00.000Z', '2000-02-29T00:00:00.000Z'],
    ['1969-12-31T23:59:59.9999Z', '1969-12-31T23:59:59.999900Z'],
    ['0099-03-01T00:00:00.000Z', '0099-03-01T00:00:00.000Z'],
    [FIRST, FIRST],
    [LAST, LAST],
  ])('reads %s as %s', (text, utc) => {
    expect(new TimeWriter().text(parseTimestamp(text))).toBe(utc);
  });

  it.each([
    '',
    'now',
    '2025-11-02',
    '2025-02-29T00:00:00.000Z',
    '2025-02-30T00:00:00.000Z',
    '1900-02-29T00:00:00.000Z',
    '2025-04-31T00:00:00.000Z',
    '2025-00-10T00:00:00.000Z',
    '2025-13-10T00:00:00.000Z',
    '2025-11-00T00:00:00.000Z',
    '2025-11-02T24:00:00.000Z',
    '2025-11-02T14:60:00.000Z',
    '2025-11-02T14:30:60.000Z',
    '2025-11-02T14:30:25.Z',
    '2025-11-02T14:30:25.1234567890Z',
    '2025-11-02T14:30:2x.123Z',
    '2025-11-02T14:30:25.12xZ',
    '2025-11-02T14:30:25.123Z ',
    ' 2025-11-02T14:30:25.123Z',
    '2025-11-02T14:30:25.123+24:00',
    '2025-11-02T14:30:25.123+01:60',
    '2025-11-02T14:30:25.123 Europe/Berlin',
    '+002025-11-02T14:30:25.123Z',
    '0000-12-31T23:59:59.999Z',
    '0001-01-01T00:00:00.000+01:00',
    '9999-12-31T23:59:59.999-01:00',
    '1762093825123',
    `2025-11-02T14:30:25.${'1'.repeat(1_000_000)}Z`,
  ])('refuses %.40s', (text) => {
    expect(parseTimestamp(text)).toBeNaN();
  });

  it.each([
    [1762093825123, 1762093825123],
    [1762093825123.9, 1762093825123.9],
    [62_093_825_123.4567, 62_093_825_123.457],
    [62_093_825_123.9999, 62_093_825_124],
    [0, 0],
    [-0.5, -0.5],
    [-62_135_596_800_000, -62_135_596_800_000],
    [253_402_300_799_999.5, 253_402_300_799_999],
  ])('reads the epoch milliseconds %d', (given, ms) => {
    expect(parseTimestamp(given)).toBe(ms);
  });

  it('takes -0 for 0', () => {
    expect(parseTimestamp(-0)).toBe(0);
  });

  it.each([-62_135_596_800_001, 253_402_300_800_000, Number.POSITIVE_INFINITY, 1e300])('refuses %d', (given) => {
    expect(parseTimestamp(given)).toBeNaN();
  });

  it.each([[true], [{}], [[]], [null], [undefined]])('refuses what is neither text nor number: %j', (given) => {
    expect(parseTimestamp(given)).toBeNaN();
  });

  it('reads back every date that toISOString writes', () => {
    const dates = fc.date({ min: new Date(FIRST), max: new Date(LAST), noInvalidDate: true });
    fc.assert(
      fc.property(dates, (date) => {
        expect(parseTimestamp(date.toISOString())).toBe(date.getTime());
      }),
    );
  });

  it('reads a local time with an offset as the same instant', () => {
    const dates = fc.date({ min: new Date('0002-01-01'), max: new Date('9998-01-01'), noInvalidDate: true });
    const offsets = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 });
    fc.assert(
      fc.property(dates, offsets, (date, minutes) => {
        const local = new Date(date.getTime() + minutes * 60_000).toISOString().slice(0, -1);
        const hh = String(Math.floor(Math.abs(minutes) / 60)).padStart(2, '0');
        const mm = String(Math.abs(minutes) % 60).padStart(2, '0');
        expect(parseTimestamp(`${local}${minutes < 0 ? '-' : '+'}${hh}:${mm}`)).toBe(date.getTime());
      }),
    );
  });

  it('agrees with the calendar on every day of every kind of year', () => {
    for (const year of [4, 100, 400, 1900, 2000, 2023, 2024]) {
      for (let month = 1; month <= 12; month += 1) {
        for (let day = 1; day <= 31; day += 1) {
          const text = `${[String(year).padStart(4, '0'), two(month), two(day)].join('-')}T00:00:00.000Z`;
          const date = new Date(text);
          const exists = date.getUTCDate() === day && date.getUTCMonth() === month - 1;
          expect([text, parseTimestamp(text)]).toStrictEqual([text, exists ? date.getTime() : Number.NaN]);
        }
      }
    }
  });
});

function two(n: number): string {
  return String(n).padStart(2, '0');
}
