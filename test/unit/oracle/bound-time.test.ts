import { createRequire } from 'node:module';

import oracledb from 'oracledb';
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

  it('is a plain Date where it has no microseconds', () => {
    expect(boundTime(1_762_093_825_123).constructor).toBe(Date);
  });
});
