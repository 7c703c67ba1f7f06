import { describe, expect, it } from 'vitest';

import { findStuck, type WatchedLane } from '../../../src/ops/stuck.ts';

const lane = (destination: string, oldestAgeMs: number): WatchedLane => ({ destination, buffer: { oldestAgeMs } });

describe('findStuck', () => {
  it('finds nothing while all values go on within five minutes', () => {
    expect(findStuck([lane('default', 299_999), lane('alarms', 0)])).toEqual([]);
  });

  it('names the destination only where there are several', () => {
    expect(findStuck([lane('default', 300_000)])).toEqual(['the oldest value has been in the buffer for 300000 ms']);
    expect(findStuck([lane('default', 5), lane('alarms', 300_001)])).toEqual([
      'the oldest value has been in the buffer of the destination alarms for 300001 ms',
    ]);
  });
});
