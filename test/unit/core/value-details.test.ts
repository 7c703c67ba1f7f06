import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { TagBuffer } from '../../../src/buffer/tag-buffer.ts';
import { byDestination, copyValues, TagValues } from '../../../src/core/tag-values.ts';
import { originOf, type ValueDetails } from '../../../src/core/value-details.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const TAG = { plcCode: 'P', address: 'A', name: 'P.A' };
const ORIGIN = originOf('plant/7/tags', false);
const GOOD: ValueDetails = { qualityCode: 192, fields: undefined };
const BATCH: ValueDetails = { qualityCode: Number.NaN, fields: new Map([['batch', 'B1']]) };

function push(values: TagValues, number = 0): void {
  values.push(TAG, number, null, 0, 'GOOD');
}

function listOf(details: readonly (ValueDetails | null)[], origin: typeof ORIGIN | null): TagValues {
  const values = new TagValues(4);
  for (const each of details) {
    values.describe(each);
    push(values);
  }
  values.stamp(1, 0, origin);
  return values;
}

function read(values: TagValues): (readonly [ValueDetails | null, typeof ORIGIN | null])[] {
  return Array.from({ length: values.length }, (_, i) => [values.details?.[i] ?? null, values.origins?.[i] ?? null]);
}

describe('what further columns hold of the values of a list', () => {
  it('is no column of a list that never had any, nor of its copies', () => {
    const values = listOf([null, null], null);
    const copy = values.slice(0, 2);
    for (const list of [values, copy]) expect([list.origins, list.details]).toEqual([undefined, undefined]);
  });

  it('is that of the values that are pushed after it was described, until the list is cleared', () => {
    const values = new TagValues(0);
    push(values);
    values.describe(GOOD);
    push(values);
    push(values);
    values.describe(BATCH);
    push(values);
    values.describe(null);
    push(values);
    expect(read(values).map(([details]) => details)).toEqual([null, GOOD, GOOD, BATCH, null]);
    values.describe(GOOD);
    values.clear();
    push(values);
    values.stamp(2, 0, ORIGIN);
    expect(read(values)).toEqual([[null, ORIGIN]]);
    values.clear();
    push(values);
    values.stamp(3, 0);
    expect(read(values)).toEqual([[null, null]]);
  });

  it('goes with its values wherever they are copied, from lists with it to lists without, and back', () => {
    const item = fc.record({ details: fc.constantFrom(null, GOOD, BATCH), isRemoved: fc.boolean() });
    fc.assert(
      fc.property(fc.array(item, { minLength: 1, maxLength: 60 }), fc.nat(59), fc.boolean(), (items, at, hasOrigin) => {
        const origin = hasOrigin ? ORIGIN : null;
        const model = items.map(({ details }) => [details, origin] as const);
        const values = listOf(
          items.map(({ details }) => details),
          origin,
        );
        const start = Math.min(at, items.length - 1);
        const part = values.slice(start, items.length);
        expect(read(part)).toEqual(model.slice(start));
        copyValues(listOf([null], null), 0, part, 0, 1);
        expect(read(part)[0]).toEqual([null, null]);
        values.remove(new Set(items.flatMap(({ isRemoved }, i) => (isRemoved ? [i] : []))));
        const left = model.filter((_each, i) => !items[i]!.isRemoved);
        expect(read(values)).toEqual(left);
        const first = Math.min(2, values.length);
        values.removeFirst(first);
        expect(read(values)).toEqual(left.slice(first));
      }),
    );
  });
});

describe('what further columns hold of values for several destinations', () => {
  it('goes with them into the list of each', () => {
    const pick = fc.record({ details: fc.constantFrom(null, GOOD, BATCH), to: fc.constantFrom('a', 'b', undefined) });
    fc.assert(
      fc.property(fc.array(pick, { maxLength: 40 }), fc.boolean(), (items, hasOrigin) => {
        const origin = hasOrigin ? ORIGIN : null;
        const values = new TagValues(1);
        for (const { details, to } of items) {
          values.sendTo(to);
          values.describe(details);
          push(values);
        }
        values.stamp(1, 0, origin);
        const lists = byDestination(values);
        for (const name of ['a', 'b', undefined]) {
          const own = items.filter(({ to }) => to === name).map(({ details }) => [details, origin]);
          const list = lists.get(name ?? 'default');
          expect(list === undefined ? [] : read(list)).toEqual(own);
        }
      }),
    );
  });
});

describe('what further columns hold of the values of a buffer', () => {
  const pick = fc.constantFrom(null, GOOD, BATCH);

  it('goes with its values around the end of the ring', () => {
    fc.assert(
      fc.property(fc.array(fc.array(pick, { minLength: 1, maxLength: 5 }), { maxLength: 20 }), (lists) => {
        const buffer = new TagBuffer({ capacity: 7, onFull: 'wait', clock: new FakeClock() });
        const into = new TagValues(7);
        for (const list of lists) {
          buffer.append(listOf(list, ORIGIN), 0);
          buffer.take(into, 7);
          expect(read(into)).toEqual(list.map((details) => [details, ORIGIN]));
        }
      }),
    );
  });

  it('is forgotten once they were taken', () => {
    const buffer = new TagBuffer({ capacity: 2, onFull: 'wait', clock: new FakeClock() });
    const into = new TagValues(2);
    buffer.append(listOf([GOOD, BATCH], ORIGIN), 0);
    buffer.take(into, 2);
    // Values that have nothing besides take the places of those that had.
    buffer.append(listOf([null, null], null), 0);
    buffer.take(into, 2);
    expect(read(into)).toEqual([
      [null, null],
      [null, null],
    ]);
  });
});
