import { describe, expect, it } from 'vitest';

import { PRESETS } from '../../../../src/payload/json/presets.ts';
import { becomes, expectedOf, readCases } from '../../../payloads/payload-table.ts';

const CASES = readCases('json');

describe('a JSON payload of the table becomes what its file says', () => {
  it.each(CASES)('%s', (_file, each) => {
    expect(becomes(each)).toStrictEqual(expectedOf(each));
  });

  it('and there is one for each preset', () => {
    const used = new Set(CASES.map(([, { subscription }]) => JSON.stringify(subscription)));
    const unused = Object.keys(PRESETS).filter(
      (name) => ![...used].some((text) => text.includes(`"preset":"${name}"`)),
    );
    expect(unused).toStrictEqual([]);
  });
});
