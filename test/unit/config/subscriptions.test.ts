import { describe, expect, it } from 'vitest';

import { fillSubscription } from '../../../src/config/kinds/subscription-fields.ts';
import { subscriptions } from '../../../src/config/kinds/subscriptions-kind.ts';

const SETTING = { doc: '', kind: subscriptions, default: [] } as const;

function problemsOf(...list: readonly unknown[]): string[] {
  return subscriptions.check(list, SETTING).map(({ at = '', must }) => `${at}: ${must}`);
}

const SCALAR = { topic: 'plant/+/+', format: 'scalar', plcCode: '{2}', tagAddress: '{3}' };

describe('the subscriptions', () => {
  it.each([
    [{ topic: 'plc/+/tags' }],
    [{ topic: 'plc/+/tags', qos: 0, format: 'polling', plcCode: '{2}' }],
    [{ topic: 'plc/+/tags', qos: 2 }],
    [{ topic: '#' }],
    [SCALAR],
    [{ ...SCALAR, plcCode: 'line-{1}/{2}', tagAddress: 'x{3}{3}' }],
    [{ topic: 'plant/#', format: 'scalar', plcCode: '{2}', tagAddress: '{9}' }],
    [{ topic: '$share/bridges/plc/+', plcCode: '{2}' }],
    [{ topic: 'plc/ü' }],
    [{ topic: 'a', include: ['*.Temp*'], exclude: ['*.Spare*'] }],
    [{ topic: 'a', deadband: { absolute: 0.5, percent: 100 }, maxSilenceSeconds: 0.5 }],
    [{ topic: 'a', maxSilenceSeconds: 60, tags: [{ match: '*', deadband: { percent: 0 } }] }],
    [{ topic: 'a', deadband: { percent: 2 }, tags: [{ match: '*', deadband: 'off' }, { match: 'b' }] }],
    [{ topic: 'a', onImplausibleTime: 'reject', plausibleTime: { pastDays: 3650 } }],
  ])('may be %j', (subscription) => {
    expect(problemsOf(subscription)).toEqual([]);
  });

  it.each([
    [5, '[0]: must be an object'],
    [null, '[0]: must be an object'],
    [['a'], '[0]: must be an object'],
    [{}, '[0].topic: must be a topic filter'],
    [{ topic: '' }, '[0].topic: must be a topic filter, and this one is empty'],
    [{ topic: 'a/b#' }, '[0].topic: must be a topic filter, and this one is none: #'],
    [{ topic: 'a/#/b' }, '[0].topic: must be a topic filter'],
    [{ topic: 'a+/b' }, '[0].topic: must be a topic filter'],
    [{ topic: 5 }, '[0].topic: must be a topic filter'],
    [{ topic: '$share/g' }, '[0].topic: must be a topic filter, and this one must read $share/'],
    [{ topic: '$share//a' }, '[0].topic: must be a topic filter, and this one must read $share/'],
    [{ topic: 'a', qos: 3 }, '[0].qos: must be 0, 1 or 2'],
    [{ topic: 'a', qos: '1' }, '[0].qos: must be 0, 1 or 2'],
    [{ topic: 'a', format: 'json' }, '[0].json: must be an object, such as { "preset": "kepware" }'],
    [{ topic: 'a', json: {} }, '[0].json: must not be given: it is an option of "format": "json"'],
    [{ topic: 'a', sparkplug: {} }, '[0].sparkplug: must not be given: it is an option of "format": "sparkplugB"'],
    [
      { topic: 'a', format: 'sparkplugB', sparkplug: { hostId: 'a/b' } },
      '[0].sparkplug.hostId: must be text without /',
    ],
    [{ topic: 'a', format: 'sparkplugB', sparkplug: { rebirths: true } }, '[0].sparkplug.rebirths: is not a known key'],
    [
      { topic: 'a', format: 'sparkplugB', sparkplug: { timestamp: 'now' } },
      '[0].sparkplug.timestamp: must be "metric" or',
    ],
    [
      { topic: 'a', format: 'sparkplugB', sparkplug: { reorderTimeoutMs: 0.5 } },
      '[0].sparkplug.reorderTimeoutMs: must be an integer',
    ],
    [{ topic: 'a', format: 'xml' }, '[0].format: must be "polling", "scalar", "json" or "sparkplugB"'],
    [{ topic: 'a', format: ['polling'] }, '[0].format: must be "polling", "scalar", "json" or "sparkplugB"'],
    [{ topic: 'a', plcCode: '{2}' }, '[0].plcCode: must not name level 2: the topic "a" has 1'],
    [{ topic: '$share/g/a', plcCode: '{2}' }, '[0].plcCode: must not name level 2'],
    [{ topic: 'a', plcCode: '{0}' }, '[0].plcCode: must be text with {n}'],
    [{ topic: 'a', plcCode: '{x}' }, '[0].plcCode: must be text with {n}'],
    [{ topic: 'a', plcCode: '{1' }, '[0].plcCode: must be text with {n}'],
    [{ topic: 'a', plcCode: 1 }, '[0].plcCode: must be text with {n}'],
    [{ topic: 'a', plcCode: null }, '[0].plcCode: must be text with {n}'],
    [{ topic: 'a/+', format: 'scalar', plcCode: '{1}' }, '[0].tagAddress: must say where in the topic'],
    [{ ...SCALAR, tagAddress: '{4}' }, '[0].tagAddress: must not name level 4'],
    [{ topic: 'a', tagValues: [] }, '[0].tagValues: is not a known key'],
    [{ topic: 'a', include: '*' }, '[0].include: must be a list of up to 1000 patterns'],
    [{ topic: 'a', include: ['*', ''] }, '[0].include[1]: must be a tag name with * for any characters'],
    [{ topic: 'a', exclude: [5] }, '[0].exclude[0]: must be a tag name with * for any characters'],
    [{ topic: 'a', deadband: 0.5 }, '[0].deadband: must be an object such as { "absolute": 0.5 }'],
    [{ topic: 'a', deadband: {} }, '[0].deadband: must be an object such as { "absolute": 0.5 }'],
    [
      { topic: 'a', deadband: { percentage: 1 } },
      '[0].deadband.percentage: is not a known key (did you mean "percent"?)',
    ],
    [{ topic: 'a', deadband: { absolute: -1 } }, '[0].deadband.absolute: must be a number from 0 on'],
    [{ topic: 'a', deadband: { percent: 101 } }, '[0].deadband.percent: must be a number from 0 to 100'],
    [{ topic: 'a', maxSilenceSeconds: 60 }, '[0].maxSilenceSeconds: must not be given without a deadband'],
    [{ topic: 'a', maxSilenceSeconds: '60' }, '[0].maxSilenceSeconds: must be a number of seconds from 0 to'],
    [{ topic: 'a', tags: {} }, '[0].tags: must be a list of up to 1000 objects such as { "match": "*.Temp*"'],
    [{ topic: 'a', tags: [{}] }, '[0].tags[0].match: must be a tag name with * for any characters'],
    [{ topic: 'a', tags: [{ match: 'a', deadband: 'on' }] }, '[0].tags[0].deadband: must be an object such as'],
    [{ topic: 'a', tags: [{ match: 'a', silence: 1 }] }, '[0].tags[0].silence: is not a known key'],
    [{ topic: 'a', onImplausibleTime: 'drop' }, '[0].onImplausibleTime: must be "accept", "receivedAt" or "reject"'],
    [{ topic: 'a', plausibleTime: 5 }, '[0].plausibleTime: must be an object, such as {"pastDays":90'],
    [{ topic: 'a', plausibleTime: { pastDays: -1 } }, '[0].plausibleTime.pastDays: must be a number of days from 0 to'],
    [{ topic: 'a', plccode: 'x' }, '[0].plccode: is not a known key (did you mean "plcCode"?)'],
    [JSON.parse('{"topic":"a","__proto__":{"qos":0}}'), '[0].__proto__: is not a known key'],
  ])('may not be %j', (subscription, problem) => {
    const problems = problemsOf(subscription);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });

  it.each([
    ['plc/+/tags', 'plc/1/tags'],
    ['#', 'a'],
    ['a/#', 'a'],
    ['a', 'a'],
    ['$share/g/a/+', 'a/b'],
  ])('%s and %s overlap, and a message could be written twice', (one, other) => {
    const problems = problemsOf({ topic: one }, { topic: other });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`[1].topic: must not overlap ${JSON.stringify(one)} of subscription [0]`);
  });

  it('may lie side by side', () => {
    expect(problemsOf({ topic: 'a/+' }, { topic: 'b/+' }, { topic: 'a/+/c' }, { topic: '$SYS/#' })).toEqual([]);
  });

  it('tell of each problem in each of them at once', () => {
    expect(problemsOf({ topic: '', qos: 7 }, 5, { topic: 'a', x: 1, format: 'y' })).toHaveLength(5);
  });

  it('get what was left out', () => {
    expect(fillSubscription({ topic: 'a' })).toEqual({
      topic: 'a',
      qos: 1,
      format: 'polling',
      plcCode: '',
      tagAddress: '',
      timeZone: '',
      timestampFormat: '',
      numbersInText: false,
      decimalComma: false,
      words: {},
      retained: 'write',
      include: [],
      exclude: [],
      maxSilenceSeconds: 0,
      tags: [],
      onImplausibleTime: 'accept',
      plausibleTime: { pastDays: 90, futureMinutes: 30 },
    });
    expect(fillSubscription({ topic: 'a', plausibleTime: { pastDays: 1 } as never })).toMatchObject({
      plausibleTime: { pastDays: 1, futureMinutes: 30 },
    });
    expect(fillSubscription({ topic: 'a', format: 'scalar' })).toMatchObject({
      scalar: { wordSwap: false, empty: 'skip' },
    });
  });
});
