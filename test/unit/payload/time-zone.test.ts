import { describe, expect, it } from 'vitest';

import { compileTimeZone, isTimeZone } from '../../../src/payload/time-zone.ts';

function utcOf(zone: string, local: string): string {
  const toUtc = compileTimeZone(zone);
  const localMs = Date.parse(`${local}Z`);
  return new Date(toUtc === undefined ? localMs : toUtc(localMs)).toISOString();
}

describe('a time zone', () => {
  it.each([
    ['UTC', '2024-03-31T02:30:00', '2024-03-31T02:30:00.000Z'],
    ['Europe/Berlin', '2024-03-31T01:59:59', '2024-03-31T00:59:59.000Z'],
    // 02:30 does not come: it is 03:30 by the new time.
    ['Europe/Berlin', '2024-03-31T02:00:00', '2024-03-31T01:00:00.000Z'],
    ['Europe/Berlin', '2024-03-31T02:30:00', '2024-03-31T01:30:00.000Z'],
    ['Europe/Berlin', '2024-03-31T03:00:00', '2024-03-31T01:00:00.000Z'],
    // 02:00 to 03:00 comes twice: the first.
    ['Europe/Berlin', '2024-10-27T01:59:59', '2024-10-26T23:59:59.000Z'],
    ['Europe/Berlin', '2024-10-27T02:00:00', '2024-10-27T00:00:00.000Z'],
    ['Europe/Berlin', '2024-10-27T02:59:59', '2024-10-27T00:59:59.000Z'],
    ['Europe/Berlin', '2024-10-27T03:00:00', '2024-10-27T02:00:00.000Z'],
    ['America/New_York', '2024-03-10T02:30:00', '2024-03-10T07:30:00.000Z'],
    ['America/New_York', '2024-11-03T01:30:00', '2024-11-03T05:30:00.000Z'],
    ['America/Sao_Paulo', '2018-11-04T00:30:00', '2018-11-04T03:30:00.000Z'],
    ['Australia/Lord_Howe', '2024-04-07T01:45:00', '2024-04-06T14:45:00.000Z'],
    ['Australia/Lord_Howe', '2024-10-06T02:15:00', '2024-10-05T15:45:00.000Z'],
    ['Asia/Kathmandu', '2024-01-01T00:00:00', '2023-12-31T18:15:00.000Z'],
    ['Pacific/Apia', '2011-12-31T00:00:00', '2011-12-30T10:00:00.000Z'],
  ])('%s says %s for %s', (zone, local, utc) => {
    expect(utcOf(zone, local)).toBe(utc);
  });

  it('has each instant of a year back, but for the hour that comes twice', () => {
    const toUtc = compileTimeZone('Europe/Berlin')!;
    const format = new Intl.DateTimeFormat('sv-SE', {
      timeZone: 'Europe/Berlin',
      dateStyle: 'short',
      timeStyle: 'medium',
    });
    const wrong: string[] = [];
    for (let utcMs = Date.UTC(2024, 0, 1); utcMs < Date.UTC(2025, 0, 1); utcMs += 1_800_000) {
      const local = format.format(utcMs).replace(' ', 'T');
      if (toUtc(Date.parse(`${local}Z`)) !== utcMs) wrong.push(new Date(utcMs).toISOString());
    }
    expect(wrong).toStrictEqual(['2024-10-27T01:00:00.000Z', '2024-10-27T01:30:00.000Z']);
  });

  it('is a name that is known', () => {
    expect(['Europe/Berlin', 'UTC', 'Etc/GMT+5', 'utc'].map(isTimeZone)).toStrictEqual([true, true, true, true]);
    expect(['', 'Berlin', '+02:00', 'Europe/Nowhere'].map(isTimeZone)).toStrictEqual([false, false, false, false]);
  });
});
