import { describe, expect, it } from 'vitest';

import {
  completed,
  fieldsJsonSchema,
  itemProblems,
  objectProblems,
  under,
  unless,
  type Field,
  type Fields,
} from '../../../src/core/fields.ts';

interface Row {
  readonly each: string;
  readonly tag: string;
}

interface Mapping {
  readonly rows: readonly Row[];
  readonly flatten: string;
}

const text = (doc: string): Field<string> => ({
  doc,
  jsonSchema: { type: 'string' },
  check: (value) => unless(typeof value === 'string', 'must be text', value),
});

const ROW: Fields<Row> = { each: text('where rows are'), tag: { ...text('the name'), default: '{#}' } };

const MAPPING: Fields<Mapping> = {
  rows: {
    doc: 'where the rows are',
    jsonSchema: { type: 'array', items: fieldsJsonSchema(ROW) },
    check: (value) =>
      Array.isArray(value)
        ? itemProblems(value, (row) => objectProblems(ROW, row, '{ "each": "/*" }'))
        : unless(false, 'must be a list', value),
    complete: (rows) => rows.map((row) => completed(ROW, row)),
  },
  flatten: {
    ...text('what stands between names'),
    default: '.',
    check: (value, { rows }) => unless(value === '.' || Array.isArray(rows), 'must not be given without rows'),
  },
};

const problemsOf = (value: unknown): object[] => under('json', objectProblems(MAPPING, value, '{}'));

describe('the fields of an object', () => {
  it('are good as they should be, with and without what has a default', () => {
    expect(problemsOf({ rows: [{ each: '/*' }, { each: '/a', tag: '{id}' }], flatten: '/' })).toEqual([]);
    expect(problemsOf({ rows: [] })).toEqual([]);
  });

  it.each<[unknown, object[]]>([
    [5, [{ at: 'json', must: 'must be an object, such as {}', got: 5 }]],
    [[], [{ at: 'json', must: 'must be an object, such as {}', got: [] }]],
    [{}, [{ at: 'json.rows', must: 'must be a list' }]],
    [
      { rows: [{ each: '/*' }, { eahc: '/a', tag: 7 }, null] },
      [
        { at: 'json.rows[1].eahc', must: 'is not a known key (did you mean "each"?)' },
        { at: 'json.rows[1].each', must: 'must be text' },
        { at: 'json.rows[1].tag', must: 'must be text', got: 7 },
        { at: 'json.rows[2]', must: 'must be an object, such as { "each": "/*" }', got: null },
      ],
    ],
    [
      { rows: 'all', flatten: '/' },
      [
        { at: 'json.rows', must: 'must be a list', got: 'all' },
        { at: 'json.flatten', must: 'must not be given without rows' },
      ],
    ],
    [JSON.parse('{"rows":[],"__proto__":1}'), [{ at: 'json.__proto__', must: 'is not a known key' }]],
  ])('tell of each problem in %j with its path', (value, problems) => {
    expect(problemsOf(value)).toEqual(problems);
  });

  it('are completed at every depth, in their order', () => {
    const given = { flatten: '/', rows: [{ tag: 'x', each: '/*' }, { each: '/a' } as Row] };
    expect(JSON.stringify(completed(MAPPING, given))).toBe(
      '{"rows":[{"each":"/*","tag":"x"},{"each":"/a","tag":"{#}"}],"flatten":"/"}',
    );
  });

  it('have a schema that needs what has no default', () => {
    expect(fieldsJsonSchema(ROW)).toEqual({
      type: 'object',
      additionalProperties: false,
      required: ['each'],
      properties: {
        each: { description: 'where rows are', type: 'string' },
        tag: { description: 'the name', type: 'string', default: '{#}' },
      },
    });
  });
});
