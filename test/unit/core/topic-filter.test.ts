import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  filtersOverlap,
  inGroup,
  isShared,
  levelsOf,
  topicFilterProblem,
  topicMatches,
  withoutGroup,
} from '../../../src/core/topic-filter.ts';

describe('topicFilterProblem', () => {
  it.each([
    'plc',
    'plc/+/tags',
    '+',
    '#',
    '/',
    '/plc',
    'plc/',
    'plc/#',
    '+/+/#',
    '$SYS/#',
    '$share/group/plc/#',
    'a b',
  ])('finds nothing wrong with %s', (filter) => {
    expect(topicFilterProblem(filter)).toBeUndefined();
  });

  it.each([
    ['', 'is empty'],
    ['a\u0000b', 'contains a NUL character'],
    ['plc/#/tags', '# must be a level of its own, and the last'],
    ['plc#', '# must be a level of its own, and the last'],
    ['plc/a#', '# must be a level of its own, and the last'],
    ['plc+', '+ must be a level of its own'],
    ['plc/+a/b', '+ must be a level of its own'],
    ['x'.repeat(65_536), 'is longer than 65,535 bytes'],
    ['ä'.repeat(32_768), 'is longer than 65,535 bytes'],
  ])('refuses %.20s', (filter, problem) => {
    expect(topicFilterProblem(filter)).toBe(problem);
  });

  it.each(['$share', '$share/', '$share/group', '$share/group/', '$share//plc', '$share/+/plc', '$share/#/plc'])(
    'refuses the shared subscription %s, which lacks a group or a filter',
    (filter) => {
      expect(topicFilterProblem(filter)).toContain('$share/<group>/<filter>');
    },
  );
});

/** The examples of the MQTT 5.0 specification, sections 4.7.1 and 4.7.2, and of shared subscriptions, 4.8.2. */
describe('topicMatches', () => {
  it.each([
    ['sport/tennis/player1/#', 'sport/tennis/player1', true],
    ['sport/tennis/player1/#', 'sport/tennis/player1/ranking', true],
    ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
    ['sport/tennis/player1/#', 'sport/tennis/player10', false],
    ['sport/#', 'sport', true],
    ['#', 'a/b/c', true],
    ['sport/tennis/+', 'sport/tennis/player1', true],
    ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
    ['sport/+', 'sport', false],
    ['sport/+', 'sport/', true],
    ['+/+', '/finance', true],
    ['/+', '/finance', true],
    ['+', '/finance', false],
    ['#', '$SYS/uptime', false],
    ['+/monitor/Clients', '$SYS/monitor/Clients', false],
    ['$SYS/#', '$SYS/monitor', true],
    ['$SYS/monitor/+', '$SYS/monitor/Clients', true],
    ['plc', 'PLC', false],
    ['plc/tags', 'plc', false],
    ['plc', 'plc/tags', false],
    ['$share/group/plc/+', 'plc/1', true],
    ['$share/group/plc/+', '$share/group/plc/1', false],
    ['$share/group/#', '$SYS/uptime', false],
  ])('%s and %s: %s', (filter, topic, expected) => {
    expect(topicMatches(filter, topic)).toBe(expected);
  });
});

const level = fc.constantFrom('', 'a', 'b', '$s');
const topicOf = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'));
const filterOf = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 4 }), fc.boolean())
  .filter(([levels, many]) => levels.length > 0 || many)
  .map(([levels, many]) => [...levels, ...(many ? ['#'] : [])].join('/'));

/** Every topic of up to five levels, from all levels that the filters above can tell apart. */
const ALL_TOPICS = (function grow(topics: string[], depth: number): string[] {
  if (depth === 0) return topics;
  const longer = topics.flatMap((topic) => ['', 'a', 'b', '$s'].map((next) => `${topic}/${next}`));
  return [...topics, ...grow(longer, depth - 1)];
})(['', 'a', 'b', '$s'], 4);

describe('filtersOverlap', () => {
  it.each([
    ['plc/+/tags', 'plc/1/tags', true],
    ['plc/#', 'plc', true],
    ['plc/#', 'plc/+/tags', true],
    ['plc/+', 'plc/1/tags', false],
    ['a/+/c', '+/b/c', true],
    ['a/+/c', '+/b/d', false],
    ['#', '$SYS/#', false],
    ['$SYS/+', '$SYS/a', true],
    ['$share/one/plc/#', 'plc/1', true],
  ])('%s and %s: %s', (a, b, expected) => {
    expect(filtersOverlap(a, b)).toBe(expected);
  });

  it('is true exactly when some topic matches both', () => {
    fc.assert(
      fc.property(filterOf, filterOf, (a, b) => {
        const both = ALL_TOPICS.some((topic) => topicMatches(a, topic) && topicMatches(b, topic));
        expect({ a, b, overlap: filtersOverlap(a, b) }).toEqual({ a, b, overlap: both });
        expect(filtersOverlap(b, a)).toBe(both);
      }),
      { numRuns: 500 },
    );
  });

  it('is true for a filter and each topic that it matches', () => {
    fc.assert(
      fc.property(filterOf, topicOf, (filter, topic) => {
        expect(filtersOverlap(filter, topic)).toBe(topicMatches(filter, topic));
      }),
    );
  });
});

describe('a shared subscription', () => {
  it.each([
    ['$share/plant/plc/+/tags', 'plc/+/tags', '$share/other/plc/+/tags'],
    ['$share/plant//plc', '/plc', '$share/other//plc'],
    ['$share/plant/$share/plant/a', '$share/plant/a', '$share/other/$share/plant/a'],
  ])('%s is one', (filter, alone, inOther) => {
    expect([isShared(filter), withoutGroup(filter), inGroup(filter, 'other')]).toEqual([true, alone, inOther]);
    expect(levelsOf(filter).join('/')).toBe(alone);
  });

  it.each(['plc/+/tags', '$SYS/#', '$shared/plant/plc', 'a/$share/plant/plc'])('%s is none', (filter) => {
    expect([isShared(filter), withoutGroup(filter), inGroup(filter, 'other')]).toEqual([false, filter, filter]);
  });
});
