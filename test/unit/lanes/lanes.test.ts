import { describe, expect, it } from 'vitest';

import { MAX_VALUE_NO } from '../../../src/core/limits.ts';
import { ORIGIN } from '../../../src/core/place.ts';
import { Lanes, type LanesOptions } from '../../../src/lanes/lanes.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

const PLACES = { counted: ORIGIN, settled: ORIGIN, recovered: ORIGIN, ledger: ORIGIN, rejected: new Set<string>() };

/** Lanes whose writers are never set to work. */
function lanesOpenedAt(settledThrough: { readonly messageNo: number; readonly valueNo: number }): Lanes {
  const log = new RecordingLogger();
  const clock = new FakeClock();
  const lanes = new Lanes({
    destinations: ['default'],
    buffer: { capacity: 10, onFull: 'wait' },
    takeUpNothing: () => ({ places: PLACES, settledByFiles: ORIGIN }),
    writerOptions: () => ({ batchSize: 1, intervalMs: 1 }) as unknown as ReturnType<LanesOptions['writerOptions']>,
    writerParts: () => ({ clock, log }) as unknown as ReturnType<LanesOptions['writerParts']>,
    clock,
    log,
  });
  lanes.open(new Map(), {}, settledThrough);
  return lanes;
}

describe('how far messages are expanded', () => {
  it('goes to the end of a message of which an earlier run had settled a part', () => {
    const lanes = lanesOpenedAt({ messageNo: 7, valueNo: 1 });
    lanes.expanded(7);
    expect(lanes.settledThrough).toEqual({ messageNo: 7, valueNo: MAX_VALUE_NO });
  });

  it('never goes back, when a message that can not be decoded is done late', () => {
    const lanes = lanesOpenedAt(ORIGIN);
    lanes.expanded(9);
    lanes.expanded(8);
    expect(lanes.settledThrough).toEqual({ messageNo: 9, valueNo: MAX_VALUE_NO });
  });
});
