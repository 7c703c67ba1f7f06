import { describe, expect, it } from 'vitest';

import { subscriptionProblems } from '../../../../src/config/kinds/subscription-fields.ts';

function problemsOf(json: unknown, more: object = {}): string[] {
  const problems = subscriptionProblems({ topic: 'a/+/b', format: 'json', json, ...more });
  return problems.map(
    ({ at, must, got }) => `${at}: ${must}${got === undefined ? '' : `, not ${JSON.stringify(got)}`}`,
  );
}

describe('a mapping that means nothing', () => {
  it.each([
    ['kepware', '.json: must be an object, such as { "preset": "kepware" }, not "kepware"'],
    [{ preset: 'kepwere' }, '.json.preset: must be one of "kepware", "opcua-pubsub"'],
    [{ eech: '/a/*' }, '.json.eech: is not a known key (did you mean "each"?)'],
    [{ rows: [] }, '.json.rows: must be a list of mappings, not []'],
    [{ rows: [7] }, '.json.rows[0]: must be an object of the keys of a mapping, not 7'],
    [{ rows: [{ each: '/*' }, { preset: 'flat' }] }, '.json.rows[1].preset: is not a known key'],
    [{ each: 'values/*' }, '.json.each: must be a path from the document, such as "/values/*", not "values/*"'],
    [{ each: '/a~2/*' }, '.json.each: must spell ~ as ~0 (and / in a key as ~1), not "/a~2/*"'],
    [{ each: '/a' }, '.json.tag: must say where the tag address is, such as "{id}"'],
    [{ each: '/*', value: '' }, '.json.value: must be a path, { "sum": [paths] }, or a list'],
    [{ each: '/*', value: '^^/a' }, '.json.value: must not lead above the document, as "^^" does, not "^^/a"'],
    [{ each: '/*', value: '^a' }, '.json.value: must have a / after ^, as in "^/name", not "^a"'],
    [{ each: '/*', value: 'a/*' }, '.json.value: must not have * as a step: only "each" goes through several'],
    [{ each: '/*', value: { sum: [] } }, '.json.value: must be a path'],
    [
      { each: '/*', tag: '{id' },
      '.json.tag: must be text with {path}, {#} for the key and {2} for a level of the topic',
    ],
    [{ each: '/*', tag: '{^#}' }, '.json.tag: must not ask for {^#}: "each" has 1 steps, not "{^#}"'],
    [{ each: '/*', tag: '{4}' }, '.json.tag: must not name level 4: the topic "a/+/b" has 3'],
    [{ each: '/*', plc: ['{#}', '{-4}'] }, '.json.plc: must not name level 4: the topic "a/+/b" has 3'],
    [{ each: '/*', names: '/n' }, undefined],
    [{ each: '/a', tag: 't', names: '/n' }, '.json.names: must not be given where "each" has no *, not "/n"'],
    [
      { each: '/*', timestamp: 't', timestampFormat: 'epoch' },
      'or a date pattern; this one has "e", which is no letter',
    ],
    [{ each: '/*', timestamp: 't', timestampFormat: 'HH:mm' }, 'a date pattern; this one has no year: yyyy'],
    [{ each: '/*', timestamp: 't', timestampFormat: "yyyy'x" }, "has an apostrophe that is not closed: ' alone is ''"],
    [{ each: '/*', timestamp: 't', timestampFormat: 'yyyy MM dd MM' }, 'has MM twice, or beside another form of it'],
    [{ each: '/*', timestamp: 't', timestampFormat: 'yyyy MM dd hh' }, 'must have a beside hh, or HH'],
    [{ each: '/*', timestampFormat: { seconds: 's' } }, '.json.timestampFormat: must be "iso", "epochS"'],
    [{ each: '/*', timeZone: 'Berlin' }, '.json.timeZone: must be a time zone, such as "Europe/Berlin", not "Berlin"'],
    [{ each: '/*', timeZone: '+02:00' }, '.json.timeZone: must be a time zone'],
    [{ each: '/*', quality: 'q', qualityScale: 'opc' }, '.json.qualityScale: must be "opcDa", "opcUa", "siemens"'],
    [{ each: '/*', quality: 'q', qualityScale: { 1: 'x'.repeat(65) } }, '.json.qualityScale: must be'],
    [{ each: '/*', missing: 'ignore' }, '.json.missing: must be one of "reject", "null", "skip", not "ignore"'],
    [{ each: '/*', words: { ON: true } }, '.json.words: must be an object of texts and their numbers'],
    [{ each: '/*', nulls: [null] }, '.json.nulls: must be a list of numbers and texts, not [null]'],
    [
      { each: '/*', when: { '/a': { exist: true } } },
      '.json.when: must be an object of paths and what must stand there',
    ],
    [{ each: '/*', when: { '^/a': 1 } }, '.json.when: must have paths for its keys: "^/a" must not lead above'],
    [{ each: '/*', when: { '/a': { is: ['string'] } } }, '.json.when: must be an object of paths'],
    [{ each: '/*', compression: 'br' }, '.json.compression: must be one of "auto", "gzip"'],
    [{ each: '/*', maxInflatedBytes: 0 }, '.json.maxInflatedBytes: must be a whole number from 1 to 268435456, not 0'],
  ])('%j', (json, problem) => {
    const problems = problemsOf(json);
    expect(problems).toHaveLength(problem === undefined ? 0 : 1);
    expect(problems.join('')).toContain(problem ?? '');
  });

  it('has each of its errors named', () => {
    const json = {
      rows: [
        { each: 'a', tag: '{' },
        { each: '/*', tag: '}' },
        { each: '/*', value: '^^', timeZone: 'x' },
      ],
    };
    expect(problemsOf(json).map((problem) => problem.split(':')[0])).toStrictEqual([
      '.json.rows[0].each',
      '.json.rows[1].tag',
      '.json.rows[2].value',
      '.json.rows[2].timeZone',
    ]);
  });

  it('may lie in what the subscription says beside a preset', () => {
    expect(problemsOf({ preset: 'tasmota' }, { topic: 'tasmota' })[0]).toContain('must not name level 2');
    expect(problemsOf({ preset: 'tasmota' }, { topic: 'tasmota', plcCode: '{1}' })).toStrictEqual([]);
  });
});
