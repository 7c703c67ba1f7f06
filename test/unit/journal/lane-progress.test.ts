import { describe, expect, it } from 'vitest';

import { createValueCounters } from '../../../src/core/counters.ts';
import { MAX_VALUE_NO } from '../../../src/core/limits.ts';
import { ORIGIN, type Place } from '../../../src/core/place.ts';
import { LaneProgress } from '../../../src/journal/lane-progress.ts';

const whole = (messageNo: number): Place => ({ messageNo, valueNo: MAX_VALUE_NO });

/** A lane whose values are on their way unless `state.isIdle`; messages are left out of it as the lane does it. */
function laneFrom(counted: Place) {
  const counters = createValueCounters();
  const state = { isIdle: false };
  const progress = new LaneProgress(counted, ORIGIN, {
    counters,
    isIdle: () => state.isIdle,
    ledgerPlace: () => ORIGIN,
  });
  const leaveOut = (messageNo: number, count: number): void => {
    if (!progress.leftOut(messageNo, count)) return;
    counters.valuesReceived += count;
    counters.valuesFiltered += count;
  };
  const recorded = (expanded: number, settledNo = 0): number =>
    progress.record(whole(expanded), settledNo).counters['valuesFiltered']!;
  return { counters, state, progress, leaveOut, recorded };
}

describe('what is left out of a lane', () => {
  it('is in the checkpoint once its message lies wholly up to the place, or is not read again', () => {
    const { progress, leaveOut, recorded } = laneFrom(ORIGIN);
    leaveOut(1, 2);
    leaveOut(2, 3);
    leaveOut(4, 5);
    expect(recorded(4)).toBe(0);
    progress.settled({ messageNo: 2, valueNo: 7 });
    expect(recorded(4)).toBe(2);
    expect(recorded(4, 2)).toBe(5);
    progress.settled({ messageNo: 3, valueNo: 0 });
    expect(recorded(4)).toBe(5);
  });

  it('is in it as soon as nothing is on its way in the lane, without a value that was let through', () => {
    const { leaveOut, recorded, state } = laneFrom(ORIGIN);
    leaveOut(1, 2);
    leaveOut(2, 3);
    state.isIdle = true;
    expect(recorded(2)).toBe(5);
  });

  it('is received there, too', () => {
    const { leaveOut, progress, state } = laneFrom(ORIGIN);
    leaveOut(1, 2);
    state.isIdle = true;
    expect(progress.record(whole(1), 0).counters).toMatchObject({ valuesReceived: 2, valuesFiltered: 2 });
  });

  it('is not counted again where an earlier run has counted it, and is where that had not come to the end of its message', () => {
    const { counters, leaveOut } = laneFrom({ messageNo: 3, valueNo: 1 });
    leaveOut(2, 2);
    expect(counters.valuesFiltered).toBe(0);
    leaveOut(3, 4);
    expect(counters.valuesFiltered).toBe(4);
    const { counters: later, leaveOut: leaveOutLater } = laneFrom(whole(3));
    leaveOutLater(3, 4);
    expect(later.valuesFiltered).toBe(0);
  });
});
