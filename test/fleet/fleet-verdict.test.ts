import { describe, expect, it } from 'vitest';

import type { Offence } from '../crash/verdict.ts';
import { judgeFleet } from './fleet-verdict.ts';

const offence = (what: Offence['what'], copies: number): Offence => ({
  what,
  name: 'P.V1',
  cycle: 1,
  found: 'table',
  copies,
});

const journals = (...counts: readonly number[]) =>
  new Map(counts.map((count, i) => [`member-${i}`, new Map(count === 0 ? [] : [['P.V1', count]])]));

describe('a value that a fleet has doubled', () => {
  it.each([
    ['two members journalled it, once each', offence('doubled', 2), journals(1, 0, 1), 'givenToAnother'],
    ['three did, and there are three copies', offence('doubled', 3), journals(1, 1, 1), 'givenToAnother'],
    ['one member journalled it twice', offence('doubled', 2), journals(2, 0, 0), 'offences'],
    ['one member journalled it once and wrote it twice', offence('doubled', 2), journals(0, 1, 0), 'offences'],
    ['two members journalled it and there are three copies', offence('doubled', 3), journals(1, 1, 0), 'offences'],
    ['nobody journalled it', offence('unknown', 2), journals(0, 0, 0), 'offences'],
    ['two members journalled it and lost it', offence('lost', 0), journals(1, 1, 0), 'offences'],
  ] as const)('is explained or not when %s', (_what, each, journalled, place) => {
    const nothing = { offences: [], givenToAnother: [], maybeRepeated: [] };
    expect(judgeFleet([each], journalled, () => true)).toEqual({ ...nothing, [place]: [each] });
  });

  it('may be repeated only without a time of its own, and once in the journal for each copy', () => {
    const twice = offence('doubled', 2);
    expect(judgeFleet([twice], journals(2, 0), () => false)).toMatchObject({ offences: [], maybeRepeated: [twice] });
    expect(judgeFleet([twice], journals(0, 1), () => false)).toMatchObject({ offences: [twice], maybeRepeated: [] });
  });
});
