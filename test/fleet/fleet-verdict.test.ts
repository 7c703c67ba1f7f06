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
    ['two members journalled it, once each', offence('doubled', 2), journals(1, 0, 1), true],
    ['three did, and there are three copies', offence('doubled', 3), journals(1, 1, 1), true],
    ['one member journalled it twice', offence('doubled', 2), journals(2, 0, 0), false],
    ['one member journalled it once and wrote it twice', offence('doubled', 2), journals(0, 1, 0), false],
    ['two members journalled it and there are three copies', offence('doubled', 3), journals(1, 1, 0), false],
    ['nobody journalled it', offence('unknown', 2), journals(0, 0, 0), false],
    ['two members journalled it and lost it', offence('lost', 0), journals(1, 1, 0), false],
  ])('is explained or not when %s', (_what, each, journalled, isExplained) => {
    const verdict = judgeFleet([each], journalled);
    expect(verdict.givenToAnother).toEqual(isExplained ? [each] : []);
    expect(verdict.offences).toEqual(isExplained ? [] : [each]);
  });
});
