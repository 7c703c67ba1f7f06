import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { FairShare } from '../../../src/oracle/fair-share.ts';

const NAMES = ['default', 'alarms', 'energy', 'line1'];

describe('FairShare', () => {
  it('has always one for a destination that has none, when there is one for each and one more', () => {
    const step = fc.record({
      who: fc.constantFrom(...NAMES),
      gives: fc.boolean(),
      failed: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 4 }),
        fc.nat(3),
        fc.array(step, { maxLength: 40 }),
        (count, more, steps) => {
          const names = NAMES.slice(0, count);
          const max = count + 1 + more;
          const share = new FairShare(max, names);
          const held = new Map(names.map((name) => [name, 0]));
          for (const { who, gives, failed } of steps) {
            const mine = held.get(who);
            if (mine === undefined) continue;
            if (gives && mine > 0) {
              share.giveBack(who, failed);
              held.set(who, mine - 1);
            } else if (share.mayTake(who)) {
              share.take(who);
              held.set(who, mine + 1);
            }
            const inUse = [...held.values()].reduce((sum, each) => sum + each, 0);
            expect(inUse).toBeLessThanOrEqual(max);
            const without = [...held].flatMap(([name, has]) => (has === 0 ? [name] : []));
            expect(without.filter((name) => !share.mayTake(name))).toEqual([]);
          }
        },
      ),
    );
  });

  it('keeps the last of few for one whose calls succeed', () => {
    const share = new FairShare(2, NAMES);
    share.take('alarms');
    share.giveBack('alarms', true);
    share.take('default');
    expect([share.mayTake('alarms'), share.mayTake('energy')]).toEqual([false, true]);
    share.giveBack('default', false);
    expect(share.mayTake('alarms')).toBe(true);
  });

  it('gives a destination no second one while that would be the last', () => {
    const share = new FairShare(3, NAMES);
    share.take('default');
    share.take('alarms');
    expect([share.mayTake('default'), share.mayTake('energy')]).toEqual([false, true]);
  });

  it('lets whoever comes first be first, where there is one connection or one destination', () => {
    const one = new FairShare(1, NAMES);
    one.take('alarms');
    expect(one.mayTake('default')).toBe(false);
    one.giveBack('alarms', true);
    expect(one.mayTake('alarms')).toBe(true);
    const alone = new FairShare(2, ['default']);
    alone.take('default');
    expect(alone.mayTake('default')).toBe(true);
  });
});
