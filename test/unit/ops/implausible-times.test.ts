import { describe, expect, it } from 'vitest';

import { ImplausibleTimes } from '../../../src/ops/implausible-times.ts';
import { TagsSeen } from '../../../src/ops/tags-seen.ts';
import { valuesOf } from '../../support/values.ts';

const RECEIVED_AT_MS = Date.UTC(2025, 10, 2, 15);

describe('times that can not be right', () => {
  it('are counted, and told of by the first since all were right', () => {
    const tags = new TagsSeen();
    const times = new ImplausibleTimes(() => tags.implausibleCount);
    const note = (topic: string, implausible: Readonly<Record<number, number>>): void => {
      const values = valuesOf(1, 2, 3);
      for (const [i, timeMs] of Object.entries(implausible)) values.implausible.set(Number(i), timeMs);
      times.note(values, { topic, receivedAtMs: RECEIVED_AT_MS });
      tags.note(values);
    };
    note('a', {});
    expect(times.figures).toEqual({ tags: 0, values: 0 });
    note('b', { 1: 0, 2: 1000 });
    note('c', { 0: 2000, 1: 2000 });
    const first = {
      topic: 'b',
      tagName: 'PLC01.D1',
      timestamp: '1970-01-01T00:00:00.000Z',
      receivedAt: '2025-11-02T15:00:00.000Z',
    };
    expect(times.figures).toEqual({ tags: 2, values: 4, first });
    note('d', {});
    expect(times.figures).toEqual({ tags: 0, values: 4 });
    note('e', { 0: -1e300 });
    expect(times.figures).toMatchObject({ tags: 1, values: 5, first: { topic: 'e', timestamp: '-1e+300 ms' } });
  });
});
