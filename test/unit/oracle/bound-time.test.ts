import { createRequire } from 'node:module';

import oracledb from 'oracledb';
import { array, assert, integer, oneof, property, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';

import { withMicroseconds } from '../../../src/core/microseconds.ts';
import { boundTime } from '../../../src/oracle/bound-time.ts';

interface DriverBuffer {
  pos: number;
  readonly buf: Buffer;
  writeOracleDate(date: Date, type: unknown, writeLength: boolean): void;
}

const { BaseBuffer } = createRequire(import.meta.url)('oracledb/lib/impl/datahandlers/buffer.js') as {
  BaseBuffer: new (bytes: Buffer) => DriverBuffer;
};

describe('a bound time', () => {
  const buffer = new BaseBuffer(Buffer.alloc(13));
  const nanosecondsOf = (date: Date): number => {
    buffer.pos = 0;
    buffer.writeOracleDate(date, oracledb.DB_TYPE_TIMESTAMP_TZ, false);
    return buffer.buf.readUInt32BE(7);
  };

  it.each([1_762_093_825_000, -1000, 0])(
    'has each microsecond of the second at %d as the driver writes it',
    (startMs) => {
      const wrong: number[] = [];
      for (let us = 0; us < 1_000_000; us += 1) {
        const timeMs = withMicroseconds(startMs + Math.floor(us / 1000), us % 1000);
        if (nanosecondsOf(boundTime(timeMs)) !== us * 1000) wrong.push(us);
      }
      expect(wrong).toEqual([]);
    },
  );

  it('is the whole second before 1970, too', () => {
    expect(boundTime(-0.5).toISOString()).toBe('1969-12-31T23:59:59.999Z');
    expect(boundTime(-0.5).getUTCSeconds()).toBe(59);
  });

  const DAY_MS = 86_400_000;
  const MOST_MS = 8_640_000_000_000_000;
  const anyTime = integer({ min: -MOST_MS, max: MOST_MS });
  const nearMidnight = tuple(integer({ min: -1_000_000, max: 1_000_000 }), integer({ min: -1500, max: 1500 })).map(
    ([day, ms]) => day * DAY_MS + ms,
  );

  it('has the fields of a plain Date, on whatever day the one before was', () => {
    assert(
      property(array(oneof(anyTime, nearMidnight), { minLength: 1, maxLength: 20 }), (times) => {
        for (const timeMs of times) expect(fieldsOf(boundTime(timeMs))).toEqual(fieldsOf(new Date(timeMs)));
      }),
    );
  });

  it('has no fields where there is no such time', () => {
    expect(fieldsOf(boundTime(Number.NaN))).toEqual(fieldsOf(new Date(Number.NaN)));
  });
});

function fieldsOf(date: Date): readonly number[] {
  return [
    date.getTime(),
    date.getUTCFullYear(),
    date.getUTCMonth(),
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
    date.getUTCMilliseconds(),
  ];
}
