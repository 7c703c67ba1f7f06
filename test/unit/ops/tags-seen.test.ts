import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { TagValues, type Tag } from '../../../src/core/tag-values.ts';
import { firstSlots, TAG_ORDERS } from '../../../src/ops/tag-order.ts';
import { TagsSeen, type TagView } from '../../../src/ops/tags-seen.ts';
import { RECEIVED_AT_MS, valuesOf } from '../../support/values.ts';

function list(...items: readonly (readonly [name: string, value: number | string | null])[]): TagValues {
  const values = new TagValues(items.length);
  for (const [name, value] of items) {
    const tag: Tag = { plcCode: 'PLC01', address: name, name };
    const number = typeof value === 'number' ? value : Number.NaN;
    values.push(tag, number, typeof value === 'string' ? value : null, RECEIVED_AT_MS, 'GOOD');
  }
  return values;
}

const all = (seen: TagsSeen, search = '') => seen.find(search, 1000).tags;
const valuesByName = (seen: TagsSeen) => Object.fromEntries(all(seen).map(({ tagName, value }) => [tagName, value]));

describe('the tags seen', () => {
  it('have their last value, with quality and time', () => {
    const seen = new TagsSeen();
    seen.note(valuesOf(1, 'RUN', null));
    seen.note(valuesOf(2));
    const common = { plcCode: 'PLC01', quality: 'GOOD', timestamp: new Date(RECEIVED_AT_MS).toISOString() };
    expect(seen.find('', 10)).toEqual({
      total: 3,
      matching: 3,
      tags: [
        { tagName: 'PLC01.D0', value: 2, ...common },
        { tagName: 'PLC01.D1', value: 'RUN', ...common },
        { tagName: 'PLC01.D2', value: null, ...common },
      ],
    });
  });

  it('are found by a part of their name in any case, in the order of names, up to the limit', () => {
    const seen = new TagsSeen();
    seen.note(list(['Pump.Speed', 1], ['Fan.speed', 2], ['Fan.Level', 3]));
    const { total, matching, tags } = seen.find('SPEED', 1);
    expect([total, matching, tags.map(({ tagName }) => tagName)]).toEqual([3, 2, ['Fan.speed']]);
    seen.note(list(['A.speed', 4]));
    expect(all(seen, 'speed').map(({ tagName }) => tagName)).toEqual(['A.speed', 'Fan.speed', 'Pump.Speed']);
    expect(all(seen, 'nothing of the kind')).toEqual([]);
  });

  describe('in an order', () => {
    const seen = new TagsSeen();
    const values = list(['A', 1], ['B', 2], ['C', 3], ['D', 4], ['E', 5]);
    values.timesMs.set([300, 100, Number.NaN, 100, 200]);
    values.qualities.splice(0, 5, 'GOOD', 'BAD', 'GOOD', 'GOOD', 'STALE');
    seen.note(values);
    const names = (limit: number, view: TagView): string =>
      seen
        .find('', limit, view)
        .tags.map(({ tagName }) => tagName)
        .join('');

    it.each([
      ['name', 'ABCDE'],
      ['oldest', 'CBDEA'],
      ['newest', 'AEBDC'],
      ['quality', 'BEACD'],
    ] as const)('by %s are the first ones of it, however many are wanted', (order, expected) => {
      for (let limit = 1; limit <= 6; limit += 1) expect(names(limit, { order })).toBe(expected.slice(0, limit));
    });

    it('can be those of a bad quality only, or with a value before some time, or none', () => {
      expect(names(9, { quality: 'bad' })).toBe('BE');
      expect(names(9, { beforeMs: 200 })).toBe('BCD');
      expect(names(9, { beforeMs: 201, quality: 'bad', order: 'oldest' })).toBe('BE');
      expect(seen.find('b', 9, { quality: 'bad' })).toMatchObject({ total: 5, matching: 1 });
      expect(seen.find('c', 9, { quality: 'bad', order: 'oldest' })).toMatchObject({ matching: 0, tags: [] });
    });

    it('are the same as a plain sort gives', () => {
      const item = fc.record({ time: fc.constantFrom(1, 2, 3, Number.NaN), good: fc.boolean() });
      fc.assert(
        fc.property(
          fc.array(item),
          fc.integer({ min: 1, max: 10 }),
          fc.constantFrom(...TAG_ORDERS),
          (items, limit, order) => {
            const slots = items.map((_, slot) => slot);
            const columns = {
              timesMs: items.map(({ time }) => time),
              qualities: items.map(({ good }) => (good ? 'GOOD' : 'BAD')),
            };
            const chosen = firstSlots(slots, limit, order, columns);
            expect(chosen).toEqual(firstSlots(slots, 1000, order, columns).slice(0, limit));
          },
        ),
      );
    });
  });

  it('are told of when they are texts and were numbers before, until they are numbers again', () => {
    const seen = new TagsSeen();
    const turned = () => seen.turnedIntoText;
    seen.note(list(['A', 1], ['B', 'RUN'], ['C', null]));
    seen.note(list(['A', null], ['B', 'STOP'], ['C', 'RUN']));
    expect(turned()).toEqual({ count: 0, turns: 0, examples: [] });
    seen.note(list(['A', '1'], ['B', 'RUN'], ['C', 2]));
    seen.note(list(['A', '2'], ['C', '2,5']));
    expect(turned()).toEqual({ count: 2, turns: 2, examples: ['A', 'C'] });
    expect(all(seen).map(({ tagName, wasNumber }) => [tagName, wasNumber])).toEqual([
      ['A', true],
      ['B', undefined],
      ['C', true],
    ]);
    seen.note(list(['A', 3]));
    expect(turned()).toEqual({ count: 1, turns: 2, examples: ['C'] });
    seen.note(list(['A', '3']));
    expect(turned()).toEqual({ count: 2, turns: 3, examples: ['A', 'C'] });
  });

  it('say nothing of that by a value with a problem, or a number with its digits beside it', () => {
    const seen = new TagsSeen();
    seen.note(list(['A', 1], ['B', 1]));
    const values = list(['A', '[1]'], ['B', 9_007_199_254_740_992]);
    values.problems[0] = { code: 'VALUE_NOT_SCALAR', message: 'an array' };
    values.texts[1] = '9007199254740993';
    seen.note(values);
    expect(seen.turnedIntoText.count).toBe(0);
  });

  it('are marked when their last time can not be right, until the next that is', () => {
    const seen = new TagsSeen(2);
    const values = list(['A', 1], ['B', 1]);
    values.implausible.set(1, 1_762_093_825);
    seen.note(values);
    expect(all(seen).map(({ implausibleTime }) => implausibleTime)).toEqual([undefined, '1970-01-21T09:28:13.825Z']);
    seen.note(list(['A', 2]));
    expect(seen.implausibleCount).toBe(1);
    seen.note(list(['B', 2]));
    expect(seen.implausibleCount).toBe(0);
    seen.note(values);
    seen.note(list(['C', 2], ['D', 2]));
    expect(seen.implausibleCount).toBe(0);
  });

  it('count no tag that made room for another', () => {
    const seen = new TagsSeen(2);
    seen.note(list(['A', 1], ['B', 1]));
    seen.note(list(['A', 'x'], ['B', 'x']));
    expect(seen.turnedIntoText.count).toBe(2);
    seen.note(list(['C', 'x'], ['D', 1]));
    expect(seen.turnedIntoText).toEqual({ count: 0, turns: 2, examples: [] });
  });

  it('show digits that a number cannot hold, cut a long text, and have no time that was not readable', () => {
    const seen = new TagsSeen();
    const values = list(['A', 9_007_199_254_740_992], ['B', 'x'.repeat(1_000_000)], ['C', 1], ['D', 1]);
    values.texts[0] = '9007199254740993';
    values.timesMs[2] = Number.NaN;
    values.timesMs[3] = 1e300;
    seen.note(values);
    const [a, b, c, d] = all(seen);
    expect(a?.value).toBe('9007199254740993');
    expect(b?.value).toBe(`${'x'.repeat(200)}…`);
    expect([c?.timestamp, d?.timestamp]).toEqual([null, null]);
  });

  it('leave out names that fit no column', () => {
    const seen = new TagsSeen();
    seen.note(list(['A', 1], ['n'.repeat(251), 2], ['B', 3]));
    expect(valuesByName(seen)).toEqual({ A: 1, B: 3 });
  });

  it('are at most so many: the one that has been listed longest makes room', () => {
    const seen = new TagsSeen(3);
    seen.note(list(['A', 1], ['B', 2], ['C', 3], ['A', 4], ['D', 5]));
    expect(valuesByName(seen)).toEqual({ B: 2, C: 3, D: 5 });
    seen.note(list(['A', 6], ['D', 7]));
    expect(valuesByName(seen)).toEqual({ A: 6, C: 3, D: 7 });
  });

  it('hold what a plain map would hold, whatever comes in what order', () => {
    const names = ['A', 'B', 'C', 'D', 'E', 'F', 'G'];
    const item = fc.tuple(fc.constantFrom(...names), fc.integer());
    // Tags are one object a name, until the decoder has forgotten them.
    const shared = new Map(names.map((name): [string, Tag] => [name, { plcCode: '', address: name, name }]));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.array(item))), (batches) => {
        const seen = new TagsSeen();
        const expected = new Map<string, number>();
        for (const [isShared, items] of batches) {
          const values = list(...items);
          if (isShared) items.forEach(([name], i) => (values.tags[i] = shared.get(name)!));
          seen.note(values);
          for (const [name, value] of items) expected.set(name, value);
        }
        expect(valuesByName(seen)).toEqual(Object.fromEntries(expected));
      }),
    );
  });
});
